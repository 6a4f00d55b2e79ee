//! Jobs as arrays of columns: what PostgreSQL takes and gives for many jobs at once.

use std::sync::Arc;

use sqlx::Row as _;
use sqlx::postgres::{PgArguments, PgRow};
use uuid::Uuid;

use crate::clock::{Timestamp, micros};
use crate::job::{Claim, ClaimKey, ClaimedJob, Due, JobId, Meta, NewJob};
use crate::storage::StorageError;
use crate::storage::columns::{count, smallint};
use crate::storage::moves::Move;

/// A column of many rows, made by `each` of them.
fn column<T, C>(rows: &[T], each: impl Fn(&T) -> C) -> Vec<C> {
    rows.iter().map(each).collect()
}

type Query<'q> = sqlx::query::Query<'q, sqlx::Postgres, PgArguments>;

/// Binds the parameters of `enqueue.sql`, but for the time.
pub(super) fn bind_new<'q>(query: Query<'q>, jobs: &[NewJob]) -> Query<'q> {
    query
        .bind(column(jobs, |job| job.id))
        .bind(column(jobs, |job| job.queue.to_string()))
        .bind(column(jobs, |job| job.kind.to_string()))
        .bind(column(jobs, |job| job.priority))
        .bind(column(jobs, |job| smallint(job.max_attempts)))
        .bind(column(jobs, |job| job.args.clone()))
        .bind(column(jobs, |job| job.meta.to_json()))
        .bind(column(jobs, |job| match job.due {
            Due::At(time) => Some(time),
            Due::In(_) => None,
        }))
        .bind(column(jobs, |job| match job.due {
            Due::In(delay) => Some(micros(delay)),
            Due::At(_) => None,
        }))
}

/// Binds the moves of `settle.sql`.
pub(super) fn bind_moves<'q>(query: Query<'q>, moves: &[Move]) -> Query<'q> {
    query
        .bind(column(moves, |to| to.claim))
        .bind(column(moves, |to| to.room.as_str()))
        .bind(column(moves, |to| to.job.id))
        .bind(column(moves, |to| to.job.queue.to_string()))
        .bind(column(moves, |to| to.job.kind.to_string()))
        .bind(column(moves, |to| to.job.priority))
        .bind(column(moves, |to| to.job.run_at))
        .bind(column(moves, |to| to.delay))
        .bind(column(moves, |to| smallint(to.job.attempt)))
        .bind(column(moves, |to| smallint(to.job.max_attempts)))
        .bind(column(moves, |to| to.row_args().map(str::to_owned)))
        .bind(column(moves, |to| to.job.meta.to_json()))
        .bind(column(moves, |to| to.state))
        .bind(column(moves, |to| to.result.clone()))
        .bind(column(moves, |to| to.error.clone()))
        .bind(column(moves, |to| to.keep))
        .bind(column(moves, |to| to.ran_us))
}

/// Reads a claim row, and whose it is.
pub(super) fn claim(row: &PgRow) -> Result<(Uuid, Claim), StorageError> {
    let key = ClaimKey { row: row.try_get(0)?, fence: row.try_get(1)? };
    let queue: Arc<str> = row.try_get::<&str, _>(3)?.into();
    let priority: i16 = row.try_get(4)?;
    let ids: Vec<JobId> = row.try_get(5)?;
    let kinds: Vec<String> = row.try_get(6)?;
    let run_ats: Vec<Timestamp> = row.try_get(7)?;
    let attempts: Vec<i16> = row.try_get(8)?;
    let max_attempts: Vec<i16> = row.try_get(9)?;
    let args: Vec<Option<String>> = row.try_get(10)?;
    let metas: Vec<Option<String>> = row.try_get(11)?;
    let mut kind: Arc<str> = "".into();
    let mut jobs = Vec::with_capacity(ids.len());
    let counts = attempts.into_iter().zip(max_attempts);
    for ((((id, name), run_at), (attempt, max_attempts)), (args, meta)) in
        ids.into_iter().zip(kinds).zip(run_ats).zip(counts).zip(args.into_iter().zip(metas))
    {
        // Most batches are of one kind: its name is shared.
        if *kind != *name {
            kind = name.into();
        }
        jobs.push(ClaimedJob {
            id,
            kind: kind.clone(),
            queue: queue.clone(),
            priority,
            run_at,
            attempt: count(attempt),
            max_attempts: count(max_attempts),
            args_apart: args.is_none(),
            args: args.map(Into::into),
            meta: Meta::from_json(meta.as_deref()),
        });
    }
    jobs.sort_by_key(|job| (job.run_at, job.id));
    Ok((row.try_get(2)?, Claim { key, jobs, started: row.try_get(12)? }))
}
