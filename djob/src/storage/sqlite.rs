//! SQLite: embedded, one file, one machine.
//!
//! WAL, `synchronous=FULL`, one writer connection whose commits are shared ([`writer`]), and readers beside it.

mod connect;
mod examine;
mod heart;
mod lock;
mod place;
mod wake;
mod write;
mod writer;

use std::time::Duration;

use sqlx::Connection as _;
use sqlx::sqlite::{Sqlite, SqliteConnectOptions, SqliteConnection, SqlitePool, SqliteRow};
use uuid::Uuid;

use super::contracts::Contracts as _;
use super::edit::{Edit as _, Edited};
use super::statement::Statement::*;
use super::statement::Texts;
use super::unread::{Unread as _, known_json};
use super::verbs::{Claims, Now, Verbs};
use super::version::Version as _;
use super::*;
use crate::clock::{Clock, micros};
pub(crate) use connect::OLDEST;
use writer::Writer;

/// A SQLite database.
#[derive(Clone, Debug)]
pub(crate) struct SqliteStorage {
    writer: Writer,
    readers: SqlitePool,
    /// Where the file is, and how to open it once more; nothing if it is in memory.
    file: Option<(std::path::PathBuf, SqliteConnectOptions)>,
    /// How the application opens its own connections, if djob was given its pool.
    theirs: Option<SqliteConnectOptions>,
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

    /// The same with one view of all rooms, so that a job on its way between two of them is seen in one.
    async fn look<T, W>(&self, work: W) -> Result<T, StorageError>
    where
        W: AsyncFnOnce(&mut SqliteConnection, &Texts) -> Result<T, StorageError>,
    {
        self.read(async move |conn, texts| work(&mut *conn.begin().await?, texts).await).await
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

impl Claims for Sqlite {
    fn claim(row: &SqliteRow) -> Result<(Uuid, Claim), StorageError> {
        write::claim_row(row)
    }

    async fn fetch_args(
        conn: &mut SqliteConnection,
        texts: &Texts,
        jobs: &mut [ClaimedJob],
    ) -> Result<(), StorageError> {
        write::fetch_args(conn, texts, jobs).await
    }
}

impl Storage for SqliteStorage {
    fn database(&self) -> &'static str {
        "SQLite"
    }

    fn migrate(&self) -> Reply<'_, SchemaVersion> {
        Box::pin(async move {
            let mut conn = self.writer.connection().await?;
            connect::migrate(&mut conn, &self.naming).await?;
            drop(conn);
            self.schema_version().await
        })
    }

