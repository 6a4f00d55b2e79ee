//! A storage of which one call goes wrong: the database is away, or it does what it is asked and the answer is lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use djob::sqlx;
use djob::storage::{
    Cancelled, ClaimEnd, Conn, Count, Filter, Finding, Heart, Known, Lane, LaneAt, Orphans, Reply,
    SchemaVersion, Storage, WorkerInfo,
};
use djob::{
    Attempt, Claim, ClaimKey, ClaimedJob, Contract, Enqueued, JobId, JobRow, NewJob, StorageError, Timestamp,
};
use uuid::Uuid;

/// How a call goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing is done.
    Away,
    /// It is done, and nobody hears of it.
    AnswerLost,
    /// Nothing is done, and the same would be refused again for all anybody knows.
    Refused,
    /// The storage itself has a defect.
    Panics,
}

/// Another storage, with one fault.
#[derive(Debug)]
pub(crate) struct Faulty {
    storage: Arc<dyn Storage>,
    fault: Fault,
    /// The number of the call that goes wrong, from 1 on.
    at: u64,
    calls: AtomicU64,
}

impl Faulty {
    pub(crate) fn new(storage: Arc<dyn Storage>, fault: Fault, at: u64) -> Arc<Self> {
        Arc::new(Faulty { storage, fault, at, calls: AtomicU64::new(0) })
    }

    /// Whether the fault has happened.
    pub(crate) fn happened(&self) -> bool {
        self.calls.load(Ordering::SeqCst) >= self.at
    }

    /// Does a call, or not.
    async fn call<T>(&self, verb: &str, call: Reply<'_, T>) -> Result<T, StorageError> {
        if self.calls.fetch_add(1, Ordering::SeqCst) + 1 != self.at {
            return call.await;
        }
        match self.fault {
            Fault::Away => {}
            Fault::Refused => return Err(refusal()),
            Fault::AnswerLost => drop(call.await?),
            // Without the hook: a test that fails is read for its own panic.
            Fault::Panics => {
                std::panic::resume_unwind(Box::new(format!("call {} ({verb}) goes wrong", self.at)))
            }
        }
        Err(StorageError::unreachable(format!("call {} ({verb}) goes wrong: {:?}", self.at, self.fault)))
    }
}

/// An error that does not pass, as far as its kind tells.
fn refusal() -> StorageError {
    sqlx::Error::RowNotFound.into()
}

macro_rules! hand_on {
    ($($verb:ident($($arg:ident: $type:ty),*) -> $reply:ty;)*) => {$(
        fn $verb<'a>(&'a self, $($arg: $type),*) -> Reply<'a, $reply> {
            Box::pin(self.call(stringify!($verb), self.storage.$verb($($arg),*)))
        }
    )*};
}

impl Storage for Faulty {
    fn database(&self) -> &'static str {
        self.storage.database()
    }

    fn migrations(&self) -> Vec<(i64, &'static str, String)> {
        self.storage.migrations()
    }

    crate::verbs::every_verb! { hand_on }

    hand_on! {
        lanes(priorities: (i16, i16)) -> Vec<Lane>;
        claim(worker: Uuid, lanes: &'a [LaneAt], limit: u32, known: Option<&'a [Known]>) -> Vec<Claim>;
        park_unread(lane: &'a LaneAt, lease: Duration, limit: u32) -> u64;
    }
}
