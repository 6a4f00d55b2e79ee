//! What an application does with its database beside djob: its own pool, its own transactions.

use djob::EnqueueIn;
use djob::sqlx::{self, AssertSqlSafe, Row as _};
use djob::storage::Conn;

/// The application's own connections.
#[derive(Clone)]
pub(crate) enum Pool {
    #[cfg(feature = "sqlite")]
    Sqlite(sqlx::SqlitePool),
    #[cfg(feature = "postgres")]
    Postgres(sqlx::PgPool),
    #[cfg(feature = "mysql")]
    MySql(sqlx::MySqlPool),
}

/// A transaction of the application's own. It is rolled back unless it is committed.
///
/// ```
/// # use djob_testing::TestDatabase;
/// #[djob::job]
/// async fn remind(user_id: i64) {}
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), djob::BoxError> {
/// let db = TestDatabase::sqlite_memory().await;
/// let mut tx = db.begin().await?;
/// let reminder = remind.perform_later(7).on(db.client()).in_tx(&mut tx).await?;
/// tx.rollback().await?;
/// assert_eq!(reminder.status().await?, None);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum CallersTransaction {
    /// SQLite.
    #[cfg(feature = "sqlite")]
    Sqlite(sqlx::Transaction<'static, sqlx::Sqlite>),
    /// PostgreSQL.
    #[cfg(feature = "postgres")]
    Postgres(sqlx::Transaction<'static, sqlx::Postgres>),
    /// MySQL or MariaDB.
    #[cfg(feature = "mysql")]
    MySql(sqlx::Transaction<'static, sqlx::MySql>),
}

impl Pool {
    pub(crate) async fn begin(&self) -> Result<CallersTransaction, sqlx::Error> {
        Ok(match self {
            // As an application must: a deferred transaction that turns into a write fails if another one writes.
            #[cfg(feature = "sqlite")]
            Pool::Sqlite(pool) => CallersTransaction::Sqlite(pool.begin_with("BEGIN IMMEDIATE").await?),
            #[cfg(feature = "postgres")]
            Pool::Postgres(pool) => CallersTransaction::Postgres(pool.begin().await?),
            #[cfg(feature = "mysql")]
            Pool::MySql(pool) => CallersTransaction::MySql(pool.begin().await?),
        })
    }
}

impl CallersTransaction {
    /// Runs a statement; returns how many rows it touched.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn execute(&mut self, sql: &str) -> Result<u64, sqlx::Error> {
        let query = AssertSqlSafe(sql.to_owned());
        Ok(match self {
            #[cfg(feature = "sqlite")]
            CallersTransaction::Sqlite(tx) => sqlx::query(query).execute(&mut **tx).await?.rows_affected(),
            #[cfg(feature = "postgres")]
            CallersTransaction::Postgres(tx) => sqlx::query(query).execute(&mut **tx).await?.rows_affected(),
            #[cfg(feature = "mysql")]
            CallersTransaction::MySql(tx) => sqlx::query(query).execute(&mut **tx).await?.rows_affected(),
        })
    }

    /// Counts what a `select count(*) ..` counts.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn count(&mut self, sql: &str) -> Result<i64, sqlx::Error> {
        let query = AssertSqlSafe(sql.to_owned());
        match self {
            #[cfg(feature = "sqlite")]
            CallersTransaction::Sqlite(tx) => sqlx::query(query).fetch_one(&mut **tx).await?.try_get(0),
            #[cfg(feature = "postgres")]
            CallersTransaction::Postgres(tx) => sqlx::query(query).fetch_one(&mut **tx).await?.try_get(0),
            #[cfg(feature = "mysql")]
            CallersTransaction::MySql(tx) => sqlx::query(query).fetch_one(&mut **tx).await?.try_get(0),
        }
    }

    /// Makes it so.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn commit(self) -> Result<(), sqlx::Error> {
        match self {
            #[cfg(feature = "sqlite")]
            CallersTransaction::Sqlite(tx) => tx.commit().await,
            #[cfg(feature = "postgres")]
            CallersTransaction::Postgres(tx) => tx.commit().await,
            #[cfg(feature = "mysql")]
            CallersTransaction::MySql(tx) => tx.commit().await,
        }
    }

    /// Makes it as if it had never been.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn rollback(self) -> Result<(), sqlx::Error> {
        match self {
            #[cfg(feature = "sqlite")]
            CallersTransaction::Sqlite(tx) => tx.rollback().await,
            #[cfg(feature = "postgres")]
            CallersTransaction::Postgres(tx) => tx.rollback().await,
            #[cfg(feature = "mysql")]
            CallersTransaction::MySql(tx) => tx.rollback().await,
        }
    }
}

impl<'a> EnqueueIn<'a> for &'a mut CallersTransaction {
    fn conn(self) -> Conn<'a> {
        match self {
            #[cfg(feature = "sqlite")]
            CallersTransaction::Sqlite(tx) => Conn::Sqlite(tx),
            #[cfg(feature = "postgres")]
            CallersTransaction::Postgres(tx) => Conn::Postgres(tx),
            #[cfg(feature = "mysql")]
            CallersTransaction::MySql(tx) => Conn::MySql(tx),
        }
    }
}
