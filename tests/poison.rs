//! Jobs that take their worker process down: the culprit fails, and its neighbours complete.

use std::time::Duration;

use djob::JobState;

use crate::common::{Database, TallyJob, count, eventually, mysql, poison, postgres, sqlite};

const INNOCENTS: i64 = 15;

/// A culprit among innocents that take a while. A dead worker is replaced by the next one, as by a supervisor.
async fn the_culprit_fails_and_its_neighbours_complete(database: Database, how: &str) {
    let client = &database.client;
    let innocents = (0..INNOCENTS.unsigned_abs()).map(|number| TallyJob { number, sleep_ms: 400 });
    client.enqueue_all(innocents).await.unwrap();
    let culprit = poison.perform_later(how.into()).priority(-1).on(client).await.unwrap();
    let start = || database.worker(&[("LEASE_MS", "1500"), ("CONCURRENCY", "16")]);
    let (mut worker, mut deaths) = (start(), 0);
    eventually("the culprit fails and all others complete", Duration::from_secs(90), async || {
        if worker.0.try_wait().unwrap().is_some() {
            deaths += 1;
            worker = start();
        }
        let failed = culprit.status().await.unwrap() == Some(JobState::Failed);
        failed && count(client, JobState::Completed).await == INNOCENTS
    })
    .await;
    let row = client.find(culprit.id()).await.unwrap().unwrap();
    assert!(row.error.unwrap().starts_with("crash_loop"));
    assert_eq!(deaths, 3, "workers that the culprit took down");
    assert_eq!(count(client, JobState::Failed).await, 1, "nobody else was condemned");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_aborts_fails_with_the_third_worker_and_its_neighbours_complete_on_sqlite() {
    the_culprit_fails_and_its_neighbours_complete(sqlite().await, "abort").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_aborts_fails_with_the_third_worker_and_its_neighbours_complete_on_postgres() {
    the_culprit_fails_and_its_neighbours_complete(postgres().await, "abort").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_aborts_fails_with_the_third_worker_and_its_neighbours_complete_on_mysql() {
    the_culprit_fails_and_its_neighbours_complete(mysql().await, "abort").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_overflows_the_stack_fails_with_the_third_worker_and_its_neighbours_complete() {
    the_culprit_fails_and_its_neighbours_complete(sqlite().await, "overflow").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_takes_all_memory_fails_with_the_third_worker_and_its_neighbours_complete() {
    the_culprit_fails_and_its_neighbours_complete(sqlite().await, "memory").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_dies_late_fails_with_the_third_worker_and_its_neighbours_complete() {
    the_culprit_fails_and_its_neighbours_complete(sqlite().await, "slowly").await;
}
