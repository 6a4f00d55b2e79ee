//! The narrow waist: what djob asks of a database.
//!
//! Each verb says what it promises. [`Client`](crate::Client) and [`Worker`](crate::Worker) know this trait and nothing
//! below it. It is public so that a storage can be wrapped in tests; it may gain verbs in any release.

mod ask;
mod columns;
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod connections;
mod contracts;
mod doctor;
mod edit;
pub(crate) mod error;
#[cfg(any(feature = "sqlite", feature = "mysql"))]
mod json;
mod look;
pub(crate) mod moves;
#[cfg(feature = "mysql")]
pub(crate) mod mysql;
mod naming;
#[cfg(feature = "postgres")]
pub(crate) mod postgres;
#[cfg(test)]
mod prepare;
#[cfg(test)]
mod reads;
mod rooms;
mod shared;
#[cfg(feature = "sqlite")]
pub(crate) mod sqlite;
pub(crate) mod statement;
mod traced;
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod trust;
mod types;
mod unread;
pub(crate) mod verbs;
mod version;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

pub use doctor::{Finding, Verdict};
pub use error::StorageError;
pub(crate) use look::{CLAIMS_SHOWN, newest_first, rooms_of, running_rows};
pub use look::{Count, Filter};
pub use naming::{InvalidTableName, Naming};
pub(crate) use traced::Traced;
pub use version::SchemaVersion;

use crate::clock::Timestamp;
use crate::job::{
    Attempt, BoxFuture, Claim, ClaimKey, ClaimedJob, Contract, Enqueued, JobId, JobRow, NewJob, Settlement,
};

/// What a verb gives back.
pub type Reply<'a, T> = BoxFuture<'a, Result<T, StorageError>>;

/// One (queue, priority), and when its first job is due.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // the fields are the sentence above
pub struct Lane {
    pub queue: String,
    pub priority: i16,
    pub due_at: Timestamp,
    pub seen_at: Timestamp,
}

/// A place in a lane up to which it has been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    /// The `run_at` of the last job taken.
    pub run_at: Timestamp,
    /// Its id.
    pub id: JobId,
}

impl Cursor {
    /// Before the first job.
    pub const HEAD: Cursor = Cursor { run_at: Timestamp::from_micros(-1), id: JobId(Uuid::nil()) };
}

/// A lane to claim from, and from where on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // the fields are the sentence above
pub struct LaneAt {
    pub queue: String,
    pub priority: i16,
    pub after: Cursor,
}

/// Claims whose worker is gone.
#[derive(Clone, Debug, Default)]
pub struct Orphans {
    /// Those that can be read, each with its worker. The others are logged, and left to `djob doctor`.
    pub claims: Vec<(Uuid, Claim)>,
    /// The last row that was looked at, if there may be more behind it.
    pub next: Option<Uuid>,
}

/// What became of one claim row: the jobs that ended, and those that still run.
#[derive(Clone, Debug)]
pub struct ClaimEnd {
    /// The row, which goes.
    pub key: ClaimKey,
    /// Jobs that move on.
    pub ended: Vec<Ended>,
    /// Jobs that stay here, and get claim rows of their own under the same fence.
    pub still: Vec<Still>,
}

/// A job that stays with its worker when its batch is split.
#[derive(Clone, Debug, PartialEq)]
pub struct Still {
    /// The job as it was claimed.
    pub job: Arc<ClaimedJob>,
    /// It has begun: if its worker dies it may be to blame.
    pub started: bool,
}

/// A job and what was decided about it.
#[derive(Clone, Debug)]
pub struct Ended {
    /// The job as it was claimed.
    pub job: Arc<ClaimedJob>,
    /// Where it goes.
    pub settlement: Settlement,
    /// How long it ran.
    pub ran: Duration,
    /// The job says that it has finished itself in its own transaction. Then its claim is gone, a refusal is good news, and
    /// the settlement is for the case that the transaction was not committed.
    pub finished_itself: bool,
}

/// A worker as others see it.
#[derive(Clone, Debug)]
#[allow(missing_docs)] // the columns of `djob_workers`, described there
pub struct WorkerInfo {
    pub id: Uuid,
    pub name: String,
    pub host: String,
    pub pid: u32,
    pub queues: Vec<String>,
    pub kinds: Vec<Known>,
    pub concurrency: u32,
}

/// A kind of job that a worker knows, under the name by which it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// The name.
    pub kind: String,
    /// The newest version of its arguments that the worker reads.
    pub version: u16,
}

/// What became of the wish to stop a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cancelled {
    /// It was waiting or parked, and is cancelled.
    Now,
    /// It runs; its worker has been asked to stop it.
    Asked,
    /// There is no such unfinished job.
    NotFound,
}

