//! SQLite: embedded, one file, one machine.
//!
//! WAL, `synchronous=FULL`, one writer connection whose commits are shared ([`writer`]), and readers beside it.

mod connect;
pub(crate) mod rows;
mod wake;
mod writer;

use std::time::Duration;

use sqlx::sqlite::{Sqlite, SqliteConnection, SqlitePool};
use sqlx::{Connection as _, Row};
use uuid::Uuid;

use super::moves::{self, Move, Room};
use super::shared::{Now, Verbs};
use super::statement::Statement::*;
use super::statement::{Naming, Statement, Texts};
use super::*;
use crate::clock::{Clock, micros};
use crate::job::settle::KEEP_COMPLETED;
use writer::Writer;

/// A SQLite database.
#[derive(Clone, Debug)]
pub(crate) struct SqliteStorage {
    writer: Writer,
    readers: SqlitePool,
    /// Where the file is, unless it is in memory.
    file: Option<std::path::PathBuf>,
    texts: Texts,
    naming: Naming,
    clock: Clock,
}

impl SqliteStorage {
    fn now(&self) -> Now {
        Some(self.clock.read_or_host())
    }

    /// Does `work` with a connection for reading.
    async fn read<T, W>(&self, work: W) -> Result<T, StorageError>
    where
        W: AsyncFnOnce(&mut SqliteConnection, &Texts) -> Result<T, StorageError>,
    {
        let mut conn = self.readers.acquire().await?;
        work(&mut conn, &self.texts).await
    }

    /// Does `work` on the writer, and commits it.
    async fn write<T, W>(&self, work: W) -> Result<T, StorageError>
    where
        T: Send + 'static,
        W: for<'c> FnOnce(&'c mut SqliteConnection, Texts, Now) -> BoxFuture<'c, Result<T, StorageError>>
            + Send
            + 'static,
    {
        let (texts, now) = (self.texts.clone(), self.now());
        self.writer.write(move |conn| work(conn, texts, now)).await
    }
}

/// Stores jobs on a connection that is inside of a transaction.
async fn enqueue(
    conn: &mut SqliteConnection,
    texts: &Texts,
    now: Now,
    mut jobs: Vec<NewJob>,
) -> Result<Vec<Enqueued>, StorageError> {
    let mut answers = Vec::with_capacity(jobs.len());
    for job in &jobs {
        let holder = match &job.meta.unique_key {
            Some(key) => Sqlite::hold_key(conn, texts, key, job.id).await?,
            None => None,
        };
        answers.push(holder.map_or(Enqueued::Inserted(job.id), Enqueued::Existing));
    }
    let mut kept = answers.iter().map(|answer| matches!(answer, Enqueued::Inserted(_)));
    jobs.retain(|_| kept.next().unwrap_or(false));
    let large = || jobs.iter().filter(|job| job.args.len() > rows::ARGS_INLINE_MAX);
    if large().next().is_some() {
        let json = rows::array(large(), rows::large_args);
        sqlx::query(texts.get(LARGE_ARGS)).bind(json).execute(&mut *conn).await?;
    }
    if !jobs.is_empty() {
        let json = rows::array(jobs.iter(), rows::new_job);
        sqlx::query(texts.get(ENQUEUE)).bind(json).bind(now).execute(conn).await?;
    }
    Ok(answers)
}

/// Takes jobs out of one lane.
async fn claim_lane(
    conn: &mut SqliteConnection,
    texts: &Texts,
    now: Now,
    worker: Uuid,
    lane: &LaneAt,
    limit: i64,
) -> Result<Option<Claim>, StorageError> {
    let fence = Uuid::now_v7();
    let row = sqlx::query(texts.get(CLAIM))
        .bind(worker)
        .bind(fence)
        .bind(&lane.queue)
        .bind(lane.priority)
        .bind(lane.after.run_at)
        .bind(lane.after.id)
        .bind(limit)
        .bind(now)
        .fetch_optional(&mut *conn)
        .await?;
    let Some(row) = row else { return Ok(None) };
    sqlx::query(texts.get(TAKEN))
        .bind(&lane.queue)
        .bind(lane.priority)
        .bind(lane.after.run_at)
        .bind(lane.after.id)
        .bind(limit)
        .bind(now)
        .execute(conn)
        .await?;
    let key = ClaimKey { row: fence, fence };
    rows::claim(key, &lane.queue, lane.priority, row.try_get(0)?, false).map(Some)
}