    fn schema_version(&self) -> Reply<'_, SchemaVersion> {
        Box::pin(self.read(async |conn, _| Sqlite::version(conn, &self.naming).await))
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
            self.write(|conn, texts, now| {
                Box::pin(async move { write::enqueue(conn, &texts, now, jobs).await })
            }),
        )
    }

    fn enqueue_in<'a>(&'a self, conn: Conn<'a>, jobs: Vec<NewJob>) -> Reply<'a, Vec<Enqueued>> {
        Box::pin(async move {
            match conn {
                Conn::Sqlite(conn) => write::enqueue(conn, &self.texts, self.now(), jobs).await,
                #[allow(unreachable_patterns)] // where this is the only database
                _ => Err(StorageError::new(error::Problem::OtherDatabase)),
            }
        })
    }

    fn settle_in<'a>(&'a self, conn: Conn<'a>, worker: Uuid, end: &'a ClaimEnd) -> Reply<'a, bool> {
        Box::pin(async move {
            match conn {
                Conn::Sqlite(conn) => write::settle(conn, &self.texts, self.now(), worker, end).await,
                #[allow(unreachable_patterns)] // where this is the only database
                _ => Err(StorageError::new(error::Problem::OtherDatabase)),
            }
        })
    }

    fn find(&self, id: JobId) -> Reply<'_, Option<JobRow>> {
        Box::pin(self.look(async move |conn, texts| Sqlite::find(conn, texts, id, self.now()).await))
    }

    fn attempts(&self, id: JobId) -> Reply<'_, Vec<Attempt>> {
        Box::pin(self.read(async move |conn, texts| Sqlite::attempts(conn, texts, id).await))
    }

    fn list<'a>(&'a self, filter: &'a Filter) -> Reply<'a, Vec<JobRow>> {
        Box::pin(self.look(async move |conn, texts| Sqlite::list(conn, texts, filter, self.now()).await))
    }

    fn counts(&self) -> Reply<'_, Vec<Count>> {
        Box::pin(self.read(async |conn, texts| Sqlite::counts(conn, texts, self.now()).await))
    }

    fn contracts(&self) -> Reply<'_, Vec<Contract>> {
        Box::pin(self.read(async |conn, texts| Sqlite::contracts(conn, texts).await))
    }

    fn examine(&self) -> Reply<'_, Vec<Finding>> {
        Box::pin(examine::examine(self))
    }

    fn cancel(&self, id: JobId) -> Reply<'_, Cancelled> {
        Box::pin(self.write(move |conn, texts, now| {
            Box::pin(async move { rooms::cancel::<Sqlite>(conn, &texts, now, id).await })
        }))
    }

    fn cancel_slipped(&self, id: JobId) -> Reply<'_, bool> {
        Box::pin(self.write(move |conn, texts, now| {
            Box::pin(async move { rooms::cancel_slipped::<Sqlite>(conn, &texts, now, id).await })
        }))
    }

    fn retry(&self, id: JobId) -> Reply<'_, bool> {
        Box::pin(self.write(move |conn, texts, now| {
            Box::pin(async move { rooms::retry::<Sqlite>(conn, &texts, now, id).await })
        }))
    }

    fn edit<'a>(&'a self, id: JobId, args: &'a str, version: u16) -> Reply<'a, bool> {
        let edited = Edited { args: args.to_owned(), version };
        Box::pin(self.write(move |conn, texts, now| {
            Box::pin(async move { Sqlite::edit(conn, &texts, now, id, edited).await })
        }))
    }

    fn delete(&self, id: JobId) -> Reply<'_, bool> {
        Box::pin(self.write(move |conn, texts, _| {
            Box::pin(async move { rooms::delete::<Sqlite>(conn, &texts, id).await })
        }))
    }

    fn clear<'a>(&'a self, queue: Option<&'a str>) -> Reply<'a, u64> {
        let queue = queue.unwrap_or_default().to_owned();
        Box::pin(
            self.write(move |conn, texts, _| {
                Box::pin(async move { write::clear(conn, &texts, &queue).await })
            }),
        )
    }

    fn pause<'a>(&'a self, queue: &'a str, pause: bool) -> Reply<'a, bool> {
        let queue = queue.to_owned();
        Box::pin(self.write(move |conn, texts, now| {
            Box::pin(async move { Sqlite::pause(conn, &texts, &queue, pause, now).await })
        }))
    }

    fn paused(&self) -> Reply<'_, Vec<String>> {
        Box::pin(self.read(async |conn, texts| Sqlite::names(conn, texts, PAUSED, None).await))
    }

    fn say_progress<'a>(&'a self, said: &'a [(JobId, f64)]) -> Reply<'a, ()> {
        let said = said.to_vec();
        Box::pin(self.write(move |conn, texts, now| {
            Box::pin(async move { Sqlite::say_progress(conn, &texts, &said, now).await })
        }))
    }

    fn join<'a>(&'a self, worker: &'a WorkerInfo) -> Reply<'a, ()> {
        let worker = worker.clone();
        Box::pin(self.write(move |conn, texts, now| {
            Box::pin(async move { Sqlite::join(conn, &texts, &worker, now).await })
        }))
    }

    fn publish<'a>(&'a self, contracts: &'a [Contract]) -> Reply<'a, ()> {
        let contracts = contracts.to_vec();
        Box::pin(self.write(move |conn, texts, now| {
            Box::pin(async move { Sqlite::publish(conn, &texts, &contracts, now).await })
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
        Box::pin(heart::open(self))
    }

    fn lanes(&self, priorities: (i16, i16)) -> Reply<'_, Vec<Lane>> {
        Box::pin(self.read(async move |conn, texts| Sqlite::lanes(conn, texts, priorities, self.now()).await))
    }

    fn claim<'a>(
        &'a self,
        worker: Uuid,
        lanes: &'a [LaneAt],
        limit: u32,
        known: Option<&'a [Known]>,
    ) -> Reply<'a, Vec<Claim>> {
        let (lanes, known) = (lanes.to_vec(), known.map(known_json));
        Box::pin(self.write(move |conn, texts, now| {
            Box::pin(async move {
                let (mut claims, mut left) = (Vec::new(), i64::from(limit));
                for lane in &lanes {
                    if left <= 0 {
                        break;
                    }
                    if let Some(claim) =
                        write::claim_lane(conn, &texts, now, worker, lane, left, known.clone()).await?
                    {
                        left -= i64::try_from(claim.jobs.len()).unwrap_or(left);
                        claims.push(claim);
                    }
                }
                Ok(claims)
            })
        }))
    }

    fn fetch_args<'a>(&'a self, jobs: &'a mut [ClaimedJob]) -> Reply<'a, ()> {
        Box::pin(self.read(async move |conn, texts| write::fetch_args(conn, texts, jobs).await))
    }

    fn settle<'a>(&'a self, worker: Uuid, ends: &'a [ClaimEnd]) -> Reply<'a, Vec<bool>> {
        let ends = ends.to_vec();
        Box::pin(self.write(move |conn, texts, now| {
            Box::pin(async move {
                let mut accepted = Vec::with_capacity(ends.len());
                for end in &ends {
                    accepted.push(write::settle(conn, &texts, now, worker, end).await?);
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

    fn orphans(&self, lease: Duration, after: Uuid, limit: u32) -> Reply<'_, Orphans> {
        Box::pin(self.read(async move |conn, texts| {
            Sqlite::orphans(conn, texts, micros(lease), after, limit, self.now()).await
        }))
    }

    fn held(&self, worker: Uuid, since: Duration) -> Reply<'_, Vec<Claim>> {
        Box::pin(self.read(async move |conn, texts| {
            Sqlite::held(conn, texts, worker, micros(since), self.now()).await
        }))
    }

    fn bury(&self, lease: Duration) -> Reply<'_, u64> {
        Box::pin(self.write(move |conn, texts, now| {
            Box::pin(async move { Sqlite::bury(conn, &texts, micros(lease), now).await })
        }))
    }

    fn parked_kinds<'a>(&'a self, reason: &'a str) -> Reply<'a, Vec<String>> {
        Box::pin(self.read(async |conn, texts| Sqlite::names(conn, texts, PARKED_KINDS, Some(reason)).await))
    }

    fn unpark<'a>(&'a self, reason: &'a str, known: &'a Known, limit: u32) -> Reply<'a, u64> {
        let (reason, known) = (reason.to_owned(), known.clone());
        Box::pin(self.write(move |conn, texts, _| {
            Box::pin(async move { write::unpark(conn, &texts, &reason, &known, limit).await })
        }))
    }

    fn park_unread<'a>(&'a self, lane: &'a LaneAt, lease: Duration, limit: u32) -> Reply<'a, u64> {
        let lane = lane.clone();
        Box::pin(self.write(move |conn, texts, now| {
            Box::pin(async move { Sqlite::park_unread(conn, &texts, &lane, micros(lease), limit, now).await })
        }))
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

    fn has_finished(&self, worker: Uuid, job: JobId) -> Reply<'_, bool> {
        Box::pin(self.read(async move |conn, texts| Sqlite::has_finished(conn, texts, worker, job).await))
    }

    fn prune_attempts(&self, after: JobId, limit: u32) -> Reply<'_, Option<JobId>> {
        Box::pin(self.write(move |conn, texts, _| {
            Box::pin(async move { Sqlite::prune_attempts(conn, &texts, after, limit).await })
        }))
    }

    fn notify(&self) -> Reply<'_, ()> {
        // Other processes see the file change.
        Box::pin(async { Ok(()) })
    }

    fn listen<'a>(&'a self, woken: &'a (dyn Fn() + Send + Sync)) -> Reply<'a, ()> {
        Box::pin(wake::watch(self.file.as_ref().map(|(file, _)| file.as_path()), woken))
    }
}