/// A connection of the caller's, inside of whose transaction jobs are stored.
#[derive(Debug)]
#[non_exhaustive]
pub enum Conn<'a> {
    /// SQLite.
    #[cfg(feature = "sqlite")]
    Sqlite(&'a mut sqlx::SqliteConnection),
    /// PostgreSQL.
    #[cfg(feature = "postgres")]
    Postgres(&'a mut sqlx::PgConnection),
    /// MySQL or MariaDB.
    #[cfg(feature = "mysql")]
    MySql(&'a mut sqlx::MySqlConnection),
}

/// The heartbeat's own connection.
pub trait Heart: Send {
    /// Says that this worker lives, and brings back what there is to look after. `None` means that it was silent for longer
    /// than `lease` and is taken for dead: it must stop its jobs.
    fn beat<'a>(&'a mut self, worker: Uuid, lease: Duration) -> Reply<'a, Option<News>>;
}

/// What a heartbeat brings back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct News {
    /// Some worker is silent for longer than the lease.
    pub silence: bool,
    /// Jobs are parked because nobody could read them.
    pub parked: bool,
    /// The worker itself has held a claim for longer than the lease.
    pub old_claims: bool,
    /// The tables have been migrated beyond what this program can work on: it must end.
    pub outdated: bool,
}

