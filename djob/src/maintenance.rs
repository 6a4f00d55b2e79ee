//! Looking after what no single job needs: rescue, cancellation, parked kinds, pruning. No leader: every worker may do each
//! duty, and each is safe to do twice.

mod cancel;
mod forgotten;
mod prune;
mod rescue;
mod unpark;

use std::collections::HashSet;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior, interval};
use uuid::Uuid;

use crate::job::JobId;
use crate::pause::some_of;
use crate::storage::{News, StorageError};
use crate::worker::Engine;

/// How long a duty that failed waits at most before it takes the next call.
const AFTER_ERROR: Duration = Duration::from_secs(1);

/// Does the duties of maintenance until the worker is over: side by side, so that one that waits for an answer keeps no other
/// from its work.
pub(crate) async fn keep(engine: Arc<Engine>) {
    // The heartbeat brings word of what there is to rescue and to unpark; it has not looked yet.
    engine.heard.news(News { silence: true, parked: true, ..News::default() });
    tokio::join!(
        rescue_those_who_died(&engine),
        unpark_what_is_known(&engine),
        prune_at_times(&engine),
        cancel_what_is_unwanted(&engine),
        give_back_what_was_forgotten(&engine),
    );
}

async fn rescue_those_who_died(engine: &Engine) {
    while comes(engine, engine.heard.silence.notified()).await {
        report(engine, "rescue", rescue::rescue(engine).await).await;
    }
}

async fn unpark_what_is_known(engine: &Engine) {
    while comes(engine, engine.heard.parked.notified()).await {
        report(engine, "unpark", unpark::unpark(engine).await).await;
    }
}

async fn prune_at_times(engine: &Engine) {
    let (mut times, mut looked_at) = (every(Duration::from_secs(300)), JobId::from(Uuid::nil()));
    while comes(engine, times.tick()).await {
        report(engine, "prune", prune::prune(engine, &mut looked_at).await).await;
    }
}

async fn cancel_what_is_unwanted(engine: &Engine) {
    let (mut times, mut looked) = (every(Duration::from_secs(1)), None);
    while comes(engine, times.tick()).await {
        report(engine, "cancel", cancel::cancel(engine, &mut looked).await).await;
    }
}

async fn give_back_what_was_forgotten(engine: &Engine) {
    let (mut times, mut doubted) = (every(engine.config.lease / 2), HashSet::new());
    while comes(engine, times.tick()).await {
        report(engine, "forgotten", forgotten::forgotten(engine, &mut doubted).await).await;
    }
}

/// Waits for what calls for a duty; `false` when the worker is over. A duty that has begun is never dropped half-way: that would
/// spoil its connection, and a database in memory is its connection.
async fn comes<T>(engine: &Engine, call: impl Future<Output = T>) -> bool {
    tokio::select! {
        () = engine.over.cancelled() => false,
        _ = call => true,
    }
}

/// After an error the duty pauses, and with it its ticks: those of other workers are no longer in step with them.
async fn report(engine: &Engine, duty: &str, done: Done) {
    if let Err(error) = done {
        tracing::warn!(duty, %error, "maintenance failed; trying again later");
        comes(engine, tokio::time::sleep(some_of(AFTER_ERROR))).await;
    }
}

fn every(period: Duration) -> Interval {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

type Done = Result<(), StorageError>;
