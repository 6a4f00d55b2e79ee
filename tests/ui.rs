//! One file for each mistake a user can make with `#[job]`, and the message it gets.
//!
//! The texts around our own come from the compiler, so they are compared on one version only. After a change:
//! `TRYBUILD=overwrite cargo test -p djob-tests --test main ui`, and read what changed.

use std::process::Command;

const COMPILER: &str = "rustc 1.95.";

#[test]
fn every_mistake_gets_the_message_on_file_and_every_good_program_compiles() {
    let version = Command::new("rustc").arg("--version").output().unwrap();
    let version = String::from_utf8_lossy(&version.stdout).into_owned();
    let programs = trybuild::TestCases::new();
    programs.pass("ui/pass/*.rs");
    if version.starts_with(COMPILER) {
        programs.compile_fail("ui/*.rs");
    } else {
        println!("messages are compared with {COMPILER}x only; this is {version}");
    }
}
