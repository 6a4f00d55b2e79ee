//! What can be wrong with a PostgreSQL server.

use super::finding::{Judged, danger, ok, unknown, warning};
use super::tables::within;
use super::words::{bytes, grouped, listed, many, span};
use super::{Check, Facts, tables, work};
use crate::storage::statement::Statement::*;

/// Every check, in the order in which they are shown.
pub(crate) const CHECKS: [&[Check]; 4] = [SERVER, tables::CHECKS, TABLES, work::CHECKS];

/// A transaction that is open for longer (in microseconds) keeps vacuum from much; none of djob's own lives a minute.
const LONG_TRANSACTION: i64 = 5 * 60 * 1_000_000;
/// More dead rows than this, and than living ones, are more than a vacuum a minute leaves behind at thousands of jobs a
/// second.
const DEAD_ROWS: i64 = 500_000;
/// A smaller index is nobody's trouble.
const INDEX_SIZE: i64 = 256 << 20;
/// More than this for each row, and most of an index is empty: an entry takes about 100 bytes.
const INDEX_BYTES_A_ROW: i64 = 1024;
/// How many transaction ids there are.
const IDS: i64 = 1 << 31;
/// Of these; vacuum hurries from 0.2 billion on, and drops all else at 1.6 billion.
const IDS_WARN: i64 = 1_000_000_000;
/// Here the server is about to take no writes at all.
const IDS_DANGER: i64 = 1_800_000_000;
/// A call of djob's may take 30 s; what the server cuts off before that is never done.
const STATEMENT_MS: i64 = 30_000;
/// What a worker process opens at most: `DURABLE` and `CLAIMS` of `postgres/connect.rs`, a heartbeat and a listener.
const CONNECTIONS: i64 = 12;

const SERVER: &[Check] = &[
    Check { name: "server", needs: &[DOCTOR_SETTINGS], judge: server },
    Check { name: "fsync", needs: &[DOCTOR_SETTINGS], judge: fsync },
    Check { name: "full_page_writes", needs: &[DOCTOR_SETTINGS], judge: full_page_writes },
    Check { name: "synchronous_commit", needs: &[DOCTOR_SETTINGS], judge: synchronous_commit },
    Check { name: "read_only", needs: &[DOCTOR_SETTINGS], judge: read_only },
    Check { name: "statement_timeout", needs: &[DOCTOR_SETTINGS], judge: statement_timeout },
    Check { name: "connections", needs: &[DOCTOR_SETTINGS], judge: connections },
    Check { name: "tls", needs: &[DOCTOR_SETTINGS], judge: tls },
    Check { name: "role", needs: &[DOCTOR_SETTINGS], judge: role },
    Check { name: "clock", needs: &[CLOCK], judge: work::clock },
    Check { name: "autovacuum", needs: &[DOCTOR_SETTINGS, DOCTOR_TABLES], judge: autovacuum },
    Check { name: "transactions", needs: &[DOCTOR_SESSIONS], judge: transactions },
    Check { name: "prepared_transactions", needs: &[DOCTOR_PREPARED], judge: prepared },
    Check { name: "replication_slots", needs: &[DOCTOR_SLOTS], judge: slots },
    Check { name: "transaction_ids", needs: &[DOCTOR_IDS], judge: ids },
];

const TABLES: &[Check] = &[
    Check { name: "logged", needs: &[DOCTOR_TABLES], judge: logged },
    Check { name: "dead_rows", needs: &[DOCTOR_ROWS], judge: dead_rows },
    Check { name: "index_size", needs: &[DOCTOR_ROWS], judge: index_size },
];

fn server(facts: &Facts) -> Option<Judged> {
    let version = facts.text("server_version")?.split(' ').next().unwrap_or_default();
    Some(ok(format!("PostgreSQL {version}")))
}

/// The statement that sets a setting right, in the place where it was set wrong.
fn set_right(facts: &Facts, name: &str, right: &str) -> String {
    let database = facts.text("database").unwrap_or("..");
    match facts.text(&format!("source of {name}")).unwrap_or_default() {
        "database" => format!("alter database {database} reset {name}"),
        "user" => format!("alter role {} reset {name}", facts.role()),
        "database user" => format!("alter role {} in database {database} reset {name}", facts.role()),
        "client" => format!("take {name} out of the `options` of the database's URL"),
        "command line" => format!("start the server without `-c {name}=..`"),
        _ => format!("alter system set {name} = {right}; select pg_reload_conf()"),
    }
}

