//! Worker processes that are killed: nothing is lost, and what they had runs again soon.

use std::time::Duration;

use djob::JobState;
use djob::sqlx::sqlite::SqliteConnectOptions;
use djob::sqlx::{self, Connection as _, Executor as _};
use djob::storage::{Cursor, LaneAt};

use crate::common::{
    Database, HogJob, Process, TallyJob, count, eventually, mysql, postgres, runs, sqlite, tally,
};

/// Enqueues jobs, kills the worker in the middle of them, and times a second worker's recovery.
async fn killed_workers_jobs_complete(database: Database) {
    const JOBS: u64 = 200;
    let client = &database.client;
    let jobs = (0..JOBS).map(|number| TallyJob { number, sleep_ms: 50 });
    client.enqueue_all(jobs).await.unwrap();
    let mut first = database.worker(&[]);
    eventually("the first jobs run", Duration::from_secs(20), async || runs(&database.ledger()).len() >= 40)
        .await;
    first.kill();
    let _second = database.worker(&[]);
    let completed = async || count(client, JobState::Completed).await == JOBS.cast_signed();
    let took = eventually("all jobs complete", Duration::from_secs(40), completed).await;
    println!("recovered {took:?} after the kill");
    let mut ran = runs(&database.ledger());
    ran.sort();
    ran.dedup();
    assert_eq!(ran.len() as u64, JOBS, "each job ran");
    assert_eq!(count(client, JobState::Running).await + count(client, JobState::Ready).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_workers_jobs_complete_within_40_s_on_sqlite() {
    killed_workers_jobs_complete(sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_workers_jobs_complete_within_40_s_on_postgres() {
    killed_workers_jobs_complete(postgres().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_workers_jobs_complete_within_40_s_on_mysql() {
    killed_workers_jobs_complete(mysql().await).await;
}

/// A worker that is told to end hands back what it has not begun, at once and without burning an attempt.
async fn a_terminated_worker_leaves_nothing_behind(database: Database) {
    let client = &database.client;
    let jobs = (0..100).map(|number| TallyJob { number, sleep_ms: 300 });
    client.enqueue_all(jobs).await.unwrap();
    let worker = database.worker(&[("CONCURRENCY", "4")]);
    eventually("the first jobs run", Duration::from_secs(20), async || !runs(&database.ledger()).is_empty())
        .await;
    worker.signal("TERM");
    let accepted = worker.accepted();
    let completed = count(client, JobState::Completed).await;
    assert_eq!(completed, accepted.cast_signed());
    assert_eq!(count(client, JobState::Ready).await, 100 - completed, "the rest waits");
    assert_eq!(count(client, JobState::Running).await, 0);
    assert_eq!(runs(&database.ledger()).len() as u64, accepted, "nothing was interrupted");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminated_worker_finishes_what_runs_and_hands_back_the_rest_on_sqlite() {
    a_terminated_worker_leaves_nothing_behind(sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminated_worker_finishes_what_runs_and_hands_back_the_rest_on_postgres() {
    a_terminated_worker_leaves_nothing_behind(postgres().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminated_worker_finishes_what_runs_and_hands_back_the_rest_on_mysql() {
    a_terminated_worker_leaves_nothing_behind(mysql().await).await;
}

/// Makes a worker stand still, but not while it holds SQLite's write lock: nobody could overtake it then.
async fn stop(worker: &Process, database: &Database) {
    let writable = async || {
        if !database.url.starts_with("sqlite:") {
            return true;
        }
        let options: SqliteConnectOptions = database.url.parse().unwrap();
        let options = options.busy_timeout(Duration::from_millis(100));
        let mut other = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
        other.execute("begin immediate; rollback").await.is_ok()
    };
    worker.signal("STOP");
    while !writable().await {
        worker.signal("CONT");
        tokio::time::sleep(Duration::from_millis(20)).await;
        worker.signal("STOP");
    }
}

/// A worker that stood still for longer than its lease has lost its jobs: what it says about them is refused, and it goes on
/// under a new id.
async fn a_worker_that_stood_still_is_overtaken_and_comes_back(database: Database) {
    let client = &database.client;
    let lease = [("LEASE_MS", "2000"), ("CONCURRENCY", "4")];
    client.enqueue_all((0..8).map(|number| TallyJob { number, sleep_ms: 1500 })).await.unwrap();
    let first = database.worker(&lease);
    eventually("four jobs run", Duration::from_secs(20), async || runs(&database.ledger()).len() >= 4).await;
    stop(&first, &database).await;
    let second = database.worker(&lease);
    let completed = async || count(client, JobState::Completed).await == 8;
    eventually("another worker completes them", Duration::from_secs(30), completed).await;
    first.signal("CONT");
    second.signal("TERM");
    let accepted_by_second = second.accepted();
    // The first worker's late outcomes are refused; it works on under a new id.
    client.enqueue_all((8..12).map(|number| TallyJob { number, sleep_ms: 0 })).await.unwrap();
    let completed = async || count(client, JobState::Completed).await == 12;
    eventually("the first worker works again", Duration::from_secs(30), completed).await;
    first.signal("TERM");
    assert_eq!(first.accepted() + accepted_by_second, 12, "each outcome was accepted once");
    assert!(runs(&database.ledger()).len() > 12, "some jobs ran twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_stood_still_is_overtaken_and_comes_back_on_sqlite() {
    a_worker_that_stood_still_is_overtaken_and_comes_back(sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_stood_still_is_overtaken_and_comes_back_on_postgres() {
    a_worker_that_stood_still_is_overtaken_and_comes_back(postgres().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_stood_still_is_overtaken_and_comes_back_on_mysql() {
    a_worker_that_stood_still_is_overtaken_and_comes_back(mysql().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_crashes_and_restarts_loses_nothing_and_stops_no_worker() {
    let mut server = djob_servers::Postgres::start(djob_servers::Durability::On).unwrap();
    let database = crate::common::migrated(server.url(), tempfile::tempdir().unwrap()).await;
    let client = &database.client;
    client.enqueue_all((0..2000).map(|number| TallyJob { number, sleep_ms: 5 })).await.unwrap();
    let worker = database.worker(&[("CONCURRENCY", "4")]);
    for crash in 1..=3 {
        eventually("jobs run", Duration::from_secs(30), async || {
            runs(&database.ledger()).len() >= crash * 200
        })
        .await;
        server.kill().unwrap();
        server.restart().unwrap();
    }
    let completed = async || match client.counts().await {
        Ok(counts) => counts.iter().any(|count| count.state == JobState::Completed && count.jobs == 2000),
        Err(error) => panic!("{error}"),
    };
    eventually("all jobs complete", Duration::from_secs(60), completed).await;
    worker.signal("TERM");
    assert!(worker.accepted() <= 2000);
    let mut ran = runs(&database.ledger());
    ran.sort();
    ran.dedup();
    assert_eq!(ran.len(), 2000);
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_that_block_every_thread_do_not_make_their_worker_look_dead() {
    let database = sqlite().await;
    let client = &database.client;
    client.enqueue_all((0..4).map(|_| HogJob { busy_ms: 4000 })).await.unwrap();
    let log = database.folder.path().join("log");
    let lease = [("LEASE_MS", "1500"), ("RUST_LOG", "warn"), ("CONCURRENCY", "4")];
    let worker = database.worker_logging_to(&lease, std::fs::File::create(&log).unwrap());
    eventually("the jobs run", Duration::from_secs(20), async || !runs(&database.ledger()).is_empty()).await;
    let second = database.worker(&lease);
    let completed = async || count(client, JobState::Completed).await == 4;
    eventually("all complete", Duration::from_secs(60), completed).await;
    assert_eq!(runs(&database.ledger()).len(), 4, "none was taken for lost and run again");
    [worker, second].iter().for_each(|worker| worker.signal("TERM"));
    let log = std::fs::read_to_string(log).unwrap();
    assert!(log.contains("a job blocks the runtime") && log.contains("hog"), "{log}");
}

/// A claim is stored, and the answer is lost on the way: the worker lives, so nobody else may take the jobs.
async fn a_claim_whose_answer_was_lost_is_handed_back(database: Database) {
    let client = &database.client;
    // In a queue that the worker does not serve, so that it cannot be the first.
    let forgotten = tally.perform_later(7, 0).queue("elsewhere").on(client).await.unwrap();
    let mut events = client.events();
    let worker = djob::Worker::new(client)
        .only([tally.def()])
        .queues(["default"])
        .lease(Duration::from_millis(200), Duration::from_secs(2));
    let handed_back = async {
        let started = |event: &djob::Event| match event {
            djob::Event::WorkerStarted { worker } => Some(*worker),
            _ => None,
        };
        let id = events.until(started).await.unwrap();
        let lane = LaneAt { queue: "elsewhere".into(), priority: 0, after: Cursor::HEAD };
        let claims = client.storage().claim(id, &[lane], 10, None).await.unwrap();
        assert_eq!(claims.len(), 1, "claimed in the worker's name, behind its back");
        let waits = async || forgotten.status().await.unwrap() == Some(JobState::Ready);
        eventually("handed back", Duration::from_secs(20), waits).await;
    };
    worker.run_until(handed_back).await.unwrap();
    assert_eq!(client.find(forgotten.id()).await.unwrap().unwrap().meta.crashes, 0, "nobody crashed");
    djob::Worker::new(client).only([tally.def()]).work_off().await.unwrap();
    assert_eq!(forgotten.wait().await.unwrap(), 7);
}

#[tokio::test]
async fn a_claim_whose_answer_was_lost_is_handed_back_on_sqlite() {
    a_claim_whose_answer_was_lost_is_handed_back(sqlite().await).await;
}

#[tokio::test]
async fn a_claim_whose_answer_was_lost_is_handed_back_on_postgres() {
    a_claim_whose_answer_was_lost_is_handed_back(postgres().await).await;
}

#[tokio::test]
async fn a_claim_whose_answer_was_lost_is_handed_back_on_mysql() {
    a_claim_whose_answer_was_lost_is_handed_back(mysql().await).await;
}
