//! A storage around a storage: one span for each verb, written once for all databases.
//!
//! The spans are called `storage`, at level DEBUG, with the field `verb`.

use std::sync::Arc;
use std::time::Duration;

use tracing::{Instrument as _, debug_span};
use uuid::Uuid;

use super::*;

/// The storage within, traced.
#[derive(Debug)]
pub(crate) struct Traced(pub(crate) Arc<dyn Storage>);

/// Writes a verb that does what the storage within does, in a span.
macro_rules! traced {
    ($($verb:ident($($arg:ident: $kind:ty),*) -> $reply:ty;)*) => {$(
        fn $verb<'a>(&'a self, $($arg: $kind),*) -> Reply<'a, $reply> {
            Box::pin(self.0.$verb($($arg),*).instrument(debug_span!("storage", verb = stringify!($verb))))
        }
    )*};
}

/// The same for verbs that borrow nothing but the storage.
macro_rules! traced_owned {
    ($($verb:ident($($arg:ident: $kind:ty),*) -> $reply:ty;)*) => {$(
        fn $verb(&self, $($arg: $kind),*) -> Reply<'_, $reply> {
            Box::pin(self.0.$verb($($arg),*).instrument(debug_span!("storage", verb = stringify!($verb))))
        }
    )*};
}

impl Storage for Traced {
    fn database(&self) -> &'static str {
        self.0.database()
    }

    fn migrations(&self) -> Vec<(i64, &'static str, String)> {
        self.0.migrations()
    }

    traced_owned! {
        migrate() -> SchemaVersion;
        schema_version() -> SchemaVersion;
        now() -> Timestamp;
        enqueue(jobs: Vec<NewJob>) -> Vec<Enqueued>;
        find(id: JobId) -> Option<JobRow>;
        attempts(id: JobId) -> Vec<Attempt>;
        counts() -> Vec<Count>;
        examine() -> Vec<Finding>;
        cancel(id: JobId) -> Cancelled;
        cancel_slipped(id: JobId) -> bool;
        retry(id: JobId) -> bool;
        delete(id: JobId) -> bool;
        paused() -> Vec<String>;
        leave(worker: Uuid) -> ();
        heart() -> Box<dyn Heart>;
        lanes(priorities: (i16, i16)) -> Vec<Lane>;
        start(worker: Uuid, key: ClaimKey) -> bool;
        contracts() -> Vec<Contract>;
        cancels() -> Vec<JobId>;
        orphans(lease: Duration, after: Uuid, limit: u32) -> Orphans;
        held(worker: Uuid, since: Duration) -> Vec<Claim>;
        bury(lease: Duration) -> u64;
        prune(limit: u32) -> u64;
        has_finished(worker: Uuid, job: JobId) -> bool;
        prune_attempts(after: JobId, limit: u32) -> Option<JobId>;
        notify() -> ();
    }

    traced! {
        enqueue_in(conn: Conn<'a>, jobs: Vec<NewJob>) -> Vec<Enqueued>;
        settle_in(conn: Conn<'a>, worker: Uuid, end: &'a ClaimEnd) -> bool;
        list(filter: &'a Filter) -> Vec<JobRow>;
        clear(queue: Option<&'a str>) -> u64;
        pause(queue: &'a str, pause: bool) -> bool;
        join(worker: &'a WorkerInfo) -> ();
        publish(contracts: &'a [Contract]) -> ();
        claim(worker: Uuid, lanes: &'a [LaneAt], limit: u32, known: Option<&'a [Known]>) -> Vec<Claim>;
        fetch_args(jobs: &'a mut [ClaimedJob]) -> ();
        settle(worker: Uuid, ends: &'a [ClaimEnd]) -> Vec<bool>;
        say_progress(said: &'a [(JobId, f64)]) -> ();
        parked_kinds(reason: &'a str) -> Vec<String>;
        unpark(reason: &'a str, known: &'a Known, limit: u32) -> u64;
        park_unread(lane: &'a LaneAt, lease: Duration, limit: u32) -> u64;
        take_duty(duty: &'a str, worker: Uuid, hold: Duration) -> bool;
        edit(id: JobId, args: &'a str, version: u16) -> bool;
        listen(woken: &'a (dyn Fn() + Send + Sync)) -> ();
    }
}
