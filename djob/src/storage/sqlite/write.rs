//! The writes of SQLite that are more than one statement. All of them run inside of the writer's transaction, or of the
//! caller's.

use std::borrow::Cow;

use sqlx::Row as _;
use sqlx::sqlite::{Sqlite, SqliteConnection, SqliteRow};
use uuid::Uuid;

use crate::job::{Claim, ClaimKey, ClaimedJob, Enqueued, JobId, NewJob};
use crate::storage::columns::ARGS_INLINE_MAX;
use crate::storage::json::{self, Nested::Plain};
use crate::storage::moves::{self, Move, Room};
use crate::storage::statement::Statement::*;
use crate::storage::statement::{Statement, Texts};
use crate::storage::verbs::{Now, Verbs};
use crate::storage::{ClaimEnd, Known, LaneAt, StorageError};

/// Stores jobs on a connection that is inside of a transaction.
pub(super) async fn enqueue(
    conn: &mut SqliteConnection,
    texts: &Texts,
    now: Now,
    mut jobs: Vec<NewJob>,
) -> Result<Vec<Enqueued>, StorageError> {
    let mut answers = Vec::with_capacity(jobs.len());
    for job in &jobs {
        let known = job.id_given && Sqlite::finds(conn, texts, IS_KNOWN, job.id).await?;
        let holder = match &job.meta.unique_key {
            _ if known => Some(job.id),
            Some(key) => Sqlite::hold_key(conn, texts, key, job.id).await?,
            None => None,
        };
        answers.push(holder.map_or(Enqueued::Inserted(job.id), Enqueued::Existing));
    }
    let mut kept = answers.iter().map(|answer| matches!(answer, Enqueued::Inserted(_)));
    jobs.retain(|_| kept.next().unwrap_or(false));
    let large = || jobs.iter().filter(|job| job.args.len() > ARGS_INLINE_MAX);
    if large().next().is_some() {
        let json = json::array(large(), json::large_args);
        sqlx::query(texts.get(LARGE_ARGS)).bind(json).execute(&mut *conn).await?;
    }
    if !jobs.is_empty() {
        let json = json::array(jobs.iter(), |json, job| json::new_job(json, job, Plain));
        sqlx::query(texts.get(ENQUEUE)).bind(json).bind(now).execute(conn).await?;
    }
    Ok(answers)
}

/// Takes jobs out of one lane.
pub(super) async fn claim_lane(
    conn: &mut SqliteConnection,
    texts: &Texts,
    now: Now,
    worker: Uuid,
    lane: &LaneAt,
    limit: i64,
    known: Option<String>,
) -> Result<Option<Claim>, StorageError> {
    let fence = Uuid::now_v7();
    let claim = sqlx::query(texts.get(CLAIM)).bind(worker).bind(fence).bind(&lane.queue).bind(lane.priority);
    let claim = claim.bind(lane.after.run_at).bind(lane.after.id).bind(limit).bind(known.clone()).bind(now);
    let Some(row) = claim.fetch_optional(&mut *conn).await? else { return Ok(None) };
    let key = ClaimKey { row: fence, fence };
    let claim = json::claim(key, &lane.queue, lane.priority, &text(&row, 0)?, false)?;
    if let (Some(first), Some(last)) = (claim.jobs.first(), claim.jobs.last()) {
        let taken = sqlx::query(texts.get(TAKEN)).bind(&lane.queue).bind(lane.priority);
        let taken = taken.bind(first.run_at).bind(first.id).bind(last.run_at).bind(last.id).bind(known);
        taken.execute(conn).await?;
    }
    Ok(Some(claim))
}

