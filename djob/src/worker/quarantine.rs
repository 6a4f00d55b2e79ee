//! The quarantine: jobs that another death of a worker would condemn run here one after the other, with no other of their kind
//! beside them, so that one that is innocent cannot be blamed for what another one did.

use std::sync::Arc;
use std::time::Duration;

use super::engine::Engine;
use super::execute;
use super::open::Run;
use crate::job::Settlement;

/// So many may wait here for their turn. Their turn must come soon, as in any pool.
const ROOM: usize = 32;
/// One whose turn does not come goes back for this long: another worker may have a place for it.
pub(super) const BACK: Duration = Duration::from_secs(1);

/// Lets in as many of these as there is room for; the others go back to waiting.
pub(super) fn admit(engine: &Engine, runs: Vec<Run>) {
    let pool = &engine.quarantine;
    let mut runs = runs.into_iter();
    pool.fill(runs.by_ref().take(ROOM.saturating_sub(pool.held_jobs() as usize)));
    for run in runs {
        execute::conclude(engine, &run, Settlement::Postpone { delay: BACK }, Duration::ZERO);
    }
}

/// Runs one suspect after the other until the worker is over.
pub(crate) async fn quarantine(engine: Arc<Engine>, slot: usize) {
    let pool = engine.quarantine.clone();
    loop {
        let run = tokio::select! {
            biased;
            () = engine.over.cancelled() => return,
            run = pool.take() => run,
        };
        execute::one(&engine, &run, slot).await;
        // What became of it is stored before the next one begins: it must not be blamed for that one.
        tokio::select! {
            () = engine.has_stored(run.fence()) => {}
            () = engine.over.cancelled() => {}
        }
        pool.done(None);
    }
}
