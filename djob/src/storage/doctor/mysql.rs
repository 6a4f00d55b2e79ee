//! What can be wrong with a MySQL or MariaDB server.

use super::finding::{Judged, danger, ok, warning};
use super::words::{grouped, listed, span};
use super::{Check, Facts, tables, work};
use crate::storage::statement::Statement::*;

/// Every check, in the order in which they are shown.
pub(crate) const CHECKS: [&[Check]; 4] = [SERVER, tables::CHECKS, TABLES, work::CHECKS];

/// A transaction that is open for longer (in microseconds) keeps purge from much; none of djob's own lives a minute.
const LONG_TRANSACTION: i64 = 5 * 60 * 1_000_000;
/// What a worker process opens at most: `MOST` of `mysql/connect.rs`, and a heartbeat.
const CONNECTIONS: i64 = 11;

const SERVER: &[Check] = &[
    Check { name: "server", needs: &[DOCTOR_SETTINGS], judge: server },
    Check { name: "innodb_flush_log_at_trx_commit", needs: &[DOCTOR_SETTINGS], judge: flush_log },
    Check { name: "innodb_doublewrite", needs: &[DOCTOR_SETTINGS], judge: doublewrite },
    Check { name: "sync_binlog", needs: &[DOCTOR_SETTINGS], judge: sync_binlog },
    Check { name: "read_only", needs: &[DOCTOR_SETTINGS], judge: read_only },
    Check { name: "connections", needs: &[DOCTOR_SETTINGS, DOCTOR_STATUS], judge: connections },
    Check { name: "tls", needs: &[DOCTOR_STATUS], judge: tls },
    Check { name: "clock", needs: &[CLOCK], judge: work::clock },
    Check { name: "transactions", needs: &[DOCTOR_SESSIONS], judge: transactions },
    Check { name: "prepared_transactions", needs: &[DOCTOR_SESSIONS], judge: prepared },
];

const TABLES: &[Check] = &[Check { name: "engine", needs: &[DOCTOR_TABLES], judge: engine }];

fn server(facts: &Facts) -> Option<Judged> {
    let version = facts.text("version")?;
    let number = version.split('-').next().unwrap_or_default();
    let name = if version.contains("MariaDB") { "MariaDB" } else { "MySQL" };
    Some(ok(format!("{name} {number}")))
}

/// How to set what can be set while the server runs. Only MySQL can write it down by itself.
fn set_right(setting: &str) -> String {
    format!("set global {setting}; and `{setting}` under [mysqld] in my.cnf, for the next start")
}

fn flush_log(facts: &Facts) -> Option<Judged> {
    Some(match facts.text("innodb_flush_log_at_trx_commit")? {
        "1" => ok("1"),
        other => danger(
            other,
            "A job that was acknowledged is lost if the power goes, or with 0 the server, within the next second.",
            set_right("innodb_flush_log_at_trx_commit = 1"),
        ),
    })
}

fn doublewrite(facts: &Facts) -> Option<Judged> {
    Some(match facts.text("innodb_doublewrite")? {
        "1" | "ON" | "DETECT_AND_RECOVER" => ok("on"),
        other => danger(
            if other == "0" { "off" } else { other },
            "A page that a power cut left half written cannot be repaired, and its jobs are lost.",
            "write `innodb_doublewrite = ON` under [mysqld] in my.cnf, and restart the server",
        ),
    })
}

fn sync_binlog(facts: &Facts) -> Option<Judged> {
    Some(match (facts.text("log_bin")?, facts.text("sync_binlog")?) {
        ("0" | "OFF", _) => ok("not needed: there is no binary log"),
        (_, "1") => ok("1"),
        (_, other) => danger(
            other,
            "After a power cut the server undoes commits that its binary log lacks, and with them acknowledged jobs.",
            set_right("sync_binlog = 1"),
        ),
    })
}

fn read_only(facts: &Facts) -> Option<Judged> {
    let on = |name| !matches!(facts.text(name), None | Some("0" | "OFF"));
    Some(match ["read_only", "innodb_read_only"].into_iter().find(|name| on(name)) {
        None => ok("no: it takes writes"),
        Some(name) => danger(
            format!("{name} is on"),
            "Nothing can be enqueued, claimed or settled here.",
            "connect to the primary; if this is it: set global read_only = 0",
        ),
    })
}

