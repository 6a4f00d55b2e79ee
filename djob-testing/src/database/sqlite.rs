//! SQLite for tests: in memory, or in a temporary file.

use std::time::Duration;

use djob::BoxError;
use djob::sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};

use super::Place;
use super::caller::Pool;

pub(super) const MEMORY: &str = "sqlite::memory:";

pub(super) async fn memory() -> Result<(String, Pool, Place), BoxError> {
    // The one connection must outlive every pause: the database lives in it.
    let options =
        SqlitePoolOptions::new().max_connections(1).min_connections(1).idle_timeout(None).max_lifetime(None);
    let pool = options.connect(MEMORY).await?;
    Ok((MEMORY.to_owned(), Pool::Sqlite(pool), Place::Memory))
}

pub(super) async fn file() -> Result<(String, Pool, Place), BoxError> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("jobs.db");
    let options = SqliteConnectOptions::new().filename(&file).busy_timeout(Duration::from_secs(10));
    // Opened when it is first used, after djob has made the file.
    let pool = SqlitePoolOptions::new().connect_lazy_with(options);
    Ok((format!("sqlite://{}", file.display()), Pool::Sqlite(pool), Place::Folder(folder)))
}
