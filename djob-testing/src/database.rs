//! A database for each test: empty, migrated, and gone when the test is over.

#[cfg(any(feature = "postgres", feature = "mysql"))]
mod apart;
mod caller;
#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;

use std::fmt;

use djob::{Client, ClientBuilder};

pub use caller::CallersTransaction;
pub(crate) use caller::Pool;

/// A database of a test's own.
///
/// It is reached through [`client`](Self::client), and by plain SQL through [`execute`](Self::execute) and
/// [`begin`](Self::begin), as an application would reach it.
///
/// ```
/// use djob_testing::TestDatabase;
///
/// #[djob::job]
/// async fn greet(name: &str) {}
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), djob::BoxError> {
/// let db = TestDatabase::sqlite_memory().await;
/// greet.perform_later("Ada").on(db.client()).await?;
/// assert_eq!(db.client().counts().await?.len(), 1);
/// # Ok(())
/// # }
/// ```
pub struct TestDatabase {
    client: Client,
    url: String,
    pool: Pool,
    // Dropped last: what is open closes before the place it lies in goes.
    place: Place,
}

/// What goes with the test.
enum Place {
    /// The pool's own connection.
    #[cfg(feature = "sqlite")]
    Memory,
    /// A folder of temporary files.
    #[cfg(feature = "sqlite")]
    Folder(tempfile::TempDir),
    /// A database on a server.
    #[cfg(feature = "postgres")]
    Server(postgres::OnServer),
    /// A database on a server.
    #[cfg(feature = "mysql")]
    MySql(mysql::OnServer),
}

impl TestDatabase {
    /// SQLite in memory. All its clients share one connection.
    #[cfg(feature = "sqlite")]
    pub async fn sqlite_memory() -> Self {
        TestDatabase::made(sqlite::memory().await).await
    }

    /// SQLite in a temporary file.
    #[cfg(feature = "sqlite")]
    pub async fn sqlite_file() -> Self {
        TestDatabase::made(sqlite::file().await).await
    }

    /// PostgreSQL: a database of its own on the server of [`djob_servers::postgres_url`].
    ///
    /// The first one of a process migrates a template, and all are copies of that. If the test panics the database is
    /// kept and its URL is printed.
    ///
    /// # Panics
    /// If there is no server. A test on PostgreSQL fails without one; it is never skipped.
    #[cfg(feature = "postgres")]
    pub async fn postgres() -> Self {
        TestDatabase::made(postgres::copy().await).await
    }

    /// The same, reached by djob through a PgBouncer in transaction mode, and by the test without.
    #[cfg(all(feature = "postgres", feature = "conformance"))]
    #[doc(hidden)]
    pub async fn pgbouncer() -> Self {
        TestDatabase::made(postgres::behind_pgbouncer().await).await
    }

    /// MySQL or MariaDB: a database of its own on the server of [`djob_servers::mysql_url`]. If the test panics it is kept and
    /// its URL is printed.
    ///
    /// # Panics
    /// If there is no server. A test on MySQL fails without one; it is never skipped.
    #[cfg(feature = "mysql")]
    pub async fn mysql() -> Self {
        TestDatabase::made(mysql::fresh().await).await
    }

    async fn made(made: Result<(String, Pool, Place), djob::BoxError>) -> Self {
        let (url, pool, place) =
            made.unwrap_or_else(|error| panic!("there is no database for this test: {error}"));
        let client = open(Client::builder(), &url, &pool).await;
        client.migrate().await.unwrap_or_else(|error| panic!("{url} cannot be migrated: {error}"));
        TestDatabase { client, url, pool, place }
    }

    /// A client of it, with the database's own clock.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Its address. That of a database in memory leads to another one: such a database is only reached from here.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Another client of it, with settings of its own: a clock, hooks, a prefix.
    ///
    /// # Panics
    /// If a setting is not usable.
    pub async fn client_with(&self, builder: ClientBuilder) -> Client {
        open(builder, &self.url, &self.pool).await
    }

    /// A transaction of the application's own, outside of djob.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn begin(&self) -> Result<CallersTransaction, djob::sqlx::Error> {
        self.pool.begin().await
    }

    /// The application's own connections.
    #[cfg(feature = "conformance")]
    pub(crate) fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Runs a statement outside of djob; returns how many rows it touched.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn execute(&self, sql: &str) -> Result<u64, djob::sqlx::Error> {
        let mut tx = self.begin().await?;
        let touched = tx.execute(sql).await?;
        tx.commit().await?;
        Ok(touched)
    }

    /// Counts what a `select count(*) ..` outside of djob counts.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn count(&self, sql: &str) -> Result<i64, djob::sqlx::Error> {
        self.begin().await?.count(sql).await
    }
}

/// A database in memory is reached through its pool; all others are opened as an application would.
async fn open(builder: ClientBuilder, url: &str, pool: &Pool) -> Client {
    let opened = match pool {
        #[cfg(feature = "sqlite")]
        Pool::Sqlite(pool) if url == sqlite::MEMORY => builder.sqlite(pool.clone()).await,
        _ => builder.connect(url).await,
    };
    opened.unwrap_or_else(|error| panic!("the test database {url} cannot be opened: {error}"))
}

impl fmt::Debug for TestDatabase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kept = match &self.place {
            #[cfg(feature = "sqlite")]
            Place::Memory => "in memory".to_owned(),
            #[cfg(feature = "sqlite")]
            Place::Folder(folder) => folder.path().display().to_string(),
            #[cfg(feature = "postgres")]
            Place::Server(database) => database.name().to_owned(),
            #[cfg(feature = "mysql")]
            Place::MySql(database) => database.name().to_owned(),
        };
        write!(f, "TestDatabase({kept})")
    }
}

/// Runs one body as a test on every database: `mod name` with `sqlite_memory`, `sqlite_file` and `postgres`, and with `mysql`
/// where this crate's feature of that name is enabled.
///
/// ```
/// djob_testing::on_every_database!(a_new_database_is_empty, async |db: djob_testing::TestDatabase| {
///     assert!(db.client().counts().await.unwrap().is_empty());
/// });
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! on_every_database {
    ($name:ident, $body:expr) => {
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            #[::tokio::test]
            async fn sqlite_memory() {
                let body = $body;
                body($crate::TestDatabase::sqlite_memory().await).await
            }

            #[::tokio::test]
            async fn sqlite_file() {
                let body = $body;
                body($crate::TestDatabase::sqlite_file().await).await
            }

            #[::tokio::test]
            async fn postgres() {
                let body = $body;
                body($crate::TestDatabase::postgres().await).await
            }

            $crate::__on_mysql!($body);
        }
    };
}

#[doc(hidden)]
#[macro_export]
#[cfg(feature = "mysql")]
macro_rules! __on_mysql {
    ($body:expr) => {
        #[::tokio::test]
        async fn mysql() {
            let body = $body;
            body($crate::TestDatabase::mysql().await).await
        }
    };
}

#[doc(hidden)]
#[macro_export]
#[cfg(not(feature = "mysql"))]
macro_rules! __on_mysql {
    ($body:expr) => {};
}
