//! The writes of MySQL that are more than one statement. All of them run inside of a transaction.

use sqlx::Row as _;
use sqlx::mysql::{MySql, MySqlConnection, MySqlRow};
use uuid::Uuid;

use crate::clock::Timestamp;
use crate::job::{Claim, ClaimKey, ClaimedJob, Enqueued, JobId, Meta, NewJob};
use crate::storage::columns::{ARGS_INLINE_MAX, count};
use crate::storage::json::{self, Nested::Quoted};
use crate::storage::moves::{self, Move, Room};
use crate::storage::statement::Statement::*;
use crate::storage::statement::{Statement, Texts};
use crate::storage::verbs::{Now, Verbs};
use crate::storage::{ClaimEnd, Known, LaneAt, StorageError};

type Result<T> = std::result::Result<T, StorageError>;

/// Stores jobs, some of which may want unique keys or bring their own ids.
pub(super) async fn enqueue(
    conn: &mut MySqlConnection,
    texts: &Texts,
    now: Now,
    mut jobs: Vec<NewJob>,
) -> Result<Vec<Enqueued>> {
    let mut holders = vec![None; jobs.len()];
    let mut given: Vec<usize> = (0..jobs.len()).filter(|n| jobs[*n].id_given).collect();
    given.sort_by_key(|n| jobs[*n].id);
    for n in given {
        let id = jobs[n].id;
        MySql::on_job_timeless(conn, texts, LOCK_ID, id).await?;
        MySql::on_job_timeless(conn, texts, UNLOCK_ID, id).await?;
        holders[n] = MySql::finds(conn, texts, IS_KNOWN, id).await?.then_some(id);
    }
    // In the order of the keys, so that two such transactions never wait for each other.
    let mut order: Vec<usize> =
        (0..jobs.len()).filter(|n| holders[*n].is_none() && jobs[*n].meta.unique_key.is_some()).collect();
    order.sort_by(|a, b| jobs[*a].meta.unique_key.cmp(&jobs[*b].meta.unique_key));
    for n in order {
        if let Some(key) = &jobs[n].meta.unique_key {
            holders[n] = MySql::hold_key(conn, texts, key, jobs[n].id).await?;
        }
    }
    let answer = |(job, holder): (&NewJob, &Option<JobId>)| {
        holder.map_or(Enqueued::Inserted(job.id), Enqueued::Existing)
    };
    let answers = jobs.iter().zip(&holders).map(answer).collect();
    let mut free = holders.iter().map(Option::is_none);
    jobs.retain(|_| free.next().unwrap_or(false));
    insert(conn, texts, now, &jobs).await?;
    Ok(answers)
}

/// Stores jobs.
pub(super) async fn insert(
    conn: &mut MySqlConnection,
    texts: &Texts,
    now: Now,
    jobs: &[NewJob],
) -> Result<()> {
    if let Some(error) = jobs.iter().find_map(|job| json::check(&job.args).err()) {
        return Err(StorageError::setting(format!("the args of a job are no JSON: {error}")));
    }
    let large = json::array(jobs.iter().filter(|job| job.args.len() > ARGS_INLINE_MAX), json::large_args);
    if large != "[]" {
        texts.ask::<MySql>(LARGE_ARGS).bind(large).execute(conn).await?;
    }
    if !jobs.is_empty() {
        let jobs = json::array(jobs.iter(), |json, job| json::new_job(json, job, Quoted));
        texts.ask::<MySql>(ENQUEUE).bind(jobs).bind(now).execute(conn).await?;
    }
    Ok(())
}

/// What a claimer asks for.
pub(super) struct Claiming {
    pub(super) worker: Uuid,
    pub(super) lanes: Vec<LaneAt>,
    /// The kinds and versions to take, as JSON; without it everything.
    pub(super) known: Option<String>,
}

