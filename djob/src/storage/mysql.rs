//! MySQL and MariaDB: many machines.
//!
//! Written for what both have in common (MySQL 8.0.19, MariaDB 10.6, or later): no `returning`, so that a move between rooms
//! is a locking read, a copy and a delete in one transaction. What InnoDB ends for another's sake is done again.

mod call;
mod connect;
mod examine;
mod heart;
mod write;

use std::time::Duration;

use sqlx::mysql::{MySql, MySqlConnectOptions, MySqlConnection, MySqlRow};
use uuid::Uuid;

use super::connections::Connections;
use super::contracts::Contracts as _;
use super::edit::{Edit as _, Edited};
use super::error::Problem;
use super::statement::Statement::*;
use super::statement::Texts;
use super::trust::Trust;
use super::unread::{Unread as _, known_json};
use super::verbs::{Claims, Now, Verbs};
use super::version::Version as _;
use super::*;
use crate::clock::{Clock, micros};

/// How long a call may take.
const CALL_MAX: Duration = Duration::from_secs(30);
/// How long a migration may take: it may wait for another program's.
const MIGRATION_MAX: Duration = Duration::from_secs(600);

/// A MySQL or MariaDB database.
#[derive(Clone)]
pub(crate) struct MySqlStorage {
    connections: Connections<MySqlConnection>,
    trust: Trust,
    options: MySqlConnectOptions,
    texts: Texts,
    naming: Naming,
    clock: Clock,
}

// sqlx prints the password.
impl fmt::Debug for MySqlStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (host, database) = (self.options.get_host(), self.options.get_database().unwrap_or_default());
        write!(f, "MySqlStorage({host}/{database})")
    }
}

impl Claims for MySql {
    fn claim(row: &MySqlRow) -> Result<(Uuid, Claim), StorageError> {
        write::claim_row(row)
    }

    async fn fetch_args(
        conn: &mut MySqlConnection,
        texts: &Texts,
        jobs: &mut [ClaimedJob],
    ) -> Result<(), StorageError> {
        write::fetch_args(conn, texts, jobs).await
    }
}

