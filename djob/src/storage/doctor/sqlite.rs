//! What can be wrong with a SQLite file.

use super::finding::{Judged, danger, ok, unknown, warning};
use super::words::bytes;
use super::{Check, Facts, tables, work};
use crate::storage::statement::Statement::*;

/// Every check, in the order in which they are shown.
pub(crate) const CHECKS: [&[Check]; 4] = [FILE, tables::CHECKS, TABLES, work::CHECKS];

/// A larger file is not read as a whole only to be looked at: this much takes a second or two.
pub(crate) const INTEGRITY_MAX: i64 = 256 << 20;
/// Four times what `journal_size_limit` leaves of it (`sqlite/connect.rs`).
const WAL_MAX: i64 = 256 << 20;
/// File systems that may lead to another machine, as a rule to the host of this one. Those that surely do are refused when the
/// file is opened (`sqlite/place.rs`).
const PERHAPS_SHARED: [&str; 3] = ["9p", "drvfs", "virtiofs"];

const FILE: &[Check] = &[
    Check { name: "sqlite", needs: &[DOCTOR_SETTINGS], judge: version },
    Check { name: "file", needs: &[DOCTOR_SETTINGS], judge: file },
    Check { name: "synchronous", needs: &[DOCTOR_SETTINGS], judge: synchronous },
    Check { name: "journal_mode", needs: &[DOCTOR_SETTINGS], judge: journal_mode },
    Check { name: "wal", needs: &[], judge: wal },
];

const TABLES: &[Check] = &[Check { name: "integrity", needs: &[DOCTOR_INTEGRITY], judge: integrity }];

fn in_memory(facts: &Facts) -> bool {
    facts.one("file").is_none()
}

fn version(facts: &Facts) -> Option<Judged> {
    let version = facts.text("version")?;
    let mut numbers = version.split('.').map(|part| part.parse().unwrap_or(0));
    let mut next = || numbers.next().unwrap_or(0);
    let oldest = crate::storage::sqlite::OLDEST;
    Some(match (next(), next(), next()) >= oldest {
        true => ok(format!("SQLite {version}")),
        false => danger(
            format!("SQLite {version}"),
            "It can corrupt a database in WAL mode when a checkpoint and a write meet.",
            format!(
                "build with SQLite {}.{}.{} or later; the one that is built in will do",
                oldest.0, oldest.1, oldest.2
            ),
        ),
    })
}

fn file(facts: &Facts) -> Option<Judged> {
    let Some(file) = facts.one("file") else {
        return Some(danger(
            "none: the database is in memory",
            "Every job is gone when this process ends.",
            "connect to a file: sqlite://jobs.db",
        ));
    };
    Some(match facts.text("file system") {
        Some(system) if PERHAPS_SHARED.contains(&system) => danger(
            format!("{}, on a file system of another machine ({system})", bytes(file.figure)),
            "If that machine opens the file, too, the two can corrupt it: locks and shared memory do not hold between them.",
            "move the file to a disk of this machine, or use PostgreSQL or MySQL for many machines",
        ),
        Some(system) => ok(format!("{}, on {system}", bytes(file.figure))),
        None => ok(bytes(file.figure)),
    })
}

fn synchronous(facts: &Facts) -> Option<Judged> {
    const WHY: &str = "A job that was acknowledged is lost if the power goes before the next checkpoint.";
    let named = |level: &str| match level {
        "0" => "off",
        "1" => "normal",
        "2" => "full",
        _ => "extra",
    };
    let (own, theirs) = (facts.text("synchronous")?, facts.text("synchronous of the pool"));
    if in_memory(facts) {
        return None;
    }
    Some(match theirs.filter(|level| matches!(*level, "0" | "1")) {
        _ if matches!(own, "0" | "1") => danger(named(own), WHY, "pragma synchronous = full"),
        Some(level) => danger(
            format!(
                "{} on the pool that djob was given, {} on its own connections",
                named(level),
                named(own)
            ),
            "A job that was enqueued within your transaction (`in_tx`) is lost if the power goes before the next checkpoint.",
            "open the pool with SqliteConnectOptions::synchronous(SqliteSynchronous::Full)",
        ),
        None => ok(named(own)),
    })
}

fn journal_mode(facts: &Facts) -> Option<Judged> {
    if in_memory(facts) {
        return None;
    }
    Some(match facts.text("journal_mode")? {
        "wal" => ok("wal"),
        mode @ ("off" | "memory") => {
            danger(mode, "A crash in the middle of a write corrupts the file.", "pragma journal_mode = wal")
        }
        mode => warning(
            mode,
            "Whoever reads keeps others from writing, and whoever writes keeps others from reading.",
            "pragma journal_mode = wal, on a file system and a `vfs` that have shared memory",
        ),
    })
}

