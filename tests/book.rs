//! The book and the README: every Rust snippet is a documentation test, and every link leads somewhere.

macro_rules! pages {
    ($($name:ident = $file:literal;)*) => {
        $(#[doc = include_str!(concat!("../", $file))] mod $name {})*

        /// Every page, with its text.
        #[cfg(test)]
        const PAGES: &[(&str, &str)] = &[$(($file, include_str!(concat!("../", $file)))),*];
    };
}

pages! {
    readme = "README.md";
    architecture = "ARCHITECTURE.md";
    contributing = "CONTRIBUTING.md";
    changelog = "CHANGELOG.md";
    security = "SECURITY.md";
    introduction = "book/src/introduction.md";
    first_job = "book/src/first-job.md";
    concepts = "book/src/concepts.md";
    enqueueing = "book/src/enqueueing.md";
    arguments = "book/src/arguments.md";
    the_attribute = "book/src/the-attribute.md";
    changing = "book/src/changing-a-job.md";
    without_the_code = "book/src/without-the-code.md";
    workers = "book/src/workers.md";
    errors_and_retries = "book/src/errors-and-retries.md";
    transactions = "book/src/transactions.md";
    testing = "book/src/testing.md";
    hooks_and_events = "book/src/hooks-and-events.md";
    cli = "book/src/cli.md";
    databases = "book/src/databases.md";
    operations = "book/src/operations.md";
    limits = "book/src/limits.md";
    performance = "book/src/performance.md";
    messages = "book/src/messages.md";
    promises = "book/src/promises.md";
    torture = "book/src/torture.md";
    failure_modes = "book/src/failure-modes.md";
    moving = "book/src/moving-from-delayed-job.md";
    rooms = "book/src/design/001-rooms-not-flags.md";
    lanes = "book/src/design/002-lanes-and-cursors.md";
    fence = "book/src/design/003-the-claim-id-is-the-fence.md";
    ids = "book/src/design/004-ids-from-the-client.md";
    clock = "book/src/design/005-the-databases-clock.md";
    statements = "book/src/design/006-one-text-per-statement.md";
    group_commit = "book/src/design/007-group-commit.md";
    batches = "book/src/design/008-batches-are-split.md";
    suspects = "book/src/design/009-suspects-and-the-quarantine.md";
    unit_struct = "book/src/design/010-a-unit-struct.md";
    no_types = "book/src/design/011-no-associated-types.md";
    dependencies = "book/src/design/012-dependencies.md";
    partitions = "book/src/design/013-partitions.md";
    wake_ups = "book/src/design/014-wake-ups-are-hints.md";
    turns = "book/src/design/015-large-claims-take-turns.md";
    mysql = "book/src/design/016-mysql-copies-and-deletes.md";
    model = "book/src/design/017-the-protocol-is-checked.md";
    mutants = "book/src/design/018-the-tests-are-tested.md";
    contract = "book/src/design/019-the-contract.md";
    unread = "book/src/design/020-unread-jobs.md";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::PAGES;

    fn root() -> &'static Path {
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
    }

    /// Targets of `[text](target)` outside of code.
    fn links(text: &str) -> Vec<String> {
        let mut code = false;
        let prose: String = text
            .lines()
            .filter(|line| {
                let fence = line.starts_with("```");
                code ^= fence;
                !code && !fence
            })
            .collect::<Vec<_>>()
            .join("\n");
        prose.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0.to_owned())).collect()
    }

    /// The anchor a heading has in GitHub and in mdBook.
    fn anchor(heading: &str) -> String {
        let lawful = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
        heading.trim().to_lowercase().chars().filter(|c| lawful(*c)).collect::<String>().replace(' ', "-")
    }

    fn has_anchor(text: &str, wanted: &str) -> bool {
        text.lines()
            .filter_map(|line| line.strip_prefix('#'))
            .any(|line| anchor(line.trim_start_matches('#')) == wanted)
    }

    #[test]
    fn every_link_leads_somewhere() {
        let mut broken = vec![];
        let summary = fs::read_to_string(root().join("book/src/SUMMARY.md")).unwrap();
        for (file, text) in PAGES.iter().copied().chain([("book/src/SUMMARY.md", summary.as_str())]) {
            let folder = root().join(file).parent().unwrap().to_owned();
            for link in links(text).into_iter().filter(|link| !link.contains("://")) {
                let (path, wanted) = link.split_once('#').unwrap_or((&link, ""));
                let target = if path.is_empty() { root().join(file) } else { folder.join(path) };
                let found = target.exists()
                    && (wanted.is_empty()
                        || fs::read_to_string(&target).is_ok_and(|text| has_anchor(&text, wanted)));
                if !found {
                    broken.push(format!("{file}: {link}"));
                }
            }
        }
        assert!(broken.is_empty(), "{broken:#?}");
    }

    #[test]
    fn every_chapter_is_in_the_summary_and_in_the_list_above() {
        let mut files = BTreeSet::new();
        for folder in ["book/src", "book/src/design"] {
            for entry in fs::read_dir(root().join(folder)).unwrap() {
                let name = entry.unwrap().file_name().into_string().unwrap();
                if name.ends_with(".md") && name != "SUMMARY.md" {
                    files.insert(format!("{folder}/{name}"));
                }
            }
        }
        let summary = fs::read_to_string(root().join("book/src/SUMMARY.md")).unwrap();
        let in_summary: BTreeSet<String> =
            links(&summary).iter().map(|link| format!("book/src/{link}")).collect();
        let listed =
            PAGES.iter().map(|(file, _)| (*file).to_owned()).filter(|file| file.starts_with("book/"));
        assert_eq!(files, in_summary);
        assert_eq!(files, listed.collect());
    }

    /// A test that is renamed or deleted must not leave its promise behind. It is named after the file it is in, under one
    /// heading; other long names are settings of databases.
    #[test]
    fn every_test_that_a_page_names_exists() {
        let mut missing = vec![];
        let book = PAGES.iter().filter(|(file, _)| file.starts_with("book/"));
        for (file, section) in
            book.flat_map(|(file, text)| text.split("\n## ").map(move |section| (file, section)))
        {
            let mut source = None;
            for word in section.split('`').skip(1).step_by(2) {
                if word.ends_with(".rs")
                    && ["tests/", "djob", "examples/", "torture/"]
                        .iter()
                        .any(|folder| word.starts_with(folder))
                {
                    let read = fs::read_to_string(root().join(word));
                    source = Some(read.unwrap_or_else(|error| panic!("{file}: {word}: {error}")));
                } else if word.matches('_').count() >= 4
                    && !word.contains(['(', '/', ' '])
                    && !word.starts_with("..")
                    && source.as_ref().is_some_and(|source| !source.contains(word))
                {
                    missing.push(format!("{file}: {word}"));
                }
            }
        }
        assert!(missing.is_empty(), "{missing:#?}");
    }
}
