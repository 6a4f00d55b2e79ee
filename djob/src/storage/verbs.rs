//! The verbs that every database says in the same words; `shared.rs` has what they do.

use std::future::Future;

use sqlx::Database;
use sqlx::database::HasStatementCache;
use uuid::Uuid;

use super::doctor::Fact;
use super::statement::{Statement, Texts};
use super::{Count, Filter, Lane, News, Orphans, StorageError, WorkerInfo};
use crate::clock::Timestamp;
use crate::job::{Attempt, Claim, ClaimKey, ClaimedJob, JobId, JobRow};

/// The newest migration this version knows.
pub(crate) const KNOWN: i64 = 2;

pub(super) type Result<T> = std::result::Result<T, StorageError>;

/// The time to bind: `None` where the database is asked.
pub(crate) type Now = Option<Timestamp>;

/// How a database keeps claims: the one thing in which they differ most.
pub(crate) trait Claims: Database + HasStatementCache {
    /// Reads a claim row, and whose it is.
    fn claim(row: &Self::Row) -> Result<(Uuid, Claim)>;
    /// Reads the claim rows that can be read. One that cannot, because somebody has edited it, must not keep the others from
    /// being rescued.
    fn readable(rows: &[Self::Row]) -> impl Iterator<Item = (Uuid, Claim)> {
        let read =
            |row| Self::claim(row).inspect_err(|error| tracing::error!(%error, "a claim is left alone"));
        rows.iter().filter_map(move |row| read(row).ok())
    }
    /// Fetches arguments that lie apart, and puts them into the jobs.
    fn fetch_args(
        conn: &mut Self::Connection,
        texts: &Texts,
        jobs: &mut [ClaimedJob],
    ) -> impl Future<Output = Result<()>> + Send;
}

