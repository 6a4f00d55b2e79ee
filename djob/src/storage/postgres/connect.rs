//! Connections to PostgreSQL, and its migrations.

use std::str::FromStr;
use std::time::Duration;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgSslMode, Postgres};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection as _, Executor as _, SqlSafeStr};

use super::PostgresStorage;
use super::claim::Turns;
use crate::clock::Clock;
use crate::storage::connections::Connections;
use crate::storage::error::Problem;
use crate::storage::naming::Naming;
use crate::storage::statement::{Dialect, Texts};
use crate::storage::verbs::{KNOWN, Verbs};
use crate::storage::{SchemaVersion, StorageError};

/// Connections for enqueueing, settling and looking.
const DURABLE: usize = 8;
/// Connections for claiming.
const CLAIMS: usize = 2;
/// How long the first connection may take.
const CONNECT_MAX: Duration = Duration::from_secs(10);

/// The planner, pinned for djob's own connections: its tables swing between nothing and millions of rows, and a plan made
/// for one of the two is ruinous for the other. Every statement has one right plan, by its index.
const PINNED: &str = "set jit = off; set enable_seqscan = off; set enable_bitmapscan = off; set enable_sort = off; \
                      set enable_hashjoin = off; set enable_mergejoin = off; \
                      set default_transaction_isolation = 'read committed'; set timezone = 'UTC'; set client_min_messages = 'warning'; \
                      set lock_timeout = '3s'; set idle_in_transaction_session_timeout = '10s'";
/// A claim that is lost with the server leaves its jobs where they were, so it need not wait for the disk.
const FOR_CLAIMS: &str = "set synchronous_commit = off";

const MIGRATIONS: [(i64, &str, &str); 1] =
    [(1, "rooms", include_str!("../../../migrations/postgres/0001_rooms.sql"))];

impl PostgresStorage {
    /// Connects to the database at `url`.
    pub(crate) async fn open(url: &str, naming: Naming, clock: Clock) -> Result<Self, StorageError> {
        let bad =
            |_| StorageError::setting("not a PostgreSQL URL: write `postgres://user@host:5432/database`");
        let options = PgConnectOptions::from_str(url).map_err(bad)?;
        // What is not said would be "TLS if the server likes to": a silent fall-back to plain text.
        let options = if says_ssl_mode(url) || is_local(&options) {
            options
        } else {
            options.ssl_mode(PgSslMode::VerifyFull)
        };
        let storage = Self::with_options(options, naming, clock);
        let first = tokio::time::timeout(CONNECT_MAX, storage.connect()).await;
        first.unwrap_or_else(|_| Err(StorageError::new(Problem::Timeout("connect"))))?.close().await?;
        Ok(storage)
    }

    /// Uses the application's own database, with connections of djob's own: the application's are never touched.
    pub(crate) fn with_pool(pool: &PgPool, naming: Naming, clock: Clock) -> Result<Self, StorageError> {
        Ok(Self::with_options((*pool.connect_options()).clone(), naming, clock))
    }

    fn with_options(options: PgConnectOptions, naming: Naming, clock: Clock) -> Self {
        let options = options.application_name("djob").disable_statement_logging();
        let texts = Texts::new(Dialect::Postgres, &naming);
        PostgresStorage {
            durable: connections(&options, DURABLE, ""),
            claims: connections(&options, CLAIMS, FOR_CLAIMS),
            turns: Turns::default(),
            options,
            texts,
            naming,
            clock,
        }
    }

    /// A connection that is not lent.
    pub(crate) async fn connect(&self) -> Result<PgConnection, StorageError> {
        connect(&self.options, "").await
    }

    /// The rendered statements, for the test that prepares each of them.
    #[cfg(test)]
    pub(crate) fn texts(&self) -> &Texts {
        &self.texts
    }
}

async fn connect(options: &PgConnectOptions, more: &'static str) -> Result<PgConnection, StorageError> {
    let mut conn = options.connect().await?;
    conn.execute(PINNED).await?;
    if !more.is_empty() {
        conn.execute(more).await?;
    }
    Ok(conn)
}

fn connections(options: &PgConnectOptions, max: usize, more: &'static str) -> Connections<PgConnection> {
    let options = options.clone();
    Connections::new(max, move || {
        let options = options.clone();
        Box::pin(async move { connect(&options, more).await })
    })
}

fn says_ssl_mode(url: &str) -> bool {
    url.contains("sslmode=") || url.contains("ssl-mode=") || std::env::var_os("PGSSLMODE").is_some()
}

/// Whether nothing leaves this machine.
pub(super) fn is_local(options: &PgConnectOptions) -> bool {
    let host = options.get_host();
    options.get_socket().is_some()
        || host.starts_with('/')
        || matches!(host, "localhost" | "127.0.0.1" | "::1" | "[::1]")
}

pub(super) fn migrations(naming: &Naming) -> Vec<(i64, &'static str, String)> {
    MIGRATIONS.into_iter().map(|(version, name, text)| (version, name, naming.migration(text))).collect()
}

/// Applies what is missing, in the schema that is set.
pub(super) async fn migrate(conn: &mut PgConnection, naming: &Naming) -> Result<(), StorageError> {
    let one = |(version, name, text): (i64, &'static str, String)| {
        Migration::new(version, name.into(), MigrationType::Simple, AssertSqlSafe(text).into_sql_str(), false)
    };
    let mut migrator = Migrator::with_migrations(migrations(naming).into_iter().map(one).collect());
    migrator.dangerous_set_table_name(naming.migrations_table());
    // Another program's migration is waited for.
    sqlx::query("set lock_timeout = 0").execute(&mut *conn).await?;
    if let Some(schema) = naming.schema() {
        migrator.create_schema(schema.to_owned());
        let path = format!("set search_path = {schema}, public");
        sqlx::query(AssertSqlSafe(path)).execute(&mut *conn).await?;
    }
    migrator.run_direct(None, conn, false).await?;
    Ok(())
}

pub(super) async fn version(conn: &mut PgConnection, naming: &Naming) -> Result<SchemaVersion, StorageError> {
    let text = format!("select max(version) from {}", naming.migrations_table());
    let found = match Postgres::version(conn, AssertSqlSafe(text).into_sql_str()).await {
        Err(error) if error.is_schema() => 0,
        found => found?,
    };
    Ok(SchemaVersion { found, known: KNOWN })
}

#[cfg(test)]
mod tests {
    use sqlx::Row as _;

    use super::*;

    async fn setting(connections: &Connections<PgConnection>, name: &str) -> String {
        let mut conn = connections.lend().await.unwrap();
        let row = sqlx::query("select current_setting($1)").bind(name).fetch_one(&mut *conn).await.unwrap();
        row.get(0)
    }

    /// What a statement means must not depend on how the server is set.
    #[tokio::test]
    async fn outcomes_wait_for_the_disk_and_everything_is_read_committed() {
        let options = PgConnectOptions::from_str(&djob_servers::postgres_url().unwrap()).unwrap();
        let options = options
            .options([("default_transaction_isolation", "serializable"), ("synchronous_commit", "on")]);
        let storage = PostgresStorage::with_options(options, Naming::default(), Clock::database());
        for (connections, waits) in [(&storage.durable, "on"), (&storage.claims, "off")] {
            assert_eq!(setting(connections, "synchronous_commit").await, waits);
            assert_eq!(setting(connections, "transaction_isolation").await, "read committed");
        }
    }
}
