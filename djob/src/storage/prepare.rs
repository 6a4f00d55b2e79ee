//! Every statement is prepared on every database: a wrong column fails here, with the statement's name.

use sqlx::Executor as _;

use super::Storage as _;
use super::naming::Naming;
use crate::clock::Clock;

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn sqlite_prepares_every_statement() {
    for prefix in ["djob_", "other_"] {
        let naming = Naming::new(None, prefix).unwrap();
        let storage =
            super::sqlite::SqliteStorage::open("sqlite::memory:", naming, Clock::database()).await.unwrap();
        storage.migrate().await.unwrap();
        let mut conn = storage.connection().await.unwrap();
        for (statement, text) in storage.texts().all() {
            if let Err(error) = (&mut *conn).prepare(text).await {
                panic!("{statement:?}: {error}");
            }
        }
    }
}

#[cfg(feature = "postgres")]
#[tokio::test]
async fn postgres_prepares_every_statement() {
    use super::statement::Statement::PARTITIONS;
    let url = djob_servers::postgres_url().unwrap();
    let naming = Naming::new(Some("prepare"), "other_").unwrap();
    let storage = super::postgres::PostgresStorage::open(&url, naming, Clock::database()).await.unwrap();
    storage.migrate().await.unwrap();
    let mut conn = storage.connect().await.unwrap();
    for (statement, text) in storage.texts().all().filter(|(statement, _)| *statement != PARTITIONS) {
        if let Err(error) = (&mut conn).prepare(text).await {
            panic!("{statement:?}: {error}");
        }
    }
}

#[cfg(feature = "mysql")]
#[tokio::test]
async fn mysql_prepares_every_statement() {
    let url = djob_servers::mysql_url().unwrap();
    let naming = Naming::new(None, "other_").unwrap();
    let storage = super::mysql::MySqlStorage::open(&url, naming, Clock::database()).await.unwrap();
    storage.migrate().await.unwrap();
    let mut conn = storage.connect().await.unwrap();
    for (statement, text) in storage.texts().all() {
        if let Err(error) = (&mut conn).prepare(text).await {
            panic!("{statement:?}: {error}");
        }
    }
}
