//! A failover: from one moment on the database's name leads to another server. The old one lives on, and takes no writes.

use std::path::PathBuf;
use std::time::Duration;

use djob::sqlx::{self, Connection as _, Executor as _};
use djob::storage::Verdict;
use djob::{BoxError, JobState, Worker};
use djob_servers::{Durability, MariaDb, Postgres, Server};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, UnixStream};
use tokio::sync::watch;

use crate::common::{count, eventually, tally};

/// Long after the test.
const LATER: Duration = Duration::from_secs(3600);

/// The name of a database: a port that leads to one socket or another. Connections stay where they are.
struct Name {
    port: u16,
    socket: watch::Sender<PathBuf>,
}

impl Name {
    async fn of(socket: PathBuf) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (socket, leads_to) = watch::channel(socket);
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let socket = leads_to.borrow().clone();
                tokio::spawn(async move {
                    let mut server = UnixStream::connect(socket).await?;
                    copy_bidirectional(&mut client, &mut server).await
                });
            }
        });
        Name { port, socket }
    }
}

/// A worker, and a client that enqueues, both of which know the database by its name only.
async fn work_goes_on_elsewhere(
    [old, new]: [&Server; 2],
    socket: &str,
    url: impl Fn(u16) -> String,
    end_writes: impl AsyncFnOnce() -> Result<(), sqlx::Error>,
) {
    for server in [old, new] {
        djob::connect(&server.url()).await.unwrap().migrate().await.unwrap();
    }
    let name = Name::of(old.folder().join(socket)).await;
    let client = djob::connect(&url(name.port)).await.unwrap();
    let runs = async |number| -> Result<(), BoxError> {
        let job = tally.perform_later(number, 0).on(&client).await?;
        let completed = async || job.status().await.ok().flatten() == Some(JobState::Completed);
        eventually("the job completes", Duration::from_secs(30), completed).await;
        Ok(())
    };
    let test = async {
        runs(1).await.unwrap();
        end_writes().await.unwrap();
        // What the old server was told takes it a moment to heed.
        let refused = async || tally.perform_later(3, 0).delay(LATER).on(&client).await.is_err();
        eventually("writes are refused", Duration::from_secs(20), refused).await;
        name.socket.send_replace(new.folder().join(socket));
        let goes_on = async || runs(2).await.is_ok();
        eventually("writes go on", Duration::from_secs(20), goes_on).await;
        let elsewhere = djob::connect(&new.url()).await.unwrap();
        assert_eq!(count(&elsewhere, JobState::Completed).await, 1, "the second job");
    };
    Worker::new(&client).only([tally.def()]).run_until(test).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn work_goes_on_elsewhere_after_a_failover_of_postgres() {
    let servers = [Postgres::start(Durability::Off).unwrap(), Postgres::start(Durability::Off).unwrap()];
    let end_writes = async || {
        let mut admin = sqlx::PgConnection::connect(&servers[0].url()).await?;
        admin.execute("alter system set default_transaction_read_only = on").await?;
        admin.execute("select pg_reload_conf()").await.map(drop)
    };
    let url = |port| format!("postgres://postgres@127.0.0.1:{port}/postgres?sslmode=disable");
    work_goes_on_elsewhere(servers.each_ref(), ".s.PGSQL.5432", url, end_writes).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn work_goes_on_elsewhere_after_a_failover_of_mysql() {
    let servers = [MariaDb::start(Durability::Off).unwrap(), MariaDb::start(Durability::Off).unwrap()];
    for server in &servers {
        // An administrator may write to a server that takes no writes.
        let mut admin = sqlx::MySqlConnection::connect(&server.url()).await.unwrap();
        admin.execute("create user app@'%'").await.unwrap();
        admin.execute("create user app@localhost").await.unwrap();
        admin.execute("grant all on mysql.* to app@'%', app@localhost").await.unwrap();
    }
    let end_writes = async || {
        let mut admin = sqlx::MySqlConnection::connect(&servers[0].url()).await?;
        admin.execute("set global read_only = 1").await.map(drop)
    };
    let url = |port| format!("mysql://app@127.0.0.1:{port}/mysql?ssl-mode=disabled");
    work_goes_on_elsewhere(servers.each_ref(), "my.sock", url, end_writes).await;
}

/// A standby has everything that its primary has, and takes no writes: of those who come to it by mistake nobody may think that
/// he has enqueued or run anything.
#[tokio::test(flavor = "multi_thread")]
async fn a_standby_refuses_workers_and_jobs_until_it_is_promoted() {
    let mut primary = Postgres::start(Durability::On).unwrap();
    let before = djob::connect(&primary.url()).await.unwrap();
    before.migrate().await.unwrap();
    let waits = tally.perform_later(1, 0).on(&before).await.unwrap();
    let standby = Postgres::standby_of(&primary).unwrap();
    let client = djob::connect(&standby.url()).await.unwrap();
    assert_eq!(client.find(waits.id()).await.unwrap().map(|job| job.state), Some(JobState::Ready));
    let refused = Worker::new(&client).only([tally.def()]).work_off().await.unwrap_err();
    assert!(refused.to_string().starts_with("the database takes no writes"), "{refused}");
    let refused = tally.perform_later(2, 0).on(&client).await.unwrap_err();
    assert!(refused.to_string().starts_with("the database takes no writes"), "{refused}");
    let findings = client.examine().await.unwrap();
    let found = findings.iter().find(|finding| finding.check == "read_only").unwrap();
    assert_eq!((found.verdict, &*found.found), (Verdict::Danger, "the server is a standby"));

    primary.kill().unwrap();
    let mut admin = sqlx::PgConnection::connect(&standby.url()).await.unwrap();
    admin.execute("select pg_promote()").await.unwrap();
    let takes = async || tally.perform_later(2, 0).on(&client).await.is_ok();
    eventually("the server that was promoted takes jobs", Duration::from_secs(20), takes).await;
    Worker::new(&client).only([tally.def()]).work_off().await.unwrap();
    assert_eq!(count(&client, JobState::Completed).await, 2, "the one of before, and the new one");
}
