//! From the command line and the environment to a client.

use std::path::Path;
use std::sync::Arc;

use djob::storage::Storage;
use djob::{Client, ClientBuilder, sqlx};

use crate::args::{Common, Dialect};
use crate::exit::{Exit, Failure};
use crate::log::set;

/// A database that was named, and maybe is there.
pub(crate) struct Database {
    builder: ClientBuilder,
    url: Option<String>,
}

impl Database {
    pub(crate) fn new(builder: ClientBuilder, common: Common) -> Self {
        let builder = common.schema.into_iter().fold(builder, ClientBuilder::schema);
        let builder = common.prefix.into_iter().fold(builder, ClientBuilder::prefix);
        let url = common.database_url.or_else(|| set("DJOB_DATABASE_URL")).or_else(|| set("DATABASE_URL"));
        Database { builder, url }
    }

    /// Connects to a database whose tables this program knows.
    pub(crate) async fn connect(self) -> Result<Client, Failure> {
        let client = self.connect_any().await?;
        client.check_schema().await?;
        Ok(client)
    }

    /// Connects to a database whatever its tables are.
    pub(crate) async fn connect_any(self) -> Result<Client, Failure> {
        if let Some(file) = self.url.as_deref().and_then(sqlite_file).filter(|file| !Path::new(file).exists())
        {
            let why =
                format!("there is no database file {file:?}: check the URL, or make one with `db migrate`");
            return Err(Failure::new(Exit::Unreachable, why));
        }
        self.connect_or_create().await
    }

    /// The same; a SQLite file that does not exist is made.
    pub(crate) async fn connect_or_create(self) -> Result<Client, Failure> {
        let url = self.url.ok_or_else(no_url)?;
        Ok(self.builder.connect(&url).await?)
    }

    /// The storage for databases of this kind, which is not asked to connect anywhere.
    pub(crate) async fn offline(self, dialect: Option<Dialect>) -> Result<Arc<dyn Storage>, Failure> {
        let dialect = match (dialect, self.url.as_deref()) {
            (Some(dialect), _) => dialect,
            (None, Some(url)) if url.starts_with("postgres") => Dialect::Postgres,
            (None, Some(url)) if url.starts_with("mysql") || url.starts_with("mariadb") => Dialect::Mysql,
            (None, Some(_)) => Dialect::Sqlite,
            (None, None) => return Err(no_url()),
        };
        let client = match dialect {
            Dialect::Sqlite => self.builder.connect("sqlite::memory:").await?,
            Dialect::Postgres => {
                let options = sqlx::postgres::PgConnectOptions::new_without_pgpass();
                self.builder.postgres(sqlx::PgPool::connect_lazy_with(options)).await?
            }
            Dialect::Mysql => {
                let options = sqlx::mysql::MySqlConnectOptions::new();
                self.builder.mysql(sqlx::MySqlPool::connect_lazy_with(options)).await?
            }
        };
        Ok(client.storage().clone())
    }
}

fn no_url() -> Failure {
    Failure::new(
        Exit::Usage,
        "no database is named: give --database-url sqlite://jobs.db, postgres://user@host/database or \
         mysql://user@host/database, or set DJOB_DATABASE_URL or DATABASE_URL",
    )
}

/// The file a SQLite URL names. The library makes it when it is missing, and a typing error is no reason for that.
fn sqlite_file(url: &str) -> Option<&str> {
    let path = url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:"))?;
    let file = path.split('?').next().unwrap_or_default();
    // A name with escapes is left to the library.
    let plain =
        !file.is_empty() && !file.contains('%') && file != ":memory:" && !path.contains("mode=memory");
    plain.then_some(file)
}

#[cfg(test)]
mod tests {
    use super::sqlite_file;

    #[test]
    fn only_a_file_can_be_missing() {
        assert_eq!(sqlite_file("sqlite://jobs.db?mode=rwc"), Some("jobs.db"));
        assert_eq!(sqlite_file("sqlite:/srv/jobs.db"), Some("/srv/jobs.db"));
        for other in
            ["sqlite::memory:", "sqlite://", "sqlite://x?mode=memory", "sqlite://a%20b", "postgres://h/d"]
        {
            assert_eq!(sqlite_file(other), None, "{other}");
        }
    }
}
