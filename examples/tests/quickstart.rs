//! What the quickstart prints is what its page promises, ids and times aside.

#![allow(clippy::unwrap_used, reason = "what surrounds a test is a test too")]

use std::process::Command;

#[test]
fn every_job_meets_its_fate() {
    let ended = Command::new(env!("CARGO_BIN_EXE_quickstart")).output().unwrap();
    let printed = String::from_utf8(ended.stdout).unwrap();
    assert!(ended.status.success(), "{printed}{}", String::from_utf8_lossy(&ended.stderr));

    for line in [
        "refused: job \"send_welcome\" was refused: /email: must be an e-mail address",
        "send_welcome completed 0 of 6 attempts went wrong \"from djob@example.org to ada@example.org, user 7\"",
        "fetch_rate completed 2 of 25 attempts went wrong 1.0",
        "add_up completed 0 of 25 attempts went wrong 42",
        "remind scheduled 0 of 25 attempts went wrong for ",
    ] {
        assert!(lines(&printed).any(|printed| printed.starts_with(line)), "no line {line:?} in\n{printed}");
    }
    let failures = printed.matches("fetch_rate    scheduled after").count();
    assert_eq!(failures, 2, "{printed}");
    assert!(!printed.contains("which is a bug"), "{printed}");
}

/// The lines without what only aligns them.
fn lines(text: &str) -> impl Iterator<Item = String> {
    text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
}
