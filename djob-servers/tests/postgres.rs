//! Real PostgreSQL servers: what they are, and that they go.

#![allow(clippy::unwrap_used, reason = "what surrounds a test is a test too")]

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use djob_servers::{Durability, Postgres, Server, postgres_url};

/// Runs SQL with the `psql` that lies beside the server; libpq reads the same addresses as sqlx.
fn sql(url: &str, text: &str) -> String {
    let psql = Postgres::find().unwrap().folder().join("psql");
    let output =
        Command::new(psql).args(["-XAtq", "-v", "ON_ERROR_STOP=1", url, "-c", text]).output().unwrap();
    assert!(output.status.success(), "{text}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn setting(server: &Server, name: &str) -> String {
    sql(&server.url(), &format!("show {name}"))
}

#[test]
fn a_server_without_durability_waits_for_no_disk_but_still_vacuums() {
    let server = Postgres::start(Durability::Off).unwrap();
    assert_eq!(setting(&server, "fsync"), "off");
    assert_eq!(setting(&server, "autovacuum"), "on");
    assert_eq!(setting(&server, "max_connections"), "300");
    assert_eq!(setting(&server, "listen_addresses"), "");
}

#[test]
fn a_killed_server_comes_back_at_the_same_address_with_all_that_was_committed() {
    let mut server = Postgres::start(Durability::On).unwrap();
    let url = server.url();
    assert_eq!(setting(&server, "fsync"), "on");
    assert_eq!(setting(&server, "synchronous_commit"), "on");
    sql(&url, "create table kept (n int); insert into kept values (7)");

    server.kill().unwrap();
    assert_eq!(server.pid(), None);
    server.restart().unwrap();
    assert_eq!(sql(&url, "select n from kept"), "7");
    assert!(fs::read_to_string(server.folder().join("server.log")).unwrap().contains("redo done"));

    server.restart().unwrap();
    assert_eq!(sql(&url, "select n from kept"), "7");
}

#[test]
fn a_server_is_private_never_root_and_leaves_nothing() {
    let server = Postgres::start(Durability::Off).unwrap();
    let folder = server.folder().to_owned();
    let metadata = fs::metadata(&folder).unwrap();
    assert_eq!(metadata.mode() & 0o777, 0o700);
    assert_ne!(metadata.uid(), 0);
    assert_eq!(fs::metadata(folder.join("data")).unwrap().uid(), metadata.uid());

    let pid = server.pid().unwrap();
    assert_eq!(
        sql(&server.url(), "select pg_read_file('postmaster.pid')").lines().next(),
        Some(&*pid.to_string())
    );

    drop(server);
    assert!(!folder.exists());
    assert!(!Path::new(&format!("/proc/{pid}")).exists());
}

#[test]
fn a_database_with_a_strange_name_has_an_address() {
    let server = Postgres::start(Durability::Off).unwrap();
    sql(&server.url(), r#"create database "a b?&%+é""#);
    assert_eq!(sql(&server.url_for("a b?&%+é"), "select current_database()"), "a b?&%+é");
    server.stop().unwrap();
}

#[test]
fn the_tests_of_a_process_share_one_server() {
    let begun = Instant::now();
    let url = postgres_url().unwrap();
    println!("first call {:.0?}", begun.elapsed());
    assert_eq!(postgres_url().unwrap(), url);
    assert_eq!(sql(&url, "select 1"), "1");
}
