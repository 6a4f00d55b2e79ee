//! Opening a SQLite database, and its migrations.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};
use sqlx::{AssertSqlSafe, ConnectOptions, Row as _, SqlSafeStr};

use super::writer::Writer;
use super::{SqliteStorage, lock, place};
use crate::clock::Clock;
use crate::storage::StorageError;
use crate::storage::naming::Naming;
use crate::storage::statement::{Dialect, Texts};

/// Older versions can corrupt a database in WAL mode when a checkpoint and a write meet.
pub(crate) const OLDEST: (u32, u32, u32) = (3, 51, 3);
/// How long SQLite itself waits for another process: djob's writes wait in a way of their own.
const BUSY: Duration = Duration::from_secs(5);
const READERS: u32 = 4;
/// How often a migration is tried that another program may be doing.
const TRIES: u64 = 20;

const MIGRATIONS: [(i64, &str, &str); 2] = [
    (1, "rooms", include_str!("../../../migrations/sqlite/0001_rooms.sql")),
    (2, "enqueue", include_str!("../../../migrations/sqlite/0002_enqueue.sql")),
];

impl SqliteStorage {
    /// Opens the database at `url`, and makes the file if there is none.
    pub(crate) async fn open(url: &str, naming: Naming, clock: Clock) -> Result<Self, StorageError> {
        let bad =
            |_| StorageError::setting("not a SQLite URL: write `sqlite://jobs.db` or `sqlite::memory:`");
        let options = SqliteConnectOptions::from_str(url).map_err(bad)?.create_if_missing(true);
        Self::with_options(options, naming, clock).await
    }

    /// Uses the application's own database. A file gets connections of djob's own; a database in memory exists only in
    /// the pool's one connection, which is shared then.
    pub(crate) async fn with_pool(
        pool: SqlitePool,
        naming: Naming,
        clock: Clock,
    ) -> Result<Self, StorageError> {
        let options = (*pool.connect_options()).clone();
        if in_memory(&options) {
            return Self::new(pool.clone(), pool, None, naming, clock).await;
        }
        let theirs = Some(options.clone());
        Ok(SqliteStorage { theirs, ..Self::with_options(options, naming, clock).await? })
    }

    async fn with_options(
        options: SqliteConnectOptions,
        naming: Naming,
        clock: Clock,
    ) -> Result<Self, StorageError> {
        let file =
            (!in_memory(&options)).then(|| std::path::absolute(options.get_filename()).unwrap_or_default());
        file.as_deref().map_or(Ok(()), place::check)?;
        let options = options
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY)
            .pragma("journal_size_limit", "67108864")
            .optimize_on_close(false, None)
            .disable_statement_logging();
        // The one connection must outlive every pause: a database in memory lives in it.
        let keep = |max| {
            SqlitePoolOptions::new()
                .max_connections(max)
                .min_connections(1)
                .idle_timeout(None)
                .max_lifetime(None)
        };
        let writer = keep(1).after_connect(|conn, _| Box::pin(lock::wait_in_our_own_way(conn)));
        let writer = writer.connect_with(options.clone()).await?;
        let Some(file) = file else {
            return Self::new(writer.clone(), writer, None, naming, clock).await;
        };
        let readers = keep(READERS).connect_lazy_with(options.clone());
        Self::new(writer, readers, Some((file, options)), naming, clock).await
    }

    async fn new(
        writer: SqlitePool,
        readers: SqlitePool,
        file: Option<(PathBuf, SqliteConnectOptions)>,
        naming: Naming,
        clock: Clock,
    ) -> Result<Self, StorageError> {
        check_version(&writer).await?;
        let texts = Texts::new(Dialect::Sqlite, &naming);
        Ok(SqliteStorage {
            writer: Writer::new(writer, file.is_none())?,
            readers,
            file,
            theirs: None,
            texts,
            naming,
            clock,
        })
    }

    /// The rendered statements, for the test that prepares each of them.
    #[cfg(test)]
    pub(crate) fn texts(&self) -> &Texts {
        &self.texts
    }

    /// The writer's connection, for the same test.
    #[cfg(test)]
    pub(crate) async fn connection(&self) -> Result<sqlx::pool::PoolConnection<sqlx::Sqlite>, StorageError> {
        self.writer.connection().await
    }
}

fn in_memory(options: &SqliteConnectOptions) -> bool {
    let name = options.get_filename().to_string_lossy();
    name.is_empty()
        || name.contains(":memory:")
        || name.contains("mode=memory")
        || name.contains("sqlx-in-memory")
}

async fn check_version(pool: &SqlitePool) -> Result<(), StorageError> {
    let version: String = sqlx::query("select sqlite_version()").fetch_one(pool).await?.try_get(0)?;
    let mut numbers = version.split('.').map(|part| part.parse().unwrap_or(0));
    let mut next = || numbers.next().unwrap_or(0);
    if (next(), next(), next()) < OLDEST {
        let (major, minor, patch) = OLDEST;
        return Err(StorageError::setting(format!(
            "SQLite {version} can corrupt a database in WAL mode: djob needs {major}.{minor}.{patch} or later"
        )));
    }
    Ok(())
}

pub(super) fn migrations(naming: &Naming) -> Vec<(i64, &'static str, String)> {
    MIGRATIONS.into_iter().map(|(version, name, text)| (version, name, naming.migration(text))).collect()
}

/// Applies what is missing. SQLite has no lock for this: where two programs begin at once, one of them fails, and finds the
/// work done when it looks again.
pub(super) async fn migrate(conn: &mut SqliteConnection, naming: &Naming) -> Result<(), StorageError> {
    let mut tries = 0;
    loop {
        match migrator(naming).run_direct(None, conn, false).await {
            Ok(()) => return Ok(()),
            Err(MigrateError::Execute(_) | MigrateError::ExecuteMigration(..) | MigrateError::Dirty(_))
                if tries < TRIES =>
            {
                tries += 1;
                tokio::time::sleep(Duration::from_millis(20 * tries)).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

fn migrator(naming: &Naming) -> Migrator {
    let one = |(version, name, text): (i64, &'static str, String)| {
        Migration::new(version, name.into(), MigrationType::Simple, AssertSqlSafe(text).into_sql_str(), false)
    };
    let mut migrator = Migrator::with_migrations(migrations(naming).into_iter().map(one).collect());
    migrator.dangerous_set_table_name(naming.migrations_table());
    migrator
}