fn connections(facts: &Facts) -> Option<Judged> {
    let (most, used) = (facts.number("max_connections")?, facts.number("Threads_connected")?);
    Some(work::connections(used, most, CONNECTIONS, |most| set_right(&format!("max_connections = {most}"))))
}

fn tls(facts: &Facts) -> Option<Judged> {
    let on = facts.text("Ssl_cipher").is_some_and(|cipher| !cipher.is_empty());
    Some(work::tls(facts, on, "ssl-mode=VERIFY_IDENTITY"))
}

fn transactions(facts: &Facts) -> Option<Judged> {
    Some(match facts.one("transaction") {
        None => ok("none is open"),
        Some(longest) if longest.age < LONG_TRANSACTION => {
            ok(format!("the longest has been open for {}", span(longest.age)))
        }
        Some(long) => warning(
            format!("one has been open for {}: {}", span(long.age), long.text),
            "While it is open no purge removes what has gone since: every read gets slower, and what it locked waits.",
            format!("end it where it was begun, or: kill {}", long.figure),
        ),
    })
}

fn prepared(facts: &Facts) -> Option<Judged> {
    let prepared = facts.one("prepared")?;
    let found = format!("{}, the oldest for {}", grouped(prepared.figure), span(prepared.age));
    Some(match prepared.figure {
        0 => ok("none"),
        // The connection that prepared it is gone: nobody but an administrator will end it.
        _ => warning(
            found,
            "One that nobody ends holds its locks and holds back purge for ever, restarts included.",
            "find its id by `xa recover`; if its coordinator has forgotten it: xa rollback '..'",
        ),
    })
}

fn engine(facts: &Facts) -> Option<Judged> {
    let others: Vec<(&str, &str)> =
        facts.all("other engine").filter_map(|fact| fact.text.split_once(' ')).collect();
    Some(match others.as_slice() {
        [] => ok("InnoDB"),
        tables => {
            let found: Vec<String> =
                tables.iter().map(|(table, engine)| format!("{table} is {engine}")).collect();
            let fixes = tables.iter().map(|(table, _)| format!("alter table {table} engine = InnoDB"));
            danger(
                listed(&found),
                "There are no transactions: a job that is on its way between two tables is lost or doubled by a crash.",
                fixes.collect::<Vec<_>>().join("; "),
            )
        }
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::*;
    use super::super::{Fact, Verdict};
    use crate::storage::statement::Dialect::MySql;

    #[test]
    fn settings_that_lose_jobs_are_dangers_in_the_words_of_both_servers() {
        for (check, value, verdict) in [
            ("innodb_flush_log_at_trx_commit", "1", Verdict::Ok),
            ("innodb_flush_log_at_trx_commit", "2", Verdict::Danger),
            ("innodb_flush_log_at_trx_commit", "0", Verdict::Danger),
            ("innodb_doublewrite", "1", Verdict::Ok),
            ("innodb_doublewrite", "ON", Verdict::Ok),
            ("innodb_doublewrite", "0", Verdict::Danger),
            ("innodb_doublewrite", "DETECT_ONLY", Verdict::Danger),
            ("read_only", "OFF", Verdict::Ok),
            ("read_only", "1", Verdict::Danger),
        ] {
            assert_eq!(settings(MySql, check, &[(check, value)]).verdict, verdict, "{check} {value}");
        }
    }

    #[test]
    fn the_binary_log_counts_only_where_there_is_one() {
        let verdict =
            |log, sync| settings(MySql, "sync_binlog", &[("log_bin", log), ("sync_binlog", sync)]).verdict;
        assert_eq!([verdict("0", "0"), verdict("1", "1")], [Verdict::Ok; 2]);
        assert_eq!(verdict("ON", "0"), Verdict::Danger);
    }

    #[test]
    fn a_table_of_another_engine_is_a_danger() {
        let found = finding(MySql, "engine", [Fact::new("other engine", "djob_jobs MyISAM")]);
        assert_eq!((found.verdict, &*found.found), (Verdict::Danger, "djob_jobs is MyISAM"));
        assert_eq!(found.fix.as_deref(), Some("alter table djob_jobs engine = InnoDB"));
    }

    #[test]
    fn an_old_transaction_is_named_with_the_statement_that_ends_it() {
        let told = [Fact::new("transaction", "connection 9").figure(9).age(HOUR)];
        let found = finding(MySql, "transactions", told);
        assert_eq!(found.verdict, Verdict::Warning);
        assert!(found.fix.unwrap().ends_with("kill 9"));
    }
}