/// Takes up to `limit` jobs out of the lanes.
pub(super) async fn claim(
    conn: &mut MySqlConnection,
    texts: &Texts,
    now: Now,
    claiming: &Claiming,
    limit: u32,
) -> Result<Vec<Claim>> {
    let (mut claims, mut left) = (Vec::new(), i64::from(limit));
    for lane in &claiming.lanes {
        if left <= 0 {
            break;
        }
        if let Some(claim) = claim_lane(conn, texts, now, claiming, lane, left).await? {
            left -= i64::try_from(claim.jobs.len()).unwrap_or(left);
            claims.push(claim);
        }
    }
    Ok(claims)
}

/// Takes jobs out of one lane.
async fn claim_lane(
    conn: &mut MySqlConnection,
    texts: &Texts,
    now: Now,
    claiming: &Claiming,
    lane: &LaneAt,
    limit: i64,
) -> Result<Option<Claim>> {
    let paused = texts.ask::<MySql>(IS_PAUSED).bind(lane.queue.clone());
    if paused.fetch_optional(conn).await?.is_some() {
        return Ok(None);
    }
    let due = texts
        .ask::<MySql>(CLAIM)
        .bind(lane.queue.clone())
        .bind(lane.priority)
        .bind(lane.after.run_at)
        .bind(lane.after.id)
        .bind(limit)
        .bind(claiming.known.clone())
        .bind(now);
    let rows = due.fetch_all(conn).await?;
    if rows.is_empty() {
        return Ok(None);
    }
    let job = |(place, row)| taken(place, row, lane);
    let jobs = rows.iter().enumerate().map(job).collect::<Result<Vec<ClaimedJob>>>()?;
    let fence = Uuid::now_v7();
    let bound = texts
        .ask::<MySql>(BIND)
        .bind(fence)
        .bind(claiming.worker)
        .bind(lane.queue.clone())
        .bind(lane.priority)
        .bind(json::array(jobs.iter(), |json, job| json::claimed(json, job, job.args.as_deref(), Quoted)))
        .bind(now);
    bound.execute(conn).await?;
    let ids = json::array(jobs.iter().map(|job| job.id), json::id);
    texts.ask::<MySql>(TAKEN).bind(ids).execute(conn).await?;
    Ok(Some(Claim { key: ClaimKey { row: fence, fence }, jobs, started: false }))
}

fn taken(place: usize, row: &MySqlRow, lane: &LaneAt) -> Result<ClaimedJob> {
    let args: Option<&str> = row.try_get(5)?;
    let meta: Option<&str> = row.try_get(6)?;
    Ok(ClaimedJob {
        id: row.try_get(0)?,
        place,
        kind: row.try_get::<&str, _>(1)?.into(),
        queue: lane.queue.as_str().into(),
        priority: lane.priority,
        run_at: row.try_get::<Timestamp, _>(2)?,
        attempt: count(row.try_get(3)?),
        max_attempts: count(row.try_get(4)?),
        args_apart: args.is_none(),
        args: args.map(Into::into),
        meta: Meta::from_json(meta),
    })
}

/// Reads a claim row, and whose it is.
pub(super) fn claim_row(row: &MySqlRow) -> Result<(Uuid, Claim)> {
    let key = ClaimKey { row: row.try_get(0)?, fence: row.try_get(1)? };
    Ok((
        row.try_get(2)?,
        json::claim(key, row.try_get(3)?, row.try_get(4)?, row.try_get(5)?, row.try_get(6)?)?,
    ))
}

