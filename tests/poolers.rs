//! PostgreSQL behind PgBouncer in transaction mode, where each transaction gets another session. The conformance suite runs
//! through it as a whole; here are real workers, and what others who share the sessions see.

use std::time::Duration;

use djob::sqlx::{self, Connection as _, Executor as _, Row as _};
use djob::{Client, JobState, Worker};

use crate::common::{self, Database, TallyJob, count, eventually, postgres, tally};
use crate::odd_servers::jobs_run_as_anywhere_else;

/// The same database, by the way through the pooler.
async fn behind_a_pooler() -> Database {
    let direct = postgres().await;
    let name = direct.url.split('?').next().unwrap().rsplit('/').next().unwrap();
    let pooler = djob_servers::pgbouncer_url().unwrap_or_else(|error| panic!("{error}"));
    let url = pooler.replacen("/postgres?", &format!("/{name}?"), 1);
    common::migrated(url, direct.folder).await
}

/// What somebody else sees who is lent the pool's sessions; sqlx would refuse djob's word in the URL.
async fn stranger(database: &Database) -> sqlx::PgConnection {
    let options: sqlx::postgres::PgConnectOptions =
        database.url.replace("&pgbouncer=true", "").parse().unwrap();
    sqlx::PgConnection::connect_with(&options.extra_float_digits(None)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_behind_a_pooler_in_transaction_mode_run_and_rescue() {
    jobs_run_as_anywhere_else(behind_a_pooler().await).await;
}

#[tokio::test]
async fn nothing_that_djob_sets_or_prepares_meets_a_strangers_statement() {
    let database = behind_a_pooler().await;
    let worker = database.worker(&[]);
    let job = tally.perform_later(1, 0).on(&database.client).await.unwrap();
    let done = async || job.status().await.unwrap() == Some(djob::JobState::Completed);
    eventually("the job completes", Duration::from_secs(20), done).await;
    let mut others = Vec::new();
    for _ in 0..3 {
        let mut other = stranger(&database).await;
        // Each keeps its session, so that every session of the pool is looked at.
        other.execute("begin").await.unwrap();
        let seen = "select (select count(*) from pg_prepared_statements),
                           current_setting('enable_seqscan'), current_setting('synchronous_commit')";
        let row = other.fetch_one(sqlx::raw_sql(seen)).await.unwrap();
        assert_eq!(row.get::<i64, _>(0), 0, "statements that djob prepared");
        assert_eq!(row.get::<String, _>(1), "on");
        assert_eq!(row.get::<String, _>(2), waits_for_the_disk().await);
        others.push(other);
    }
    drop(others);
    worker.signal("TERM");
    worker.accepted();
}

/// How the server is set.
async fn waits_for_the_disk() -> String {
    let mut direct = sqlx::PgConnection::connect(&djob_servers::postgres_url().unwrap()).await.unwrap();
    direct.fetch_one("show synchronous_commit").await.unwrap().get(0)
}

#[tokio::test]
async fn a_pooler_that_the_address_does_not_name_is_told_of() {
    let database = behind_a_pooler().await;
    let error = djob::connect(&database.url.replace("&pgbouncer=true", "")).await.unwrap_err();
    assert!(error.is_setting());
    assert!(error.to_string().contains("add `pgbouncer=true` to the URL"), "{error}");
    let error = djob::connect(&database.url.replace("=true", "=yes")).await.unwrap_err();
    assert_eq!(error.to_string(), "in the URL, `pgbouncer` is either true or false");
    // PostgreSQL itself may be spoken to as if it were one.
    let direct = format!("{}&pgbouncer=true", djob_servers::postgres_url().unwrap());
    assert!(djob::connect(&direct).await.is_ok());
}

/// A pool of the caller's own cannot say so in its URL; the builder says it.
#[tokio::test(flavor = "multi_thread")]
async fn a_pool_of_the_callers_own_leads_through_a_pooler_too() {
    let database = behind_a_pooler().await;
    let options: sqlx::postgres::PgConnectOptions =
        database.url.replace("&pgbouncer=true", "").parse().unwrap();
    let pool = sqlx::PgPool::connect_lazy_with(options.extra_float_digits(None));
    let client = Client::builder().pgbouncer(true).postgres(pool).await.unwrap();
    client.enqueue_all((0..50).map(|number| TallyJob { number, sleep_ms: 0 })).await.unwrap();
    Worker::new(&client).only([tally.def()]).work_off().await.unwrap();
    assert_eq!(count(&client, JobState::Completed).await, 50);
}
