//! The suite watches over itself: a promise that is written and not listed would never be checked.

use std::fs;
use std::path::Path;

/// The files of all chapters.
fn chapters() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/conformance");
    let files =
        [root.clone(), root.join("worker")].into_iter().flat_map(|folder| fs::read_dir(folder).unwrap());
    let rust =
        files.map(|file| file.unwrap().path()).filter(|path| path.extension().is_some_and(|ext| ext == "rs"));
    rust.map(|path| {
        let chapter = path.file_stem().unwrap().to_string_lossy().into_owned();
        (chapter, fs::read_to_string(path).unwrap())
    })
    .collect()
}

/// The names of all promises of a chapter.
fn promises(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| line.strip_prefix("pub async fn ")?.split('(').next())
}

#[test]
fn every_promise_is_listed() {
    let chapters = chapters();
    let list = &chapters.iter().find(|(chapter, _)| chapter == "promises").unwrap().1;
    for (chapter, text) in &chapters {
        for promise in promises(text) {
            let listed = list.lines().any(|line| line.trim().trim_start_matches("// ") == promise);
            assert!(listed, "{chapter}::{promise} is not in promises.rs");
        }
    }
}

#[test]
fn every_test_named_for_delayed_jobs_chapter_exists() {
    let chapters = chapters();
    let head = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/conformance.rs")).unwrap();
    let table = head.lines().filter(|line| line.starts_with("//! |"));
    for name in
        table.flat_map(|line| line.split('`')).filter(|part| part.contains("::") && !part.contains("Client"))
    {
        let (chapter, promise) = name.split_once("::").unwrap();
        let there = chapters.iter().any(|(file, text)| {
            file == chapter && (promise == "*" || promises(text).any(|name| name == promise))
        });
        assert!(there, "{name} is named in the head of conformance.rs, and there is no such test");
    }
}
