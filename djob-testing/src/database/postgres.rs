//! PostgreSQL for tests: a template that is migrated once, and a copy of it for each test.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::str::FromStr as _;

use djob::sqlx::postgres::{PgConnectOptions, PgConnection, PgPool};
use djob::sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, query};
use djob::{BoxError, Client};
use tokio::sync::OnceCell;

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

/// Copies the template.
pub(super) async fn copy() -> Result<(String, Pool, Place), BoxError> {
    let server = djob_servers::postgres_url()?;
    let template = template(&server).await?;
    let name = format!("djob_test_{}", uuid::Uuid::now_v7().simple());
    // WAL_LOG: 0.2 s for each test instead of 0.6 s, because FILE_COPY waits for two checkpoints.
    let create = format!("create database {name} template {template} strategy wal_log");
    execute(&mut PgConnection::connect(&server).await?, create).await?;
    let url = at(&server, &name)?;
    let pool = PgPool::connect_lazy(&url)?;
    Ok((url.clone(), Pool::Postgres(pool), Place::Server(OnServer { server, name, url })))
}

/// The same with an address that leads through the pooler.
#[cfg(feature = "conformance")]
pub(super) async fn behind_pgbouncer() -> Result<(String, Pool, Place), BoxError> {
    let (url, pool, place) = copy().await?;
    let database = url.split('?').next().and_then(|address| address.rsplit('/').next()).unwrap_or_default();
    let pooler = djob_servers::pgbouncer_url()?;
    Ok((pooler.replacen("/postgres?", &format!("/{database}?"), 1), pool, place))
}

/// The template's name. It is made by the first test that asks, whatever process that is in.
async fn template(server: &str) -> Result<String, BoxError> {
    static MADE: OnceCell<String> = OnceCell::const_new();
    MADE.get_or_try_init(|| make_template(server)).await.cloned()
}

async fn make_template(server: &str) -> Result<String, BoxError> {
    let hash = hash_of_migrations(&djob::connect(server).await?);
    let name = format!("djob_template_{hash:016x}");
    let mut conn = PgConnection::connect(server).await?;
    // Other processes wait here, and then find it made. The lock goes with the connection.
    query("select pg_advisory_lock($1)").bind(hash.cast_signed()).execute(&mut conn).await?;
    let there =
        query("select from pg_database where datname = $1").bind(&name).fetch_optional(&mut conn).await?;
    if there.is_none() {
        migrate_as(&mut conn, server, &name).await?;
    }
    conn.close().await?;
    Ok(name)
}

/// Migrates a database under another name and renames it at last, so that one which exists is one which is whole.
async fn migrate_as(conn: &mut PgConnection, server: &str, name: &str) -> Result<(), BoxError> {
    let raw = format!("{name}_raw");
    execute(conn, format!("drop database if exists {raw} with (force)")).await?;
    execute(conn, format!("create database {raw}")).await?;
    djob::connect(&at(server, &raw)?).await?.migrate().await?;
    // A database that somebody is connected to cannot be copied.
    execute(conn, format!("alter database {raw} with allow_connections false")).await?;
    query("select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = $1")
        .bind(&raw)
        .execute(&mut *conn)
        .await?;
    execute(conn, format!("alter database {raw} rename to {name}")).await
}

fn hash_of_migrations(client: &Client) -> u64 {
    let mut hasher = DefaultHasher::new();
    client.storage().migrations().hash(&mut hasher);
    hasher.finish()
}

/// The address of another database on the same server.
fn at(server: &str, database: &str) -> Result<String, BoxError> {
    Ok(PgConnectOptions::from_str(server)?.database(database).to_url_lossy().to_string())
}

/// Names of databases cannot be bound; those above are made of letters, digits and `_`.
async fn execute(conn: &mut PgConnection, sql: String) -> Result<(), BoxError> {
    conn.execute(AssertSqlSafe(sql)).await?;
    Ok(())
}

impl Drop for OnServer {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the database of this test is kept: {}", self.url);
            return;
        }
        let (server, sql) = (self.server.clone(), format!("drop database {} with (force)", self.name));
        let dropped = apart(async move { execute(&mut PgConnection::connect(&server).await?, sql).await });
        if let Err(error) = dropped {
            eprintln!("the database {} could not be dropped: {error}", self.name);
        }
    }
}
