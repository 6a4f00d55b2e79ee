//! Many worker processes over one PostgreSQL: each outcome is accepted exactly once.

use djob::JobState;
use djob::sqlx::{self, Connection as _, Executor as _, Row as _};

use crate::common::{Database, TallyJob, count, postgres};

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
