//! Asking SQLite, and the file system beneath it, what the doctor needs to know.

use std::path::Path;

use sqlx::sqlite::Sqlite;
use sqlx::{ConnectOptions as _, Connection as _};

use super::{SqliteStorage, place};
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
    facts.extend(place::file_system(file).map(|system| Fact::new("file system", system)));
    facts
}

fn size(file: &Path) -> i64 {
    std::fs::metadata(file).map_or(0, |file| i64::try_from(file.len()).unwrap_or(i64::MAX))
}
