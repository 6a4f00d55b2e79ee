//! Jobs as arrays of columns: what PostgreSQL takes and gives for many jobs at once.

use std::sync::Arc;

use sqlx::Row as _;
use sqlx::postgres::{PgArguments, PgRow};
use uuid::Uuid;

use super::array::Array;
use crate::clock::{Timestamp, micros};
use crate::job::{Claim, ClaimKey, ClaimedJob, Due, JobId, Meta, NewJob};
use crate::storage::StorageError;
use crate::storage::columns::{count, smallint};
use crate::storage::moves::{Kept, Move};

/// A column of many rows, made by `each` of them.
fn column<'q, T, C>(rows: &'q [T], each: impl Fn(&'q T) -> C) -> Vec<C> {
    rows.iter().map(each).collect()
}

type Query<'q> = sqlx::query::Query<'q, sqlx::Postgres, PgArguments>;

/// Binds the parameters of `enqueue.sql`, but for the time.
pub(super) fn bind_new<'q>(query: Query<'q>, jobs: &'q [NewJob]) -> Query<'q> {
    query
        .bind(column(jobs, |job| job.id))
        .bind(column(jobs, |job| &*job.queue))
        .bind(column(jobs, |job| &*job.kind))
        .bind(column(jobs, |job| job.priority))
        .bind(column(jobs, |job| smallint(job.max_attempts)))
        .bind(column(jobs, |job| job.args.as_str()))
        .bind(column(jobs, |job| job.meta.to_json()))
        .bind(column(jobs, |job| due(job).0))
        .bind(column(jobs, |job| due(job).1))
}

/// Binds the parameters of `enqueue_one.sql`, but for the time.
pub(super) fn bind_one<'q>(query: Query<'q>, job: &'q NewJob) -> Query<'q> {
    let (moment, delay) = due(job);
    query
        .bind(job.id)
        .bind(&*job.queue)
        .bind(&*job.kind)
        .bind(job.priority)
        .bind(smallint(job.max_attempts))
        .bind(job.args.as_str())
        .bind(job.meta.to_json())
        .bind(moment)
        .bind(delay)
}

/// The moment at which a job is due, or the microseconds until then.
fn due(job: &NewJob) -> (Option<Timestamp>, Option<i64>) {
    match job.due {
        Due::At(time) => (Some(time), None),
        Due::In(delay) => (None, Some(micros(delay))),
    }
}

/// Binds the moves of `settle.sql`.
pub(super) fn bind_moves<'q>(query: Query<'q>, moves: &'q [Move]) -> Query<'q> {
    query
        .bind(column(moves, |to| to.claim))
        .bind(column(moves, |to| to.room.as_str()))
        .bind(column(moves, |to| to.job.id))
        .bind(column(moves, |to| &*to.job.queue))
        .bind(column(moves, |to| &*to.job.kind))
        .bind(column(moves, |to| to.job.priority))
        .bind(column(moves, |to| to.job.run_at))
        .bind(column(moves, |to| to.delay))
        .bind(column(moves, |to| smallint(to.job.attempt)))
        .bind(column(moves, |to| smallint(to.job.max_attempts)))
        .bind(column(moves, |to| to.row_args()))
        .bind(column(moves, |to| to.job.meta.to_json()))
        .bind(column(moves, |to| to.state))
        .bind(column(moves, |to| to.result.as_deref()))
        .bind(column(moves, |to| to.error.as_deref()))
        .bind(column(moves, |to| to.keep))
        .bind(column(moves, |to| to.ran_us))
}

/// Binds what `settle_kept.sql` wants to know, but for the time.
pub(super) fn bind_kept<'q>(query: Query<'q>, kept: &'q Kept<'q>) -> Query<'q> {
    query.bind(&kept.jobs).bind(&kept.before).bind(&kept.ran_us).bind(&kept.results).bind(kept.keep)
}

/// Reads a claim row, and whose it is.
pub(super) fn claim(row: &PgRow) -> Result<(Uuid, Claim), StorageError> {
    let key = ClaimKey { row: row.try_get(0)?, fence: row.try_get(1)? };
    let queue: Arc<str> = row.try_get::<&str, _>(3)?.into();
    let priority: i16 = row.try_get(4)?;
    let column = |number| Array::of(row, number);
    let (mut ids, mut kinds, mut run_ats) = (column(5)?, column(6)?, column(7)?);
    let (mut attempts, mut max_attempts) = (column(8)?, column(9)?);
    let (mut all_args, mut metas) = (column(10)?, column(11)?);
    let mut kind: Arc<str> = "".into();
    let mut jobs = Vec::with_capacity(ids.len());
    for place in 0..ids.len() {
        // Most batches are of one kind: its name is shared.
        let name = kinds.text()?.unwrap_or_default();
        if *kind != *name {
            kind = name.into();
        }
        let args = all_args.text()?;
        jobs.push(ClaimedJob {
            id: JobId(ids.uuid()?),
            place,
            kind: kind.clone(),
            queue: queue.clone(),
            priority,
            run_at: run_ats.time()?,
            attempt: count(attempts.smallint()?),
            max_attempts: count(max_attempts.smallint()?),
            args_apart: args.is_none(),
            args: args.map(Into::into),
            meta: Meta::from_json(metas.text()?),
        });
    }
    jobs.sort_by_key(|job| (job.run_at, job.id));
    Ok((row.try_get(2)?, Claim { key, jobs, started: row.try_get(12)? }))
}
