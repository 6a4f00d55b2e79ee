//! The writes of PostgreSQL that are more than one statement.

use std::collections::HashSet;

use sqlx::Row as _;
use sqlx::postgres::{PgConnection, PgRow, Postgres};
use uuid::Uuid;

use super::rows;
use crate::job::{ClaimedJob, Enqueued, JobId, NewJob};
use crate::storage::columns::ARGS_INLINE_MAX;
use crate::storage::moves::{self, Kept, Move};
use crate::storage::statement::Statement::*;
use crate::storage::statement::Texts;
use crate::storage::verbs::{Now, Verbs};
use crate::storage::{ClaimEnd, Known, StorageError};

type Result<T> = std::result::Result<T, StorageError>;

/// Stores jobs with one statement.
pub(super) async fn insert(conn: &mut PgConnection, texts: &Texts, now: Now, jobs: &[NewJob]) -> Result<()> {
    let query = match jobs {
        [] => return Ok(()),
        [job] if job.args.len() <= ARGS_INLINE_MAX => rows::bind_one(texts.query(ENQUEUE_ONE), job),
        jobs => rows::bind_new(texts.query(ENQUEUE), jobs),
    };
    query.bind(now).execute(conn).await?;
    Ok(())
}

/// Puts jobs back to waiting that were parked for this reason, since somebody knows their kind and version.
pub(super) async fn unpark(
    conn: &mut PgConnection,
    texts: &Texts,
    reason: &str,
    known: &Known,
    limit: u32,
) -> Result<u64> {
    let query = texts.query(UNPARK).bind(reason).bind(&known.kind).bind(i32::from(known.version));
    Ok(query.bind(i64::from(limit)).execute(conn).await?.rows_affected())
}

/// Stores jobs, some of which want unique keys, inside of a transaction.
pub(super) async fn insert_unique(
    conn: &mut PgConnection,
    texts: &Texts,
    now: Now,
    mut jobs: Vec<NewJob>,
) -> Result<Vec<Enqueued>> {
    let mut holders = vec![None; jobs.len()];
    let mut given: Vec<usize> = (0..jobs.len()).filter(|n| jobs[*n].id_given).collect();
    given.sort_by_key(|n| jobs[*n].id);
    for n in given {
        let id = jobs[n].id;
        texts.query(LOCK_ID).bind(id).execute(&mut *conn).await?;
        holders[n] = Postgres::finds(conn, texts, IS_KNOWN, id).await?.then_some(id);
    }
    // In the order of the keys, so that two such transactions never wait for each other.
    let mut order: Vec<usize> =
        (0..jobs.len()).filter(|n| holders[*n].is_none() && jobs[*n].meta.unique_key.is_some()).collect();
    order.sort_by(|a, b| jobs[*a].meta.unique_key.cmp(&jobs[*b].meta.unique_key));
    for n in order {
        if let Some(key) = &jobs[n].meta.unique_key {
            holders[n] = Postgres::hold_key(conn, texts, key, jobs[n].id).await?;
        }
    }
    let answer = |(job, holder): (&NewJob, &Option<JobId>)| {
        holder.map_or(Enqueued::Inserted(job.id), Enqueued::Existing)
    };
    let answers = jobs.iter().zip(&holders).map(answer).collect();
    let mut kept = holders.iter().map(Option::is_none);
    jobs.retain(|_| kept.next().unwrap_or(false));
    insert(conn, texts, now, &jobs).await?;
    Ok(answers)
}

/// Writes what became of claims; returns which of them still stood.
pub(super) async fn settle(
    conn: &mut PgConnection,
    texts: &Texts,
    now: Now,
    worker: Uuid,
    ends: &[ClaimEnd],
) -> Result<Vec<bool>> {
    let claims: Vec<Uuid> = ends.iter().map(|end| end.key.row).collect();
    let fences: Vec<Uuid> = ends.iter().map(|end| end.key.fence).collect();
    let query = |statement| texts.query(statement).bind(claims).bind(fences).bind(worker);
    if let Some(kept) = Kept::of(ends) {
        let gone = rows::bind_kept(query(SETTLE_KEPT), &kept).bind(now).fetch_all(conn).await?;
        return Ok(stood(ends, &ids(&gone)?));
    }
    let moves: Vec<Move> = ends.iter().flat_map(moves::moves).collect();
    let gone = if moves.is_empty() {
        query(SETTLE_DONE).fetch_all(&mut *conn).await?
    } else {
        rows::bind_moves(query(SETTLE), &moves).bind(now).fetch_all(&mut *conn).await?
    };
    let gone = ids(&gone)?;
    for to in moves.iter().filter(|to| gone.contains(&to.claim)) {
        if let Some(key) = to.released_key() {
            Postgres::release_key(conn, texts, key, to.job.id).await?;
        }
    }
    Ok(stood(ends, &gone))
}

fn ids(rows: &[PgRow]) -> Result<HashSet<Uuid>> {
    Ok(rows.iter().map(|row| row.try_get(0)).collect::<std::result::Result<_, _>>()?)
}

/// Which claims still stood, given the rows that went.
fn stood(ends: &[ClaimEnd], gone: &HashSet<Uuid>) -> Vec<bool> {
    ends.iter().map(|end| gone.contains(&end.key.row)).collect()
}

/// Whether settling these is more than one statement.
pub(super) fn needs_transaction(ends: &[ClaimEnd]) -> bool {
    ends.iter().flat_map(|end| &end.ended).any(|ended| ended.job.meta.unique_key.is_some())
}

/// Fetches arguments that lie apart, and puts them into the jobs.
pub(super) async fn fetch_args(
    conn: &mut PgConnection,
    texts: &Texts,
    jobs: &mut [ClaimedJob],
) -> Result<()> {
    let ids: Vec<JobId> = jobs.iter().filter(|job| job.args.is_none()).map(|job| job.id).collect();
    if ids.is_empty() {
        return Ok(());
    }
    for row in texts.query(FETCH_ARGS).bind(ids).fetch_all(conn).await? {
        let (id, args): (JobId, &str) = (row.try_get(0)?, row.try_get(1)?);
        jobs.iter_mut().filter(|job| job.id == id).for_each(|job| job.args = Some(args.into()));
    }
    Ok(())
}
