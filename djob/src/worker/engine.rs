//! What all parts of a running worker share.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::config::{Config, POLL, POLL_ALONE, PoolConfig};
use super::context::JobContext;
use super::heard::Heard;
use super::layer::Layer;
use super::open::OpenClaim;
use super::pool::Pool;
use crate::client::Client;
use crate::hooks::Hooks;
use crate::job::JobId;
use crate::registry::Registry;
use crate::state::State;
use crate::storage::{ClaimEnd, Storage};

/// What a worker was built from: enough to start it more than once.
#[derive(Clone)]
pub(crate) struct Parts {
    pub(crate) client: Client,
    pub(crate) registry: Registry,
    pub(crate) state: State,
    pub(crate) hooks: Vec<Arc<dyn Hooks>>,
    pub(crate) layers: Vec<Arc<dyn Layer>>,
    pub(crate) config: Config,
}

/// What a worker is told from outside, for all of its incarnations.
#[derive(Debug, Default)]
pub(crate) struct Orders {
    /// Claim no more, and wait.
    pub(crate) quiet: CancellationToken,
    /// Finish what runs, and end.
    pub(crate) stop: CancellationToken,
    /// End at once.
    pub(crate) abort: CancellationToken,
}

/// A worker at work: one incarnation of it.
pub(crate) struct Engine {
    pub(crate) id: Uuid,
    parts: Parts,
    pub(crate) pools: Vec<Arc<Pool>>,
    /// Where those suspects run, one at a time, that another death of a worker would condemn.
    pub(crate) quarantine: Arc<Pool>,
    /// Claim no more, and wait to be told to drain.
    pub(crate) quiet: CancellationToken,
    /// Claim no more, and end.
    pub(crate) draining: CancellationToken,
    /// End what runs, now.
    pub(crate) abort: CancellationToken,
    /// Everything is over: the loops end.
    pub(crate) over: CancellationToken,
    born: Instant,
    /// When the last beat was sent that the database took, in milliseconds after the birth.
    beaten: AtomicU64,
    /// The lease is lost: nothing that is held here may be settled any more.
    lost: AtomicBool,
    /// The tables are too new for this program.
    outdated: AtomicBool,
    /// Jobs that have waited for something at least once, to be told when to stop.
    running: Mutex<HashMap<JobId, JobContext>>,
    open: Mutex<Vec<Arc<OpenClaim>>>,
    outbox: Mutex<Vec<ClaimEnd>>,
    /// How many outcomes of each fence are on their way into the database.
    on_the_way: Mutex<HashMap<Uuid, usize>>,
    pub(crate) outbox_filled: Notify,
    /// Outcomes were stored, or refused.
    stored: Notify,
    unsettled: AtomicU32,
    /// Grows with each job that begins or ends here.
    activity: AtomicU64,
    pub(crate) heard: Heard,
    /// A job has come that this worker cannot read.
    met_unread: AtomicBool,
    /// For each slot the kind whose function has the thread at this moment.
    on_thread: Vec<Mutex<Option<&'static str>>>,
}

impl std::ops::Deref for Engine {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.parts
    }
}

impl Engine {
    /// A fresh incarnation, that obeys these orders.
    pub(crate) fn new(parts: Parts, orders: &Orders) -> Arc<Self> {
        let alone = PoolConfig { queues: vec![], except: vec![], concurrency: 1 };
        Arc::new(Engine {
            id: Uuid::now_v7(),
            quarantine: Arc::new(Pool::new(alone)),
            pools: parts.config.pools.iter().map(|pool| Arc::new(Pool::new(pool.clone()))).collect(),
            quiet: orders.quiet.child_token(),
            draining: orders.stop.child_token(),
            abort: orders.abort.child_token(),
            over: CancellationToken::new(),
            born: Instant::now(),
            beaten: AtomicU64::new(0),
            lost: AtomicBool::new(false),
            outdated: AtomicBool::new(false),
            running: Mutex::default(),
            open: Mutex::default(),
            outbox: Mutex::default(),
            on_the_way: Mutex::default(),
            outbox_filled: Notify::new(),
            stored: Notify::new(),
            unsettled: AtomicU32::new(0),
            activity: AtomicU64::new(0),
            heard: Heard::default(),
            met_unread: AtomicBool::new(false),
            on_thread: (0..=parts.config.concurrency()).map(|_| Mutex::default()).collect(),
            parts,
        })
    }

