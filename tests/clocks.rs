//! A database server whose clock jumps. Its clock is the only one that counts, so every lease may be over in one moment, or
//! none for long.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use djob::JobState;
use djob_servers::{Durability, Postgres};

use crate::common::{TallyJob, count, eventually, in_a_process_of_its_own, migrated, runs, tally};

const SLOTS: usize = 16;

/// Sets the server's clock to so many seconds from ours.
fn set_clock(file: &Path, seconds: i64) {
    let written = file.with_extension("new");
    fs::write(&written, format!("{seconds:+}")).unwrap();
    fs::rename(written, file).unwrap();
}

#[test]
fn a_servers_clock_may_jump_by_minutes_and_each_outcome_is_accepted_once() {
    let folder = tempfile::tempdir().unwrap();
    let clock = folder.path().join("clock");
    set_clock(&clock, 600);
    // The server runs as another user.
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let settings = [("DJOB_TEST_PG_BIN", believers(folder.path(), &clock)), ("CLOCK", clock.clone())]
        .map(|(name, path)| (name, path.display().to_string()));
    let name = "clocks::a_servers_clock_may_jump_by_minutes_and_each_outcome_is_accepted_once";
    in_a_process_of_its_own(name, &settings, &[], || async {
        jump(&PathBuf::from(std::env::var_os("CLOCK").unwrap())).await;
    });
}

/// A folder of PostgreSQL's programs, of which the server believes in the time that stands in `clock`.
fn believers(folder: &Path, clock: &Path) -> PathBuf {
    let library = djob_servers::faketime().unwrap_or_else(|missing| panic!("{missing}"));
    let binaries = Postgres::find().unwrap_or_else(|missing| panic!("{missing}"));
    let folder = folder.join("bin");
    fs::create_dir(&folder).unwrap();
    let believe = format!(
        "LD_PRELOAD='{}' FAKETIME_TIMESTAMP_FILE='{}' FAKETIME_NO_CACHE=1 FAKETIME_DONT_FAKE_MONOTONIC=1",
        library.display(),
        clock.display()
    );
    for (name, program, settings) in
        [("initdb", binaries.initdb(), ""), ("postgres", binaries.postgres(), believe.as_str())]
    {
        let script = folder.join(name);
        fs::write(&script, format!("#!/bin/sh\nexec env {settings} '{}' \"$@\"\n", program.display()))
            .unwrap();
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    }
    folder
}

async fn jump(clock: &Path) {
    let server = Postgres::start(Durability::Off).unwrap();
    let database = migrated(server.url(), tempfile::tempdir().unwrap()).await;
    let client = &database.client;
    let late = tally.perform_later(0, 0).delay(Duration::from_secs(3600)).on(client).await.unwrap();
    client.enqueue_all((1..=600).map(|number| TallyJob { number, sleep_ms: 100 })).await.unwrap();
    let workers = [(); 2].map(|()| database.worker(&[("LEASE_MS", "6000"), ("RUST_LOG", "error")]));
    let mut jumps = 0;
    for (done, seconds) in [(100, 900), (250, 601), (400, 1200)] {
        let enough = async || count(client, JobState::Completed).await >= done;
        eventually("jobs complete", Duration::from_secs(60), enough).await;
        set_clock(clock, seconds);
        jumps += 1;
    }
    let completed = async |jobs| count(client, JobState::Completed).await == jobs;
    eventually("all jobs complete", Duration::from_secs(60), async || completed(600).await).await;
    assert_eq!(late.status().await.unwrap(), Some(JobState::Scheduled), "its hour is not over");
    // Back beyond the time at which all of this began.
    set_clock(clock, 0);
    client.enqueue_all((601..=700).map(|number| TallyJob { number, sleep_ms: 10 })).await.unwrap();
    eventually("the next jobs complete", Duration::from_secs(60), async || completed(700).await).await;
    let runs = runs(&database.ledger()).len();
    assert!(runs <= 700 + (jumps + 1) * 2 * SLOTS, "{runs} runs: more than what ran at each jump");
    let accepted: u64 = workers
        .map(|worker| {
            worker.signal("TERM");
            worker.accepted()
        })
        .iter()
        .sum();
    assert_eq!(accepted, 700);
}
