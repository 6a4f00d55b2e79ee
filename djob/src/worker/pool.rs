//! A pool: some queues, and the slots in which their jobs run. Here jobs wait between their claim and their slot.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::config::PoolConfig;
use super::open::Run;
use super::prefetch::{self, RunTime};

/// What a claimer and its slots share.
#[derive(Debug)]
pub(crate) struct Pool {
    pub(crate) config: PoolConfig,
    held: Mutex<VecDeque<Run>>,
    /// Rung once for each job that is put in.
    filled: Notify,
    /// Rung when there may be room for another claim.
    drained: Notify,
    busy: AtomicU32,
    run_time: Mutex<RunTime>,
    ran: AtomicU64,
    ran_us: AtomicU64,
    /// When the last look at the database found nothing to do: the worker's activity as the look began.
    found_nothing: Mutex<Option<u64>>,
}

impl Pool {
    pub(crate) fn new(config: PoolConfig) -> Self {
        Pool {
            config,
            held: Mutex::default(),
            filled: Notify::new(),
            drained: Notify::new(),
            busy: AtomicU32::new(0),
            run_time: Mutex::default(),
            ran: AtomicU64::new(0),
            ran_us: AtomicU64::new(0),
            found_nothing: Mutex::default(),
        }
    }

    fn held(&self) -> std::sync::MutexGuard<'_, VecDeque<Run>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts jobs in, for the slots to take.
    pub(crate) fn fill(&self, runs: impl IntoIterator<Item = Run>) {
        let count = {
            let mut held = self.held();
            let before = held.len();
            held.extend(runs);
            held.len() - before
        };
        let idle = self.config.concurrency.saturating_sub(self.busy.load(Relaxed)) as usize;
        for _ in 0..count.min(idle.max(1)) {
            self.filled.notify_one();
        }
    }

    /// Takes the next job, and a slot for it. Waits until there is one.
    pub(crate) async fn take(&self) -> Run {
        loop {
            let filled = self.filled.notified();
            if let Some(run) = self.try_take() {
                return run;
            }
            filled.await;
        }
    }

    /// Takes the next job, and a slot for it, if there is one.
    pub(crate) fn try_take(&self) -> Option<Run> {
        let (run, left) = {
            let mut held = self.held();
            (held.pop_front()?, held.len())
        };
        self.busy.fetch_add(1, Relaxed);
        if left > 0 && self.busy.load(Relaxed) < self.config.concurrency {
            self.filled.notify_one();
        }
        Some(run)
    }

    /// A slot is free again.
    pub(crate) fn done(&self, ran: Option<Duration>) {
        self.busy.fetch_sub(1, Relaxed);
        if let Some(ran) = ran {
            self.ran.fetch_add(1, Relaxed);
            self.ran_us.fetch_add(u64::try_from(ran.as_micros()).unwrap_or(u64::MAX / 2), Relaxed);
        }
        self.drained.notify_one();
    }

    /// Takes everything out that has not begun.
    pub(crate) fn empty(&self) -> Vec<Run> {
        self.held().drain(..).collect()
    }

    /// How many jobs run.
    pub(crate) fn busy(&self) -> u32 {
        self.busy.load(Relaxed)
    }

    /// Notes that a look at the database, which began at this activity of the worker, found nothing, or something.
    pub(crate) fn looked(&self, found_nothing_at: Option<u64>) {
        *self.found_nothing.lock().unwrap_or_else(PoisonError::into_inner) = found_nothing_at;
    }

    /// When the last look at the database found nothing.
    pub(crate) fn found_nothing(&self) -> Option<u64> {
        *self.found_nothing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many jobs are held and have not begun.
    pub(crate) fn held_jobs(&self) -> u32 {
        u32::try_from(self.held().len()).unwrap_or(u32::MAX)
    }

    /// Whether no job runs and none is held.
    pub(crate) fn is_idle(&self) -> bool {
        self.busy() == 0 && self.held().is_empty()
    }

    /// How many jobs to claim now, given how many outcomes have not been stored yet.
    pub(crate) fn want(&self, unsettled: u32, read_ahead: Option<u32>) -> u32 {
        let (ran, ran_us) = (self.ran.swap(0, Relaxed), self.ran_us.swap(0, Relaxed));
        let mut run_time = self.run_time.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(mean_ns) = ran_us.saturating_mul(1000).checked_div(ran) {
            run_time.measured(Duration::from_nanos(mean_ns));
        }
        prefetch::want(
            *run_time,
            self.config.concurrency,
            self.busy(),
            self.held_jobs(),
            unsettled,
            read_ahead,
        )
    }

    /// Says that a batch took longer than was expected: nothing more is held in advance until shorter runs are measured.
    pub(crate) fn was_slow(&self) {
        self.run_time.lock().unwrap_or_else(PoisonError::into_inner).measured(super::open::OPEN_MAX);
    }

    /// Waits until there may be room for another claim.
    pub(crate) async fn room(&self) {
        self.drained.notified().await;
    }

    /// Lets the claimer look again.
    pub(crate) fn look_again(&self) {
        self.drained.notify_one();
    }
}
