//! The database under test, and what it spends.

use std::fs;

use djob::sqlx::{self, Connection as _, Row as _};
use djob::{BoxError, Client};
use djob_servers::{Durability, Postgres, Server};

use crate::args::Args;

/// A database of its own for this run; gone with it if the benchmark made it.
pub(crate) struct Database {
    pub(crate) url: String,
    pub(crate) client: Client,
    _server: Option<Server>,
    _folder: Option<tempfile::TempDir>,
}

/// What the database has spent so far.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    pub(crate) cpu_us: f64,
    pub(crate) wal_bytes: f64,
}

impl Database {
    pub(crate) async fn open(args: &Args) -> Result<Self, BoxError> {
        let (mut server, mut folder) = (None, None);
        let url = match &args.database_url {
            Some(url) => url.clone(),
            None if args.sqlite => {
                let made = tempfile::tempdir()?;
                let url = format!("sqlite://{}", made.path().join("bench.db").display());
                folder = Some(made);
                url
            }
            None => {
                let started = Postgres::start(Durability::On)?;
                let url = started.url();
                server = Some(started);
                url
            }
        };
        let client = djob::connect(&url).await?;
        client.migrate().await?;
        if client.counts().await?.iter().any(|count| !count.state.is_final()) {
            return Err("the database holds unfinished jobs: benchmarks want one of their own".into());
        }
        Ok(Database { url, client, _server: server, _folder: folder })
    }

    /// Settles the dust before a measurement: statistics, dead rows, dirty pages.
    pub(crate) async fn calm(&self) -> Result<(), BoxError> {
        if self.url.starts_with("postgres") {
            let mut conn = sqlx::PgConnection::connect(&self.url).await?;
            for statement in ["vacuum analyze", "checkpoint"] {
                sqlx::raw_sql(statement).execute(&mut conn).await?;
            }
        }
        Ok(())
    }

    /// What a PostgreSQL on this machine has spent so far: CPU of the server and all its children, and bytes of WAL.
    pub(crate) async fn spent(&self) -> Result<Option<Cost>, BoxError> {
        if !self.url.starts_with("postgres") {
            return Ok(None);
        }
        let mut conn = sqlx::PgConnection::connect(&self.url).await?;
        let query = "select pg_backend_pid(), (pg_current_wal_lsn() - '0/0')::float8";
        let row = sqlx::query(query).fetch_one(&mut conn).await?;
        let Some(server) = stat(row.get::<i32, _>(0)).map(|stat| stat.parent) else { return Ok(None) };
        let children =
            fs::read_dir("/proc")?.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        let of_children: f64 =
            children.filter_map(stat).filter(|stat| stat.parent == server).map(|stat| stat.own).sum();
        let own = stat(server).map_or(0.0, |stat| stat.own + stat.reaped);
        Ok(Some(Cost { cpu_us: (own + of_children) * 10_000.0, wal_bytes: row.get(1) }))
    }

    /// What has been spent since.
    pub(crate) async fn spent_since(&self, before: Option<Cost>) -> Result<Option<Cost>, BoxError> {
        let now = self.spent().await?;
        Ok(now.zip(before).map(|(now, before)| Cost {
            cpu_us: now.cpu_us - before.cpu_us,
            wal_bytes: now.wal_bytes - before.wal_bytes,
        }))
    }

    /// How many jobs are not finished.
    pub(crate) async fn unfinished(&self) -> Result<i64, BoxError> {
        let counts = self.client.counts().await?;
        Ok(counts.iter().filter(|count| !count.state.is_final()).map(|count| count.jobs).sum())
    }
}

/// The times of a process, in hundredths of a second.
struct Stat {
    parent: i32,
    own: f64,
    reaped: f64,
}

fn stat(pid: i32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = text.rsplit_once(") ")?.1.split(' ').collect();
    let number = |at: usize| fields.get(at)?.parse::<f64>().ok();
    Some(Stat {
        parent: fields.get(1)?.parse().ok()?,
        own: number(11)? + number(12)?,
        reaped: number(13)? + number(14)?,
    })
}
