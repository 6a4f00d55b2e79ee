//! `cargo test-all` without PostgreSQL: never a silent skip.

#![allow(clippy::unwrap_used, reason = "what surrounds a test is a test too")]

use std::process::{Command, Output};

fn test_all(arguments: &[&str], postgres: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_test-all"));
    command.args(arguments).env("DJOB_TEST_PG_BIN", postgres).env_remove("DJOB_TEST_POSTGRES_URL");
    // In place of cargo, something that shows what it was given.
    command.env("CARGO", "echo").output().unwrap()
}

#[test]
fn a_missing_server_fails_the_run_and_says_what_to_do() {
    let output = test_all(&[], "/nowhere");
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains("looked in /nowhere") && said.contains("apt-get install postgresql"), "{said}");
    assert!(output.stdout.is_empty());
}

#[test]
fn the_manual_needs_no_server() {
    let output = test_all(&["--help"], "/nowhere");
    assert!(output.status.success());
    assert!(String::from_utf8(output.stdout).unwrap().starts_with("cargo test-all"));
}
