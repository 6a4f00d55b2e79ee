//! The quarantine: jobs that another death of a worker would condemn run here one after the other, with no other of their kind
//! beside them, so that one that is innocent cannot be blamed for what another one did.

use std::sync::Arc;

use super::engine::Engine;
use super::execute;

/// Runs one suspect after the other until the worker is over. Those that wait here for too long go back, as from any pool, and
/// another worker may take them.
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
