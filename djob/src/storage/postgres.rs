//! PostgreSQL: many machines.
//!
//! All calls go through [`PostgresStorage::on`], which gives each a time limit: a connection that did not answer is thrown
//! away.

mod array;
mod call;
mod claim;
mod connect;
mod examine;
mod heart;
mod rows;
mod session;
mod wake;
mod write;

use std::time::Duration;

use sqlx::Row as _;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgRow, Postgres};
use uuid::Uuid;

use super::contracts::Contracts as _;
use super::edit::{Edit as _, Edited};
use super::error::Problem;
use super::statement::Statement::*;
use super::statement::Texts;
use super::trust::Trust;
use super::unread::Unread as _;
use super::verbs::{Claims, Now, Verbs};
use super::version::Version as _;
use super::*;
use crate::clock::{Clock, micros};
use call::Line;

/// How long a call may take.
const CALL_MAX: Duration = Duration::from_secs(30);
/// How long a migration may take: it may wait for another program's.
const MIGRATION_MAX: Duration = Duration::from_secs(600);

/// A PostgreSQL database.
#[derive(Clone)]
pub(crate) struct PostgresStorage {
    durable: Line,
    claims: Line,
    turns: claim::Turns,
    trust: Trust,
    options: PgConnectOptions,
    texts: Texts,
    naming: Naming,
    clock: Clock,
    /// Sessions are lent by a pooler, for a transaction at a time.
    pgbouncer: bool,
}

// sqlx prints the password.
impl fmt::Debug for PostgresStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (host, database) = (self.options.get_host(), self.options.get_database().unwrap_or_default());
        write!(f, "PostgresStorage({host}/{database})")
    }
}

impl Claims for Postgres {
    fn claim(row: &PgRow) -> Result<(Uuid, Claim), StorageError> {
        rows::claim(row)
    }

    async fn fetch_args(
        conn: &mut PgConnection,
        texts: &Texts,
        jobs: &mut [ClaimedJob],
    ) -> Result<(), StorageError> {
        write::fetch_args(conn, texts, jobs).await
    }
}

