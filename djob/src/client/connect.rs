//! From a URL or a pool to a client.

use std::sync::Arc;

use super::Client;
use crate::clock::Clock;
use crate::hooks::Hooks;
use crate::storage::{Naming, Storage, StorageError};

/// Opens the database at `url`: `sqlite://jobs.db`, `sqlite::memory:`, `postgres://user@host/database` or
/// `mysql://user@host/database`.
///
/// A SQLite file that does not exist is made. The tables are not touched: see [`Client::migrate`].
///
/// # Errors
/// If the URL is of no database that was built in, or if the database cannot be reached.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// assert!(djob::connect("sqlite::memory:").await.is_ok());
/// let error = djob::connect("redis://localhost").await.unwrap_err();
/// assert!(error.to_string().starts_with("\"redis\" is no database djob was built for"));
/// # }
/// ```
pub async fn connect(url: &str) -> Result<Client, StorageError> {
    Client::builder().connect(url).await
}

/// Settings of a [`Client`] that are better left alone until they are needed.
#[derive(Debug, Default)]
#[must_use]
pub struct ClientBuilder {
    schema: Option<String>,
    prefix: Option<String>,
    clock: Clock,
    hooks: Vec<Arc<dyn Hooks>>,
    #[cfg(feature = "postgres")]
    pgbouncer: bool,
}

impl ClientBuilder {
    /// Puts the tables into this PostgreSQL schema; it is created by [`Client::migrate`].
    pub fn schema(mut self, schema: impl Into<String>) -> Self {
        self.schema = Some(schema.into());
        self
    }

    /// Begins the tables' names with this instead of `djob_`.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = Some(prefix.into());
        self
    }

    /// Lets this clock say what is due; for tests.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Calls these hooks for every job that this client enqueues, and that a worker of this client runs.
    pub fn hooks(mut self, hooks: impl Hooks) -> Self {
        self.hooks.push(Arc::new(hooks));
        self
    }

    /// Says that PostgreSQL is reached through a pooler in transaction mode, as PgBouncer's usually is: for
    /// [`postgres()`](Self::postgres); a URL says it by `?pgbouncer=true`.
    ///
    /// Each call is a transaction then, and workers look for jobs every few seconds instead of being told of them.
    #[cfg(feature = "postgres")]
    pub fn pgbouncer(mut self, yes: bool) -> Self {
        self.pgbouncer = yes;
        self
    }

    /// Opens the database at `url`; see [`connect()`].
    ///
    /// # Errors
    /// If a setting or the URL is not usable, or if the database cannot be reached.
    pub async fn connect(self, url: &str) -> Result<Client, StorageError> {
        match url.split(':').next().unwrap_or_default() {
            #[cfg(feature = "sqlite")]
            "sqlite" => {
                let naming = self.naming()?;
                let storage =
                    crate::storage::sqlite::SqliteStorage::open(url, naming, self.clock.clone()).await?;
                Ok(self.storage(Arc::new(storage)))
            }
            #[cfg(feature = "postgres")]
            "postgres" | "postgresql" => {
                let naming = self.naming()?;
                let storage =
                    crate::storage::postgres::PostgresStorage::open(url, naming, self.clock.clone()).await?;
                Ok(self.storage(Arc::new(storage)))
            }
            #[cfg(feature = "mysql")]
            "mysql" | "mariadb" => {
                let naming = self.naming()?;
                let storage =
                    crate::storage::mysql::MySqlStorage::open(url, naming, self.clock.clone()).await?;
                Ok(self.storage(Arc::new(storage)))
            }
            other => Err(StorageError::setting(format!(
                "{other:?} is no database djob was built for: write `sqlite://jobs.db` (feature `sqlite`), \
                 `postgres://user@host/database` (feature `postgres`) or `mysql://user@host/database` (feature `mysql`)"
            ))),
        }
    }

    /// Uses the application's own SQLite database.
    ///
    /// # Errors
    /// If a setting is not usable, or if the database cannot be opened once more.
    #[cfg(feature = "sqlite")]
    pub async fn sqlite(self, pool: sqlx::SqlitePool) -> Result<Client, StorageError> {
        let storage =
            crate::storage::sqlite::SqliteStorage::with_pool(pool, self.naming()?, self.clock.clone())
                .await?;
        Ok(self.storage(Arc::new(storage)))
    }

    /// Uses the application's own PostgreSQL database, with connections of djob's own beside those of the pool.
    ///
    /// # Errors
    /// If a setting is not usable.
    #[cfg(feature = "postgres")]
    pub async fn postgres(self, pool: sqlx::PgPool) -> Result<Client, StorageError> {
        let storage = crate::storage::postgres::PostgresStorage::with_pool(
            &pool,
            self.naming()?,
            self.clock.clone(),
            self.pgbouncer,
        );
        Ok(self.storage(Arc::new(storage)))
    }

    /// Uses the application's own MySQL or MariaDB database, with connections of djob's own beside those of the pool.
    ///
    /// # Errors
    /// If a setting is not usable.
    #[cfg(feature = "mysql")]
    pub async fn mysql(self, pool: sqlx::MySqlPool) -> Result<Client, StorageError> {
        let storage =
            crate::storage::mysql::MySqlStorage::with_pool(&pool, self.naming()?, self.clock.clone())?;
        Ok(self.storage(Arc::new(storage)))
    }

    /// Uses this storage; for those who wrap one in tests.
    pub fn storage(self, storage: Arc<dyn Storage>) -> Client {
        Client::new(storage, self.hooks, self.clock)
    }

    fn naming(&self) -> Result<Naming, StorageError> {
        Naming::new(self.schema.as_deref(), self.prefix.as_deref().unwrap_or("djob_"))
            .map_err(|error| StorageError::setting(error.to_string()))
    }
}
