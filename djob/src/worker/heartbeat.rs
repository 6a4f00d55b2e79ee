//! The heartbeat: a thread of its own with a connection of its own, so that jobs that block the runtime do not make the
//! worker look dead. It stops beating if the runtime has not moved for so long that the jobs must be presumed stuck.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::engine::Engine;
use crate::pause::some_of;
use crate::storage::{Heart, News, StorageError};

/// How long the runtime may stand still before the worker is given up.
const STUCK: Duration = Duration::from_secs(120);
/// From here on a standstill is reported.
const SLOW: Duration = Duration::from_secs(2);

/// A worker whose heartbeat has stopped, for whatever reason, has lost its lease.
struct EndsWithIt<'a>(&'a Engine);

impl Drop for EndsWithIt<'_> {
    fn drop(&mut self) {
        if !self.0.over.is_cancelled() {
            tracing::error!("the heartbeat has stopped: the worker stops its jobs");
            self.0.lose();
        }
    }
}

/// The runtime's own sign of life, in milliseconds since the start.
#[derive(Clone, Debug)]
struct Tick {
    start: Instant,
    last: Arc<AtomicU64>,
}

impl Tick {
    fn touch(&self) {
        let now = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last.store(now, Ordering::Relaxed);
    }

    fn age(&self) -> Duration {
        self.start.elapsed().saturating_sub(Duration::from_millis(self.last.load(Ordering::Relaxed)))
    }
}

/// Starts the heartbeat; it beats until the worker is over.
pub(crate) fn start(engine: &Arc<Engine>) -> std::io::Result<()> {
    let tick = Tick { start: Instant::now(), last: Arc::default() };
    tokio::spawn(keep_ticking(engine.clone(), tick.clone()));
    let engine = engine.clone();
    std::thread::Builder::new().name("djob-heartbeat".into()).spawn(move || {
        let _guard = EndsWithIt(&engine);
        match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime.block_on(beat(&engine, &tick)),
            Err(error) => tracing::error!(%error, "the heartbeat has no runtime"),
        }
    })?;
    Ok(())
}

async fn keep_ticking(engine: Arc<Engine>, tick: Tick) {
    let mut ticks = tokio::time::interval(Duration::from_millis(250));
    loop {
        tokio::select! {
            _ = ticks.tick() => tick.touch(),
            () = engine.over.cancelled() => return,
        }
    }
}

async fn beat(engine: &Engine, tick: &Tick) {
    let every = engine.config.beat;
    let mut heart: Option<Box<dyn Heart>> = None;
    let mut pause = every;
    loop {
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = engine.over.cancelled() => return,
        }
        let still = tick.age();
        if still > SLOW {
            let kinds = engine.on_thread().join(" ");
            let advice = "make its function a plain `fn`, or use `spawn_blocking`";
            tracing::warn!(?still, kinds, "a job blocks the runtime: {advice}");
        }
        if still > STUCK || engine.lease_is_running_out() {
            tracing::error!(?still, silent = ?engine.silent(), "the lease is lost: the worker stops its jobs");
            return engine.lose();
        }
        let sent = Instant::now();
        match tokio::time::timeout(every, once(engine, &mut heart)).await {
            Ok(Ok(Some(news))) => {
                if news.outdated && !engine.outdated() {
                    tracing::error!(
                        "the tables have become too new for this program: the worker drains, and ends"
                    );
                    engine.outdate();
                }
                engine.heard.news(news);
                engine.has_beaten(sent);
                pause = every;
            }
            Ok(Ok(None)) => {
                tracing::error!("the worker was taken for dead: it stops its jobs");
                return engine.lose();
            }
            failed => {
                tracing::warn!(error = ?failed.map(|beaten| beaten.err()), "the heartbeat failed; trying again");
                heart = None;
                pause = some_of(every / 5);
            }
        }
    }
}

async fn once(engine: &Engine, heart: &mut Option<Box<dyn Heart>>) -> Result<Option<News>, StorageError> {
    let heart = match heart {
        Some(heart) => heart,
        None => heart.insert(engine.storage().heart().await?),
    };
    heart.beat(engine.id, engine.config.lease).await
}