fn fsync(facts: &Facts) -> Option<Judged> {
    Some(match facts.text("fsync")? {
        "on" => ok("on"),
        off => danger(
            off,
            "After a power cut the whole database may be beyond repair, and all jobs with it.",
            set_right(facts, "fsync", "on"),
        ),
    })
}

fn full_page_writes(facts: &Facts) -> Option<Judged> {
    Some(match facts.text("full_page_writes")? {
        "on" => ok("on"),
        off => danger(
            off,
            "A page that a power cut left half written cannot be repaired, and its jobs are lost.",
            set_right(facts, "full_page_writes", "on"),
        ),
    })
}

fn synchronous_commit(facts: &Facts) -> Option<Judged> {
    Some(match facts.text("synchronous_commit")? {
        "off" => danger(
            "off",
            "A job that was acknowledged is lost if the server crashes within the next second.",
            set_right(facts, "synchronous_commit", "on"),
        ),
        on => ok(on),
    })
}

fn read_only(facts: &Facts) -> Option<Judged> {
    const WHY: &str = "Nothing can be enqueued, claimed or settled here.";
    Some(if facts.is("standby", "true") {
        danger(
            "the server is a standby",
            WHY,
            "connect to the primary, or promote this one: select pg_promote()",
        )
    } else if facts.is("default_transaction_read_only", "on") {
        let fix = set_right(facts, "default_transaction_read_only", "off");
        danger("default_transaction_read_only is on", WHY, fix)
    } else {
        ok("no: it is a primary, and takes writes")
    })
}

fn statement_timeout(facts: &Facts) -> Option<Judged> {
    Some(match facts.number("statement_timeout")? {
        0 => ok("none"),
        limit if limit >= STATEMENT_MS => ok(span(limit * 1000)),
        limit => warning(
            span(limit * 1000),
            "Pruning, rescuing and looking at large tables may take longer, and are cut off each time anew.",
            format!("alter role {} set statement_timeout = '{}s'", facts.role(), STATEMENT_MS / 1000),
        ),
    })
}

fn connections(facts: &Facts) -> Option<Judged> {
    let most = facts.number("max_connections")? - facts.number("reserved connections").unwrap_or(0);
    let used = facts.number("connections").unwrap_or(0);
    Some(work::connections(used, most, CONNECTIONS, |most| {
        format!(
            "alter system set max_connections = {most} (and restart), stop what needs none, or put a pooler between and `pgbouncer=true` into the URL"
        )
    }))
}

fn tls(facts: &Facts) -> Option<Judged> {
    Some(work::tls(facts, facts.is("tls", "true"), "sslmode=verify-full"))
}

fn role(facts: &Facts) -> Option<Judged> {
    let role = facts.role();
    Some(match facts.is("superuser", "true") {
        false => ok(role),
        true => warning(
            format!("{role} is a superuser"),
            "A mistake in a job, or a stolen URL, reaches every database of the server and its files.",
            "create role app login; grant create on schema public to app; then migrate and connect as app",
        ),
    })
}

fn autovacuum(facts: &Facts) -> Option<Judged> {
    const WHY: &str =
        "Rows that are gone are never cleared away: claims get slower and the tables grow without end.";
    let without: Vec<&str> = facts.all("not vacuumed").map(|fact| fact.text.as_str()).collect();
    Some(match (facts.text("autovacuum")?, without.as_slice()) {
        ("on", []) => ok("on"),
        ("on", tables) => {
            let fixes = tables
                .iter()
                .map(|table| format!("alter table {} reset (autovacuum_enabled)", within(facts, table)));
            warning(format!("off for {}", listed(tables)), WHY, fixes.collect::<Vec<_>>().join("; "))
        }
        (off, _) => warning(off, WHY, set_right(facts, "autovacuum", "on")),
    })
}

fn transactions(facts: &Facts) -> Option<Judged> {
    let hidden = facts.one("hidden sessions").map_or(0, |fact| fact.figure);
    let longest = facts.one("transaction");
    if let Some(long) = longest.filter(|longest| longest.age >= LONG_TRANSACTION) {
        return Some(warning(
            format!("one has been open for {}: {}", span(long.age), long.text),
            "While it is open no vacuum removes what has gone since: tables and indexes grow, and sweeps get slower.",
            format!(
                "end it where it was begun, or: select pg_terminate_backend({}); to forbid such: \
                 alter system set idle_in_transaction_session_timeout = '5min'; select pg_reload_conf()",
                long.figure
            ),
        ));
    }
    if hidden > 0 {
        let fix = format!("grant pg_read_all_stats to {}", facts.role());
        return Some(unknown(
            format!("could not be looked at: {} of other roles", many(hidden, "session")),
            Some(fix),
        ));
    }
    Some(ok(longest.map_or("none is open".to_owned(), |longest| {
        format!("the longest has been open for {}", span(longest.age))
    })))
}

