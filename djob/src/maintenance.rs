//! Looking after what no single job needs: rescue, cancellation, parked kinds, pruning. No leader: every worker may do each
//! duty, and each is safe to do twice.

mod cancel;
mod forgotten;
mod prune;
mod rescue;
mod unpark;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior, interval};
use uuid::Uuid;

use crate::job::JobId;
use crate::storage::{News, StorageError};
use crate::worker::Engine;

/// Does the duties of maintenance until the worker is over.
pub(crate) async fn keep(engine: Arc<Engine>) {
    // The heartbeat brings word of what there is to rescue and to unpark; it has not looked yet.
    engine.heard.news(News { silence: true, parked: true, old_claims: false });
    let mut prune = every(Duration::from_secs(300));
    let mut cancel = every(Duration::from_secs(1));
    let mut forgotten = every(engine.config.lease / 2);
    let (mut doubted, mut looked_at) = (HashSet::new(), JobId::from(Uuid::nil()));
    loop {
        let (duty, done) = tokio::select! {
            () = engine.over.cancelled() => return,
            () = engine.heard.silence.notified() => ("rescue", rescue::rescue(&engine).await),
            () = engine.heard.parked.notified() => ("unpark", unpark::unpark(&engine).await),
            _ = prune.tick() => ("prune", prune::prune(&engine, &mut looked_at).await),
            _ = cancel.tick() => ("cancel", cancel::cancel(&engine).await),
            _ = forgotten.tick() => ("forgotten", forgotten::forgotten(&engine, &mut doubted).await),
        };
        if let Err(error) = done {
            tracing::warn!(duty, %error, "maintenance failed; trying again later");
        }
    }
}

fn every(period: Duration) -> Interval {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

type Done = Result<(), StorageError>;
