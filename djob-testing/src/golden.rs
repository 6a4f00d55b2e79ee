//! Golden payloads: arguments as they were once stored, kept in the repository and read for ever after.

use std::path::Path;
use std::{env, fs};

use djob::{Job, JobDef};
use djob_contract::Samples;
use serde_json::Value;

/// How many examples of a version are kept.
const KEPT: usize = 12;

/// Reads everything that a job's versions have ever stored, as kept in `tests/golden`; panics if the code does not read it any
/// more.
///
/// The first run of each version writes examples of what it stores, made from its schema, into
/// `tests/golden/<kind>/v<version>.jsonl`: commit them. From then on they must be readable, also after the job has a newer
/// version: by its upcasters. Lines of your own may be added, one JSON object each; arguments from production that once made
/// trouble are the best. Where the variable `CI` is set nothing is written, and a missing file is a failure.
///
/// ```no_run,standalone_crate
/// #[djob::job]
/// async fn send_welcome(user_id: i64, #[validate(email)] email: &str) {}
///
/// #[test]
/// fn what_was_stored_stays_readable() {
///     djob_testing::golden!(SendWelcomeJob);
/// }
/// ```
#[macro_export]
macro_rules! golden {
    ($($job:ty),+ $(,)?) => {$(
        $crate::__private::golden(
            <$job as ::djob::Job>::DEF,
            ::std::path::Path::new(::core::concat!(::core::env!("CARGO_MANIFEST_DIR"), "/tests/golden")),
        );
    )+};
}

/// What [`golden!`] does, with the folder named.
///
/// # Panics
/// If something that is kept cannot be read, or there is nothing to keep.
#[track_caller]
pub fn check(def: &JobDef, folder: &Path) {
    compare(def, folder, env::var_os("CI").is_none_or(|set| set.is_empty()));
}

#[track_caller]
fn compare(def: &JobDef, folder: &Path, may_write: bool) {
    let folder = folder.join(def.kind.replace(':', "_"));
    let today = folder.join(format!("v{}.jsonl", def.version));
    if !today.exists() {
        if !may_write {
            panic!(
                "{} is missing: run this test once where CI is not set, and commit what it writes",
                today.display()
            );
        }
        write(def, &today);
    }
    for version in 1..=def.version {
        let file = folder.join(format!("v{version}.jsonl"));
        // Versions from before there were golden payloads have none.
        if let Ok(text) = fs::read_to_string(&file) {
            read(def, version, &file, &text);
        }
    }
    let newer = folder.join(format!("v{}.jsonl", def.version + 1));
    assert!(!newer.exists(), "{} is of a newer version than the job \"{}\" has", newer.display(), def.kind);
}

#[track_caller]
fn read(def: &JobDef, version: u16, file: &Path, text: &str) {
    for (number, args) in text.lines().enumerate().filter(|(_, args)| !args.trim().is_empty()) {
        if let Err(error) = def.read(version, args) {
            let file = file.display();
            panic!(
                "{file}:{}: job \"{}\" does not read any more what its version {version} has stored: {error}. Jobs like \
                 it may wait in production: give the job a new version and an upcaster, or a default",
                number + 1,
                def.kind
            );
        }
    }
}

#[track_caller]
fn write(def: &JobDef, file: &Path) {
    let lines: Vec<String> = examples(def, 7).take(KEPT).map(|args| args.to_string() + "\n").collect();
    assert!(
        !lines.is_empty(),
        "no example of what job \"{}\" stores could be made from its schema: write {} yourself, one JSON object on each line",
        def.kind,
        file.display()
    );
    let written =
        file.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(file, lines.concat()));
    written.unwrap_or_else(|error| panic!("{} cannot be written: {error}", file.display()));
}

/// Different arguments that the job takes.
fn examples(def: &JobDef, seed: u64) -> impl Iterator<Item = Value> {
    let schema = (def.schema)().to_value();
    let mut seen = vec![];
    let is_new = move |args: &Value| {
        let new = !seen.contains(args);
        if new {
            seen.push(args.clone());
        }
        new
    };
    let check = def.check;
    Samples::of(&schema, seed).take(1000).filter(move |args| check(&args.to_string()).is_ok()).filter(is_new)
}

