//! The verbs of a storage, for storages that stand in front of another one.

/// Calls a macro with every verb but `database`, `migrations`, `lanes`, `claim` and `park_unread`, which say themselves what they do.
macro_rules! every_verb {
    ($each:ident) => {
        $each! {
            migrate() -> SchemaVersion;
            enqueue(jobs: Vec<NewJob>) -> Vec<Enqueued>;
            schema_version() -> SchemaVersion;
            now() -> Timestamp;
            enqueue_in(conn: Conn<'a>, jobs: Vec<NewJob>) -> Vec<Enqueued>;
            settle_in(conn: Conn<'a>, worker: Uuid, end: &'a ClaimEnd) -> bool;
            find(id: JobId) -> Option<JobRow>;
            attempts(id: JobId) -> Vec<Attempt>;
            list(filter: &'a Filter) -> Vec<JobRow>;
            counts() -> Vec<Count>;
            contracts() -> Vec<Contract>;
            examine() -> Vec<Finding>;
            cancel(id: JobId) -> Cancelled;
            cancel_slipped(id: JobId) -> bool;
            retry(id: JobId) -> bool;
            edit(id: JobId, args: &'a str, version: u16) -> bool;
            delete(id: JobId) -> bool;
            clear(queue: Option<&'a str>) -> u64;
            pause(queue: &'a str, pause: bool) -> bool;
            paused() -> Vec<String>;
            join(worker: &'a WorkerInfo) -> ();
            publish(contracts: &'a [Contract]) -> ();
            leave(worker: Uuid) -> ();
            heart() -> Box<dyn Heart>;
            fetch_args(jobs: &'a mut [ClaimedJob]) -> ();
            settle(worker: Uuid, ends: &'a [ClaimEnd]) -> Vec<bool>;
            start(worker: Uuid, key: ClaimKey) -> bool;
            say_progress(said: &'a [(JobId, f64)]) -> ();
            cancels() -> Vec<JobId>;
            orphans(lease: Duration, after: Uuid, limit: u32) -> Orphans;
            held(worker: Uuid, since: Duration) -> Vec<Claim>;
            bury(lease: Duration) -> u64;
            parked_kinds(reason: &'a str) -> Vec<String>;
            unpark(reason: &'a str, known: &'a Known, limit: u32) -> u64;
            take_duty(duty: &'a str, worker: Uuid, hold: Duration) -> bool;
            prune(limit: u32) -> u64;
            has_finished(worker: Uuid, job: JobId) -> bool;
            prune_attempts(after: JobId, limit: u32) -> Option<JobId>;
            notify() -> ();
            listen(woken: &'a (dyn Fn() + Send + Sync)) -> ();
        }
    };
}

pub(crate) use every_verb;
