//! Checks on facts that no database has to be brought into. Those of one database are tested beside it.

use super::finding::{Finding, Verdict};
use super::*;
use crate::storage::naming::Naming;
use crate::storage::statement::Dialect;
use crate::storage::statement::Statement::*;
use crate::storage::verbs::KNOWN;
use crate::storage::{SchemaVersion, StorageError};

pub(super) const SECOND: i64 = 1_000_000;
pub(super) const MINUTE: i64 = 60 * SECOND;
pub(super) const HOUR: i64 = 60 * MINUTE;

fn checks(dialect: Dialect) -> [&'static [Check]; 4] {
    match dialect {
        #[cfg(feature = "postgres")]
        Dialect::Postgres => postgres::CHECKS,
        #[cfg(feature = "mysql")]
        Dialect::MySql => mysql::CHECKS,
        #[cfg(feature = "sqlite")]
        Dialect::Sqlite => sqlite::CHECKS,
        #[allow(unreachable_patterns)]
        _ => [&[]; 4],
    }
}

/// A database that is built in, where it does not matter which.
pub(super) const ANY: Dialect = if cfg!(feature = "sqlite") {
    Dialect::Sqlite
} else if cfg!(feature = "postgres") {
    Dialect::Postgres
} else {
    Dialect::MySql
};

/// Nothing but the version.
pub(super) fn facts(dialect: Dialect) -> Facts {
    let version = SchemaVersion { found: KNOWN, known: KNOWN, oldest: 1 };
    Facts::new(dialect, &Naming::default(), Ok(version), &[]).unwrap()
}

/// What a check finds when this is told.
#[track_caller]
pub(super) fn finding(dialect: Dialect, check: &str, told: impl IntoIterator<Item = Fact>) -> Finding {
    let mut facts = facts(dialect);
    told.into_iter().for_each(|fact| facts.note(fact));
    let mut found = judge(&checks(dialect), &facts);
    found.retain(|finding| finding.check == check);
    assert_eq!(found.len(), 1, "{check}");
    found.remove(0)
}

#[track_caller]
pub(super) fn settings(dialect: Dialect, check: &str, told: &[(&str, &str)]) -> Finding {
    finding(dialect, check, told.iter().map(|(name, text)| Fact::new(name, *text)))
}

#[test]
fn a_question_that_was_not_answered_is_a_finding_and_asked_only_once() {
    let asked = sources(&checks(ANY));
    assert_eq!(asked.iter().filter(|source| **source == DOCTOR_WORKERS).count(), 1);
    let mut facts = facts(Dialect::Postgres);
    facts.take_in(DOCTOR_WORKERS, Err(StorageError::garbled("x")));
    for finding in judge(&[work::CHECKS], &facts) {
        let unknown = matches!(finding.check, "workers" | "queues" | "kinds");
        assert_eq!(finding.verdict == Verdict::Unknown, unknown, "{finding:?}");
        assert!(finding.fix.is_none(), "{finding:?}");
    }
}

#[test]
fn tables_that_are_missing_are_an_error_and_others_a_finding() {
    let facts = |found, known, oldest| {
        Facts::new(Dialect::Postgres, &Naming::default(), Ok(SchemaVersion { found, known, oldest }), &[])
    };
    assert!(facts(0, 1, 0).unwrap_err().is_schema());
    let verdicts = [(1, 1, 1), (1, 2, 1), (3, 1, 2), (3, 2, 2)].map(|(found, known, oldest)| {
        let found = judge(&[tables::CHECKS], &facts(found, known, oldest).unwrap());
        (found[0].verdict, found[0].fix.clone().unwrap_or_default())
    });
    assert_eq!(verdicts[0].0, Verdict::Ok);
    assert_eq!(verdicts[1], (Verdict::Danger, "djob db migrate".to_owned()));
    assert_eq!(verdicts[2], (Verdict::Danger, "deploy a newer version of this program".to_owned()));
    assert_eq!(verdicts[3].0, Verdict::Ok);
}

#[test]
fn what_the_migrations_made_and_is_gone_is_named_with_its_statement() {
    let migration = "create table djob_jobs (\n    id uuid primary key,\n    queue text not null\n);\n\
                     create index djob_jobs_lane on djob_jobs (queue, id);\ncreate table djob_args (\n    id uuid primary key\n);";
    let naming = Naming::new(Some("jobs"), "djob_").unwrap();
    let version = SchemaVersion { found: 1, known: 1, oldest: 1 };
    let mut facts =
        Facts::new(Dialect::Postgres, &naming, Ok(version), &[(1, "rooms", migration.to_owned())]).unwrap();
    for (name, text) in [("table", "djob_jobs"), ("column", "djob_jobs.id"), ("key of", "djob_jobs")] {
        facts.note(Fact::new(name, text));
    }
    let found = judge(&[tables::CHECKS], &facts);
    assert_eq!(found[1].found, "missing: djob_args, djob_jobs.queue");
    assert!(
        found[1].fix.as_ref().unwrap().ends_with("alter table jobs.djob_jobs add column queue text not null")
    );
    let statement = "create index concurrently djob_jobs_lane on jobs.djob_jobs (queue, id)";
    assert_eq!((found[2].verdict, found[2].fix.as_deref()), (Verdict::Danger, Some(statement)));
    facts.note(Fact::new("invalid index", "djob_jobs_lane"));
    let fix = judge(&[tables::CHECKS], &facts)[2].fix.clone();
    assert_eq!(fix.as_deref(), Some("reindex index concurrently jobs.djob_jobs_lane"));
}
