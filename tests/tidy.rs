//! The house stays beautiful: sizes, heads and words are held by a test.

use std::fs;
use std::path::{Path, PathBuf};

/// A file, less its tests.
const FILE_MAX: usize = 400;
const FUNCTION_MAX: usize = 70;
/// What others call what we use.
const NAMES_OF_OTHERS: [&str; 4] = ["tokio_util", "handler_read", "handler_icp", "set_progress_handler"];
/// Words that stand for something else here, or for nothing at all. See the book's page on concepts.
const NOT_OUR_WORDS: [&str; 13] = [
    "payload",
    "dead job",
    "dead letter",
    "discard",
    "producer",
    "handler",
    "util",
    "helper",
    "misc",
    "manager",
    "simply",
    "dequeue",
    "todo",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// Every file below a folder whose name ends like this.
pub fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("target") && !path.ends_with("ui") && !path.is_symlink() {
            found.extend(files(&path, ending));
        } else if path.to_string_lossy().ends_with(ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Whether a file holds a test of this name: as a function, or as one that a macro makes for every database.
pub fn holds_test(file: &Path, test: &str) -> bool {
    let text = fs::read_to_string(file).unwrap();
    text.contains(&format!("fn {test}(")) || text.contains(&format!("!({test},"))
}

/// The source of all crates that are shipped, with each file's path from the root.
fn shipped() -> Vec<(String, String)> {
    let crates = ["djob", "djob-macros", "djob-testing", "djob-cli", "djob-servers", "examples"];
    let sources = crates.iter().flat_map(|name| files(&root().join(name).join("src"), ".rs"));
    let read = |path: PathBuf| {
        let name = path.strip_prefix(root()).unwrap().display().to_string();
        (name, fs::read_to_string(path).unwrap())
    };
    sources.map(read).collect()
}

/// The lines before the tests of a file.
fn without_tests(source: &str) -> impl Iterator<Item = &str> {
    source.lines().take_while(|line| *line != "mod tests {")
}

pub fn complain(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

#[test]
fn no_file_is_longer_than_400_lines() {
    let long = shipped().into_iter().filter_map(|(name, source)| {
        let lines = without_tests(&source).count();
        (lines > FILE_MAX).then(|| format!("{name}: {lines} lines; can a noun move out?"))
    });
    complain(&long.collect::<Vec<_>>());
}

#[test]
fn no_function_is_longer_than_70_lines() {
    let mut long = Vec::new();
    for (name, source) in shipped() {
        let mut start: Option<(usize, usize, &str)> = None;
        for (number, line) in without_tests(&source).enumerate() {
            let indent = line.len() - line.trim_start().len();
            let text = line.trim_start();
            let begins = ["fn ", "pub fn ", "pub(crate) fn ", "pub(super) fn ", "async fn ", "pub async fn "]
                .iter()
                .chain(&["pub(crate) async fn ", "pub(super) async fn ", "const fn ", "pub const fn "])
                .any(|head| text.starts_with(head));
            if begins && line.ends_with('{') {
                start = Some((number, indent, text));
            }
            if let Some((first, at, head)) = start
                && text == "}"
                && indent == at
            {
                if number - first >= FUNCTION_MAX {
                    long.push(format!("{name}:{}: {} lines: {head}", first + 1, number - first + 1));
                }
                start = None;
            }
        }
    }
    complain(&long);
}

#[test]
fn every_file_says_at_its_head_what_it_is() {
    let bare =
        shipped().into_iter().filter(|(_, source)| !source.starts_with("//!") && !source.starts_with("#!["));
    complain(&bare.map(|(name, _)| format!("{name}: no `//!` at its head")).collect::<Vec<_>>());
}

#[test]
fn folders_have_no_mod_rs() {
    let found = shipped().into_iter().filter(|(name, _)| name.ends_with("/mod.rs"));
    complain(&found.map(|(name, _)| format!("{name}: write `name.rs` beside `name/`")).collect::<Vec<_>>());
}

#[test]
fn every_statement_begins_with_what_it_does_and_a_variant_with_why_it_differs() {
    let queries = files(&root().join("djob/src/storage/queries"), ".sql");
    assert!(queries.len() > 40, "{} queries", queries.len());
    let bare = queries.into_iter().filter(|path| !fs::read_to_string(path).unwrap().starts_with("-- "));
    complain(&bare.map(|path| format!("{}: no head", path.display())).collect::<Vec<_>>());
}

#[test]
fn only_our_own_words_are_used() {
    let mut found = Vec::new();
    for (name, source) in shipped().into_iter().filter(|(name, _)| name.starts_with("djob/")) {
        for (number, line) in source.lines().enumerate() {
            let lower = NAMES_OF_OTHERS.iter().fold(line.to_lowercase(), |line, name| line.replace(name, ""));
            for word in NOT_OUR_WORDS.iter().filter(|word| lower.contains(**word)) {
                found.push(format!("{name}:{}: \"{}\" in: {}", number + 1, word.trim(), line.trim()));
            }
        }
    }
    complain(&found);
}

#[test]
fn worker_names_no_database_and_jobs_name_no_runtime() {
    let mut found = Vec::new();
    for (name, source) in shipped() {
        let forbidden: &[&str] = match name.as_str() {
            name if name.starts_with("djob/src/worker") => &["sqlx::"],
            name if name.starts_with("djob/src/job") => {
                &["tokio::", "sqlx::", "SystemTime::now", "Instant::now"]
            }
            name if name.starts_with("djob/src/") && name != "djob/src/clock.rs" => {
                &["SystemTime::now", "Utc::now"]
            }
            _ => &[],
        };
        for (number, line) in
            without_tests(&source).enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"))
        {
            if let Some(word) = forbidden.iter().find(|word| line.contains(**word)) {
                found.push(format!("{name}:{}: {word} has no place in this layer", number + 1));
            }
        }
    }
    complain(&found);
}
