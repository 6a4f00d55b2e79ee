//! The database under torture: its server, what is done to it, and what it says in the end. All of it by plain SQL on a
//! connection of its own, past the wires: nothing here goes through djob.

mod faults;
mod witness;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use djob::BoxError;
use djob::sqlx::{self, AssertSqlSafe, Row as _};
use djob_servers::{Durability, MariaDb, Postgres, Server};
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::args::Database;
use crate::bank::{Bank, Till};

/// Where it is, and how to reach it.
#[derive(Clone)]
pub(crate) struct Site {
    pub(crate) kind: Database,
    server: Option<Arc<Mutex<Server>>>,
    /// Its address for this process.
    url: String,
    socket: Option<PathBuf>,
}

/// A job in a room.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) id: Uuid,
    pub(crate) kind: String,
    pub(crate) state: String,
    pub(crate) error: Option<String>,
}

/// What the database says in the end.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rooms {
    pub(crate) finished: Vec<Row>,
    /// The room and the id of each job that is not finished.
    pub(crate) unfinished: Vec<(String, Uuid)>,
    /// The job of each effect.
    pub(crate) effects: Vec<Uuid>,
    /// Each job that came into the room of finished ones, as often as it came.
    pub(crate) witnessed: Vec<Uuid>,
}

impl Site {
    /// Starts a server of this run's own, as durable as in production.
    pub(crate) async fn start(kind: Database, folder: &Path) -> Result<Self, BoxError> {
        let (server, socket) = match kind {
            Database::Sqlite => {
                let url = format!("sqlite://{}", folder.join("jobs.db").display());
                return Ok(Site { kind, server: None, url, socket: None });
            }
            Database::Postgres => (Postgres::start(Durability::On)?, ".s.PGSQL.5432"),
            Database::Mariadb => (MariaDb::start(Durability::On)?, "my.sock"),
        };
        Bank::at(&server.url()).connect().await?.execute("create database torture").await?;
        let (url, socket) = (server.url_for("torture"), Some(server.folder().join(socket)));
        Ok(Site { kind, server: Some(Arc::new(Mutex::new(server))), url, socket })
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The server's socket; SQLite has none.
    pub(crate) fn socket(&self) -> Option<&Path> {
        self.socket.as_deref()
    }

    /// The address of the database at the end of a wire that listens on this port.
    pub(crate) fn url_through(&self, port: u16) -> String {
        match self.kind {
            Database::Sqlite => self.url.clone(),
            Database::Postgres => format!("postgres://postgres@127.0.0.1:{port}/torture"),
            Database::Mariadb => format!("mysql://root@127.0.0.1:{port}/torture"),
        }
    }

    pub(crate) async fn connect(&self) -> Result<Till, sqlx::Error> {
        Bank::at(&self.url).connect().await
    }

    /// The jobs that are claimed for the worker of this name, and whether each counts as begun: that was noted, or it is alone
    /// in the claim that it came with.
    pub(crate) async fn held_by(&self, worker: &str) -> Result<Vec<(Uuid, bool)>, BoxError> {
        let (worker, mut held) = (worker.to_owned(), vec![]);
        let (begun, whole) = ("c.started_at is not null", "c.id = c.fence");
        let which = "from djob_claims as c join djob_workers as w on w.id = c.worker where w.name =";
        let others = format!("select c.jobs, {begun}, {whole} {which} ?");
        macro_rules! read_json {
            ($conn:expr) => {
                for row in sqlx::query(AssertSqlSafe(others)).bind(worker).fetch_all(&mut *$conn).await? {
                    let (ids, begun, whole): (_, bool, bool) =
                        (ids_in(row.try_get(0)?)?, row.try_get(1)?, row.try_get(2)?);
                    let begun = begun || (whole && ids.len() == 1);
                    held.extend(ids.into_iter().map(|id| (id, begun)));
                }
            };
        }
        match self.connect().await? {
            Till::Postgres(mut conn) => {
                let begun = format!("{begun} or ({whole} and cardinality(c.ids) = 1)");
                let ask = AssertSqlSafe(format!("select unnest(c.ids), {begun} {which} $1"));
                for row in sqlx::query(ask).bind(worker).fetch_all(&mut *conn).await? {
                    held.push((row.try_get(0)?, row.try_get(1)?));
                }
            }
            Till::MySql(mut conn) => read_json!(conn),
            Till::Sqlite(mut conn) => read_json!(conn),
        }
        Ok(held)
    }

    /// How many jobs are not finished, and how many are.
    pub(crate) async fn counts(&self) -> Result<(i64, i64), BoxError> {
        let ask = "select (select count(*) from djob_jobs) + (select count(*) from djob_claims)
                          + (select count(*) from djob_parked), (select count(*) from djob_finished)";
        Ok(match self.connect().await? {
            Till::Sqlite(mut conn) => sqlx::query_as(ask).fetch_one(&mut *conn).await?,
            Till::Postgres(mut conn) => sqlx::query_as(ask).fetch_one(&mut *conn).await?,
            Till::MySql(mut conn) => sqlx::query_as(ask).fetch_one(&mut *conn).await?,
        })
    }

    /// Reads all rooms.
    pub(crate) async fn rooms(&self) -> Result<Rooms, BoxError> {
        macro_rules! read {
            ($conn:expr, $claimed:expr) => {{
                let mut rooms = Rooms::default();
                let ask = "select id, kind, state, error from djob_finished";
                for row in sqlx::query(ask).fetch_all(&mut *$conn).await? {
                    rooms.finished.push(Row {
                        id: row.try_get(0)?,
                        kind: row.try_get(1)?,
                        state: row.try_get(2)?,
                        error: row.try_get(3)?,
                    });
                }
                for (room, ask) in [
                    ("waiting", "select id from djob_jobs"),
                    ("parked", "select id from djob_parked"),
                    ("claimed", $claimed),
                ] {
                    for row in sqlx::query(ask).fetch_all(&mut *$conn).await? {
                        rooms.unfinished.push((room.to_owned(), row.try_get(0)?));
                    }
                }
                for row in sqlx::query("select id from witnessed").fetch_all(&mut *$conn).await? {
                    rooms.witnessed.push(row.try_get(0)?);
                }
                for row in sqlx::query("select job from effects").fetch_all(&mut *$conn).await? {
                    rooms.effects.push(row.try_get::<String, _>(0)?.parse()?);
                }
                rooms
            }};
        }
        Ok(match self.connect().await? {
            Till::Sqlite(mut conn) => read!(conn, "select id from djob_claims"),
            Till::Postgres(mut conn) => read!(conn, "select unnest(ids) from djob_claims"),
            Till::MySql(mut conn) => read!(conn, "select id from djob_claims"),
        })
    }
}

/// The ids in a claim row's JSON: `[["0198..", kind, ..], ..]`.
fn ids_in(jobs: &str) -> Result<Vec<Uuid>, BoxError> {
    let jobs: Vec<Vec<serde_json::Value>> = serde_json::from_str(jobs)?;
    let id = |job: &Vec<serde_json::Value>| job.first().and_then(|id| id.as_str()?.parse().ok());
    Ok(jobs.iter().filter_map(id).collect())
}
