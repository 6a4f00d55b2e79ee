//! MySQL or MariaDB for tests: a database for each.

use std::str::FromStr as _;

use djob::BoxError;
use djob::sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlPool};
use djob::sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, Row as _, query};

use super::Place;
use super::apart::apart;
use super::caller::Pool;

/// A database on a server. Dropped at the end of its test, or kept if that panics.
pub(super) struct OnServer {
    server: String,
    name: String,
    url: String,
}

impl OnServer {
    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

/// Makes an empty database. There is nothing to copy one from, but its tables are made in a tenth of a second.
pub(super) async fn fresh() -> Result<(String, Pool, Place), BoxError> {
    let server = djob_servers::mysql_url()?;
    let name = format!("djob_test_{}", uuid::Uuid::now_v7().simple());
    execute(&server, format!("create database {name}")).await?;
    let options = MySqlConnectOptions::from_str(&server)?.database(&name);
    let url = options.to_url_lossy().to_string();
    let pool = MySqlPool::connect_lazy_with(options);
    Ok((url.clone(), Pool::MySql(pool), Place::MySql(OnServer { server, name, url })))
}

/// Names of databases cannot be bound; that above is made of letters, digits and `_`.
async fn execute(server: &str, sql: String) -> Result<(), BoxError> {
    MySqlConnection::connect(server).await?.execute(AssertSqlSafe(sql)).await?;
    Ok(())
}

impl Drop for OnServer {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the database of this test is kept: {}", self.url);
            return;
        }
        let (server, name) = (self.server.clone(), self.name.clone());
        if let Err(error) = apart(async move { drop_by_force(&server, &name).await }) {
            eprintln!("the database {} could not be dropped: {error}", self.name);
        }
    }
}

/// A transaction that nobody has ended yet would keep the database from being dropped.
async fn drop_by_force(server: &str, name: &str) -> Result<(), BoxError> {
    let mut conn = MySqlConnection::connect(server).await?;
    let theirs =
        query("select cast(id as signed) from information_schema.processlist where db = ?").bind(name);
    for row in theirs.fetch_all(&mut conn).await? {
        // It may have gone by itself.
        let _ = conn.execute(AssertSqlSafe(format!("kill {}", row.try_get::<i64, _>(0)?))).await;
    }
    conn.execute(AssertSqlSafe(format!("drop database {name}"))).await?;
    Ok(())
}