/// Stores and reads arguments of a job, as its schema allows them, at random and at the edges; panics if they come back as
/// something else. Returns how many different ones were tried.
///
/// # Panics
/// If arguments do not survive, or none could be made from the schema.
///
/// ```standalone_crate
/// #[djob::job]
/// async fn resize(image: String, #[validate(range(min = 1, max = 4000))] width: u32) {}
///
/// # fn main() {
/// assert!(djob_testing::round_trips::<ResizeJob>(1) > 10);
/// # }
/// ```
#[track_caller]
pub fn round_trips<J: Job>(seed: u64) -> usize {
    let mut tried = 0;
    for args in examples(J::DEF, seed) {
        let stored = again::<J>(&args);
        assert_eq!(
            again::<J>(&stored),
            stored,
            "job \"{}\" (seed {seed}): {args} changes each time it is stored",
            J::DEF.kind
        );
        (J::DEF.check)(&stored.to_string()).unwrap_or_else(|error| {
            panic!(
                "job \"{}\" (seed {seed}) refuses what it has stored itself, {stored}: {error}",
                J::DEF.kind
            )
        });
        tried += 1;
    }
    assert!(tried > 0, "no arguments of job \"{}\" could be made from its schema", J::DEF.kind);
    tried
}

/// The arguments, read and stored.
#[track_caller]
fn again<J: Job>(args: &Value) -> Value {
    let read: J = serde_json::from_value(args.clone())
        .unwrap_or_else(|error| panic!("job \"{}\" does not read {args}: {error}", J::DEF.kind));
    serde_json::to_value(&read)
        .unwrap_or_else(|error| panic!("job \"{}\" cannot be stored: {error}", J::DEF.kind))
}

#[cfg(test)]
mod tests {
    use djob::job;

    use super::*;

    #[job(name = "mail.hello")]
    async fn first(#[validate(email)] _to: String) {}

    fn v1_to_v2(old: FirstJob) -> SecondJob {
        SecondJob { names: vec![old.to] }
    }

    #[job(name = "mail.hello", version = 2, upcast = v1_to_v2)]
    async fn second(_names: Vec<String>) {}

    #[job(name = "mail.hello", version = 2, upcast = _)]
    async fn second_without_a_way(_names: Vec<String>) {}

    fn refusal(def: &JobDef, folder: &Path) -> String {
        let checked = std::panic::catch_unwind(|| compare(def, folder, true));
        checked.err().and_then(|panic| panic.downcast_ref::<String>().cloned()).unwrap_or_default()
    }

    #[test]
    fn what_was_kept_once_is_read_by_every_later_version() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        assert!(
            std::panic::catch_unwind(|| compare(first.def(), folder, false)).is_err(),
            "CI writes nothing"
        );
        compare(first.def(), folder, true);
        let kept = fs::read_to_string(folder.join("mail.hello/v1.jsonl")).unwrap();
        assert!(kept.lines().all(|line| line == r#"{"to":"ada@example.org"}"#), "{kept}");
        compare(second.def(), folder, true);
        assert!(fs::read_to_string(folder.join("mail.hello/v2.jsonl")).unwrap().lines().count() > 5);
        compare(second.def(), folder, false);
        let said = refusal(second_without_a_way.def(), folder);
        assert!(said.contains("mail.hello/v1.jsonl:1: ") && said.contains("no `upcast` leads"), "{said}");
        assert!(refusal(first.def(), folder).contains("is of a newer version than"));
    }

    #[test]
    fn arguments_that_come_back_as_something_else_are_found() {
        #[job]
        async fn doubles(#[serde(serialize_with = "twice")] _n: u32) {}
        fn twice<S: djob::serde::Serializer>(n: &u32, to: S) -> Result<S::Ok, S::Error> {
            to.serialize_u32(n.wrapping_mul(2).wrapping_add(1))
        }
        assert!(round_trips::<SecondJob>(3) > 10);
        assert!(std::panic::catch_unwind(|| round_trips::<DoublesJob>(3)).is_err());
    }
}
