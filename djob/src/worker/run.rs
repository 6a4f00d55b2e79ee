//! From start to end: joins, runs all parts of a worker, ends them in order. A worker whose lease is lost, because the
//! database was away for too long or the process stood still, starts anew under a new id.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::engine::{Engine, Orders, Parts};
use super::{claim, drain, execute, heartbeat, host, quarantine, settle, signals};
use crate::error::WorkerError;
use crate::events::Event;
use crate::pause::some_of;
use crate::storage::WorkerInfo;

/// The pause before another start; it doubles with each one in vain.
const RESTART: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(10));

/// Runs a worker until `shutdown` is ready, a signal comes, or nothing is due any more.
pub(super) async fn run(
    parts: Parts,
    shutdown: impl Future<Output = ()>,
    signals: bool,
) -> Result<(), WorkerError> {
    parts.client.check_schema().await?;
    let orders = Orders::default();
    let (stop, abort) = (orders.stop.clone(), orders.abort.clone());
    // Ends the listening to signals, and the heartbeat, also when this future is dropped half-way.
    let _over = abort.clone().drop_guard();
    if signals {
        let obey = signals::obey(orders.quiet.clone(), stop.clone(), abort.clone());
        tokio::spawn(abort.clone().run_until_cancelled_owned(obey));
    }
    let mut work = pin!(incarnations(&parts, &orders));
    tokio::select! {
        ended = &mut work => return ended,
        () = shutdown => stop.cancel(),
    }
    work.await
}

/// Runs one incarnation after the other, until one ends because it should.
async fn incarnations(parts: &Parts, orders: &Orders) -> Result<(), WorkerError> {
    let (mut first, mut pause) = (true, RESTART.0);
    loop {
        let engine = Engine::new(parts.clone(), orders);
        match join(&engine).await {
            Ok(()) => {
                (first, pause) = (false, RESTART.0);
                let ended = supervise(&engine).await;
                tracing::info!(worker = %engine.id, "worker stopped");
                let id = engine.id;
                engine.client.event_sender().send(|| Event::WorkerStopped { worker: id });
                if engine.outdated() {
                    ended?;
                    engine.client.check_schema().await?;
                } else if !engine.lost() || orders.stop.is_cancelled() {
                    return ended;
                }
            }
            Err(error) if first => return Err(error),
            Err(error) => tracing::warn!(%error, "could not start anew; trying again"),
        }
        tokio::select! {
            () = orders.stop.cancelled() => return Ok(()),
            () = tokio::time::sleep(some_of(pause)) => pause = (pause * 2).min(RESTART.1),
        }
    }
}

/// Enters the worker into the list of the living.
async fn join(engine: &Engine) -> Result<(), WorkerError> {
    let info = info(engine);
    engine.storage().publish(&engine.registry.contracts()).await?;
    engine.storage().join(&info).await?;
    let (queues, kinds) = (info.queues.join(" "), engine.registry.names().join(" "));
    tracing::info!(worker = %engine.id, name = info.name, queues, kinds, "worker started");
    let id = engine.id;
    engine.client.event_sender().send(|| Event::WorkerStarted { worker: id });
    Ok(())
}

/// Runs all parts of a worker, and ends them in order.
async fn supervise(engine: &Arc<Engine>) -> Result<(), WorkerError> {
    let _over = engine.over.clone().drop_guard();
    heartbeat::start(engine).map_err(|error| WorkerError::Setting(error.to_string()))?;
    let (mut parts, mut claimers) = (JoinSet::new(), JoinSet::new());
    let mut slots = 0..;
    for pool in &engine.pools {
        claimers.spawn(claim::claimer(engine.clone(), pool.clone()));
        for slot in slots.by_ref().take(pool.config.concurrency as usize) {
            parts.spawn(execute::slot(engine.clone(), pool.clone(), slot));
        }
    }
    let alone = engine.config.concurrency() as usize;
    parts.spawn(quarantine::quarantine(engine.clone(), alone));
    parts.spawn(settle::settler(engine.clone()));
    parts.spawn(settle::splitter(engine.clone()));
    parts.spawn(crate::maintenance::keep(engine.clone()));
    parts.spawn(listen(engine.clone()));
    watch(engine, &mut claimers, &mut parts).await;
    drain::drain(engine).await;
    engine.over.cancel();
    // A slot whose job blocks its thread is left behind; everything else is over at once.
    let all_over = async { while parts.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(Duration::from_secs(1), all_over).await;
    parts.abort_all();
    if !engine.lost() {
        engine.storage().leave(engine.id).await?;
    }
    Ok(())
}

/// Waits until the claimers have ended, as they do when the worker drains. A part that fails takes the others with it: a worker
/// that only seems to work would keep its jobs from those that do.
async fn watch(engine: &Engine, claimers: &mut JoinSet<()>, parts: &mut JoinSet<()>) {
    loop {
        let ended = tokio::select! {
            claimer = claimers.join_next() => match claimer {
                None => return,
                Some(ended) => ended,
            },
            Some(Err(panic)) = parts.join_next() => Err(panic),
        };
        if let Err(panic) = ended {
            tracing::error!(%panic, "a part of the worker has failed: it starts anew");
            engine.lose();
        }
    }
}

/// Hears of what other processes enqueue. Without it there is polling.
async fn listen(engine: Arc<Engine>) {
    let mut pause = Duration::from_millis(100);
    loop {
        let ring = || {
            engine.heard.listens(true);
            engine.client.bell().ring();
        };
        tokio::select! {
            () = engine.over.cancelled() => return,
            heard = engine.storage().listen(&ring) => if let Err(error) = heard {
                tracing::debug!(%error, "not listening; polling meanwhile");
            },
        }
        engine.heard.listens(false);
        engine.client.bell().ring();
        tokio::select! {
            () = engine.over.cancelled() => return,
            () = tokio::time::sleep(some_of(pause)) => pause = (pause * 2).min(Duration::from_secs(10)),
        }
    }
}

fn info(engine: &Engine) -> WorkerInfo {
    let queues = engine.pools.iter().flat_map(|pool| match pool.config.queues.is_empty() {
        true => vec!["*".to_owned()],
        false => pool.config.queues.clone(),
    });
    WorkerInfo {
        id: engine.id,
        name: engine.config.name.clone(),
        host: host(),
        pid: std::process::id(),
        queues: queues.collect(),
        kinds: engine.registry.known(),
        concurrency: engine.config.concurrency(),
    }
}
