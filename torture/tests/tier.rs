//! The first tier of torture, on each database: what every change must survive.

#![allow(clippy::unwrap_used)]

use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

/// One at a time: each has three worker processes and a server that waits for the disk.
static ALONE: Mutex<()> = Mutex::new(());

/// Runs it as a user would; a failing run says its seed, and where its ledger is.
fn survives(database: &str, seed: u64) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let seed = std::env::var("DJOB_TORTURE_SEED").unwrap_or_else(|_| seed.to_string());
    let hard = ["--jobs", "5000", "--kills", "20", "--restarts", "2", "--lease", "5", "--json"];
    let mut torture = Command::new(env!("CARGO_BIN_EXE_torture"));
    torture.args(["--database", database, "--seed", &seed]).args(hard).stderr(Stdio::inherit());
    let ended = torture.output().unwrap();
    let said = String::from_utf8(ended.stdout).unwrap();
    let line = said.lines().last().unwrap_or_default();
    println!("{line}");
    assert!(ended.status.success(), "the promise did not hold: {}", ended.status);
    let report: serde_json::Value = serde_json::from_str(line).unwrap();
    let broken = ["lost", "phantom", "accepted_twice", "duplicates_unexplained", "wrong_end", "out_of_order"];
    for count in broken.iter().chain(&["keys_broken", "slow_recoveries"]) {
        assert_eq!(report[count], 0, "{count}");
    }
    // Most of what was meant to be enqueued was, and the workers were killed in the middle of it.
    assert!(report["enqueued"].as_u64().unwrap() > 3000, "{}", report["enqueued"]);
    assert!(report["recovery_ms"]["count"].as_u64().unwrap() > 10, "{}", report["recovery_ms"]);
}

#[test]
fn nothing_is_lost_while_everything_breaks_on_sqlite() {
    survives("sqlite", 1);
}

#[test]
fn nothing_is_lost_while_everything_breaks_on_postgres() {
    survives("postgres", 2);
}

#[test]
fn nothing_is_lost_while_everything_breaks_on_mariadb() {
    survives("mariadb", 3);
}
