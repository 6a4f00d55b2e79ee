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

/// The page of the book that shows every message of our own. After a change of one of them:
/// `BLESS=1 cargo test -p djob-tests --test main ui::the_book`, and read what changed.
#[test]
fn the_book_shows_every_message_as_it_is() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../book/src/messages.md");
    let made = catalogue();
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(page, &made).unwrap();
    }
    let written = std::fs::read_to_string(page).unwrap_or_default();
    assert!(written == made, "the page is not as the files in tests/ui say: BLESS=1 writes it");
}

const INTRODUCTION: &str = "\
# Messages of `#[job]`

What the compiler says about a mistake, and the mistake. A mistaken option leaves the job as it is without that option, and
all mistakes are reported at once. This page is made from the files in `tests/ui`, which are compiled by its test.
";

fn catalogue() -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/ui");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|end| end == "rs"));
    files.sort();
    let mut page = INTRODUCTION.to_owned();
    for file in files {
        let (code, said) = (read(&file), read(&file.with_extension("stderr")));
        let name = file.file_stem().unwrap().to_string_lossy().replace('_', " ");
        let title = name[..1].to_uppercase() + &name[1..];
        page += &format!(
            "\n## {title}\n\n```rust,ignore\n{}\n```\n\n```text\n{}\n```\n",
            mistake(&code),
            messages(&said)
        );
    }
    page
}

fn read(file: &std::path::Path) -> String {
    std::fs::read_to_string(file).unwrap()
}

/// The program, less what every program has.
fn mistake(code: &str) -> String {
    let lines = code.lines().filter(|line| !matches!(*line, "use djob::job;" | "fn main() {}"));
    lines.collect::<Vec<_>>().join("\n").trim().to_owned()
}

/// What is said first about each mistake, and the notes that teach; not the code around it.
fn messages(said: &str) -> String {
    let is_said = |line: &&str| line.starts_with("error") || line.starts_with("  = note: ");
    let mut kept: Vec<&str> = vec![];
    for line in said.lines().filter(is_said) {
        if !kept.contains(&line) {
            kept.push(line);
        }
    }
    kept.join("\n")
}
