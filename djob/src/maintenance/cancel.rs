//! Running jobs and the world: those that somebody wants to stop get the sign to, and what they say about their progress is
//! stored.

use super::Done;
use crate::worker::Engine;

pub(super) async fn cancel(engine: &Engine) -> Done {
    if !engine.runs_any() {
        return Ok(());
    }
    let said = engine.take_progress();
    if !said.is_empty() {
        engine.storage().say_progress(&said).await?;
    }
    let wanted = engine.storage().cancels().await?;
    if engine.cancel(&wanted) {
        tracing::info!("told jobs to stop that were cancelled");
    }
    // A job may have slipped back to waiting between the wish and the sign.
    for id in wanted {
        engine.storage().cancel_slipped(id).await?;
    }
    Ok(())
}
