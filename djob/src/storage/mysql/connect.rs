//! Connections to MySQL or MariaDB, and its migrations.

use std::str::FromStr;
use std::time::Duration;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlPool, MySqlSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection as _, Executor as _, SqlSafeStr};

use super::MySqlStorage;
use crate::clock::Clock;
use crate::storage::StorageError;
use crate::storage::connections::Connections;
use crate::storage::error::Problem;
use crate::storage::naming::Naming;
use crate::storage::statement::{Dialect, Texts};
use crate::storage::trust::Trust;

/// Connections for all calls.
const MOST: usize = 10;
/// How long the first connection may take.
const CONNECT_MAX: Duration = Duration::from_secs(10);

/// REPEATABLE READ, the default, locks the gaps between rows: claims, inserts and rescues would wait for each other.
/// A transaction whose client has gone silent must not keep its locks: MariaDB ends it, MySQL has nothing for that.
/// What a statement means must not depend on how the server is set, nor on the zone it stands in.
const PINNED: &str = "set session autocommit = 1; set session transaction isolation level read committed; \
                      set session innodb_lock_wait_timeout = 3; set session time_zone = '+00:00'; \
                      set session sql_mode = 'STRICT_TRANS_TABLES,PIPES_AS_CONCAT,NO_ENGINE_SUBSTITUTION'; \
                      /*M!100300 set session idle_write_transaction_timeout = 10 */";

const MIGRATIONS: [(i64, &str, &str); 2] = [
    (1, "rooms", include_str!("../../../migrations/mysql/0001_rooms.sql")),
    (2, "enqueue", include_str!("../../../migrations/mysql/0002_enqueue.sql")),
];

impl MySqlStorage {
    /// Connects to the database at `url`.
    pub(crate) async fn open(url: &str, naming: Naming, clock: Clock) -> Result<Self, StorageError> {
        let bad = |_| StorageError::setting("not a MySQL URL: write `mysql://user@host:3306/database`");
        let options = MySqlConnectOptions::from_str(url).map_err(bad)?;
        if options.get_database().is_none() {
            return Err(StorageError::setting(
                "the URL names no database: write `mysql://user@host:3306/database`",
            ));
        }
        // What is not said would be "TLS if the server likes to": a silent fall-back to plain text, and on a socket, where MySQL
        // likes to, an error of sqlx's.
        let options = match (says_ssl_mode(url), options.get_socket().is_some(), is_local(&options)) {
            (true, ..) | (false, false, true) => options,
            (false, true, _) => options.ssl_mode(MySqlSslMode::Disabled),
            (false, false, false) => options.ssl_mode(MySqlSslMode::VerifyIdentity),
        };
        let storage = Self::with_options(options, naming, clock)?;
        let first = tokio::time::timeout(CONNECT_MAX, storage.connect()).await;
        first.unwrap_or_else(|_| Err(StorageError::new(Problem::Timeout("connect"))))?.close().await?;
        Ok(storage)
    }

    /// Uses the application's own database, with connections of djob's own: the application's are never touched.
    pub(crate) fn with_pool(pool: &MySqlPool, naming: Naming, clock: Clock) -> Result<Self, StorageError> {
        Self::with_options((*pool.connect_options()).clone(), naming, clock)
    }

    fn with_options(
        options: MySqlConnectOptions,
        naming: Naming,
        clock: Clock,
    ) -> Result<Self, StorageError> {
        if naming.schema().is_some() {
            return Err(StorageError::setting(
                "`schema` is for PostgreSQL: MySQL's schemas are databases, so name one in the URL",
            ));
        }
        let options = options.disable_statement_logging();
        let texts = Texts::new(Dialect::MySql, &naming);
        let made = options.clone();
        let trust = Trust::default();
        let connections = Connections::new(MOST, trust.clone(), move || {
            let options = made.clone();
            Box::pin(async move { connect(&options).await })
        });
        Ok(MySqlStorage { connections, trust, options, texts, naming, clock })
    }

