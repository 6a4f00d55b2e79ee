//! Connections to PostgreSQL, and its migrations.

use std::str::FromStr;
use std::time::Duration;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgSslMode, Postgres};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection as _, Executor as _, Row as _, SqlSafeStr};

use super::PostgresStorage;
use super::call::Line;
use super::claim::Turns;
use super::session::{FOR_CLAIMS, Session, TRANSACTION};
use crate::clock::Clock;
use crate::storage::connections::Connections;
use crate::storage::error::Problem;
use crate::storage::naming::Naming;
use crate::storage::statement::Statement::PARTITIONS;
use crate::storage::statement::{Dialect, Texts};
use crate::storage::trust::Trust;
use crate::storage::version::Version as _;
use crate::storage::{SchemaVersion, StorageError};

/// Connections for enqueueing, settling and looking.
const DURABLE: usize = 8;
/// Connections for claiming.
const CLAIMS: usize = 2;
/// How long the first connection may take.
const CONNECT_MAX: Duration = Duration::from_secs(10);

const MIGRATIONS: [(i64, &str, &str); 2] = [
    (1, "rooms", include_str!("../../../migrations/postgres/0001_rooms.sql")),
    (2, "enqueue", include_str!("../../../migrations/postgres/0002_enqueue.sql")),
];

impl PostgresStorage {
    /// Connects to the database at `url`.
    pub(crate) async fn open(url: &str, naming: Naming, clock: Clock) -> Result<Self, StorageError> {
        let (url, pgbouncer) = take_pgbouncer(url)?;
        let bad =
            |_| StorageError::setting("not a PostgreSQL URL: write `postgres://user@host:5432/database`");
        let options = PgConnectOptions::from_str(&url).map_err(bad)?;
        // What is not said would be "TLS if the server likes to": a silent fall-back to plain text.
        let options = if says_ssl_mode(&url) || is_local(&options) {
            options
        } else {
            options.ssl_mode(PgSslMode::VerifyFull)
        };
        let storage = Self::with_options(options, naming, clock, pgbouncer);
        let first = tokio::time::timeout(CONNECT_MAX, storage.try_out()).await;
        first.unwrap_or_else(|_| Err(StorageError::new(Problem::Timeout("connect"))))?;
        Ok(storage)
    }

    /// Connects once; twice at the same time if the sessions should be djob's own, since two that are the same are not.
    async fn try_out(&self) -> Result<(), StorageError> {
        if self.pgbouncer {
            return Ok(self.options.connect().await?.close().await?);
        }
        let (mut one, mut other) = tokio::try_join!(self.options.connect(), self.options.connect())?;
        let shared = process(&mut one).await? == process(&mut other).await?;
        tokio::try_join!(one.close(), other.close())?;
        if shared { Err(StorageError::new(Problem::Pooler)) } else { Ok(()) }
    }

    /// Uses the application's own database, with connections of djob's own: the application's are never touched.
    pub(crate) fn with_pool(pool: &PgPool, naming: Naming, clock: Clock, pgbouncer: bool) -> Self {
        Self::with_options((*pool.connect_options()).clone(), naming, clock, pgbouncer)
    }

    pub(crate) fn with_options(
        options: PgConnectOptions,
        naming: Naming,
        clock: Clock,
        pgbouncer: bool,
    ) -> Self {
        // PgBouncer refuses parameters that it does not know, and djob reads no floating-point number as text.
        let options = options.application_name("djob").disable_statement_logging().extra_float_digits(None);
        let (texts, trust) = (Texts::new(Dialect::Postgres, &naming), Trust::default());
        let session = |more| if pgbouncer { Session::lent(more) } else { Session::own(more) };
        PostgresStorage {
            durable: Line::new(&options, &trust, DURABLE, session(None)),
            claims: Line::new(&options, &trust, CLAIMS, session(Some(FOR_CLAIMS))),
            trust,
            turns: if pgbouncer { Turns::never() } else { Turns::default() },
            options,
            texts: if pgbouncer { texts.unkept() } else { texts },
            naming,
            clock,
            pgbouncer,
        }
    }

