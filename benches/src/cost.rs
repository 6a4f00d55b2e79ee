//! What a database server on this machine has spent: CPU, and bytes of its log.

use std::fs;

use djob::BoxError;
use djob::sqlx::{self, Connection as _, Row as _};

use crate::dialect::Dialect;

/// What has been spent so far, or since.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    pub(crate) cpu_us: f64,
    pub(crate) wal_bytes: f64,
}

impl Cost {
    /// So far. SQLite has no server, and one on another machine shows nothing.
    pub(crate) async fn so_far(dialect: Dialect, url: &str) -> Result<Option<Cost>, BoxError> {
        match dialect {
            Dialect::Postgres => of_postgres(url).await,
            Dialect::MySql => of_mysql(url).await,
            Dialect::Sqlite => Ok(None),
        }
    }

    /// What came since `before`.
    pub(crate) fn since(self, before: Cost) -> Cost {
        Cost { cpu_us: self.cpu_us - before.cpu_us, wal_bytes: self.wal_bytes - before.wal_bytes }
    }
}

/// The server and all its children.
async fn of_postgres(url: &str) -> Result<Option<Cost>, BoxError> {
    let mut conn = sqlx::PgConnection::connect(url).await?;
    let query = "select pg_backend_pid(), (pg_current_wal_lsn() - '0/0')::float8";
    let row = sqlx::query(query).fetch_one(&mut conn).await?;
    let Some(server) = stat(row.get::<i32, _>(0)).map(|stat| stat.parent) else { return Ok(None) };
    let children =
        fs::read_dir("/proc")?.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let of_children: f64 =
        children.filter_map(stat).filter(|stat| stat.parent == server).map(|stat| stat.own).sum();
    let own = stat(server).map_or(0.0, |stat| stat.own + stat.reaped);
    Ok(Some(Cost { cpu_us: (own + of_children) * TICK_US, wal_bytes: row.get(1) }))
}

/// One process with threads.
async fn of_mysql(url: &str) -> Result<Option<Cost>, BoxError> {
    let mut conn = sqlx::MySqlConnection::connect(url).await?;
    let pid: String = sqlx::query("select @@pid_file").fetch_one(&mut conn).await?.get(0);
    let written = "show global status like 'Innodb_os_log_written'";
    let written: String = sqlx::query(written).fetch_one(&mut conn).await?.get(1);
    let server = fs::read_to_string(pid).ok().and_then(|pid| stat(pid.trim().parse().ok()?));
    Ok(server.map(|server| Cost { cpu_us: server.own * TICK_US, wal_bytes: written.parse().unwrap_or(0.0) }))
}

/// Linux counts in hundredths of a second.
const TICK_US: f64 = 10_000.0;

/// The times of a process, in ticks.
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