    /// A connection that is not lent.
    pub(crate) async fn connect(&self) -> Result<MySqlConnection, StorageError> {
        connect(&self.options).await
    }

    /// The rendered statements, for the test that prepares each of them.
    #[cfg(test)]
    pub(crate) fn texts(&self) -> &Texts {
        &self.texts
    }
}

async fn connect(options: &MySqlConnectOptions) -> Result<MySqlConnection, StorageError> {
    let mut conn = options.connect().await.map_err(StorageError::connecting)?;
    conn.execute(PINNED).await?;
    Ok(conn)
}

fn says_ssl_mode(url: &str) -> bool {
    url.contains("sslmode=") || url.contains("ssl-mode=")
}

/// Whether nothing leaves this machine.
pub(super) fn is_local(options: &MySqlConnectOptions) -> bool {
    options.get_socket().is_some()
        || matches!(options.get_host(), "localhost" | "127.0.0.1" | "::1" | "[::1]")
}

pub(super) fn migrations(naming: &Naming) -> Vec<(i64, &'static str, String)> {
    MIGRATIONS.into_iter().map(|(version, name, text)| (version, name, naming.migration(text))).collect()
}

/// Applies what is missing. Another program's migration is waited for; sqlx's own lock is none on MariaDB. MySQL commits each
/// statement of a migration by itself, so that one which was cut short is done again.
pub(super) async fn migrate(conn: &mut MySqlConnection, naming: &Naming) -> Result<(), StorageError> {
    let one = |(version, name, text): (i64, &'static str, String)| {
        Migration::new(version, name.into(), MigrationType::Simple, AssertSqlSafe(text).into_sql_str(), false)
    };
    let mut migrator = Migrator::with_migrations(migrations(naming).into_iter().map(one).collect());
    migrator.dangerous_set_table_name(naming.migrations_table());
    migrator.set_locking(false);
    let lock = naming.migrations_table();
    sqlx::query("select get_lock(concat(database(), ?), 600)").bind(&lock).execute(&mut *conn).await?;
    let forget = format!("delete from {lock} where not success");
    match sqlx::query(AssertSqlSafe(forget)).execute(&mut *conn).await.map_err(StorageError::from) {
        Err(error) if !error.is_schema() => return Err(error),
        _ => {}
    }
    // The lock ends with the connection.
    migrator.run_direct(None, conn, false).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::{Due, JobId, Meta, NewJob};
    use crate::storage::statement::Statement::CLAIM;
    use crate::storage::{Cursor, Storage as _};

    /// Whatever the server's own isolation level is.
    #[tokio::test]
    async fn a_claim_in_progress_keeps_no_enqueue_waiting() {
        let naming = Naming::new(None, "claiming_").unwrap();
        let url = djob_servers::mysql_url().unwrap();
        let storage = MySqlStorage::open(&url, naming, Clock::database()).await.unwrap();
        storage.migrate().await.unwrap();
        let job = || NewJob {
            id_given: false,
            id: JobId::new(),
            kind: "k".into(),
            queue: "q".into(),
            priority: 0,
            due: Due::NOW,
            max_attempts: 25,
            args: "{}".into(),
            meta: Meta::default(),
        };
        storage.enqueue(vec![job()]).await.unwrap();
        let mut claimer = storage.connect().await.unwrap();
        let mut claim = claimer.begin().await.unwrap();
        let head = Cursor::HEAD;
        let taken =
            storage.texts.ask::<sqlx::MySql>(CLAIM).bind("q").bind(0_i16).bind(head.run_at).bind(head.id);
        let taken = taken
            .bind(10_i64)
            .bind(None::<String>)
            .bind(None::<crate::clock::Timestamp>)
            .fetch_all(&mut claim)
            .await
            .unwrap();
        assert!(!taken.is_empty());
        let enqueued = tokio::time::timeout(Duration::from_secs(2), storage.enqueue(vec![job()])).await;
        enqueued.expect("it waits for the claim").unwrap();
    }
}
