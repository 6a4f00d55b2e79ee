//! The end of a worker, in phases: claim no more, let jobs finish, tell them to stop, end them, give everything back.

use std::sync::Arc;
use std::time::Duration;

use super::engine::Engine;
use super::open::Run;
use super::settle::flush;
use crate::events::Event;
use crate::job::Settlement;

/// How often it is looked whether the jobs are done. They tell nobody; a drain is no hot path.
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// How long the last outcomes may take on their way into the database.
const LAST_OUTCOMES: Duration = Duration::from_secs(12);

/// Ends what runs here. On return nothing runs, and everything is stored or given back.
pub(crate) async fn drain(engine: &Arc<Engine>) {
    let id = engine.id;
    engine.client.event_sender().send(|| Event::WorkerDrains { worker: id });
    give_back_held(engine);
    if !done_within(engine, engine.config.drain).await {
        tracing::warn!("jobs still run after {:?}: telling them to stop", engine.config.drain);
        engine.cancel_all();
        if !done_within(engine, engine.config.grace).await {
            tracing::warn!("ending jobs that did not stop; their attempts do not count");
        }
        engine.abort.cancel();
        // An async job ends at its next await; one that blocks its thread cannot be waited for any longer.
        done_within(engine, Duration::from_secs(1)).await;
    }
    give_back_held(engine);
    settled(engine).await;
}

/// Waits for outcomes that are on their way, but not for ever.
async fn settled(engine: &Engine) {
    let all = async {
        while !engine.is_settled() {
            flush(engine).await;
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    if tokio::time::timeout(LAST_OUTCOMES, all).await.is_err() {
        tracing::error!(
            "outcomes could not be stored before the end: their jobs will be rescued, and run again"
        );
    }
}

/// Waits until no job runs, but not longer than `limit`, and not once everything shall end at once.
async fn done_within(engine: &Engine, limit: Duration) -> bool {
    let done = async {
        while engine.all_pools().any(|pool| pool.busy() > 0) || !engine.is_settled() {
            give_back_held(engine);
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    tokio::select! {
        () = done => true,
        () = tokio::time::sleep(limit) => false,
        () = engine.abort.cancelled(), if limit > Duration::from_secs(1) => false,
    }
}

/// Jobs that have not begun go back to waiting, as if they had never been claimed.
fn give_back_held(engine: &Engine) {
    let held: Vec<Run> = engine.all_pools().flat_map(|pool| pool.empty()).collect();
    for run in held {
        if run.held().is_some()
            && let Some(end) = run.end(Settlement::Release, Duration::ZERO, false)
        {
            engine.settle(end);
        }
    }
}
