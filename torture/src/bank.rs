//! The application's own use of the database: a table of effects, written in transactions of its own.

use std::str::FromStr as _;
use std::time::Duration;

use djob::EnqueueIn;
use djob::sqlx::mysql::MySqlConnectOptions;
use djob::sqlx::postgres::PgConnectOptions;
use djob::sqlx::sqlite::SqliteConnectOptions;
use djob::sqlx::{
    self, AssertSqlSafe, ConnectOptions as _, Executor as _, MySqlConnection, PgConnection, SqliteConnection,
};
use djob::storage::Conn;
use uuid::Uuid;

/// A transaction takes no longer, or its connection is given up.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) const TABLE: &str =
    "create table if not exists effects (job varchar(36) not null, fence varchar(36) not null)";

/// How to reach the database.
#[derive(Clone, Debug)]
pub(crate) struct Bank(String);

/// A transaction of the application's own, on a connection of its own.
#[derive(Debug)]
pub(crate) enum Till {
    Sqlite(Box<SqliteConnection>),
    Postgres(Box<PgConnection>),
    MySql(Box<MySqlConnection>),
}

impl<'a> EnqueueIn<'a> for &'a mut Till {
    fn conn(self) -> Conn<'a> {
        match self {
            Till::Sqlite(conn) => Conn::Sqlite(conn),
            Till::Postgres(conn) => Conn::Postgres(conn),
            Till::MySql(conn) => Conn::MySql(conn),
        }
    }
}

impl Bank {
    pub(crate) fn at(url: &str) -> Self {
        Bank(url.to_owned())
    }

    /// A connection without a transaction.
    pub(crate) async fn connect(&self) -> Result<Till, sqlx::Error> {
        let url = &self.0;
        Ok(match url.split(':').next() {
            Some("postgres") => Till::Postgres(Box::new(PgConnectOptions::from_str(url)?.connect().await?)),
            Some("mysql") => Till::MySql(Box::new(MySqlConnectOptions::from_str(url)?.connect().await?)),
            _ => Till::Sqlite(Box::new(SqliteConnectOptions::from_str(url)?.connect().await?)),
        })
    }

    /// Does `work` in a transaction, and commits it if `work` says so. A database that does not answer is an error.
    pub(crate) async fn within(
        &self,
        work: impl AsyncFnOnce(&mut Till) -> Result<bool, djob::BoxError>,
    ) -> Result<bool, djob::BoxError> {
        let whole = async {
            let mut till = self.connect().await?;
            till.execute(if matches!(till, Till::Sqlite(_)) { "BEGIN IMMEDIATE" } else { "BEGIN" }).await?;
            let commit = work(&mut till).await?;
            till.execute(if commit { "COMMIT" } else { "ROLLBACK" }).await?;
            Ok(commit)
        };
        tokio::time::timeout(PATIENCE, whole).await?
    }
}

impl Till {
    pub(crate) async fn execute(&mut self, sql: &str) -> Result<(), sqlx::Error> {
        let sql = AssertSqlSafe(sql.to_owned());
        match self {
            Till::Sqlite(conn) => conn.execute(sql).await.map(drop),
            Till::Postgres(conn) => conn.execute(sqlx::raw_sql(sql)).await.map(drop),
            Till::MySql(conn) => conn.execute(sqlx::raw_sql(sql)).await.map(drop),
        }
    }

    /// Notes that this run of this job had its effect.
    pub(crate) async fn effect(&mut self, job: Uuid, fence: Uuid) -> Result<(), sqlx::Error> {
        self.execute(&format!("insert into effects (job, fence) values ('{job}', '{fence}')")).await
    }
}
