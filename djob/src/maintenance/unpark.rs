//! Unpark: jobs that were set aside because nobody knew their kind come back when a worker that knows it is there.

use super::Done;
use crate::worker::Engine;

pub(super) async fn unpark(engine: &Engine) -> Done {
    let back = engine.storage().unpark(&engine.registry.names()).await?;
    if back > 0 {
        tracing::info!(jobs = back, "jobs of a kind that was unknown before are waiting again");
        engine.client.bell().now();
    }
    Ok(())
}
