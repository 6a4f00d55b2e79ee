//! Running jobs and the world: those that somebody wants to stop get the sign to, and what they say about their progress is
//! stored.

use super::Done;
use crate::worker::Engine;

/// `looked` is what the worker's activity was when it looked the last time. A job may have gone back to waiting since, with the
/// wish for its end: so it looks once more after the last job has ended.
pub(super) async fn cancel(engine: &Engine, looked: &mut Option<u64>) -> Done {
    let activity = engine.activity();
    if !engine.runs_any() && *looked == Some(activity) {
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
    *looked = Some(activity);
    Ok(())
}
