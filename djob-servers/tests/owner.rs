//! A server never outlives the process that started it, even if that is ended by SIGKILL.
//!
//! The owner is this test program itself, run once more with `DJOB_SERVERS_OWNER` set.

#![allow(clippy::unwrap_used, reason = "what surrounds a test is a test too")]

use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use djob_servers::{Durability, Postgres, postgres_url};

const WITHIN: Duration = Duration::from_secs(10);

/// Does nothing in an ordinary run. As an owner, starts a server, says where, and waits to be killed or to end.
#[test]
fn owner() {
    match env::var("DJOB_SERVERS_OWNER").as_deref() {
        Ok("is killed") => {
            let server = Postgres::start(Durability::Off).unwrap();
            eprintln!("folder {} pid {}", server.folder().display(), server.pid().unwrap());
            thread::sleep(Duration::from_secs(600));
        }
        Ok("ends") => eprintln!("url {}", postgres_url().unwrap()),
        _ => {}
    }
}

fn owner_that(fate: &str) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "owner", "--nocapture"]).env("DJOB_SERVERS_OWNER", fate);
    command.env_remove("DJOB_TEST_POSTGRES_URL").stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

/// What follows `word` in the first line that the owner says it in.
fn said(owner: &mut Child, word: &str) -> String {
    let lines = BufReader::new(owner.stderr.take().unwrap()).lines();
    let mut said = lines.map(Result::unwrap).filter_map(|line| line.strip_prefix(word).map(str::to_owned));
    said.next().unwrap()
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < WITHIN, "{what}: not so after {WITHIN:?}");
        thread::sleep(Duration::from_millis(20));
    }
    println!("{what} after {:.1?}", begun.elapsed());
}

fn runs(pid: &str) -> bool {
    let script = r#"kill -0 "$0" 2>/dev/null && ! grep -qs '^State:[[:space:]]*Z' "/proc/$0/status""#;
    Command::new("/bin/sh").args(["-c", script, pid]).status().unwrap().success()
}

#[test]
fn a_server_goes_with_an_owner_that_is_killed() {
    let mut owner = owner_that("is killed").spawn().unwrap();
    let said = said(&mut owner, "folder ");
    let (folder, pid) = said.split_once(" pid ").unwrap();
    assert!(Path::new(folder).exists() && runs(pid));

    // Not reaped until the end: to the watchdog, a zombie must not pass for alive.
    owner.kill().unwrap();
    wait_until("folder removed", || !Path::new(folder).exists());
    wait_until("server gone", || !runs(pid));
    owner.wait().unwrap();
}

#[test]
fn the_shared_server_goes_with_its_process() {
    let mut owner = owner_that("ends").spawn().unwrap();
    let url = said(&mut owner, "url ");
    let folder = url.split("host=").nth(1).unwrap().split('&').next().unwrap();
    assert!(owner.wait().unwrap().success());
    wait_until("folder removed", || !Path::new(folder).exists());
}

#[test]
fn an_owner_killed_while_the_data_is_being_made_leaves_nothing_either() {
    let bin = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("slow-postgres");
    let temp = env::temp_dir().join(format!("djob-slow-{}", std::process::id()));
    fs::create_dir_all(&bin).unwrap();
    fs::create_dir_all(&temp).unwrap();
    fs::set_permissions(&temp, fs::Permissions::from_mode(0o755)).unwrap();
    for name in ["initdb", "postgres"] {
        fs::write(bin.join(name), "#!/bin/sh\nsleep 600 &\nwait\n").unwrap();
        fs::set_permissions(bin.join(name), fs::Permissions::from_mode(0o755)).unwrap();
    }

    let mut owner =
        owner_that("is killed").env("DJOB_TEST_PG_BIN", &bin).env("TMPDIR", &temp).spawn().unwrap();
    let mut pid = String::new();
    wait_until("initdb runs", || {
        let record = fs::read_dir(&temp).unwrap().flatten().next().map(|folder| folder.path().join("pid"));
        pid = record.and_then(|record| fs::read_to_string(record).ok()).unwrap_or_default().trim().to_owned();
        !pid.is_empty()
    });

    owner.kill().unwrap();
    wait_until("folder removed", || fs::read_dir(&temp).unwrap().next().is_none());
    assert!(!runs(&pid));
    owner.wait().unwrap();
    fs::remove_dir(&temp).unwrap();
}
