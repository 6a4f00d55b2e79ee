//! Asking SQLite, and the file system beneath it, what the doctor needs to know.

use std::path::Path;

use sqlx::sqlite::Sqlite;
use sqlx::{ConnectOptions as _, Connection as _};

use super::SqliteStorage;
use crate::storage::doctor::{self, Fact, Facts, sqlite::CHECKS, sqlite::INTEGRITY_MAX};
use crate::storage::statement::Dialect;
use crate::storage::statement::Statement::{DOCTOR_INTEGRITY, DOCTOR_SETTINGS};
use crate::storage::verbs::Verbs as _;
use crate::storage::{Finding, Storage as _, StorageError};

pub(super) async fn examine(storage: &SqliteStorage) -> Result<Vec<Finding>, StorageError> {
    let version = storage.schema_version().await;
    let mut facts = Facts::new(Dialect::Sqlite, &storage.naming, version, &storage.migrations())?;
    let file = storage.file.as_ref().map(|(file, _)| file.as_path());
    file.into_iter().flat_map(file_facts).for_each(|fact| facts.note(fact));
    if let Some(level) = synchronous_of_the_pool(storage).await {
        facts.note(Fact::new("synchronous of the pool", level));
    }
    let small = file.is_some_and(|file| size(file) <= INTEGRITY_MAX);
    for source in doctor::sources(&CHECKS).into_iter().filter(|source| *source != DOCTOR_INTEGRITY || small) {
        let now = storage.now();
        let answer =
            storage.read(async |conn, texts| doctor::ask::<Sqlite>(conn, texts, now, source).await).await;
        facts.take_in(
            source,
            match answer {
                // A file may be too broken to be looked through.
                Err(error) if source == DOCTOR_INTEGRITY => {
                    Ok(vec![Fact::new("integrity", error.to_string())])
                }
                answer => answer,
            },
        );
    }
    Ok(doctor::judge(&CHECKS, &facts))
}

/// What `in_tx` commits with: asked of one more connection like the application's, so that its pool is left alone.
async fn synchronous_of_the_pool(storage: &SqliteStorage) -> Option<String> {
    let options = storage.theirs.clone()?.disable_statement_logging();
    let mut conn = options.connect().await.ok()?;
    let facts = Sqlite::facts(&mut conn, &storage.texts, DOCTOR_SETTINGS, None).await.ok()?;
    // What it thinks of the file is of no interest to anybody.
    let _ = conn.close().await;
    facts.into_iter().find(|fact| fact.name == "synchronous").map(|fact| fact.text)
}

fn file_facts(file: &Path) -> Vec<Fact> {
    let log = file.with_file_name(format!("{}-wal", file.file_name().unwrap_or_default().to_string_lossy()));
    let mut facts = vec![
        Fact::new("file", file.display().to_string()).figure(size(file)),
        Fact::new("write-ahead log", "").figure(size(&log)),
    ];
    // Elsewhere than on Linux there is no such list, and nothing is said.
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let real = file.canonicalize().unwrap_or_else(|_| file.to_owned());
    facts.extend(file_system(&mounts, &real).map(|system| Fact::new("file system", system)));
    facts
}

fn size(file: &Path) -> i64 {
    std::fs::metadata(file).map_or(0, |file| i64::try_from(file.len()).unwrap_or(i64::MAX))
}

/// The kind of the file system that a file is on, read off Linux's list of mounts; where two are mounted at one place, the
/// later one counts.
fn file_system(mounts: &str, file: &Path) -> Option<String> {
    let on = mounts.lines().filter_map(|line| {
        let (before, after) = line.split_once(" - ")?;
        let point = before.split(' ').nth(4)?.replace("\\040", " ");
        let depth = Path::new(&point).components().count();
        file.starts_with(&point).then(|| Some((depth, after.split(' ').next()?.to_owned())))?
    });
    on.max_by_key(|(depth, _)| *depth).map(|(_, system)| system)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
40 22 0:40 / /srv/my\\040jobs rw - nfs4 host:/jobs rw,vers=4.2
41 22 0:41 / /srv/over rw - ext4 /dev/sdb1 rw
42 22 0:42 / /srv/over rw shared:9 - fuse.sshfs host: rw
";

    #[test]
    fn the_file_system_is_that_of_the_innermost_mount() {
        let system = |file: &str| file_system(MOUNTS, Path::new(file));
        assert_eq!(system("/var/jobs.db").as_deref(), Some("ext4"));
        assert_eq!(system("/srv/my jobs/jobs.db").as_deref(), Some("nfs4"));
        assert_eq!(system("/srv/my jobs.db").as_deref(), Some("ext4"));
        assert_eq!(system("/srv/over/jobs.db").as_deref(), Some("fuse.sshfs"));
        assert_eq!(file_system("", Path::new("/jobs.db")), None);
    }
}
