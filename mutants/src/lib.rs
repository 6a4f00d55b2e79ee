//! Mutants: djob with one mistake put in, and the test that must notice it.
//!
//! A mutant is a file of `patches/`: a head that says what it breaks, where that was seen, and which test catches it, and then
//! a diff that `git apply` takes.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The command that runs a named test, up to its package.
const RUN: &str = "cargo test-all -p ";

/// One mistake, and who notices it.
#[derive(Clone, Debug)]
pub struct Mutant {
    /// The name of its file, less the ending.
    pub name: String,
    /// Where its file is.
    pub patch: PathBuf,
    /// What it breaks.
    pub breaks: String,
    /// Where that was seen.
    pub seen: String,
    /// The package of the test that catches it, with what else cargo must know: features, which of its tests to build.
    pub package: String,
    /// What picks that test out of its package.
    pub test: String,
}

/// The folder of the workspace.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// Every mutant, in the order of the names.
///
/// # Errors
/// If a file cannot be read, or its head lacks a line.
pub fn all() -> io::Result<Vec<Mutant>> {
    let files = fs::read_dir(root().join("mutants/patches"))?;
    let mut mutants = files.map(|file| read(&file?.path())).collect::<io::Result<Vec<Mutant>>>()?;
    mutants.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(mutants)
}

fn read(patch: &Path) -> io::Result<Mutant> {
    let (text, name) = (fs::read_to_string(patch)?, patch.file_stem().unwrap_or_default().to_string_lossy());
    let lacks = |what: &str| io::Error::other(format!("{name}: its head has no line `{what}`"));
    let line = |head: &str| {
        let found = text
            .lines()
            .take_while(|line| !line.starts_with("--- "))
            .find_map(|line| line.strip_prefix(head));
        found.map(|rest| rest.trim().to_owned()).ok_or_else(|| lacks(head))
    };
    let run = line("Caught by:")?;
    let test = run.strip_prefix(RUN).and_then(|rest| rest.rsplit_once(' '));
    let (package, test) = test.ok_or_else(|| lacks("Caught by: cargo test-all -p PACKAGE TEST"))?;
    Ok(Mutant {
        patch: patch.to_owned(),
        breaks: line("Breaks:")?,
        seen: line("Seen in:")?,
        package: package.to_owned(),
        test: test.to_owned(),
        name: name.into_owned(),
    })
}

/// Applies a patch to a tree, or looks whether it can be (`--check`).
///
/// # Errors
/// If there is no git, or with what it says about the patch.
pub fn apply(patch: &Path, tree: &Path, options: &[&str]) -> io::Result<()> {
    let mut git = Command::new("git");
    git.arg("apply").arg("-C1").args(options).arg(patch).current_dir(tree);
    // A tree below the workspace's own: its paths are not those of the repository around it.
    git.env("GIT_CEILING_DIRECTORIES", tree.parent().unwrap_or(tree));
    let Output { status, stderr, .. } = git.output()?;
    if status.success() {
        Ok(())
    } else {
        Err(io::Error::other(String::from_utf8_lossy(&stderr).trim().to_owned()))
    }
}

/// The table of the book.
pub fn table(mutants: &[Mutant]) -> String {
    let mut table = "| mutant | what it breaks | seen in | caught by |\n|---|---|---|---|\n".to_owned();
    for Mutant { name, breaks, seen, package, test, .. } in mutants {
        table.push_str(&format!("| `{name}` | {breaks} | {seen} | `-p {package} {test}` |\n"));
    }
    table
}
