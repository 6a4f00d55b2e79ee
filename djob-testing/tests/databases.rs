//! Databases for tests.

use std::future::IntoFuture as _;
use std::time::Duration;

use djob::storage::{Cursor, LaneAt};
use djob_testing::{TestDatabase, on_every_database};

on_every_database!(a_new_database_is_empty_and_migrated, async |db: TestDatabase| {
    db.client().check_schema().await.unwrap();
    assert_eq!(db.count("select count(*) from djob_jobs").await.unwrap(), 0);
});

#[djob::job]
async fn nothing() {}

on_every_database!(all_clients_of_a_database_see_the_same_jobs, async |db: TestDatabase| {
    let other = db.client_with(djob::Client::builder()).await;
    let job = nothing.perform_later().on(&other).await.unwrap();
    assert!(db.client().find(job.id()).await.unwrap().is_some());
});

on_every_database!(a_callers_transaction_decides_about_the_jobs_in_it, async |db: TestDatabase| {
    let mut tx = db.begin().await.unwrap();
    let lost = nothing.perform_later().on(db.client()).in_tx(&mut tx).await.unwrap();
    tx.rollback().await.unwrap();
    let mut tx = db.begin().await.unwrap();
    let kept = nothing.perform_later().on(db.client()).in_tx(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(lost.status().await.unwrap(), None);
    assert_eq!(kept.status().await.unwrap(), Some(djob::JobState::Ready));
});

#[tokio::test]
async fn a_postgres_database_is_dropped_with_its_test() {
    let db = TestDatabase::postgres().await;
    let name = format!("{db:?}").trim_start_matches("TestDatabase(").trim_end_matches(')').to_owned();
    let other = TestDatabase::postgres().await;
    let count = format!("select count(*) from pg_database where datname = '{name}'");
    assert_eq!(other.count(&count).await.unwrap(), 1);
    drop(db);
    assert_eq!(other.count(&count).await.unwrap(), 0);
}

/// PostgreSQL only: SQLite has no schemas.
#[tokio::test]
async fn tables_in_a_schema_of_their_own_live_beside_the_usual_ones() {
    let db = TestDatabase::postgres().await;
    let client = db.client_with(djob::Client::builder().schema("background").prefix("x_")).await;
    assert!(client.check_schema().await.unwrap_err().is_schema());
    assert_eq!(client.migrate().await.unwrap(), client.migrate().await.unwrap());
    let job = nothing.perform_later().unique("key").on(&client).await.unwrap();
    djob::Worker::new(&client).only([nothing.def()]).work_off().await.unwrap();
    assert_eq!(job.status().await.unwrap(), Some(djob::JobState::Completed));
    client.storage().prune(10).await.unwrap();
    assert!(db.client().counts().await.unwrap().is_empty());
    assert_eq!(db.count("select count(*) from background.x_finished").await.unwrap(), 1);
}

/// SQLite only: a transaction that begins by reading fails at once if somebody else writes by the time that it does.
#[tokio::test]
async fn a_write_waits_for_another_process_that_writes() {
    let db = TestDatabase::sqlite_file().await;
    let mut other = db.begin().await.unwrap();
    other.execute("delete from djob_jobs").await.unwrap();
    let enqueuer = tokio::spawn(nothing.perform_later().on(db.client()).into_future());
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!enqueuer.is_finished());
    other.commit().await.unwrap();
    assert_eq!(enqueuer.await.unwrap().unwrap().status().await.unwrap(), Some(djob::JobState::Ready));
}

/// PostgreSQL only: there a test may put the server's clock forward.
#[tokio::test]
async fn what_time_it_is_is_said_by_the_database_and_not_by_the_host() {
    let db = TestDatabase::postgres().await;
    let name = format!("{db:?}").trim_start_matches("TestDatabase(").trim_end_matches(')').to_owned();
    db.execute(
        "create function statement_timestamp() returns timestamptz stable language sql \
         return pg_catalog.statement_timestamp() + interval '1 hour'",
    )
    .await
    .unwrap();
    db.execute(&format!("alter database {name} set search_path = public, pg_catalog")).await.unwrap();
    let client = db.client_with(djob::Client::builder()).await;
    let host = djob::Timestamp::from(std::time::SystemTime::now());
    let job = nothing.perform_later().on(&client).await.unwrap();
    let later = client.find(job.id()).await.unwrap().unwrap().run_at - host;
    assert!(later > Duration::from_secs(3500), "due {later:?} after the host's own time");
    djob::Worker::new(&client).only([nothing.def()]).work_off().await.unwrap();
    assert_eq!(job.status().await.unwrap(), Some(djob::JobState::Completed), "it is due by the same clock");
}

/// PostgreSQL only: a limit within `in (..)` holds under one plan and not under the other.
#[tokio::test]
async fn the_limit_of_a_claim_holds_however_it_is_planned() {
    let db = TestDatabase::postgres().await;
    let name = format!("{db:?}").trim_start_matches("TestDatabase(").trim_end_matches(')').to_owned();
    for way in ["hashagg", "sort", "material", "memoize", "hashjoin", "mergejoin"] {
        db.execute(&format!("alter database {name} set enable_{way} = off")).await.unwrap();
    }
    let client = db.client_with(djob::Client::builder()).await;
    for _ in 0..50 {
        nothing.perform_later().on(&client).await.unwrap();
    }
    let lane = LaneAt { queue: "default".to_owned(), priority: 0, after: Cursor::HEAD };
    for limit in [1, 7] {
        let claims = client
            .storage()
            .claim(uuid::Uuid::now_v7(), std::slice::from_ref(&lane), limit, None)
            .await
            .unwrap();
        assert_eq!(claims.iter().map(|claim| claim.jobs.len()).sum::<usize>(), limit as usize);
    }
}

/// PostgreSQL only: SQLite watches a file, MariaDB has no such thing.
#[tokio::test]
async fn a_worker_that_cannot_listen_any_more_listens_anew() {
    let db = TestDatabase::postgres().await;
    let (worker, other) = (db.client_with(djob::Client::builder()).await, db.client());
    let listeners = "from pg_stat_activity where datname = current_database() and query ilike 'listen%'";
    let listens = async || {
        while db.count(&format!("select count(*) {listeners}")).await.unwrap() == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let heard = async {
        listens().await;
        db.count(&format!("select count(pg_terminate_backend(pid, 5000)) {listeners}")).await.unwrap();
        listens().await;
        let job = nothing.perform_later().on(other).await.unwrap();
        while job.status().await.unwrap() != Some(djob::JobState::Completed) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let mut in_time = Ok(());
    let until_heard = async { in_time = tokio::time::timeout(Duration::from_secs(20), heard).await };
    let worker = djob::Worker::new(&worker).only([nothing.def()]).poll(Duration::from_secs(3600));
    worker.run_until(until_heard).await.unwrap();
    in_time.expect("it hears no more of what other processes enqueue");
}

#[tokio::test]
async fn programs_that_start_at_once_may_all_create_the_schema() {
    let db = TestDatabase::postgres().await;
    let mut programs = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let client = db.client_with(djob::Client::builder().schema("background")).await;
        programs.spawn(async move { client.migrate().await });
    }
    while let Some(program) = programs.join_next().await {
        program.unwrap().unwrap();
    }
}
