//! Prune: finished jobs whose time is up are forgotten. One worker at a time, a batch at a time.

use std::time::Duration;

use uuid::Uuid;

use super::Done;
use crate::job::JobId;
use crate::worker::Engine;

/// How many rows go at once.
const AT_ONCE: u32 = 5000;
/// So many jobs' errors are looked at in one go,
const LOOK_AT_ONCE: u32 = 500;
/// and so often in a row: the next time it goes on from there.
const LOOKS: usize = 20;
/// Who prunes does so alone for this long.
const HOLD: Duration = Duration::from_secs(280);

/// `looked_at` is where the search for errors of jobs that are gone has come to.
pub(super) async fn prune(engine: &Engine, looked_at: &mut JobId) -> Done {
    if !engine.storage().take_duty("prune", engine.id, HOLD).await? {
        return Ok(());
    }
    // Claims of a worker that has no row at all: nobody hears that it is silent.
    engine.heard.silence.notify_one();
    while engine.storage().prune(AT_ONCE).await? == u64::from(AT_ONCE) && !engine.draining.is_cancelled() {}
    for _ in 0..LOOKS {
        let last = engine.storage().prune_attempts(*looked_at, LOOK_AT_ONCE).await?;
        *looked_at = last.unwrap_or(JobId::from(Uuid::nil()));
        if last.is_none() || engine.draining.is_cancelled() {
            break;
        }
    }
    Ok(())
}