/// Writes what became of one claim, on a connection that is inside of a transaction.
pub(super) async fn settle(
    conn: &mut SqliteConnection,
    texts: &Texts,
    now: Now,
    worker: Uuid,
    end: &ClaimEnd,
) -> Result<bool, StorageError> {
    let gone = sqlx::query(texts.get(SETTLE_DONE)).bind(end.key.row).bind(end.key.fence).bind(worker);
    if gone.fetch_optional(&mut *conn).await?.is_none() {
        return Ok(false);
    }
    let moves: Vec<Move> = moves::moves(end).collect();
    let to = |room| moves.iter().filter(move |to| to.room == room);
    let parts: [(Statement, String, bool, bool); 6] = [
        (
            TO_WAITING,
            json::array(to(Room::Waiting), |json, to| json::to_waiting(json, to, Plain)),
            false,
            true,
        ),
        (TO_CLAIMS, json::array(to(Room::Claimed), json::to_claim), true, true),
        (TO_PARKED, json::array(to(Room::Parked), |json, to| json::to_parked(json, to, Plain)), false, true),
        (
            TO_FINISHED,
            json::array(to(Room::Finished), |json, to| json::to_finished(json, to, Plain)),
            true,
            true,
        ),
        (
            ERRORS,
            json::array(moves.iter().filter(|to| to.has_attempt_error()), json::attempt_error),
            true,
            true,
        ),
        (
            LOST_ARGS,
            json::array(moves.iter().filter(|to| to.loses_args()).map(|to| to.job.id), json::id),
            false,
            false,
        ),
    ];
    for (statement, json, names_worker, names_time) in parts.into_iter().filter(|part| part.1 != "[]") {
        let mut query = sqlx::query(texts.get(statement)).bind(json);
        if names_worker {
            query = query.bind(worker);
        }
        if names_time {
            query = query.bind(now);
        }
        query.execute(&mut *conn).await?;
    }
    for to in &moves {
        if matches!(to.room, Room::Waiting | Room::Parked) {
            Sqlite::on_job_timeless(conn, texts, FORGET_PROGRESS, to.job.id).await?;
        }
        if let Some(key) = to.released_key() {
            Sqlite::release_key(conn, texts, key, to.job.id).await?;
        }
    }
    Ok(true)
}

pub(super) fn claim_row(row: &SqliteRow) -> Result<(Uuid, Claim), StorageError> {
    let key = ClaimKey { row: row.try_get(0)?, fence: row.try_get(1)? };
    Ok((
        row.try_get(2)?,
        json::claim(key, row.try_get(3)?, row.try_get(4)?, &text(row, 5)?, row.try_get(6)?)?,
    ))
}

/// A text that may hold what somebody else has written: SQLite does not ask whether it is UTF-8.
fn text(row: &SqliteRow, column: usize) -> Result<Cow<'_, str>, StorageError> {
    Ok(String::from_utf8_lossy(row.try_get(column)?))
}

/// Puts jobs back to waiting that were parked for this reason, since somebody knows their kind and version.
pub(super) async fn unpark(
    conn: &mut SqliteConnection,
    texts: &Texts,
    reason: &str,
    known: &Known,
    limit: u32,
) -> Result<u64, StorageError> {
    let ask = sqlx::query(texts.get(UNPARKABLE)).bind(reason.to_owned()).bind(known.kind.clone());
    let rows = ask.bind(i32::from(known.version)).bind(i64::from(limit)).fetch_all(&mut *conn).await?;
    let ids = rows.iter().map(|row| Ok(row.try_get(0)?)).collect::<Result<Vec<JobId>, StorageError>>()?;
    let json = json::array(ids.iter().copied(), json::id);
    for statement in [UNPARK, UNPARKED] {
        sqlx::query(texts.get(statement)).bind(json.clone()).execute(&mut *conn).await?;
    }
    Ok(ids.len() as u64)
}

/// Forgets every waiting job of a queue, or of all if it is empty, and what belonged to them.
pub(super) async fn clear(
    conn: &mut SqliteConnection,
    texts: &Texts,
    queue: &str,
) -> Result<u64, StorageError> {
    for statement in [CLEAR_UNIQUE, CLEAR_ARGS, CLEAR_ATTEMPTS] {
        sqlx::query(texts.get(statement)).bind(queue.to_owned()).execute(&mut *conn).await?;
    }
    Ok(sqlx::query(texts.get(CLEAR)).bind(queue.to_owned()).execute(conn).await?.rows_affected())
}

/// Fetches arguments that lie apart, and puts them into the jobs.
pub(super) async fn fetch_args(
    conn: &mut SqliteConnection,
    texts: &Texts,
    jobs: &mut [ClaimedJob],
) -> Result<(), StorageError> {
    let ids = json::array(jobs.iter().filter(|job| job.args.is_none()).map(|job| job.id), json::id);
    if ids == "[]" {
        return Ok(());
    }
    for row in sqlx::query(texts.get(FETCH_ARGS)).bind(ids).fetch_all(conn).await? {
        let (id, args): (JobId, _) = (row.try_get(0)?, text(&row, 1)?);
        jobs.iter_mut().filter(|job| job.id == id).for_each(|job| job.args = Some((&*args).into()));
    }
    Ok(())
}
