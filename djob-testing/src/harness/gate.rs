//! A gate before the waiting room. While it is closed, a worker sees only what was due when it closed.
//!
//! Two storages stand on one database, with a clock each. Claims look at the gate's clock, which stands still; all else
//! looks at the harness's, which is a tick ahead. So what jobs enqueue while they run is not due for the worker that runs
//! them, whatever they say.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use djob::storage::{
    Cancelled, ClaimEnd, Conn, Count, Filter, Finding, Heart, Known, Lane, LaneAt, Orphans, Reply,
    SchemaVersion, Storage, WorkerInfo,
};
use djob::{
    Attempt, Claim, ClaimKey, ClaimedJob, Clock, Contract, Enqueued, JobId, JobRow, NewJob, Timestamp,
};
use uuid::Uuid;

#[derive(Debug)]
pub(super) struct Gated {
    storage: Arc<dyn Storage>,
    behind: Arc<dyn Storage>,
    clock: Clock,
    closed: AtomicBool,
}

impl Gated {
    /// `behind` is the same database by the gate's `clock`.
    pub(super) fn new(storage: Arc<dyn Storage>, behind: Arc<dyn Storage>, clock: Clock) -> Self {
        Gated { storage, behind, clock, closed: AtomicBool::new(false) }
    }

    /// From now on nothing is seen that is due after `now`.
    pub(super) fn close(&self, now: Timestamp) {
        let shown = self.clock.read().unwrap_or(now);
        self.clock.advance(now - shown);
        self.closed.store(true, Ordering::SeqCst);
    }

    pub(super) fn open(&self) {
        self.closed.store(false, Ordering::SeqCst);
    }

    /// The storage by the clock that counts for claims.
    fn seen(&self) -> &dyn Storage {
        if self.closed.load(Ordering::SeqCst) { &*self.behind } else { &*self.storage }
    }
}

/// Hands a verb on, as it came.
macro_rules! hand_on {
    ($($verb:ident($($arg:ident: $type:ty),*) -> $reply:ty;)*) => {$(
        fn $verb<'a>(&'a self, $($arg: $type),*) -> Reply<'a, $reply> {
            self.storage.$verb($($arg),*)
        }
    )*};
}

impl Storage for Gated {
    fn database(&self) -> &'static str {
        self.storage.database()
    }

    fn migrations(&self) -> Vec<(i64, &'static str, String)> {
        self.storage.migrations()
    }

    fn lanes(&self, priorities: (i16, i16)) -> Reply<'_, Vec<Lane>> {
        self.seen().lanes(priorities)
    }

    fn claim<'a>(
        &'a self,
        worker: Uuid,
        lanes: &'a [LaneAt],
        limit: u32,
        known: Option<&'a [Known]>,
    ) -> Reply<'a, Vec<Claim>> {
        self.seen().claim(worker, lanes, limit, known)
    }

    fn park_unread<'a>(&'a self, lane: &'a LaneAt, lease: Duration, limit: u32) -> Reply<'a, u64> {
        self.seen().park_unread(lane, lease, limit)
    }

    crate::verbs::every_verb! { hand_on }
}
