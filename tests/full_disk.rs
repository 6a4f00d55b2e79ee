//! A disk that is full: a real one, small, in a mount namespace of the test's own. What was accepted completes as soon as
//! there is room again, and no worker has to be started anew.

use std::fs;
use std::future::Future;
use std::path::Path;
use std::time::Duration;

use djob::JobState;
use djob_servers::{Durability, MariaDb, Postgres, Server};

use crate::common::{Database, TallyJob, count, eventually, in_a_process_of_its_own, migrated, runs};

/// Runs `test` in a process whose temporary files lie on a disk of this size. That takes root.
fn on_a_small_disk<F: Future<Output = ()>>(name: &str, megabytes: u32, test: impl FnOnce() -> F) {
    let (disk, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mount = format!("mount -t tmpfs -o size={megabytes}m,mode=1777 disk \"$TMPDIR\" && exec \"$@\"");
    let settings = [("TMPDIR", disk.path()), ("ELSEWHERE", elsewhere.path())]
        .map(|(name, path)| (name, path.display().to_string()));
    let name = format!("full_disk::{name}");
    in_a_process_of_its_own(&name, &settings, &["unshare", "--mount", "sh", "-c", &mount, "sh"], test);
}

/// Writes until nothing fits on the disk any more.
fn fill(disk: &Path) -> std::path::PathBuf {
    use std::io::Write as _;
    let ballast = disk.join("ballast");
    let mut file = fs::File::create(&ballast).unwrap();
    for piece in [1 << 20, 4096, 1] {
        while file.write_all(&vec![7; piece]).is_ok() {}
    }
    ballast
}

/// Enqueues and works until the disk is full, frees it, and expects all that was accepted to complete.
async fn accepted_jobs_complete(database: Database, mut server: Option<Server>) {
    let client = &database.client;
    let worker = database.worker(&[("RUST_LOG", "error")]);
    let batch = |from: u64| (from..from + 500).map(|number| TallyJob { number, sleep_ms: 0 });
    let (mut accepted, mut refused) = (client.enqueue_all(batch(0)).await.unwrap(), None);
    let works = async || !runs(&database.ledger()).is_empty();
    eventually("the worker works", Duration::from_secs(20), works).await;
    let ballast = fill(&std::env::temp_dir());
    for from in (500..1_000_000).step_by(500) {
        match client.enqueue_all(batch(from)).await {
            Ok(batch) => accepted.extend(batch),
            Err(error) => {
                refused = Some(error);
                break;
            }
        }
    }
    let refused = refused.expect("a full disk refuses jobs at last");
    fs::remove_file(ballast).unwrap();
    if let Some(server) = &mut server {
        // A server that could not write its log has ended itself, and its administrator starts it.
        let there = djob::connect(&database.url).await.is_ok();
        println!("refused: {refused}; the server is there: {there}");
        if !there {
            server.restart().unwrap();
        }
    }
    let finished = async || {
        let unfinished = [JobState::Ready, JobState::Running, JobState::Scheduled, JobState::Parked];
        let mut left = 0;
        for state in unfinished {
            left += count(client, state).await;
        }
        left == 0
    };
    eventually("all jobs finish", Duration::from_secs(60), finished).await;
    for job in &accepted {
        let row = client.find(job.id()).await.unwrap().unwrap();
        assert_eq!(row.state, JobState::Completed, "{row:?}");
    }
    // What was refused may have been written, if the server ended before it could answer.
    let completed = count(client, JobState::Completed).await as usize;
    assert!(completed == accepted.len() || completed == accepted.len() + 500, "{completed} completed");
    worker.signal("TERM");
    worker.accepted();
}

/// What must not lie on the small disk.
fn elsewhere() -> tempfile::TempDir {
    tempfile::tempdir_in(std::env::var_os("ELSEWHERE").unwrap()).unwrap()
}

#[test]
fn what_was_accepted_completes_when_there_is_room_again_on_sqlite() {
    on_a_small_disk("what_was_accepted_completes_when_there_is_room_again_on_sqlite", 16, || async {
        let url = format!("sqlite://{}", std::env::temp_dir().join("jobs.db").display());
        accepted_jobs_complete(migrated(url, elsewhere()).await, None).await;
    });
}

#[test]
fn what_was_accepted_completes_when_there_is_room_again_on_postgres() {
    on_a_small_disk("what_was_accepted_completes_when_there_is_room_again_on_postgres", 160, || async {
        let server = Postgres::start(Durability::On).unwrap();
        let database = migrated(server.url(), elsewhere()).await;
        accepted_jobs_complete(database, Some(server)).await;
    });
}

#[test]
fn what_was_accepted_completes_when_there_is_room_again_on_mariadb() {
    on_a_small_disk("what_was_accepted_completes_when_there_is_room_again_on_mariadb", 320, || async {
        let server = MariaDb::start(Durability::On).unwrap();
        let mut admin =
            <djob::sqlx::MySqlConnection as djob::sqlx::Connection>::connect(&server.url()).await.unwrap();
        djob::sqlx::Executor::execute(&mut admin, "create database full").await.unwrap();
        let database = migrated(server.url_for("full"), elsewhere()).await;
        accepted_jobs_complete(database, Some(server)).await;
    });
}