    pub(crate) fn storage(&self) -> &dyn Storage {
        &**self.client.storage()
    }

    /// The longest pause between two looks at the database.
    pub(crate) fn poll(&self) -> Duration {
        self.config.poll.unwrap_or(if self.heard.is_listening() { POLL } else { POLL_ALONE })
    }

    /// A job is here that this worker cannot read: from now on it takes only those that it can.
    pub(crate) fn meet_unread(&self) {
        self.met_unread.store(true, Ordering::Relaxed);
    }

    pub(crate) fn has_met_unread(&self) -> bool {
        self.met_unread.load(Ordering::Relaxed)
    }

    /// Every pool, and the quarantine.
    pub(crate) fn all_pools(&self) -> impl Iterator<Item = &Arc<Pool>> {
        self.pools.iter().chain([&self.quarantine])
    }

    /// A job begins or has ended.
    pub(crate) fn stir(&self) {
        self.activity.fetch_add(1, Ordering::SeqCst);
    }

    /// How often a job has begun or ended.
    pub(crate) fn activity(&self) -> u64 {
        self.activity.load(Ordering::SeqCst)
    }

    /// Whether nothing runs, nothing is held, everything is stored, and every pool has found nothing since the last job
    /// ended: a job may have enqueued others.
    pub(crate) fn is_idle(&self) -> bool {
        let now = self.activity();
        let found_nothing = self.pools.iter().all(|pool| pool.found_nothing() == Some(now));
        found_nothing && self.all_pools().all(|pool| pool.is_idle()) && self.is_settled()
    }

    /// Notes which kind has the thread in this slot; `None` when it has let go of it.
    pub(crate) fn has_thread(&self, slot: usize, kind: Option<&'static str>) {
        if let Some(here) = self.on_thread.get(slot) {
            *here.lock().unwrap_or_else(PoisonError::into_inner) = kind;
        }
    }