    /// A connection that is not lent.
    pub(crate) async fn connect(&self) -> Result<PgConnection, StorageError> {
        connect(&self.options, &self.durable.session).await
    }

    /// The rendered statements, for the test that prepares each of them.
    #[cfg(test)]
    pub(crate) fn texts(&self) -> &Texts {
        &self.texts
    }
}

impl Line {
    fn new(options: &PgConnectOptions, trust: &Trust, max: usize, session: Session) -> Self {
        let (options, told) = (options.clone(), session.clone());
        let connections = Connections::new(max, trust.clone(), move || {
            let (options, told) = (options.clone(), told.clone());
            Box::pin(async move { connect(&options, &told).await })
        });
        Line { connections, session }
    }
}

async fn connect(options: &PgConnectOptions, session: &Session) -> Result<PgConnection, StorageError> {
    let mut conn = options.connect().await.map_err(StorageError::connecting)?;
    session.open(&mut conn).await?;
    Ok(conn)
}

/// Which process of which server has answered.
async fn process(conn: &mut PgConnection) -> Result<String, StorageError> {
    let which = sqlx::query("select pg_backend_pid() || ' since ' || pg_postmaster_start_time()");
    Ok(which.persistent(false).fetch_one(conn).await?.try_get(0)?)
}

/// Takes `pgbouncer=true` out of a URL: sqlx does not know it.
fn take_pgbouncer(url: &str) -> Result<(String, bool), StorageError> {
    let Some((address, query)) = url.split_once('?') else { return Ok((url.to_owned(), false)) };
    let (ours, theirs): (Vec<&str>, Vec<&str>) =
        query.split('&').partition(|pair| pair.split('=').next() == Some("pgbouncer"));
    let pgbouncer = match ours.last() {
        None | Some(&"pgbouncer=false") => false,
        Some(&"pgbouncer=true") => true,
        Some(_) => return Err(StorageError::setting("in the URL, `pgbouncer` is either true or false")),
    };
    Ok((format!("{address}?{}", theirs.join("&")).trim_end_matches('?').to_owned(), pgbouncer))
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

/// Applies what is missing, all of it or nothing. Another program's migration is waited for.
pub(super) async fn migrate(storage: &PostgresStorage) -> Result<SchemaVersion, StorageError> {
    let mut conn = storage.connect().await?;
    // Later statements see what was done while the lock was waited for.
    let mut tx = conn.begin_with(TRANSACTION).await?;
    // A pooler's session may hold statements of the names that the migrator gives to its own.
    tx.execute("deallocate all").await?;
    tx.execute("set local lock_timeout = 0; select pg_advisory_xact_lock(hashtext('djob migrations'))")
        .await?;
    apply_missing(&mut tx, &storage.naming).await?;
    let version = Postgres::version(&mut tx, &storage.naming).await?;
    sqlx::raw_sql(storage.texts.get(PARTITIONS)).execute(&mut *tx).await?;
    tx.execute("deallocate all").await?;
    tx.commit().await?;
    Ok(version)
}

async fn apply_missing(conn: &mut PgConnection, naming: &Naming) -> Result<(), StorageError> {
    let one = |(version, name, text): (i64, &'static str, String)| {
        Migration::new(version, name.into(), MigrationType::Simple, AssertSqlSafe(text).into_sql_str(), false)
    };
    let mut migrator = Migrator::with_migrations(migrations(naming).into_iter().map(one).collect());
    migrator.dangerous_set_table_name(naming.migrations_table());
    migrator.set_locking(false);
    if let Some(schema) = naming.schema() {
        migrator.create_schema(schema.to_owned());
        conn.execute(AssertSqlSafe(format!("set local search_path = {schema}, public"))).await?;
    }
    migrator.run_direct(None, conn, false).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
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
        let storage = PostgresStorage::with_options(options, Naming::default(), Clock::database(), false);
        for (line, waits) in [(&storage.durable, "on"), (&storage.claims, "off")] {
            assert_eq!(setting(&line.connections, "synchronous_commit").await, waits);
            assert_eq!(setting(&line.connections, "transaction_isolation").await, "read committed");
        }
    }
}