fn prepared(facts: &Facts) -> Option<Judged> {
    let Some(oldest) = facts.one("prepared") else { return Some(ok("none")) };
    let found = format!("{}, the oldest for {}", grouped(oldest.figure), span(oldest.age));
    // Between its two phases a commit takes a moment, not minutes.
    if oldest.age < LONG_TRANSACTION {
        return Some(ok(found));
    }
    Some(warning(
        found,
        "One that nobody ends holds its locks and holds back vacuum for ever, restarts included.",
        format!("if its coordinator has forgotten it: rollback prepared {}", oldest.text),
    ))
}

fn slots(facts: &Facts) -> Option<Judged> {
    let slots: Vec<_> = facts.all("slot").collect();
    let Some(worst) = slots.first() else { return Some(ok("none is left behind")) };
    let names: Vec<&str> = slots.iter().map(|slot| slot.text.trim_matches('\'')).collect();
    Some(warning(
        format!("nobody reads from {}; {} of log are kept", listed(&names), bytes(worst.figure)),
        "The server keeps its log, and rows that are gone, for a reader that may never come back, until the disk is full.",
        slots
            .iter()
            .map(|slot| format!("select pg_drop_replication_slot({})", slot.text))
            .collect::<Vec<_>>()
            .join("; "),
    ))
}

fn ids(facts: &Facts) -> Option<Judged> {
    let most = facts.one("transaction ids")?;
    let found = format!("{} % used in database {}", most.figure / (IDS / 100), most.text);
    let why = "When they are used up the server takes no writes any more, until a vacuum by hand.";
    let fix = format!("end what holds vacuum back, then in database {}: vacuum (freeze, verbose)", most.text);
    Some(match most.figure {
        IDS_DANGER.. => danger(found, why, fix),
        IDS_WARN.. => warning(found, why, fix),
        used => ok(format!("{} % used", used / (IDS / 100))),
    })
}

fn logged(facts: &Facts) -> Option<Judged> {
    let unlogged: Vec<&str> = facts.all("unlogged").map(|fact| fact.text.as_str()).collect();
    Some(match unlogged.as_slice() {
        [] => ok("every table is in the write-ahead log"),
        tables => {
            let fixes = tables.iter().map(|table| format!("alter table {} set logged", within(facts, table)));
            danger(
                format!("unlogged: {}", listed(tables)),
                "The server empties these tables after a crash.",
                fixes.collect::<Vec<_>>().join("; "),
            )
        }
    })
}

fn dead_rows(facts: &Facts) -> Option<Judged> {
    let dead = facts.all("dead rows").max_by_key(|fact| fact.figure)?;
    let living = facts.all("rows").find(|fact| fact.text == dead.text).map_or(0, |fact| fact.figure);
    let found = format!("{} dead and {} living in {}", grouped(dead.figure), grouped(living), dead.text);
    Some(match dead.figure > DEAD_ROWS.max(living) {
        false => ok(found),
        true => warning(
            found,
            "Sweeps walk over them, and so get slower and slower.",
            format!(
                "end what holds vacuum back (see transactions), then: vacuum (verbose) {}",
                within(facts, &dead.text)
            ),
        ),
    })
}

