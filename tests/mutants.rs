//! The mutants stay fit to be run: each applies to the tree, the test that it names exists, and the book shows them all.

use std::fs;
use std::path::Path;

use djob_mutants::{Mutant, all, apply, root, table};

use crate::tidy::{complain, files, holds_test};

fn mutants() -> Vec<Mutant> {
    let mutants = all().unwrap();
    assert!(mutants.len() >= 25, "{} mutants", mutants.len());
    mutants
}

#[test]
fn every_mutant_applies_to_the_tree() {
    let check = |mutant: &Mutant| {
        let why = apply(&mutant.patch, &root(), &["--check"]).err()?;
        Some(format!("{}: {why}", mutant.name))
    };
    complain(&mutants().iter().filter_map(check).collect::<Vec<_>>());
}

/// A test that is renamed or deleted must not leave its mutant without one.
#[test]
fn every_test_that_a_mutant_names_exists() {
    let exists = |folder: &Path, test: &str| files(folder, ".rs").iter().any(|file| holds_test(file, test));
    let missing = mutants().into_iter().filter(|mutant| {
        let package = mutant.package.split(' ').next().unwrap();
        // This package is the only one whose folder has another name.
        let folder = if package == env!("CARGO_PKG_NAME") { "tests" } else { package };
        let test = mutant.test.rsplit("::").next().unwrap();
        !exists(&root().join(folder), test)
    });
    complain(&missing.map(|Mutant { name, test, .. }| format!("{name}: no test {test}")).collect::<Vec<_>>());
}

#[test]
fn the_book_shows_every_mutant() {
    let page = fs::read_to_string(root().join("book/src/design/018-the-tests-are-tested.md")).unwrap();
    let table = table(&mutants());
    assert!(
        page.contains(&table),
        "write into the page what `cargo run --bin mutants -- --table` prints:\n{table}"
    );
}