/// Writes what became of one claim, on a connection that is inside of a transaction.
async fn settle(
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
        (TO_WAITING, rows::array(to(Room::Waiting), rows::to_waiting), false, true),
        (TO_CLAIMS, rows::array(to(Room::Claimed), rows::to_claim), true, true),
        (TO_PARKED, rows::array(to(Room::Parked), rows::to_parked), false, true),
        (TO_FINISHED, rows::array(to(Room::Finished), rows::to_finished), true, true),
        (
            ERRORS,
            rows::array(moves.iter().filter(|to| to.has_attempt_error()), rows::attempt_error),
            true,
            true,
        ),
        (
            LOST_ARGS,
            rows::array(moves.iter().filter(|to| to.loses_args()).map(|to| to.job.id), rows::id),
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
        if let Some(key) = to.released_key() {
            Sqlite::release_key(conn, texts, key, to.job.id).await?;
        }
    }
    Ok(true)
}

fn claim_row(row: &sqlx::sqlite::SqliteRow) -> Result<(Uuid, Claim), StorageError> {
    let key = ClaimKey { row: row.try_get(0)?, fence: row.try_get(1)? };
    Ok((
        row.try_get(2)?,
        rows::claim(key, row.try_get(3)?, row.try_get(4)?, row.try_get(5)?, row.try_get(6)?)?,
    ))
}

