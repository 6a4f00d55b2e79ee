//! The book's page of failure modes: each has one row, and what a row names can be looked up.

use std::fs;
use std::ops::RangeInclusive;
use std::path::Path;

use djob_mutants::root;

use crate::tidy::{complain, files, holds_test};

const LAST: u32 = 59;
/// Numbers that were never given.
const UNUSED: [RangeInclusive<u32>; 2] = [27..=29, 47..=49];

/// A row of the page, less what others have seen.
struct Row {
    number: u32,
    answer: String,
    shown: String,
}

fn rows() -> Vec<Row> {
    let page = fs::read_to_string(root().join("book/src/failure-modes.md")).unwrap();
    page.lines().filter_map(|line| line.strip_prefix("| F-")).map(row).collect()
}

fn row(line: &str) -> Row {
    let cells: Vec<&str> = line.trim_end_matches(" |").split(" | ").collect();
    let &[number, _, _, answer, shown] = cells.as_slice() else { panic!("not five cells: | F-{line}") };
    Row { number: number.parse().unwrap(), answer: answer.to_owned(), shown: shown.to_owned() }
}

/// What stands in backticks.
fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// The tests of a row: `lease::a_name`, or `job::backoff::tests::a_name`.
fn tests(row: &Row) -> impl Iterator<Item = &str> {
    quoted(&row.shown).filter(|word| word.contains("::"))
}

#[test]
fn every_failure_mode_has_exactly_one_row() {
    let numbers: Vec<u32> = rows().iter().map(|row| row.number).collect();
    let used = |number: &u32| !UNUSED.iter().any(|unused| unused.contains(number));
    assert_eq!(numbers, (1..=LAST).filter(used).collect::<Vec<_>>());
}

#[test]
fn every_row_names_a_test_or_says_why_there_is_none() {
    let bare = rows().into_iter().filter(|row| {
        let why = row.shown.contains("cannot happen");
        tests(row).next().is_none() && !why
    });
    complain(&bare.map(|row| format!("F-{:02}: {}", row.number, row.shown)).collect::<Vec<_>>());
}

/// A test that is renamed or deleted must not leave its row without one.
#[test]
fn every_test_that_shows_an_answer_exists() {
    let (sources, mut missing) = (files(&root(), ".rs"), vec![]);
    let exists = |test: &str| {
        let (module, name) = test.rsplit_once("::").unwrap();
        let file = format!("{}.rs", module.trim_end_matches("::tests").replace("::", "/"));
        sources.iter().any(|source| source.ends_with(&file) && holds_test(source, name))
    };
    for row in &rows() {
        let gone = tests(row).filter(|test| !exists(test));
        missing.extend(gone.map(|test| format!("F-{:02}: no test {test}", row.number)));
    }
    complain(&missing);
}

#[test]
fn every_file_that_answers_exists() {
    let folder = root().join("djob/src");
    let sources = [files(&folder, ".rs"), files(&folder, ".sql")].concat();
    let is_file = |word: &&str| Path::new(word).extension().is_some_and(|kind| kind == "rs" || kind == "sql");
    let mut missing = vec![];
    for row in &rows() {
        let named = [row.answer.as_str(), row.shown.as_str()].into_iter().flat_map(quoted).filter(is_file);
        let gone = named.filter(|file| !sources.iter().any(|source| source.ends_with(file)));
        missing.extend(gone.map(|file| format!("F-{:02}: no file {file}", row.number)));
    }
    complain(&missing);
}
