//! Servers and machines that are set up oddly: other isolation, other time zones, other dialects. djob's own connections say
//! what they need, so that nothing changes.

use std::time::Duration;

use djob::JobState;
use djob::sqlx::{self, AssertSqlSafe, Connection as _, Executor as _};
use djob_servers::{Durability, MariaDb};

use crate::common::{self, Database, TallyJob, count, eventually, postgres_with, runs, tally};

/// Jobs that wait, that are due later, and that a killed worker leaves behind, with workers in another time zone.
pub async fn jobs_run_as_anywhere_else(database: Database) {
    let client = &database.client;
    let settings = [("LEASE_MS", "2000"), ("TZ", "Pacific/Apia")];
    client.enqueue_all((0..60).map(|number| TallyJob { number, sleep_ms: 20 })).await.unwrap();
    let later = tally.perform_later(60, 0).delay(Duration::from_secs(2)).on(client).await.unwrap();
    assert_eq!(later.status().await.unwrap(), Some(JobState::Scheduled));
    let mut first = database.worker(&settings);
    let begun = async || runs(&database.ledger()).len() >= 5;
    eventually("the first jobs run", Duration::from_secs(20), begun).await;
    first.kill();
    let worker = database.worker(&settings);
    let completed = async || count(client, JobState::Completed).await == 61;
    eventually("all jobs complete", Duration::from_secs(40), completed).await;
    let row = client.find(later.id()).await.unwrap().unwrap();
    assert!(row.finished_at.unwrap() >= row.run_at, "not before its time");
    worker.signal("TERM");
    worker.accepted();
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_may_default_to_serializable_another_time_zone_and_short_timeouts() {
    let odd = "alter database {} set default_transaction_isolation = 'serializable';
               alter database {} set timezone = 'Pacific/Apia';
               alter database {} set statement_timeout = '20s';
               alter database {} set datestyle = 'German';
               alter database {} set bytea_output = 'escape';
               alter database {} set extra_float_digits = -15;
               alter database {} set plan_cache_mode = 'force_generic_plan'";
    jobs_run_as_anywhere_else(postgres_with(odd).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mysql_may_default_to_serializable_another_time_zone_and_a_lenient_dialect() {
    let server = MariaDb::start(Durability::Off).unwrap();
    let mut admin = sqlx::MySqlConnection::connect(&server.url()).await.unwrap();
    for odd in [
        "set global transaction isolation level serializable",
        "set global time_zone = '+13:00'",
        "set global sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,IGNORE_SPACE'",
        "set global autocommit = 0",
        "set global innodb_lock_wait_timeout = 1",
        "set global default_storage_engine = MyISAM",
        "create database odd character set latin1",
    ] {
        admin.execute(AssertSqlSafe(odd)).await.unwrap();
    }
    let database = common::migrated(server.url_for("odd"), tempfile::tempdir().unwrap()).await;
    jobs_run_as_anywhere_else(database).await;
}