/// What djob asks of a database.
pub trait Storage: Send + Sync + fmt::Debug + 'static {
    /// The database's name, for people.
    fn database(&self) -> &'static str;

    /// Brings the tables up to date; returns the version they have then. Concurrent calls wait for each other.
    fn migrate(&self) -> Reply<'_, SchemaVersion>;

    /// Which version the tables have.
    fn schema_version(&self) -> Reply<'_, SchemaVersion>;

    /// The statements of all migrations, for other tools.
    fn migrations(&self) -> Vec<(i64, &'static str, String)>;

    /// What time it is.
    fn now(&self) -> Reply<'_, Timestamp>;

    // ---- client ----

    /// Stores jobs, all or none; on return they are durable. A job whose unique key is held is not stored: the answer,
    /// in the order of the jobs, names the one that holds it.
    fn enqueue(&self, jobs: Vec<NewJob>) -> Reply<'_, Vec<Enqueued>>;

    /// The same within the caller's transaction: the jobs exist if it commits.
    fn enqueue_in<'a>(&'a self, conn: Conn<'a>, jobs: Vec<NewJob>) -> Reply<'a, Vec<Enqueued>>;

    /// Writes, in the caller's transaction, that a job of this worker is finished. `false`: the fence does not hold any
    /// more, nothing was written.
    fn settle_in<'a>(&'a self, conn: Conn<'a>, worker: Uuid, end: &'a ClaimEnd) -> Reply<'a, bool>;

    /// One job, whatever room it is in.
    fn find(&self, id: JobId) -> Reply<'_, Option<JobRow>>;

    /// The errors of its past attempts, first one first.
    fn attempts(&self, id: JobId) -> Reply<'_, Vec<Attempt>>;

    /// Jobs, newest first.
    fn list<'a>(&'a self, filter: &'a Filter) -> Reply<'a, Vec<JobRow>>;

    /// How many jobs there are, by queue and state.
    fn counts(&self) -> Reply<'_, Vec<Count>>;

    /// What workers have published, by kind and version.
    fn contracts(&self) -> Reply<'_, Vec<Contract>>;

    /// Looks for whatever weakens the promise, and changes nothing. What the role may not look at is a finding, too.
    fn examine(&self) -> Reply<'_, Vec<Finding>>;

    /// Cancels a waiting or parked job, or asks its worker to stop it.
    fn cancel(&self, id: JobId) -> Reply<'_, Cancelled>;

    /// Cancels a job that was to be stopped while it ran and has slipped back to waiting. `false`: it runs, is finished, or is
    /// wanted after all.
    fn cancel_slipped(&self, id: JobId) -> Reply<'_, bool>;

    /// Puts a failed, cancelled or parked job back to waiting, due now. `false` if there is no such job.
    fn retry(&self, id: JobId) -> Reply<'_, bool>;

    /// Gives a waiting or parked job these arguments of this version. `false` if there is no such job.
    fn edit<'a>(&'a self, id: JobId, args: &'a str, version: u16) -> Reply<'a, bool>;

    /// Forgets a job that does not run. `false` if there is no such job.
    fn delete(&self, id: JobId) -> Reply<'_, bool>;

    /// Forgets every waiting job of a queue, or of all; returns how many.
    fn clear<'a>(&'a self, queue: Option<&'a str>) -> Reply<'a, u64>;

    /// Pauses a queue, so that nothing more is claimed from it, or lets it go on. `false` if it was so already.
    fn pause<'a>(&'a self, queue: &'a str, pause: bool) -> Reply<'a, bool>;

    /// The queues that are paused.
    fn paused(&self) -> Reply<'_, Vec<String>>;

    // ---- worker ----

    /// Enters a worker into the list of the living.
    fn join<'a>(&'a self, worker: &'a WorkerInfo) -> Reply<'a, ()>;

    /// Publishes what its kinds promise, for those who enqueue without having their code.
    fn publish<'a>(&'a self, contracts: &'a [Contract]) -> Reply<'a, ()>;

    /// Takes it out. Its claims must be settled before.
    fn leave(&self, worker: Uuid) -> Reply<'_, ()>;

    /// Opens the heartbeat's own connection, on the runtime that calls.
    fn heart(&self) -> Reply<'_, Box<dyn Heart>>;

    /// Every lane of these priorities with something in it, but for paused queues.
    fn lanes(&self, priorities: (i16, i16)) -> Reply<'_, Vec<Lane>>;

    /// Takes up to `limit` due jobs out of the lanes, best lane first, each job to one caller only. A claim that is lost
    /// with the database's last moments leaves its jobs where they were. With `known`, jobs of other kinds and newer versions are
    /// passed over.
    fn claim<'a>(
        &'a self,
        worker: Uuid,
        lanes: &'a [LaneAt],
        limit: u32,
        known: Option<&'a [Known]>,
    ) -> Reply<'a, Vec<Claim>>;

    /// Fetches the arguments that lie apart, and puts them into the jobs.
    fn fetch_args<'a>(&'a self, jobs: &'a mut [ClaimedJob]) -> Reply<'a, ()>;

    /// Writes what became of claims, durably, each claim with all its jobs or not at all. `false` for a claim that does not
    /// stand any more: nothing of it is written.
    fn settle<'a>(&'a self, worker: Uuid, ends: &'a [ClaimEnd]) -> Reply<'a, Vec<bool>>;

    /// Notes durably that a single job is about to begin. `false`: its claim does not stand any more.
    fn start(&self, worker: Uuid, key: ClaimKey) -> Reply<'_, bool>;

    /// Notes how far running jobs have come, each from 0 to 1.
    fn say_progress<'a>(&'a self, said: &'a [(JobId, f64)]) -> Reply<'a, ()>;

    /// Which jobs somebody wants to stop.
    fn cancels(&self) -> Reply<'_, Vec<JobId>>;

    // ---- maintenance ----

    /// Looks at no more than `limit` claims whose worker has not beaten for `lease`, by the order of their rows, from the first
    /// behind `after` on; the nil id stands before them all.
    fn orphans(&self, lease: Duration, after: Uuid, limit: u32) -> Reply<'_, Orphans>;

    /// Whether this job is finished, and this worker has finished it.
    fn has_finished(&self, worker: Uuid, job: JobId) -> Reply<'_, bool>;

    /// What this worker has held for so long, as the database sees it.
    fn held(&self, worker: Uuid, since: Duration) -> Reply<'_, Vec<Claim>>;

    /// Forgets workers that have been silent for `lease` and have nothing left to rescue.
    fn bury(&self, lease: Duration) -> Reply<'_, u64>;

    /// The kinds of the jobs that are parked for this reason.
    fn parked_kinds<'a>(&'a self, reason: &'a str) -> Reply<'a, Vec<String>>;

    /// Puts jobs of this kind, up to this version, back to waiting that are parked for this reason, at most `limit` at a time;
    /// returns how many.
    fn unpark<'a>(&'a self, reason: &'a str, known: &'a Known, limit: u32) -> Reply<'a, u64>;

    /// Parks, of the first `limit` jobs of a lane that are due, those that nobody reads: no worker that has beaten within
    /// `lease`. Returns how many.
    fn park_unread<'a>(&'a self, lane: &'a LaneAt, lease: Duration, limit: u32) -> Reply<'a, u64>;

    /// Takes a duty of maintenance for so long, unless somebody holds it.
    fn take_duty<'a>(&'a self, duty: &'a str, worker: Uuid, hold: Duration) -> Reply<'a, bool>;

    /// Deletes up to `limit` finished jobs whose time is up, and what belonged to them; returns how many.
    fn prune(&self, limit: u32) -> Reply<'_, u64>;

    /// Looks at the stored errors of up to `limit` jobs, those with the next higher ids than `after`, and deletes those of jobs
    /// that are gone. Returns the last job it looked at, or `None` if there are no more.
    fn prune_attempts(&self, after: JobId, limit: u32) -> Reply<'_, Option<JobId>>;

    // ---- wake-ups: hints, never needed for correctness ----

    /// Tells workers of other processes that there is something to do.
    fn notify(&self) -> Reply<'_, ()>;

    /// Calls `woken` as soon as it listens, and from then on whenever there may be something to do. When it returns nothing
    /// is being listened to any more.
    fn listen<'a>(&'a self, woken: &'a (dyn Fn() + Send + Sync)) -> Reply<'a, ()>;
}

/// The reasons for which jobs are parked until a worker comes that can read them.
pub const AWAIT_A_WORKER: [&str; 2] = ["unknown_kind", "newer_version"];

/// What a job is told that was cancelled before it ran.
pub(crate) const CANCEL_REASON: &str = "cancelled before it ran";