fn wal(facts: &Facts) -> Option<Judged> {
    let size = facts.one("write-ahead log")?.figure;
    Some(match size > WAL_MAX {
        false => ok(bytes(size)),
        true => warning(
            bytes(size),
            "Something reads without end, so that the log cannot begin anew: it grows until the disk is full.",
            "end the transaction that reads, in whatever program, then: pragma wal_checkpoint(truncate)",
        ),
    })
}

fn integrity(facts: &Facts) -> Option<Judged> {
    let file = facts.one("file")?;
    let Some(found) = facts.text("integrity") else {
        let path = file.text.replace('\'', "'\\''");
        return Some(unknown(
            format!("not looked at: the file is larger than {}", bytes(INTEGRITY_MAX)),
            Some(format!("sqlite3 '{path}' 'pragma quick_check' at a quiet hour")),
        ));
    };
    Some(match found {
        "ok" => ok("quick_check finds nothing"),
        // The second line is the first fault; the first only names the database.
        damage => danger(
            damage.lines().last().unwrap_or_default(),
            "The file is damaged: jobs may be missing, or found twice.",
            "stop the workers, keep a copy of the file, and restore a backup or: sqlite3 jobs.db .recover",
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::*;
    use super::super::{Fact, Verdict};
    use crate::storage::statement::Dialect::Sqlite;

    fn file() -> Fact {
        Fact::new("file", "/srv/it's.db").figure(4096)
    }

    #[test]
    fn an_old_sqlite_and_a_file_system_of_another_machine_are_dangers() {
        let version = |version| settings(Sqlite, "sqlite", &[("version", version)]).verdict;
        assert_eq!((version("3.51.3"), version("3.51.2")), (Verdict::Ok, Verdict::Danger));
        let on = |system: &str| finding(Sqlite, "file", [file(), Fact::new("file system", system)]).verdict;
        assert_eq!([on("ext4"), on("overlay"), on("fuseblk")], [Verdict::Ok; 3]);
        assert_eq!([on("9p"), on("drvfs")], [Verdict::Danger; 2]);
    }

    #[test]
    fn less_than_full_is_a_danger_on_whichever_connection() {
        let found = |own: &str, theirs: Option<&str>| {
            let theirs = theirs.map(|level| Fact::new("synchronous of the pool", level));
            finding(Sqlite, "synchronous", [file(), Fact::new("synchronous", own)].into_iter().chain(theirs))
        };
        assert_eq!([found("2", None).verdict, found("3", Some("2")).verdict], [Verdict::Ok; 2]);
        assert_eq!(found("1", None).found, "normal");
        assert_eq!(
            found("2", Some("0")).found,
            "off on the pool that djob was given, full on its own connections"
        );
        assert_eq!(found("2", Some("1")).verdict, Verdict::Danger);
    }

    #[test]
    fn a_journal_that_protects_less_or_blocks_more_is_named() {
        let verdict =
            |mode: &str| finding(Sqlite, "journal_mode", [file(), Fact::new("journal_mode", mode)]).verdict;
        assert_eq!(
            [verdict("wal"), verdict("delete"), verdict("off")],
            [Verdict::Ok, Verdict::Warning, Verdict::Danger]
        );
    }

    #[test]
    fn a_log_that_cannot_begin_anew_is_a_warning() {
        let verdict = |size| finding(Sqlite, "wal", [Fact::new("write-ahead log", "").figure(size)]).verdict;
        assert_eq!((verdict(64 << 20), verdict(1 << 30)), (Verdict::Ok, Verdict::Warning));
    }

    #[test]
    fn a_file_that_is_too_large_to_be_looked_through_is_said_to_be() {
        let found = finding(Sqlite, "integrity", [file()]);
        assert_eq!(found.verdict, Verdict::Unknown);
        assert_eq!(
            found.fix.as_deref(),
            Some("sqlite3 '/srv/it'\\''s.db' 'pragma quick_check' at a quiet hour")
        );
        let damage = Fact::new("integrity", "*** in database main ***\nTree 7 page 7: damaged");
        let found = finding(Sqlite, "integrity", [file(), damage]);
        assert_eq!((found.verdict, &*found.found), (Verdict::Danger, "Tree 7 page 7: damaged"));
    }
}
