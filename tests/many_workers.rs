//! Many worker processes over one PostgreSQL: each outcome is accepted exactly once.

use djob::sqlx::{self, Connection as _, Executor as _, Row as _};
use djob::storage::{Cursor, LaneAt};
use djob::{Client, JobState};

use crate::common::{Database, TallyJob, count, mysql, postgres};

const JOBS: u64 = 100_000;
const WORKERS: usize = 8;

async fn eight_workers_share(database: &Database) {
    let client = &database.client;
    let jobs = (0..JOBS).map(|number| TallyJob { number, sleep_ms: 0 });
    client.enqueue_all(jobs).await.unwrap();
    let settings = [("UNTIL_DONE", "1"), ("LEDGER", "/dev/null")];
    let workers: Vec<_> = (0..WORKERS).map(|_| database.worker(&settings)).collect();
    for worker in workers {
        worker.accepted();
    }
    if database.url.starts_with("mysql") {
        // There the id is the key of each room: one that is accepted twice is an error of the worker.
        assert_eq!(count(client, JobState::Completed).await, JOBS.cast_signed());
        return;
    }
    // Nothing in the table keeps an id from being there twice: every accepted outcome has left a row.
    let mut conn = sqlx::PgConnection::connect(&database.url).await.unwrap();
    let query = "select count(*), count(distinct id), count(distinct result::text), count(distinct worker) \
                 from djob_finished where state = 'completed'";
    let row = sqlx::query(query).fetch_one(&mut conn).await.unwrap();
    let counted = [0, 1, 2].map(|column| row.get::<i64, _>(column));
    assert_eq!(counted, [JOBS.cast_signed(); 3], "outcomes accepted, jobs, results");
    println!("{} of {WORKERS} workers took part", row.get::<i64, _>(3));
    assert_eq!(count(client, JobState::Completed).await, JOBS.cast_signed());
    let left = sqlx::query(
        "select (select count(*) from djob_jobs where kind = 'tally') + (select count(*) from djob_claims)",
    );
    assert_eq!(left.fetch_one(&mut conn).await.unwrap().get::<i64, _>(0), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_workers_complete_100_000_jobs_each_exactly_once() {
    eight_workers_share(&postgres().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_workers_complete_100_000_jobs_each_exactly_once_while_a_transaction_stays_open() {
    let database = postgres().await;
    let mut pin = sqlx::PgConnection::connect(&database.url).await.unwrap();
    pin.execute("begin isolation level repeatable read; select count(*) from djob_jobs").await.unwrap();
    eight_workers_share(&database).await;
    pin.execute("commit").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_workers_complete_100_000_jobs_each_exactly_once_on_mysql() {
    eight_workers_share(&mysql().await).await;
}

/// How many jobs one large claim takes.
async fn claimed(client: &Client) -> usize {
    claimed_after(client, Cursor::HEAD).await
}

/// How many it takes, read on from a cursor.
async fn claimed_after(client: &Client, after: Cursor) -> usize {
    let lane = LaneAt { queue: "default".into(), priority: 0, after };
    let worker = djob::sqlx::types::Uuid::now_v7();
    let claims = client.storage().claim(worker, &[lane], 1000, None).await.unwrap();
    claims.iter().map(|claim| claim.jobs.len()).sum()
}

#[tokio::test]
async fn a_row_that_somebody_has_locked_keeps_no_other_job_waiting() {
    let database = postgres().await;
    let client = &database.client;
    let enqueue = async || client.enqueue_all((0..500).map(|number| TallyJob { number, sleep_ms: 0 })).await;
    let first = enqueue().await.unwrap();
    let mut other = sqlx::PgConnection::connect(&database.url).await.unwrap();
    other.execute("begin").await.unwrap();
    let lock = sqlx::query("select from djob_jobs where id = $1 for update").bind(first[250].id());
    lock.execute(&mut other).await.unwrap();
    assert_eq!(claimed(client).await, 499);
    enqueue().await.unwrap();
    assert_eq!(claimed(client).await, 500, "nor those that come later");
    other.execute("rollback").await.unwrap();
    assert_eq!(claimed(client).await, 1);
}

#[tokio::test]
async fn a_claimer_that_never_gets_its_turn_claims_all_the_same() {
    let database = postgres().await;
    let client = &database.client;
    client.enqueue_all((0..500).map(|number| TallyJob { number, sleep_ms: 0 })).await.unwrap();
    let mut other = sqlx::PgConnection::connect(&database.url).await.unwrap();
    other.execute("select pg_advisory_lock(hashtextextended('public.djob_jobs', 1))").await.unwrap();
    assert_eq!(claimed(client).await, 500);
}

#[tokio::test]
async fn a_claimer_reads_on_behind_what_others_took_and_a_sweep_looks_for_what_they_passed_by() {
    let database = postgres().await;
    let client = &database.client;
    let first = client.enqueue_all([TallyJob { number: 0, sleep_ms: 0 }]).await.unwrap()[0].id();
    client.enqueue_all((1..500).map(|number| TallyJob { number, sleep_ms: 0 })).await.unwrap();
    let cursor = Cursor { run_at: client.find(first).await.unwrap().unwrap().run_at, id: first };
    assert_eq!(claimed(client).await, 500);
    // As if a slow transaction had been committed only now.
    let late = client.enqueue_all([TallyJob { number: 500, sleep_ms: 0 }]).await.unwrap()[0].id();
    let mut other = sqlx::PgConnection::connect(&database.url).await.unwrap();
    let behind = sqlx::query("update djob_jobs set run_at = $1 where id = $2").bind(cursor.run_at).bind(late);
    assert_eq!(behind.execute(&mut other).await.unwrap().rows_affected(), 1);
    assert_eq!(claimed_after(client, cursor).await, 0);
    assert_eq!(claimed_after(client, Cursor { id: Cursor::HEAD.id, ..cursor }).await, 1);
}
