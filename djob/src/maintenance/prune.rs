//! Prune: finished jobs whose time is up are forgotten. One worker at a time, a batch at a time.

use std::time::Duration;

use super::Done;
use crate::worker::Engine;

/// How many rows go at once.
const AT_ONCE: u32 = 5000;
/// Who prunes does so alone for this long.
const HOLD: Duration = Duration::from_secs(280);

pub(super) async fn prune(engine: &Engine) -> Done {
    if !engine.storage().take_duty("prune", engine.id, HOLD).await? {
        return Ok(());
    }
    // Claims of a worker that has no row at all: nobody hears that it is silent.
    engine.heard.silence.notify_one();
    while engine.storage().prune(AT_ONCE).await? == u64::from(AT_ONCE) && !engine.draining.is_cancelled() {}
    Ok(())
}
