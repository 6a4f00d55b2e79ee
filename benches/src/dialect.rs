//! Which database it is, and how the benchmark's own SQL gets there.

use djob::BoxError;
use djob::sqlx::{self, Connection as _};

/// A database that djob knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Postgres,
    Sqlite,
    /// And MariaDB.
    MySql,
}

impl Dialect {
    pub(crate) fn of(url: &str) -> Self {
        match url.split(':').next() {
            Some("sqlite") => Dialect::Sqlite,
            Some("mysql" | "mariadb") => Dialect::MySql,
            _ => Dialect::Postgres,
        }
    }

    /// Runs a text of the benchmark's own on a connection of its own.
    pub(crate) async fn execute(self, url: &str, text: String) -> Result<(), BoxError> {
        let text = sqlx::raw_sql(sqlx::AssertSqlSafe(text));
        match self {
            Dialect::Postgres => {
                text.execute(&mut sqlx::PgConnection::connect(url).await?).await?;
            }
            Dialect::Sqlite => {
                text.execute(&mut sqlx::SqliteConnection::connect(url).await?).await?;
            }
            Dialect::MySql => {
                text.execute(&mut sqlx::MySqlConnection::connect(url).await?).await?;
            }
        }
        Ok(())
    }
}