impl Storage for PostgresStorage {
    fn database(&self) -> &'static str {
        "PostgreSQL"
    }

    fn migrate(&self) -> Reply<'_, SchemaVersion> {
        Box::pin(async move {
            let timeout = |_| Err(StorageError::new(Problem::Timeout("migrate")));
            tokio::time::timeout(MIGRATION_MAX, connect::migrate(self)).await.unwrap_or_else(timeout)
        })
    }

    fn schema_version(&self) -> Reply<'_, SchemaVersion> {
        Box::pin(self.on("schema_version", async |conn, _, _| Postgres::version(conn, &self.naming).await))
    }

    fn migrations(&self) -> Vec<(i64, &'static str, String)> {
        connect::migrations(&self.naming)
    }

    fn now(&self) -> Reply<'_, Timestamp> {
        Box::pin(self.on("now", async |conn, texts, now| Postgres::clock(conn, texts, now).await))
    }

    fn enqueue(&self, jobs: Vec<NewJob>) -> Reply<'_, Vec<Enqueued>> {
        Box::pin(async move {
            if jobs.iter().any(|job| job.id_given || job.meta.unique_key.is_some()) {
                let unique = async |conn: &mut PgConnection, texts: &Texts, now: Now| {
                    write::insert_unique(conn, texts, now, jobs.clone()).await
                };
                return match self.on_tx("enqueue", unique).await {
                    // Another caller has stored a job of the same id meanwhile: now it is known.
                    Err(error) if error.is_duplicate() => self.on_tx("enqueue", unique).await,
                    stored => stored,
                };
            }
            self.on("enqueue", async |conn, texts, now| write::insert(conn, texts, now, &jobs).await).await?;
            Ok(jobs.iter().map(|job| Enqueued::Inserted(job.id)).collect())
        })
    }

    fn enqueue_in<'a>(&'a self, conn: Conn<'a>, jobs: Vec<NewJob>) -> Reply<'a, Vec<Enqueued>> {
        Box::pin(async move {
            match conn {
                Conn::Postgres(conn) => write::insert_unique(conn, &self.texts, self.now(), jobs).await,
                #[allow(unreachable_patterns)] // where this is the only database
                _ => Err(StorageError::new(Problem::OtherDatabase)),
            }
        })
    }

    fn settle_in<'a>(&'a self, conn: Conn<'a>, worker: Uuid, end: &'a ClaimEnd) -> Reply<'a, bool> {
        Box::pin(async move {
            match conn {
                Conn::Postgres(conn) => {
                    let ends = std::slice::from_ref(end);
                    Ok(write::settle(conn, &self.texts, self.now(), worker, ends).await? == [true])
                }
                #[allow(unreachable_patterns)] // where this is the only database
                _ => Err(StorageError::new(Problem::OtherDatabase)),
            }
        })
    }

    fn find(&self, id: JobId) -> Reply<'_, Option<JobRow>> {
        Box::pin(self.look("find", async move |conn, texts, now| Postgres::find(conn, texts, id, now).await))
    }

    fn attempts(&self, id: JobId) -> Reply<'_, Vec<Attempt>> {
        Box::pin(self.on("attempts", async move |conn, texts, _| Postgres::attempts(conn, texts, id).await))
    }

    fn list<'a>(&'a self, filter: &'a Filter) -> Reply<'a, Vec<JobRow>> {
        Box::pin(
            self.look("list", async move |conn, texts, now| Postgres::list(conn, texts, filter, now).await),
        )
    }

    fn counts(&self) -> Reply<'_, Vec<Count>> {
        Box::pin(self.on("counts", async |conn, texts, now| Postgres::counts(conn, texts, now).await))
    }

    fn contracts(&self) -> Reply<'_, Vec<Contract>> {
        Box::pin(self.on("contracts", async |conn, texts, _| Postgres::contracts(conn, texts).await))
    }

    fn examine(&self) -> Reply<'_, Vec<Finding>> {
        Box::pin(examine::examine(self))
    }

    fn cancel(&self, id: JobId) -> Reply<'_, Cancelled> {
        Box::pin(self.on_tx("cancel", async move |conn, texts, now| {
            rooms::cancel::<Postgres>(conn, texts, now, id).await
        }))
    }

    fn cancel_slipped(&self, id: JobId) -> Reply<'_, bool> {
        Box::pin(self.on_tx("cancel_slipped", async move |conn, texts, now| {
            rooms::cancel_slipped::<Postgres>(conn, texts, now, id).await
        }))
    }

    fn retry(&self, id: JobId) -> Reply<'_, bool> {
        Box::pin(self.on_tx("retry", async move |conn, texts, now| {
            rooms::retry::<Postgres>(conn, texts, now, id).await
        }))
    }

    fn edit<'a>(&'a self, id: JobId, args: &'a str, version: u16) -> Reply<'a, bool> {
        Box::pin(self.on_tx("edit", async move |conn, texts, now| {
            Postgres::edit(conn, texts, now, id, Edited { args: args.to_owned(), version }).await
        }))
    }

    fn delete(&self, id: JobId) -> Reply<'_, bool> {
        Box::pin(
            self.on_tx("delete", async move |conn, texts, _| {
                rooms::delete::<Postgres>(conn, texts, id).await
            }),
        )
    }

    fn clear<'a>(&'a self, queue: Option<&'a str>) -> Reply<'a, u64> {
        let queue = queue.unwrap_or_default();
        Box::pin(self.on("clear", async move |conn, texts, _| {
            let gone: i64 = texts.query(CLEAR).bind(queue).fetch_one(conn).await?.try_get(0)?;
            Ok(gone.unsigned_abs())
        }))
    }

    fn pause<'a>(&'a self, queue: &'a str, pause: bool) -> Reply<'a, bool> {
        Box::pin(
            self.on("pause", async move |conn, texts, now| {
                Postgres::pause(conn, texts, queue, pause, now).await
            }),
        )
    }

    fn paused(&self) -> Reply<'_, Vec<String>> {
        Box::pin(self.on("paused", async |conn, texts, _| Postgres::names(conn, texts, PAUSED, None).await))
    }

    fn say_progress<'a>(&'a self, said: &'a [(JobId, f64)]) -> Reply<'a, ()> {
        Box::pin(self.on("say_progress", async move |conn, texts, now| {
            Postgres::say_progress(conn, texts, said, now).await
        }))
    }

    fn join<'a>(&'a self, worker: &'a WorkerInfo) -> Reply<'a, ()> {
        Box::pin(self.on("join", async |conn, texts, now| Postgres::join(conn, texts, worker, now).await))
    }

    fn publish<'a>(&'a self, contracts: &'a [Contract]) -> Reply<'a, ()> {
        Box::pin(self.on_tx("publish", async move |conn, texts, now| {
            Postgres::publish(conn, texts, contracts, now).await
        }))
    }

    fn leave(&self, worker: Uuid) -> Reply<'_, ()> {
        Box::pin(self.on("leave", async move |conn, texts, _| Postgres::leave(conn, texts, worker).await))
    }

    fn heart(&self) -> Reply<'_, Box<dyn Heart>> {
        Box::pin(heart::open(self))
    }

    fn lanes(&self, priorities: (i16, i16)) -> Reply<'_, Vec<Lane>> {
        Box::pin(self.on_claims("lanes", async move |conn, texts, now| {
            Postgres::lanes(conn, texts, priorities, now).await
        }))
    }

    fn claim<'a>(
        &'a self,
        worker: Uuid,
        lanes: &'a [LaneAt],
        limit: u32,
        known: Option<&'a [Known]>,
    ) -> Reply<'a, Vec<Claim>> {
        Box::pin(self.on_claims("claim", async move |conn, texts, now| {
            claim::Claiming { texts, now, worker, lanes, limit, known }.claim(conn, &self.turns).await
        }))
    }

    fn fetch_args<'a>(&'a self, jobs: &'a mut [ClaimedJob]) -> Reply<'a, ()> {
        Box::pin(
            self.on("fetch_args", async move |conn, texts, _| write::fetch_args(conn, texts, jobs).await),
        )
    }

    fn settle<'a>(&'a self, worker: Uuid, ends: &'a [ClaimEnd]) -> Reply<'a, Vec<bool>> {
        Box::pin(async move {
            let work = async move |conn: &mut PgConnection, texts: &Texts, now: Now| {
                write::settle(conn, texts, now, worker, ends).await
            };
            if write::needs_transaction(ends) {
                self.on_tx("settle", work).await
            } else {
                self.on("settle", work).await
            }
        })
    }

    fn start(&self, worker: Uuid, key: ClaimKey) -> Reply<'_, bool> {
        Box::pin(
            self.on("start", async move |conn, texts, now| {
                Postgres::start(conn, texts, worker, key, now).await
            }),
        )
    }

    fn cancels(&self) -> Reply<'_, Vec<JobId>> {
        Box::pin(self.on("cancels", async |conn, texts, _| Postgres::cancels(conn, texts).await))
    }

    fn orphans(&self, lease: Duration, after: Uuid, limit: u32) -> Reply<'_, Orphans> {
        Box::pin(self.on("orphans", async move |conn, texts, now| {
            Postgres::orphans(conn, texts, micros(lease), after, limit, now).await
        }))
    }

    fn held(&self, worker: Uuid, since: Duration) -> Reply<'_, Vec<Claim>> {
        Box::pin(self.on("held", async move |conn, texts, now| {
            Postgres::held(conn, texts, worker, micros(since), now).await
        }))
    }

    fn bury(&self, lease: Duration) -> Reply<'_, u64> {
        Box::pin(
            self.on("bury", async move |conn, texts, now| {
                Postgres::bury(conn, texts, micros(lease), now).await
            }),
        )
    }

    fn parked_kinds<'a>(&'a self, reason: &'a str) -> Reply<'a, Vec<String>> {
        Box::pin(self.on("parked_kinds", async move |conn, texts, _| {
            Postgres::names(conn, texts, PARKED_KINDS, Some(reason)).await
        }))
    }

    fn unpark<'a>(&'a self, reason: &'a str, known: &'a Known, limit: u32) -> Reply<'a, u64> {
        Box::pin(
            self.on("unpark", async move |conn, texts, _| {
                write::unpark(conn, texts, reason, known, limit).await
            }),
        )
    }

    fn park_unread<'a>(&'a self, lane: &'a LaneAt, lease: Duration, limit: u32) -> Reply<'a, u64> {
        Box::pin(self.on_tx("park_unread", async move |conn, texts, now| {
            Postgres::park_unread(conn, texts, lane, micros(lease), limit, now).await
        }))
    }

    fn take_duty<'a>(&'a self, duty: &'a str, worker: Uuid, hold: Duration) -> Reply<'a, bool> {
        Box::pin(self.on("take_duty", async move |conn, texts, now| {
            Postgres::take_duty(conn, texts, duty, worker, micros(hold), now).await
        }))
    }

    fn prune(&self, limit: u32) -> Reply<'_, u64> {
        Box::pin(async move {
            let partitions = async |conn: &mut PgConnection, texts: &Texts, _: Now| {
                sqlx::raw_sql(texts.get(PARTITIONS)).execute(conn).await?;
                Ok(())
            };
            // Only the owner of the tables may; without it rows go one by one.
            if let Err(error) = self.on("partitions", partitions).await {
                tracing::warn!(%error, "could not look after the partitions");
            }
            self.on("prune", async |conn, texts, now| Postgres::prune(conn, texts, limit, now).await).await
        })
    }

    fn has_finished(&self, worker: Uuid, job: JobId) -> Reply<'_, bool> {
        Box::pin(self.on("has_finished", async move |conn, texts, _| {
            Postgres::has_finished(conn, texts, worker, job).await
        }))
    }

    fn prune_attempts(&self, after: JobId, limit: u32) -> Reply<'_, Option<JobId>> {
        Box::pin(self.on("prune_attempts", async move |conn, texts, _| {
            Postgres::prune_attempts(conn, texts, after, limit).await
        }))
    }

    fn notify(&self) -> Reply<'_, ()> {
        Box::pin(self.on_claims("notify", async |conn, texts, _| {
            texts.query(NOTIFY).bind(self.naming.channel()).execute(conn).await?;
            Ok(())
        }))
    }

    fn listen<'a>(&'a self, woken: &'a (dyn Fn() + Send + Sync)) -> Reply<'a, ()> {
        if self.pgbouncer {
            // A session that listens is given away after the transaction in which it began to.
            return Box::pin(std::future::pending());
        }
        Box::pin(wake::listen(&self.options, &self.trust, self.naming.channel(), woken))
    }
}