impl Storage for SqliteStorage {
    fn database(&self) -> &'static str {
        "SQLite"
    }

    fn migrate(&self) -> Reply<'_, SchemaVersion> {
        Box::pin(async move {
            let mut conn = self.writer.connection().await?;
            connect::migrator(&self.naming).run_direct(None, &mut *conn, false).await?;
            drop(conn);
            self.schema_version().await
        })
    }

    fn schema_version(&self) -> Reply<'_, SchemaVersion> {
        Box::pin(self.read(async |conn, _| connect::version(conn, &self.naming).await))
    }

    fn migrations(&self) -> Vec<(i64, &'static str, String)> {
        connect::migrations(&self.naming)
    }

    fn now(&self) -> Reply<'_, Timestamp> {
        let now = self.clock.read_or_host();
        Box::pin(async move { Ok(now) })
    }

    fn enqueue(&self, jobs: Vec<NewJob>) -> Reply<'_, Vec<Enqueued>> {
        Box::pin(
            self.write(|conn, texts, now| Box::pin(async move { enqueue(conn, &texts, now, jobs).await })),
        )
    }

    fn enqueue_in<'a>(&'a self, conn: Conn<'a>, jobs: Vec<NewJob>) -> Reply<'a, Vec<Enqueued>> {
        Box::pin(async move {
            match conn {
                Conn::Sqlite(conn) => enqueue(conn, &self.texts, self.now(), jobs).await,
                #[cfg(feature = "postgres")]
                _ => Err(StorageError::new(error::Problem::OtherDatabase)),
            }
        })
    }

    fn settle_in<'a>(&'a self, conn: Conn<'a>, worker: Uuid, end: &'a ClaimEnd) -> Reply<'a, bool> {
        Box::pin(async move {
            match conn {
                Conn::Sqlite(conn) => settle(conn, &self.texts, self.now(), worker, end).await,
                #[cfg(feature = "postgres")]
                _ => Err(StorageError::new(error::Problem::OtherDatabase)),
            }
        })
    }

    fn find(&self, id: JobId) -> Reply<'_, Option<JobRow>> {
        Box::pin(async move {
            let mut conn = self.readers.acquire().await?;
            // One transaction, so that a job on its way between two rooms is seen in one of them.
            let mut tx = conn.begin().await?;
            if let Some(row) = Sqlite::find(&mut tx, &self.texts, id, self.now()).await? {
                return Ok(Some(row));
            }
            let query = sqlx::query(self.texts.get(FIND_CLAIM)).bind(id);
            let Some(row) = query.fetch_optional(&mut *tx).await? else { return Ok(None) };
            Ok(running_rows(claim_row(&row)?.1).find(|row| row.id == id))
        })
    }

    fn attempts(&self, id: JobId) -> Reply<'_, Vec<Attempt>> {
        Box::pin(self.read(async move |conn, texts| Sqlite::attempts(conn, texts, id).await))
    }

    fn list<'a>(&'a self, filter: &'a Filter) -> Reply<'a, Vec<JobRow>> {
        Box::pin(self.read(async move |conn, texts| {
            let mut found = Vec::new();
            for (statement, state) in rooms_of(filter) {
                found.extend(Sqlite::list(conn, texts.get(statement), filter, state, self.now()).await?);
            }
            if matches!(filter.state, None | Some(JobState::Running)) {
                let query = sqlx::query(texts.get(CLAIMS)).bind(i64::from(filter.limit));
                for row in query.fetch_all(conn).await? {
                    found.extend(running_rows(claim_row(&row)?.1));
                }
            }
            Ok(newest_first(found, filter))
        }))
    }

    fn counts(&self) -> Reply<'_, Vec<Count>> {
        Box::pin(self.read(async |conn, texts| Sqlite::counts(conn, texts, self.now()).await))
    }

    fn cancel(&self, id: JobId) -> Reply<'_, Cancelled> {
        Box::pin(self.write(move |conn, texts, now| {
            Box::pin(async move {
                let keep = micros(KEEP_COMPLETED);
                if Sqlite::cancel_waiting(conn, &texts, id, CANCEL_REASON, keep, now).await? {
                    for statement in
                        [DELETE_FROM_JOBS, DELETE_FROM_PARKED, DELETE_FROM_ARGS, DELETE_KEYS, DROP_CANCEL]
                    {
                        Sqlite::on_job_timeless(conn, texts.get(statement), id).await?;
                    }
                    return Ok(Cancelled::Now);
                }
                let query = sqlx::query(texts.get(FIND_CLAIM)).bind(id);
                if query.fetch_optional(&mut *conn).await?.is_none() {
                    return Ok(Cancelled::NotFound);
                }
                Sqlite::on_job(conn, texts.get(ASK_CANCEL), id, now).await?;
                Ok(Cancelled::Asked)
            })
        }))
    }

    fn retry(&self, id: JobId) -> Reply<'_, bool> {
        Box::pin(self.write(move |conn, texts, now| {
            Box::pin(async move {
                let back = Sqlite::on_job(conn, texts.get(RETRY_FINISHED), id, now).await? > 0;
                if back {
                    Sqlite::on_job_timeless(conn, texts.get(DELETE_FROM_FINISHED), id).await?;
                    Sqlite::on_job_timeless(conn, texts.get(DELETE_FROM_PARKED), id).await?;
                }
                Ok(back)
            })
        }))
    }

    fn delete(&self, id: JobId) -> Reply<'_, bool> {
        Box::pin(self.write(move |conn, texts, _| {
            Box::pin(async move {
                let mut gone = 0;
                for statement in [DELETE_FROM_JOBS, DELETE_FROM_PARKED, DELETE_FROM_FINISHED] {
                    gone += Sqlite::on_job_timeless(conn, texts.get(statement), id).await?;
                }
                if gone > 0 {
                    for statement in [DELETE_FROM_ARGS, DELETE_FROM_ATTEMPTS, DELETE_KEYS] {
                        Sqlite::on_job_timeless(conn, texts.get(statement), id).await?;
                    }
                }
                Ok(gone > 0)
            })
        }))
    }

    fn clear<'a>(&'a self, queue: Option<&'a str>) -> Reply<'a, u64> {
        let queue = queue.unwrap_or_default().to_owned();
        Box::pin(
            self.write(move |conn, texts, _| {
                Box::pin(async move { Sqlite::clear(conn, &texts, &queue).await })
            }),
        )
    }

    fn join<'a>(&'a self, worker: &'a WorkerInfo) -> Reply<'a, ()> {
        let worker = worker.clone();
        Box::pin(self.write(move |conn, texts, now| {
            Box::pin(async move { Sqlite::join(conn, &texts, &worker, now).await })
        }))
    }

    fn leave(&self, worker: Uuid) -> Reply<'_, ()> {
        Box::pin(
            self.write(move |conn, texts, _| {
                Box::pin(async move { Sqlite::leave(conn, &texts, worker).await })
            }),
        )
    }

    fn heart(&self) -> Reply<'_, Box<dyn Heart>> {
        // The writer is a thread of its own and needs no runtime: the heart may share it.
        Box::pin(async move { Ok(Box::new(self.clone()) as Box<dyn Heart>) })
    }

    fn lanes(&self, priorities: (i16, i16)) -> Reply<'_, Vec<Lane>> {
        Box::pin(self.read(async move |conn, texts| Sqlite::lanes(conn, texts, priorities, self.now()).await))
    }

    fn claim<'a>(&'a self, worker: Uuid, lanes: &'a [LaneAt], limit: u32) -> Reply<'a, Vec<Claim>> {
        let lanes = lanes.to_vec();
        Box::pin(self.write(move |conn, texts, now| {
            Box::pin(async move {
                let (mut claims, mut left) = (Vec::new(), i64::from(limit));
                for lane in &lanes {
                    if left <= 0 {
                        break;
                    }
                    if let Some(claim) = claim_lane(conn, &texts, now, worker, lane, left).await? {
                        left -= i64::try_from(claim.jobs.len()).unwrap_or(left);
                        claims.push(claim);
                    }
                }
                Ok(claims)
            })
        }))
    }

    fn fetch_args<'a>(&'a self, jobs: &'a mut [ClaimedJob]) -> Reply<'a, ()> {
        let ids = rows::array(jobs.iter().filter(|job| job.args.is_none()).map(|job| job.id), rows::id);
        Box::pin(self.read(async move |conn, texts| {
            let fetched = sqlx::query(texts.get(FETCH_ARGS)).bind(ids).fetch_all(conn).await?;
            for row in &fetched {
                let (id, args): (JobId, String) = (row.try_get(0)?, row.try_get(1)?);
                jobs.iter_mut()
                    .filter(|job| job.id == id)
                    .for_each(|job| job.args = Some(args.as_str().into()));
            }
            Ok(())
        }))
    }

    fn settle<'a>(&'a self, worker: Uuid, ends: &'a [ClaimEnd]) -> Reply<'a, Vec<bool>> {
        let ends = ends.to_vec();
        Box::pin(self.write(move |conn, texts, now| {
            Box::pin(async move {
                let mut accepted = Vec::with_capacity(ends.len());
                for end in &ends {
                    accepted.push(settle(conn, &texts, now, worker, end).await?);
                }
                Ok(accepted)
            })
        }))
    }

    fn start(&self, worker: Uuid, key: ClaimKey) -> Reply<'_, bool> {
        Box::pin(self.write(move |conn, texts, now| {
            Box::pin(async move { Sqlite::start(conn, &texts, worker, key, now).await })
        }))
    }

    fn cancels(&self) -> Reply<'_, Vec<JobId>> {
        Box::pin(self.read(async |conn, texts| Sqlite::cancels(conn, texts).await))
    }

    fn orphans(&self, lease: Duration, limit: u32) -> Reply<'_, Vec<(Uuid, Claim)>> {
        Box::pin(self.read(async move |conn, texts| {
            let query =
                sqlx::query(texts.get(ORPHANS)).bind(micros(lease)).bind(i64::from(limit)).bind(self.now());
            query.fetch_all(conn).await?.iter().map(claim_row).collect()
        }))
    }

    fn bury(&self, lease: Duration) -> Reply<'_, u64> {
        Box::pin(self.write(move |conn, texts, now| {
            Box::pin(async move { Sqlite::bury(conn, &texts, micros(lease), now).await })
        }))
    }

    fn unpark<'a>(&'a self, kinds: &'a [String]) -> Reply<'a, u64> {
        Box::pin(async move {
            let parked = self.read(async |conn, texts| Sqlite::parked_kinds(conn, texts).await).await?;
            let known: Vec<String> = parked.into_iter().filter(|kind| kinds.contains(kind)).collect();
            if known.is_empty() {
                return Ok(0);
            }
            self.write(move |conn, texts, _| {
                Box::pin(async move {
                    let mut back = 0;
                    for kind in &known {
                        back += Sqlite::on_kind(conn, texts.get(UNPARK), kind).await?;
                        Sqlite::on_kind(conn, texts.get(UNPARKED), kind).await?;
                    }
                    Ok(back)
                })
            })
            .await
        })
    }

    fn take_duty<'a>(&'a self, duty: &'a str, worker: Uuid, hold: Duration) -> Reply<'a, bool> {
        let duty = duty.to_owned();
        Box::pin(self.write(move |conn, texts, now| {
            Box::pin(async move { Sqlite::take_duty(conn, &texts, &duty, worker, micros(hold), now).await })
        }))
    }

    fn prune(&self, limit: u32) -> Reply<'_, u64> {
        Box::pin(self.write(move |conn, texts, now| {
            Box::pin(async move { Sqlite::prune(conn, &texts, limit, now).await })
        }))
    }

    fn notify(&self) -> Reply<'_, ()> {
        // Other processes see the file change.
        Box::pin(async { Ok(()) })
    }

    fn listen<'a>(&'a self, woken: &'a (dyn Fn() + Send + Sync)) -> Reply<'a, ()> {
        Box::pin(wake::watch(self.file.as_deref(), woken))
    }
}

impl Heart for SqliteStorage {
    fn beat<'a>(&'a mut self, worker: Uuid, lease: Duration) -> Reply<'a, bool> {
        Box::pin(self.write(move |conn, texts, now| {
            Box::pin(async move { Sqlite::beat(conn, &texts, worker, micros(lease), now).await })
        }))
    }
}