    /// The kinds that have a thread at this moment.
    pub(crate) fn on_thread(&self) -> Vec<&'static str> {
        let kinds = self.on_thread.iter();
        kinds.filter_map(|here| *here.lock().unwrap_or_else(PoisonError::into_inner)).collect()
    }

    // ---- jobs that run ----

    fn running(&self) -> MutexGuard<'_, HashMap<JobId, JobContext>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn enter(&self, ctx: &JobContext) {
        self.running().insert(ctx.id(), ctx.clone());
        if self.abort.is_cancelled() || self.lost() {
            ctx.cancel();
        }
    }

    pub(crate) fn leave(&self, ctx: &JobContext) {
        self.running().remove(&ctx.id());
    }

    /// Gives the sign to stop to these jobs, as far as they run here; returns whether any does.
    pub(crate) fn cancel(&self, jobs: &[JobId]) -> bool {
        let running = self.running();
        let here: Vec<_> = jobs.iter().filter_map(|id| running.get(id)).collect();
        here.iter().for_each(|ctx| ctx.cancel());
        !here.is_empty()
    }

    pub(crate) fn cancel_all(&self) {
        self.running().values().for_each(JobContext::cancel);
    }

    /// What running jobs have said about how far they are, since the last time.
    pub(crate) fn take_progress(&self) -> Vec<(JobId, f64)> {
        self.running().values().filter_map(|ctx| Some((ctx.id(), ctx.take_progress()?))).collect()
    }

    pub(crate) fn runs_any(&self) -> bool {
        !self.running().is_empty()
    }

    // ---- claims that are open ----

    fn open(&self) -> MutexGuard<'_, Vec<Arc<OpenClaim>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn opened(&self, claim: Arc<OpenClaim>) {
        self.open().push(claim);
    }

    /// The open claims, less those that are over.
    pub(crate) fn still_open(&self) -> Vec<Arc<OpenClaim>> {
        let mut open = self.open();
        open.retain(|claim| !claim.is_over());
        open.clone()
    }

    // ---- outcomes on their way out ----

    /// Hands over what became of a claim; it is stored soon.
    pub(crate) fn settle(&self, end: ClaimEnd) {
        let jobs = u32::try_from(end.ended.len()).unwrap_or(u32::MAX);
        self.unsettled.fetch_add(jobs, Ordering::Relaxed);
        self.send(end.key.fence);
        self.outbox.lock().unwrap_or_else(PoisonError::into_inner).push(end);
        self.outbox_filled.notify_one();
    }

    fn on_the_way(&self) -> MutexGuard<'_, HashMap<Uuid, usize>> {
        self.on_the_way.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An outcome under this fence is on its way into the database.
    pub(crate) fn send(&self, fence: Uuid) {
        *self.on_the_way().entry(fence).or_insert(0) += 1;
    }

    /// It has arrived, or was refused.
    pub(crate) fn arrived(&self, fence: Uuid) {
        let mut on_the_way = self.on_the_way();
        if let Some(count) = on_the_way.get_mut(&fence) {
            *count -= 1;
            if *count == 0 {
                on_the_way.remove(&fence);
            }
        }
    }

    /// Whether this worker has a job under this fence, or an outcome of one on its way.
    pub(crate) fn knows(&self, fence: Uuid) -> bool {
        let open = self.open().iter().any(|claim| claim.fence() == fence && !claim.is_over());
        open || self.on_the_way().contains_key(&fence)
    }

    /// Waits until no outcome under this fence is on its way into the database.
    pub(crate) async fn has_stored(&self, fence: Uuid) {
        loop {
            let stored = self.stored.notified();
            if !self.on_the_way().contains_key(&fence) {
                return;
            }
            stored.await;
        }
    }

    /// Takes everything that is to be stored.
    pub(crate) fn take_outbox(&self) -> Vec<ClaimEnd> {
        std::mem::take(&mut *self.outbox.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// So many outcomes were stored, or refused.
    pub(crate) fn settled(&self, jobs: usize) {
        self.stir();
        self.unsettled.fetch_sub(u32::try_from(jobs).unwrap_or(u32::MAX), Ordering::Relaxed);
        self.pools.iter().for_each(|pool| pool.look_again());
        self.stored.notify_waiters();
    }

    /// Whether no outcome is left to be stored.
    pub(crate) fn is_settled(&self) -> bool {
        self.unsettled() == 0 && !self.open().iter().any(|claim| claim.is_splitting())
    }

    pub(crate) fn unsettled(&self) -> u32 {
        self.unsettled.load(Ordering::Relaxed)
    }

    // ---- the lease ----

    /// The database took the beat that was sent at this time.
    pub(crate) fn has_beaten(&self, sent: Instant) {
        let millis = sent.saturating_duration_since(self.born).as_millis();
        self.beaten.store(u64::try_from(millis).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// How long it has been silent.
    pub(crate) fn silent(&self) -> Duration {
        self.born.elapsed().saturating_sub(Duration::from_millis(self.beaten.load(Ordering::Relaxed)))
    }

    /// Whether it has been silent for so long that others may soon take its jobs: they must have stopped by then.
    pub(crate) fn lease_is_running_out(&self) -> bool {
        self.silent() >= self.config.lease * 3 / 4
    }

    /// The lease is lost: others may run what is held here. Everything stops.
    pub(crate) fn lose(&self) {
        self.lost.store(true, Ordering::Release);
        self.draining.cancel();
        self.abort.cancel();
        self.cancel_all();
    }

    pub(crate) fn lost(&self) -> bool {
        self.lost.load(Ordering::Acquire)
    }

    /// The tables were migrated beyond what this program can work on: it finishes what runs, and ends.
    pub(crate) fn outdate(&self) {
        self.outdated.store(true, Ordering::Release);
        self.draining.cancel();
    }

    pub(crate) fn outdated(&self) -> bool {
        self.outdated.load(Ordering::Acquire)
    }
}