fn index_size(facts: &Facts) -> Option<Judged> {
    let tables = facts.all("rows").map(|table| (format!("index of {}", table.text), table.figure));
    let tables: Vec<(String, i64)> = tables.collect();
    let indexes = tables.iter().flat_map(|(of, rows)| facts.all(of).map(|index| (index, *rows)));
    let (index, rows) = indexes.max_by_key(|(index, rows)| index.figure - INDEX_BYTES_A_ROW * rows)?;
    let found = format!("{} has {} for {}", index.text, bytes(index.figure), many(rows, "row"));
    Some(match index.figure > INDEX_SIZE.max(INDEX_BYTES_A_ROW * rows) {
        false => ok(found),
        true => warning(
            found,
            "Each vacuum reads all of it, and so takes longer and longer to remove what is gone.",
            format!("reindex index concurrently {}", within(facts, &index.text)),
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::*;
    use super::super::{Fact, Verdict};
    use crate::storage::statement::Dialect::Postgres;

    #[test]
    fn a_setting_is_set_right_where_it_was_set_wrong() {
        for (source, fix) in [
            ("default", "alter system set synchronous_commit = on; select pg_reload_conf()"),
            ("configuration file", "alter system set synchronous_commit = on; select pg_reload_conf()"),
            ("command line", "start the server without `-c synchronous_commit=..`"),
            ("database", "alter database app reset synchronous_commit"),
            ("user", "alter role web reset synchronous_commit"),
            ("database user", "alter role web in database app reset synchronous_commit"),
            ("client", "take synchronous_commit out of the `options` of the database's URL"),
        ] {
            let told = [
                ("synchronous_commit", "off"),
                ("source of synchronous_commit", source),
                ("database", "app"),
                ("role", "web"),
            ];
            let found = settings(Postgres, "synchronous_commit", &told);
            assert_eq!((found.verdict, found.fix.as_deref()), (Verdict::Danger, Some(fix)), "{source}");
        }
    }

    #[test]
    fn settings_that_lose_jobs_are_dangers_and_their_lawful_values_are_not() {
        for (check, good, bad) in [
            ("fsync", "on", "off"),
            ("full_page_writes", "on", "off"),
            ("synchronous_commit", "on", "off"),
            ("synchronous_commit", "local", "off"),
        ] {
            assert_eq!(settings(Postgres, check, &[(check, good)]).verdict, Verdict::Ok);
            assert_eq!(settings(Postgres, check, &[(check, bad)]).verdict, Verdict::Danger);
        }
    }

    #[test]
    fn a_server_that_takes_no_writes_is_a_danger() {
        let verdict = |told: &[(&str, &str)]| settings(Postgres, "read_only", told).verdict;
        assert_eq!(verdict(&[("standby", "true")]), Verdict::Danger);
        assert_eq!(
            verdict(&[("standby", "false"), ("default_transaction_read_only", "on")]),
            Verdict::Danger
        );
        assert_eq!(verdict(&[("standby", "false"), ("default_transaction_read_only", "off")]), Verdict::Ok);
    }

    #[test]
    fn a_statement_timeout_below_the_time_limit_of_a_call_is_a_warning() {
        let verdict =
            |limit| settings(Postgres, "statement_timeout", &[("statement_timeout", limit)]).verdict;
        assert_eq!(
            [verdict("0"), verdict("30000"), verdict("29999")],
            [Verdict::Ok, Verdict::Ok, Verdict::Warning]
        );
    }

    #[test]
    fn a_server_that_is_full_but_for_a_pool_is_a_warning() {
        let told = |used| [("max_connections", "100"), ("reserved connections", "3"), ("connections", used)];
        assert_eq!(settings(Postgres, "connections", &told("85")).verdict, Verdict::Ok);
        let found = settings(Postgres, "connections", &told("86"));
        assert_eq!(found.verdict, Verdict::Warning);
        assert!(found.found.starts_with("86 of 97 in use"), "{}", found.found);
    }

    #[test]
    fn plain_text_to_another_machine_and_a_superuser_are_warnings() {
        let told = |local, mode, tls| [("local", local), ("ssl mode", mode), ("tls", tls)];
        let found = |local, mode, tls| settings(Postgres, "tls", &told(local, mode, tls));
        assert_eq!(found("true", "Prefer", "false").verdict, Verdict::Ok);
        assert_eq!(found("false", "VerifyFull", "true").verdict, Verdict::Ok);
        // A pooler in between may speak plainly to the server beside it.
        assert_eq!(found("false", "VerifyFull", "false").verdict, Verdict::Ok);
        assert_eq!(found("false", "Require", "true").found, "on, but the server's name is not verified");
        let plain = found("false", "Prefer", "false");
        assert_eq!(
            (plain.verdict, &*plain.found),
            (Verdict::Warning, "off, and the server is on another machine")
        );
        let role = |superuser| settings(Postgres, "role", &[("role", "web"), ("superuser", superuser)]);
        assert_eq!((role("false").verdict, role("true").verdict), (Verdict::Ok, Verdict::Warning));
    }

    #[test]
    fn a_transaction_is_a_warning_once_it_has_been_open_for_minutes() {
        let open = |age| Fact::new("transaction", "process 7, web, idle in transaction").figure(7).age(age);
        assert_eq!(finding(Postgres, "transactions", [open(4 * MINUTE)]).verdict, Verdict::Ok);
        let found = finding(Postgres, "transactions", [open(HOUR)]);
        assert_eq!(found.found, "one has been open for 1h: process 7, web, idle in transaction");
        assert!(found.fix.unwrap().contains("select pg_terminate_backend(7)"));
    }

    #[test]
    fn sessions_that_are_hidden_from_the_role_are_not_taken_for_none() {
        let told = [Fact::new("hidden sessions", "").figure(2), Fact::new("role", "web")];
        let found = finding(Postgres, "transactions", told);
        assert_eq!(found.verdict, Verdict::Unknown);
        assert_eq!(found.fix.as_deref(), Some("grant pg_read_all_stats to web"));
    }

    #[test]
    fn a_prepared_transaction_that_nobody_ends_is_a_warning() {
        assert_eq!(finding(Postgres, "prepared_transactions", []).verdict, Verdict::Ok);
        let prepared = |age| [Fact::new("prepared", "'pay-7'").figure(2).age(age)];
        assert_eq!(finding(Postgres, "prepared_transactions", prepared(SECOND)).verdict, Verdict::Ok);
        let found = finding(Postgres, "prepared_transactions", prepared(HOUR));
        assert_eq!(found.found, "2, the oldest for 1h");
        assert!(found.fix.unwrap().ends_with("rollback prepared 'pay-7'"));
    }

    #[test]
    fn transaction_ids_warn_by_half_and_alarm_before_the_server_stops() {
        let used = |used| [Fact::new("transaction ids", "app").figure(used)];
        let verdict = |ids| finding(Postgres, "transaction_ids", used(ids)).verdict;
        assert_eq!(verdict(200_000_000), Verdict::Ok);
        assert_eq!(verdict(1_100_000_000), Verdict::Warning);
        assert_eq!(verdict(2_000_000_000), Verdict::Danger);
    }

    #[test]
    fn dead_rows_are_a_warning_when_they_are_many_and_outnumber_the_living() {
        let rows = |dead, living| {
            [Fact::new("dead rows", "djob_jobs").figure(dead), Fact::new("rows", "djob_jobs").figure(living)]
        };
        let verdict = |dead, living| finding(Postgres, "dead_rows", rows(dead, living)).verdict;
        assert_eq!([verdict(0, 0), verdict(400_000, 0), verdict(900_000, 5_000_000)], [Verdict::Ok; 3]);
        assert_eq!(verdict(900_000, 800_000), Verdict::Warning);
    }

    #[test]
    fn an_index_that_is_large_for_what_is_in_it_is_a_warning() {
        let sizes = |bytes, rows| {
            [
                Fact::new("rows", "djob_claims").figure(5),
                Fact::new("index of djob_claims", "djob_claims_pkey").figure(16 << 10),
                Fact::new("rows", "djob_jobs").figure(rows),
                Fact::new("index of djob_jobs", "djob_jobs_lane").figure(bytes),
            ]
        };
        let found = |bytes, rows| finding(Postgres, "index_size", sizes(bytes, rows));
        let verdicts = [(8 << 10, 0), (200 << 20, 0), (2 << 30, 20_000_000)];
        assert_eq!(verdicts.map(|(bytes, rows)| found(bytes, rows).verdict), [Verdict::Ok; 3]);
        let swollen = found(2 << 30, 300);
        assert_eq!(
            (swollen.verdict, &*swollen.found),
            (Verdict::Warning, "djob_jobs_lane has 2 GiB for 300 rows")
        );
        assert_eq!(swollen.fix.as_deref(), Some("reindex index concurrently djob_jobs_lane"));
    }

    #[test]
    fn a_table_without_vacuum_is_a_warning_and_one_without_a_log_a_danger() {
        let on = || Fact::new("autovacuum", "on");
        assert_eq!(finding(Postgres, "autovacuum", [on()]).verdict, Verdict::Ok);
        let found = finding(Postgres, "autovacuum", [on(), Fact::new("not vacuumed", "djob_jobs")]);
        let fix = "alter table djob_jobs reset (autovacuum_enabled)";
        assert_eq!((found.verdict, found.fix.as_deref()), (Verdict::Warning, Some(fix)));
        let found = finding(Postgres, "logged", [Fact::new("unlogged", "djob_jobs")]);
        assert_eq!(
            (found.verdict, found.fix.as_deref()),
            (Verdict::Danger, Some("alter table djob_jobs set logged"))
        );
    }
}
