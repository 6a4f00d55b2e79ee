//! Which jobs ran in this process: how many, the sum of their ids, whether one ran twice, and how long each waited.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::Notify;

static RUNS: AtomicU64 = AtomicU64::new(0);
static SUM: AtomicU64 = AtomicU64::new(0);
static LAST_NS: AtomicU64 = AtomicU64::new(0);
static RAN: Notify = Notify::const_new();
static EPOCH: OnceLock<Instant> = OnceLock::new();
/// One bit for each job that is expected.
static SEEN: OnceLock<Vec<AtomicU64>> = OnceLock::new();
static TWICE: AtomicU64 = AtomicU64::new(0);
/// For each job when it was called for, and then how long it waited.
static WAITED: OnceLock<Vec<AtomicU64>> = OnceLock::new();

fn zeros(count: u64) -> Vec<AtomicU64> {
    (0..count).map(|_| AtomicU64::new(0)).collect()
}

/// From now on each of the jobs `0..jobs` may run once.
pub(crate) fn expect(jobs: u64) {
    SEEN.get_or_init(|| zeros(jobs / 64 + 1));
}

/// Forgets all runs, for the next measurement.
pub(crate) fn reset() {
    for bits in SEEN.get().into_iter().flatten() {
        bits.store(0, Ordering::SeqCst);
    }
    [&RUNS, &SUM, &TWICE].iter().for_each(|counter| counter.store(0, Ordering::SeqCst));
}

/// How many runs were of jobs that had run before.
pub(crate) fn twice() -> u64 {
    TWICE.load(Ordering::SeqCst)
}

/// The clock that processes of one machine share.
pub(crate) fn wall_ns() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// A job is about to be called for, one of `jobs`.
pub(crate) fn called(id: u64, jobs: u64) {
    let waited = WAITED.get_or_init(|| zeros(jobs));
    waited[usize::try_from(id).unwrap_or(usize::MAX)].store(now_ns(), Ordering::SeqCst);
}

/// A job has started.
pub(crate) fn started(id: u64) {
    let waited = WAITED.get().and_then(|waited| waited.get(usize::try_from(id).ok()?));
    if let Some(waited) = waited {
        waited.store(now_ns().saturating_sub(waited.load(Ordering::SeqCst)), Ordering::SeqCst);
    }
}

/// How long each job has waited from its call to its start, in nanoseconds, once all have run.
pub(crate) fn waited() -> Vec<u64> {
    WAITED.get().into_iter().flatten().map(|waited| waited.load(Ordering::SeqCst)).collect()
}

/// Nanoseconds since the process began to measure.
pub(crate) fn now_ns() -> u64 {
    u64::try_from(EPOCH.get_or_init(Instant::now).elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// A job has done its work.
pub(crate) fn ran(id: u64) {
    if let Some(bits) = SEEN.get().and_then(|seen| seen.get(usize::try_from(id / 64).ok()?)) {
        let before = bits.fetch_or(1 << (id % 64), Ordering::Relaxed);
        TWICE.fetch_add(before >> (id % 64) & 1, Ordering::Relaxed);
    }
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