/// Writes what became of one claim.
pub(super) async fn settle(
    conn: &mut MySqlConnection,
    texts: &Texts,
    now: Now,
    worker: Uuid,
    end: &ClaimEnd,
) -> Result<bool> {
    let gone = texts.ask::<MySql>(SETTLE_DONE).bind(end.key.row).bind(end.key.fence).bind(worker);
    if gone.execute(conn).await?.rows_affected() == 0 {
        return Ok(false);
    }
    let moves: Vec<Move> = moves::moves(end).collect();
    let to = |room| moves.iter().filter(move |to| to.room == room);
    let waiting = json::array(to(Room::Waiting), |json, to| json::to_waiting(json, to, Quoted));
    let parked = json::array(to(Room::Parked), |json, to| json::to_parked(json, to, Quoted));
    let finished = json::array(to(Room::Finished), |json, to| json::to_finished(json, to, Quoted));
    let errors = moves.iter().filter(|to| to.has_attempt_error());
    let lost = moves.iter().filter(|to| to.loses_args()).map(|to| to.job.id);
    // The statement, its jobs, and whether it names the worker and the time.
    let parts: [(Statement, String, bool, bool); 6] = [
        (TO_WAITING, waiting, false, true),
        (TO_CLAIMS, json::array(to(Room::Claimed), json::to_claim_row), true, true),
        (TO_PARKED, parked, false, true),
        (TO_FINISHED, finished, true, true),
        (ERRORS, json::array(errors, json::attempt_error), true, true),
        (LOST_ARGS, json::array(lost, json::id), false, false),
    ];
    for (statement, jobs, names_worker, names_time) in parts.into_iter().filter(|part| part.1 != "[]") {
        let mut ask = texts.ask::<MySql>(statement).bind(jobs);
        if names_worker {
            ask = ask.bind(worker);
        }
        if names_time {
            ask = ask.bind(now);
        }
        ask.execute(conn).await?;
    }
    for to in &moves {
        if matches!(to.room, Room::Waiting | Room::Parked) {
            MySql::on_job_timeless(conn, texts, FORGET_PROGRESS, to.job.id).await?;
        }
        if let Some(key) = to.released_key() {
            MySql::release_key(conn, texts, key, to.job.id).await?;
        }
    }
    Ok(true)
}

/// Puts jobs back to waiting that were parked for this reason, since somebody knows their kind and version.
pub(super) async fn unpark(
    conn: &mut MySqlConnection,
    texts: &Texts,
    reason: &str,
    known: &Known,
    limit: u32,
) -> Result<u64> {
    let ask = texts.ask::<MySql>(UNPARKABLE).bind(reason.to_owned()).bind(known.kind.clone());
    let rows = ask.bind(i32::from(known.version)).bind(i64::from(limit)).fetch_all(&mut *conn).await?;
    let ids = rows.iter().map(|row| Ok(row.try_get(0)?)).collect::<Result<Vec<JobId>>>()?;
    let json = json::array(ids.iter().copied(), json::id);
    for statement in [UNPARK, UNPARKED] {
        texts.ask::<MySql>(statement).bind(json.clone()).execute(&mut *conn).await?;
    }
    Ok(ids.len() as u64)
}

/// Forgets a batch of the waiting jobs of a queue, or of all if it is empty, and what belonged to them.
pub(super) async fn clear(conn: &mut MySqlConnection, texts: &Texts, queue: &str) -> Result<u64> {
    let rows = texts.ask::<MySql>(CLEAR).bind(queue.to_owned()).fetch_all(conn).await?;
    let ids = rows.iter().map(|row| Ok(row.try_get(0)?)).collect::<Result<Vec<JobId>>>()?;
    let json = json::array(ids.iter().copied(), json::id);
    if !ids.is_empty() {
        for statement in [CLEAR_UNIQUE, LOST_ARGS, CLEAR_ATTEMPTS, TAKEN] {
            texts.ask::<MySql>(statement).bind(json.clone()).execute(conn).await?;
        }
    }
    Ok(ids.len() as u64)
}

/// Fetches arguments that lie apart, and puts them into the jobs.
pub(super) async fn fetch_args(
    conn: &mut MySqlConnection,
    texts: &Texts,
    jobs: &mut [ClaimedJob],
) -> Result<()> {
    let ids = json::array(jobs.iter().filter(|job| job.args.is_none()).map(|job| job.id), json::id);
    if ids == "[]" {
        return Ok(());
    }
    for row in texts.ask::<MySql>(FETCH_ARGS).bind(ids).fetch_all(conn).await? {
        let (id, args): (JobId, &str) = (row.try_get(0)?, row.try_get(1)?);
        jobs.iter_mut().filter(|job| job.id == id).for_each(|job| job.args = Some(args.into()));
    }
    Ok(())
}
