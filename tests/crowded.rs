//! A crowded server: others have all the connections it gives, and djob has lost its own.

use std::time::Duration;

use djob::sqlx::{AssertSqlSafe, Connection as _, Executor as _, MySqlConnection, PgConnection, Row as _};
use djob::{Filter, JobState, Worker};
use djob_servers::{Durability, MariaDb, Postgres};
use tokio::task::JoinSet;

use crate::common::{self, TallyJob, count, eventually, runs};

const JOBS: usize = 10;
/// Long enough for any machine.
const LEASE: Duration = Duration::from_secs(30);

/// How often the server has refused somebody because it was full.
async fn refusals(admin: &mut MySqlConnection) -> u64 {
    let asked = "show global status like 'Connection_errors_max_connections'";
    let row = admin.fetch_one(asked).await.unwrap();
    row.try_get::<String, _>(1).unwrap().parse().unwrap()
}

/// Ends every connection to the database, and takes all that the server gives.
async fn crowd(admin: &mut MySqlConnection, url: &str) -> Vec<MySqlConnection> {
    let ours = "select id from information_schema.processlist where db = 'app'";
    for row in admin.fetch_all(ours).await.unwrap() {
        let id: i64 = row.try_get(0).unwrap();
        // It may have ended by itself.
        let _ = admin.execute(AssertSqlSafe(format!("kill {id}"))).await;
    }
    let mut crowd = vec![];
    while let Ok(one) = MySqlConnection::connect(url).await {
        crowd.push(one);
    }
    crowd
}

/// A failure to connect says nothing about a job: neither that its outcome cannot be stored, nor that its arguments are gone.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_a_free_connection_costs_no_job_its_outcome() {
    let server = MariaDb::start(Durability::Off).unwrap();
    let mut admin = MySqlConnection::connect(&server.url()).await.unwrap();
    admin.execute("create database app").await.unwrap();
    let database = common::migrated(server.url_for("app"), tempfile::tempdir().unwrap()).await;
    let client = &database.client;
    let sleep_ms = 1500;
    client.enqueue_all((0..JOBS as u64).map(|number| TallyJob { number, sleep_ms })).await.unwrap();
    let worker = database.worker(&[]);
    // Each has a claim row of its own by then: what is to be stored next is their outcomes.
    let mut look = MySqlConnection::connect(&server.url_for("app")).await.unwrap();
    let all_run = async || look.fetch_all("select id from djob_claims").await.unwrap().len() == JOBS;
    eventually("all jobs run", Duration::from_secs(20), all_run).await;
    drop(look);

    admin.execute("set global max_connections = 10").await.unwrap();
    let crowd = crowd(&mut admin, &server.url()).await;
    let before = refusals(&mut admin).await;
    // Their outcomes meet closed doors, and not only once.
    eventually("the worker is refused", Duration::from_secs(20), async || {
        refusals(&mut admin).await > before + 12
    })
    .await;
    drop(crowd);

    let completed = async || count(client, JobState::Completed).await == JOBS as i64;
    eventually("all jobs complete", Duration::from_secs(30), completed).await;
    assert_eq!(runs(&database.ledger()).len(), JOBS, "none of them has run in vain");
    for job in client.list(Filter::new()).await.unwrap() {
        assert!(job.result.is_some() && job.error.is_none(), "what it returned was stored: {:?}", job.error);
    }
    worker.signal("TERM");
    worker.accepted();
}

/// Fifty workers that lost their server together come back in their own time, each with the connections that it needs.
#[tokio::test(flavor = "multi_thread")]
async fn fifty_workers_come_back_after_a_restart_without_crowding_the_server() {
    const WORKERS: usize = 50;
    // `DURABLE`, `CLAIMS`, a heartbeat and a listener; each may find the server closed at its first try.
    const CONNECTIONS: usize = 12;
    let mut server = Postgres::start(Durability::On).unwrap();
    let url = server.url();
    let mut admin = PgConnection::connect(&url).await.unwrap();
    admin.execute("alter system set log_connections = on").await.unwrap();
    let client = djob::connect(&url).await.unwrap();
    client.migrate().await.unwrap();
    let (stop, stopped) = tokio::sync::watch::channel(());
    let (mut workers, mut clients) = (JoinSet::new(), vec![]);
    for _ in 0..WORKERS {
        let client = djob::connect(&url).await.unwrap();
        let worker =
            Worker::new(&client).only([common::tally.def()]).lease(Duration::from_millis(300), LEASE);
        let mut stopped = stopped.clone();
        workers.spawn(worker.run_until(async move { drop(stopped.changed().await) }));
        clients.push(client);
    }
    let works = async |jobs: u64, all: i64| {
        client.enqueue_all((0..jobs).map(|number| TallyJob { number, sleep_ms: 5 })).await.unwrap();
        let done = async || count(&client, JobState::Completed).await == all;
        eventually("the jobs are done", Duration::from_secs(60), done).await;
    };
    works(1000, 1000).await;

    server.kill().unwrap();
    for client in clients.iter().chain([&client]) {
        client.counts().await.unwrap_err();
    }
    server.restart().unwrap();
    let mut admin = PgConnection::connect(&url).await.unwrap();
    let living = async || {
        let beaten = "select count(*) from djob_workers where beat_at > pg_postmaster_start_time()";
        admin.fetch_one(beaten).await.unwrap().get::<i64, _>(0) == WORKERS as i64
    };
    eventually("all workers have come back", Duration::from_secs(60), living).await;
    works(1000, 2000).await;
    let log = std::fs::read_to_string(server.folder().join("server.log")).unwrap();
    assert!(!log.contains("too many clients"), "somebody found the server full");
    let connected = log.matches("connection authorized").count();
    assert!(connected > WORKERS, "the log tells of connections");
    assert!(connected < WORKERS * CONNECTIONS, "{connected} connections");
    drop(stop);
    while let Some(ended) = workers.join_next().await {
        ended.unwrap().unwrap();
    }
}