impl Storage for MySqlStorage {
    fn database(&self) -> &'static str {
        "MySQL"
    }

    fn migrate(&self) -> Reply<'_, SchemaVersion> {
        Box::pin(async move {
            let mut conn = self.connect().await?;
            let done = async {
                connect::migrate(&mut conn, &self.naming).await?;
                MySql::version(&mut conn, &self.naming).await
            };
            let timeout = |_| Err(StorageError::new(Problem::Timeout("migrate")));
            tokio::time::timeout(MIGRATION_MAX, done).await.unwrap_or_else(timeout)
        })
    }

    fn schema_version(&self) -> Reply<'_, SchemaVersion> {
        Box::pin(self.on("schema_version", async |conn, _, _| MySql::version(conn, &self.naming).await))
    }

    fn migrations(&self) -> Vec<(i64, &'static str, String)> {
        connect::migrations(&self.naming)
    }

    fn now(&self) -> Reply<'_, Timestamp> {
        Box::pin(self.on("now", async |conn, texts, now| MySql::clock(conn, texts, now).await))
    }

    fn enqueue(&self, jobs: Vec<NewJob>) -> Reply<'_, Vec<Enqueued>> {
        Box::pin(self.on_tx("enqueue", move |conn, texts, now| {
            let jobs = jobs.clone();
            Box::pin(async move { write::enqueue(conn, &texts, now, jobs).await })
        }))
    }

    fn enqueue_in<'a>(&'a self, conn: Conn<'a>, jobs: Vec<NewJob>) -> Reply<'a, Vec<Enqueued>> {
        Box::pin(async move {
            match conn {
                Conn::MySql(conn) => write::enqueue(conn, &self.texts, self.now(), jobs).await,
                #[allow(unreachable_patterns)] // where this is the only database
                _ => Err(StorageError::new(Problem::OtherDatabase)),
            }
        })
    }

    fn settle_in<'a>(&'a self, conn: Conn<'a>, worker: Uuid, end: &'a ClaimEnd) -> Reply<'a, bool> {
        Box::pin(async move {
            match conn {
                Conn::MySql(conn) => write::settle(conn, &self.texts, self.now(), worker, end).await,
                #[allow(unreachable_patterns)] // where this is the only database
                _ => Err(StorageError::new(Problem::OtherDatabase)),
            }
        })
    }

    fn find(&self, id: JobId) -> Reply<'_, Option<JobRow>> {
        Box::pin(self.look("find", async move |conn, texts, now| MySql::find(conn, texts, id, now).await))
    }

    fn attempts(&self, id: JobId) -> Reply<'_, Vec<Attempt>> {
        Box::pin(self.on("attempts", async move |conn, texts, _| MySql::attempts(conn, texts, id).await))
    }

    fn list<'a>(&'a self, filter: &'a Filter) -> Reply<'a, Vec<JobRow>> {
        Box::pin(self.look("list", async move |conn, texts, now| MySql::list(conn, texts, filter, now).await))
    }

    fn counts(&self) -> Reply<'_, Vec<Count>> {
        Box::pin(self.on("counts", async |conn, texts, now| MySql::counts(conn, texts, now).await))
    }

    fn contracts(&self) -> Reply<'_, Vec<Contract>> {
        Box::pin(self.on("contracts", async |conn, texts, _| MySql::contracts(conn, texts).await))
    }

    fn examine(&self) -> Reply<'_, Vec<Finding>> {
        Box::pin(examine::examine(self))
    }

    fn cancel(&self, id: JobId) -> Reply<'_, Cancelled> {
        Box::pin(self.on_tx("cancel", move |conn, texts, now| {
            Box::pin(async move { rooms::cancel::<MySql>(conn, &texts, now, id).await })
        }))
    }

    fn cancel_slipped(&self, id: JobId) -> Reply<'_, bool> {
        Box::pin(self.on_tx("cancel_slipped", move |conn, texts, now| {
            Box::pin(async move { rooms::cancel_slipped::<MySql>(conn, &texts, now, id).await })
        }))
    }

    fn retry(&self, id: JobId) -> Reply<'_, bool> {
        Box::pin(self.on_tx("retry", move |conn, texts, now| {
            Box::pin(async move { rooms::retry::<MySql>(conn, &texts, now, id).await })
        }))
    }

    fn edit<'a>(&'a self, id: JobId, args: &'a str, version: u16) -> Reply<'a, bool> {
        Box::pin(self.on_tx("edit", move |conn, texts, now| {
            let edited = Edited { args: args.to_owned(), version };
            Box::pin(async move { MySql::edit(conn, &texts, now, id, edited).await })
        }))
    }

    fn delete(&self, id: JobId) -> Reply<'_, bool> {
        Box::pin(self.on_tx("delete", move |conn, texts, _| {
            Box::pin(async move { rooms::delete::<MySql>(conn, &texts, id).await })
        }))
    }

    fn clear<'a>(&'a self, queue: Option<&'a str>) -> Reply<'a, u64> {
        let queue = queue.unwrap_or_default().to_owned();
        Box::pin(async move {
            let mut gone = 0;
            loop {
                let queue = queue.clone();
                let batch = self.on_tx("clear", move |conn, texts, _| {
                    let queue = queue.clone();
                    Box::pin(async move { write::clear(conn, &texts, &queue).await })
                });
                match batch.await? {
                    0 => return Ok(gone),
                    more => gone += more,
                }
            }
        })
    }

    fn pause<'a>(&'a self, queue: &'a str, pause: bool) -> Reply<'a, bool> {
        Box::pin(
            self.on("pause", async move |conn, texts, now| {
                MySql::pause(conn, texts, queue, pause, now).await
            }),
        )
    }

    fn paused(&self) -> Reply<'_, Vec<String>> {
        Box::pin(self.on("paused", async |conn, texts, _| MySql::names(conn, texts, PAUSED, None).await))
    }

    fn say_progress<'a>(&'a self, said: &'a [(JobId, f64)]) -> Reply<'a, ()> {
        Box::pin(self.on("say_progress", async move |conn, texts, now| {
            MySql::say_progress(conn, texts, said, now).await
        }))
    }

    fn join<'a>(&'a self, worker: &'a WorkerInfo) -> Reply<'a, ()> {
        Box::pin(self.on("join", async |conn, texts, now| MySql::join(conn, texts, worker, now).await))
    }

    fn publish<'a>(&'a self, contracts: &'a [Contract]) -> Reply<'a, ()> {
        Box::pin(self.on_tx("publish", move |conn, texts, now| {
            let contracts = contracts.to_vec();
            Box::pin(async move { MySql::publish(conn, &texts, &contracts, now).await })
        }))
    }

    fn leave(&self, worker: Uuid) -> Reply<'_, ()> {
        Box::pin(self.on("leave", async move |conn, texts, _| MySql::leave(conn, texts, worker).await))
    }

    fn heart(&self) -> Reply<'_, Box<dyn Heart>> {
        Box::pin(heart::open(self))
    }

    fn lanes(&self, priorities: (i16, i16)) -> Reply<'_, Vec<Lane>> {
        Box::pin(
            self.on("lanes", async move |conn, texts, now| MySql::lanes(conn, texts, priorities, now).await),
        )
    }

    fn claim<'a>(
        &'a self,
        worker: Uuid,
        lanes: &'a [LaneAt],
        limit: u32,
        known: Option<&'a [Known]>,
    ) -> Reply<'a, Vec<Claim>> {
        let claiming: Arc<_> =
            write::Claiming { worker, lanes: lanes.to_vec(), known: known.map(known_json) }.into();
        Box::pin(self.on_tx("claim", move |conn, texts, now| {
            let claiming = claiming.clone();
            Box::pin(async move { write::claim(conn, &texts, now, &claiming, limit).await })
        }))
    }

    fn fetch_args<'a>(&'a self, jobs: &'a mut [ClaimedJob]) -> Reply<'a, ()> {
        Box::pin(
            self.on("fetch_args", async move |conn, texts, _| write::fetch_args(conn, texts, jobs).await),
        )
    }

    fn settle<'a>(&'a self, worker: Uuid, ends: &'a [ClaimEnd]) -> Reply<'a, Vec<bool>> {
        let ends: Arc<[ClaimEnd]> = ends.into();
        Box::pin(self.on_tx("settle", move |conn, texts, now| {
            let ends = ends.clone();
            Box::pin(async move {
                let mut accepted = Vec::with_capacity(ends.len());
                for end in ends.iter() {
                    accepted.push(write::settle(conn, &texts, now, worker, end).await?);
                }
                Ok(accepted)
            })
        }))
    }

    fn start(&self, worker: Uuid, key: ClaimKey) -> Reply<'_, bool> {
        Box::pin(
            self.on("start", async move |conn, texts, now| MySql::start(conn, texts, worker, key, now).await),
        )
    }

    fn cancels(&self) -> Reply<'_, Vec<JobId>> {
        Box::pin(self.on("cancels", async |conn, texts, _| MySql::cancels(conn, texts).await))
    }

    fn orphans(&self, lease: Duration, after: Uuid, limit: u32) -> Reply<'_, Orphans> {
        Box::pin(self.on("orphans", async move |conn, texts, now| {
            MySql::orphans(conn, texts, micros(lease), after, limit, now).await
        }))
    }

    fn held(&self, worker: Uuid, since: Duration) -> Reply<'_, Vec<Claim>> {
        Box::pin(self.on("held", async move |conn, texts, now| {
            MySql::held(conn, texts, worker, micros(since), now).await
        }))
    }

    fn bury(&self, lease: Duration) -> Reply<'_, u64> {
        Box::pin(
            self.on("bury", async move |conn, texts, now| MySql::bury(conn, texts, micros(lease), now).await),
        )
    }

    fn parked_kinds<'a>(&'a self, reason: &'a str) -> Reply<'a, Vec<String>> {
        let kinds = async move |conn: &mut MySqlConnection, texts: &Texts, _: Now| {
            MySql::names(conn, texts, PARKED_KINDS, Some(reason)).await
        };
        Box::pin(self.on("parked_kinds", kinds))
    }

    fn unpark<'a>(&'a self, reason: &'a str, known: &'a Known, limit: u32) -> Reply<'a, u64> {
        Box::pin(self.on_tx("unpark", move |conn, texts, _| {
            let (reason, known) = (reason.to_owned(), known.clone());
            Box::pin(async move { write::unpark(conn, &texts, &reason, &known, limit).await })
        }))
    }

    fn park_unread<'a>(&'a self, lane: &'a LaneAt, lease: Duration, limit: u32) -> Reply<'a, u64> {
        Box::pin(self.on_tx("park_unread", move |conn, texts, now| {
            let lane = lane.clone();
            Box::pin(async move { MySql::park_unread(conn, &texts, &lane, micros(lease), limit, now).await })
        }))
    }

    fn take_duty<'a>(&'a self, duty: &'a str, worker: Uuid, hold: Duration) -> Reply<'a, bool> {
        Box::pin(self.on("take_duty", async move |conn, texts, now| {
            MySql::take_duty(conn, texts, duty, worker, micros(hold), now).await
        }))
    }

    fn prune(&self, limit: u32) -> Reply<'_, u64> {
        Box::pin(self.on("prune", async move |conn, texts, now| MySql::prune(conn, texts, limit, now).await))
    }

    fn has_finished(&self, worker: Uuid, job: JobId) -> Reply<'_, bool> {
        Box::pin(self.on("has_finished", async move |conn, texts, _| {
            MySql::has_finished(conn, texts, worker, job).await
        }))
    }

    fn prune_attempts(&self, after: JobId, limit: u32) -> Reply<'_, Option<JobId>> {
        Box::pin(self.on("prune_attempts", async move |conn, texts, _| {
            MySql::prune_attempts(conn, texts, after, limit).await
        }))
    }

    fn notify(&self) -> Reply<'_, ()> {
        // Nobody can listen: other processes find it by polling.
        Box::pin(async { Ok(()) })
    }

    fn listen<'a>(&'a self, _woken: &'a (dyn Fn() + Send + Sync)) -> Reply<'a, ()> {
        Box::pin(std::future::pending())
    }
}
