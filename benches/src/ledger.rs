//! Which jobs ran in this process: how many, the sum of their ids, and when each started.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use tokio::sync::Notify;

static RUNS: AtomicU64 = AtomicU64::new(0);
static SUM: AtomicU64 = AtomicU64::new(0);
static LAST_NS: AtomicU64 = AtomicU64::new(0);
static RAN: Notify = Notify::const_new();
static EPOCH: OnceLock<Instant> = OnceLock::new();

/// Nanoseconds since the process began to measure.
pub(crate) fn now_ns() -> u64 {
    u64::try_from(EPOCH.get_or_init(Instant::now).elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// A job has done its work.
pub(crate) fn ran(id: u64) {
    SUM.fetch_add(id, Ordering::Relaxed);
    LAST_NS.store(now_ns(), Ordering::Relaxed);
    // Last: who sees the count sees the time.
    RUNS.fetch_add(1, Ordering::Release);
    RAN.notify_one();
}

/// Waits until more than `runs` jobs have run.
pub(crate) async fn more_than(runs: u64) {
    while total().0 <= runs {
        RAN.notified().await;
    }
}

/// How many jobs have run, and the sum of their ids.
pub(crate) fn total() -> (u64, u64) {
    (RUNS.load(Ordering::SeqCst), SUM.load(Ordering::SeqCst))
}

/// When the last job ran.
pub(crate) fn last_ns() -> u64 {
    LAST_NS.load(Ordering::SeqCst)
}

/// What the total must be for jobs `0..jobs`, each once.
pub(crate) fn even(jobs: u64) -> (u64, u64) {
    (jobs, jobs * jobs.saturating_sub(1) / 2)
}
