//! A database that is restored from a backup: the claims in it are those of workers that are gone.

use std::time::Duration;

use djob::sqlx::{self, AssertSqlSafe, Connection as _, Executor as _};
use djob::{JobState, sqlx::ConnectOptions as _};

use crate::common::{Database, TallyJob, count, eventually, migrated, postgres, runs, sqlite};

/// Works on the copy of a database that was made while a worker had jobs in hand: none of them is lost.
async fn nothing_of_the_copy_is_lost(database: Database, copy: impl AsyncFnOnce(&Database) -> String) {
    let client = &database.client;
    client.enqueue_all((0..40).map(|number| TallyJob { number, sleep_ms: 3000 })).await.unwrap();
    let mut worker = database.worker(&[("LEASE_MS", "2000"), ("CONCURRENCY", "10")]);
    let begun = async || count(client, JobState::Running).await >= 10 && runs(&database.ledger()).len() >= 10;
    eventually("jobs run", Duration::from_secs(20), begun).await;
    worker.kill();
    let restored = migrated(copy(&database).await, tempfile::tempdir().unwrap()).await;
    assert!(count(&restored.client, JobState::Running).await >= 10, "the backup holds claims");
    let worker = restored.worker(&[("LEASE_MS", "2000"), ("CONCURRENCY", "40")]);
    let completed = async || count(&restored.client, JobState::Completed).await == 40;
    eventually("all jobs of the backup complete", Duration::from_secs(40), completed).await;
    worker.signal("TERM");
    worker.accepted();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_claims_in_a_backup_are_void_and_their_jobs_run_on_sqlite() {
    let copy = async |database: &Database| {
        let file = database.folder.path().join("backup.db");
        let options: sqlx::sqlite::SqliteConnectOptions = database.url.parse().unwrap();
        let mut conn = options.connect().await.unwrap();
        conn.execute(AssertSqlSafe(format!("vacuum into '{}'", file.display()))).await.unwrap();
        format!("sqlite://{}", file.display())
    };
    nothing_of_the_copy_is_lost(sqlite().await, copy).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_claims_in_a_backup_are_void_and_their_jobs_run_on_postgres() {
    let copy = async |database: &Database| {
        let name = database.url.split('/').nth(3).and_then(|rest| rest.split('?').next()).unwrap();
        let mut admin = sqlx::PgConnection::connect(&djob_servers::postgres_url().unwrap()).await.unwrap();
        // A copy is only made of a database that nobody uses.
        let alone =
            format!("select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'");
        admin.execute(AssertSqlSafe(alone)).await.unwrap();
        let copy = format!("create database {name}_restored template {name}");
        admin.execute(AssertSqlSafe(copy)).await.unwrap();
        database.url.replacen(name, &format!("{name}_restored"), 1)
    };
    nothing_of_the_copy_is_lost(postgres().await, copy).await;
}