/// A database that says them. Each works on a connection, so that the pool's and the caller's will do.
pub(crate) trait Verbs: Database {
    /// A statement whose parameters are a job and the time; returns how many rows it touched.
    fn on_job(
        conn: &mut Self::Connection,
        texts: &Texts,
        statement: Statement,
        id: JobId,
        now: Now,
    ) -> impl Future<Output = Result<u64>> + Send;
    /// A statement with only the job as its parameter.
    fn on_job_timeless(
        conn: &mut Self::Connection,
        texts: &Texts,
        statement: Statement,
        id: JobId,
    ) -> impl Future<Output = Result<u64>> + Send;
    fn clock(
        conn: &mut Self::Connection,
        texts: &Texts,
        now: Now,
    ) -> impl Future<Output = Result<Timestamp>> + Send;
    fn join(
        conn: &mut Self::Connection,
        texts: &Texts,
        worker: &WorkerInfo,
        now: Now,
    ) -> impl Future<Output = Result<()>> + Send;
    fn leave(
        conn: &mut Self::Connection,
        texts: &Texts,
        worker: Uuid,
    ) -> impl Future<Output = Result<()>> + Send;
    fn beat(
        conn: &mut Self::Connection,
        texts: &Texts,
        worker: Uuid,
        lease: i64,
        now: Now,
    ) -> impl Future<Output = Result<Option<News>>> + Send;
    fn start(
        conn: &mut Self::Connection,
        texts: &Texts,
        worker: Uuid,
        key: ClaimKey,
        now: Now,
    ) -> impl Future<Output = Result<bool>> + Send;
    fn bury(
        conn: &mut Self::Connection,
        texts: &Texts,
        lease: i64,
        now: Now,
    ) -> impl Future<Output = Result<u64>> + Send;
    fn take_duty(
        conn: &mut Self::Connection,
        texts: &Texts,
        duty: &str,
        worker: Uuid,
        hold: i64,
        now: Now,
    ) -> impl Future<Output = Result<bool>> + Send;
    fn prune(
        conn: &mut Self::Connection,
        texts: &Texts,
        limit: u32,
        now: Now,
    ) -> impl Future<Output = Result<u64>> + Send;
    fn has_finished(
        conn: &mut Self::Connection,
        texts: &Texts,
        worker: Uuid,
        job: JobId,
    ) -> impl Future<Output = Result<bool>> + Send;
    fn prune_attempts(
        conn: &mut Self::Connection,
        texts: &Texts,
        after: JobId,
        limit: u32,
    ) -> impl Future<Output = Result<Option<JobId>>> + Send;
    fn hold_key(
        conn: &mut Self::Connection,
        texts: &Texts,
        key: &str,
        job: JobId,
    ) -> impl Future<Output = Result<Option<JobId>>> + Send;
    fn release_key(
        conn: &mut Self::Connection,
        texts: &Texts,
        key: &str,
        job: JobId,
    ) -> impl Future<Output = Result<()>> + Send;
    fn cancel_waiting(
        conn: &mut Self::Connection,
        texts: &Texts,
        id: JobId,
        why: &str,
        keep: i64,
        now: Now,
    ) -> impl Future<Output = Result<bool>> + Send;
    fn cancels(conn: &mut Self::Connection, texts: &Texts)
    -> impl Future<Output = Result<Vec<JobId>>> + Send;
    fn lanes(
        conn: &mut Self::Connection,
        texts: &Texts,
        priorities: (i16, i16),
        now: Now,
    ) -> impl Future<Output = Result<Vec<Lane>>> + Send;
    fn find(
        conn: &mut Self::Connection,
        texts: &Texts,
        id: JobId,
        now: Now,
    ) -> impl Future<Output = Result<Option<JobRow>>> + Send;
    fn attempts(
        conn: &mut Self::Connection,
        texts: &Texts,
        id: JobId,
    ) -> impl Future<Output = Result<Vec<Attempt>>> + Send;
    fn list(
        conn: &mut Self::Connection,
        texts: &Texts,
        filter: &Filter,
        now: Now,
    ) -> impl Future<Output = Result<Vec<JobRow>>> + Send;
    fn orphans(
        conn: &mut Self::Connection,
        texts: &Texts,
        lease: i64,
        after: Uuid,
        limit: u32,
        now: Now,
    ) -> impl Future<Output = Result<Orphans>> + Send;
    fn held(
        conn: &mut Self::Connection,
        texts: &Texts,
        worker: Uuid,
        since: i64,
        now: Now,
    ) -> impl Future<Output = Result<Vec<Claim>>> + Send;
    fn counts(
        conn: &mut Self::Connection,
        texts: &Texts,
        now: Now,
    ) -> impl Future<Output = Result<Vec<Count>>> + Send;
    /// Whether a statement that has only the job as its parameter finds anything.
    fn finds(
        conn: &mut Self::Connection,
        texts: &Texts,
        statement: Statement,
        id: JobId,
    ) -> impl Future<Output = Result<bool>> + Send;
    fn say_progress(
        conn: &mut Self::Connection,
        texts: &Texts,
        said: &[(JobId, f64)],
        now: Now,
    ) -> impl Future<Output = Result<()>> + Send;
    fn progress(
        conn: &mut Self::Connection,
        texts: &Texts,
        id: JobId,
    ) -> impl Future<Output = Result<Option<f64>>> + Send;
    fn pause(
        conn: &mut Self::Connection,
        texts: &Texts,
        queue: &str,
        pause: bool,
        now: Now,
    ) -> impl Future<Output = Result<bool>> + Send;
    /// What a question of the doctor's brings: rows of what, about whom, how many and for how long.
    fn facts(
        conn: &mut Self::Connection,
        texts: &Texts,
        statement: Statement,
        now: Now,
    ) -> impl Future<Output = Result<Vec<Fact>>> + Send;
    /// The kinds at the head of a lane.
    fn kinds_of(
        conn: &mut Self::Connection,
        texts: &Texts,
        lane: &Lane,
        limit: i64,
        now: Now,
    ) -> impl Future<Output = Result<Vec<Fact>>> + Send;
    /// One column of names, by a statement with or without a parameter.
    fn names(
        conn: &mut Self::Connection,
        texts: &Texts,
        statement: Statement,
        of: Option<&str>,
    ) -> impl Future<Output = Result<Vec<String>>> + Send;
}
