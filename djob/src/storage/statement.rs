//! The texts of all statements, and how one text serves several databases.
//!
//! A statement is a file in `queries/`, written in PostgreSQL's words. `name.sqlite.sql` or `name.mysql.sql` stands beside it
//! where a database needs another text, and its first lines say why. [`Texts`] renders them once for a connection: it puts
//! in the schema and the prefix of the tables, and translates the few words that differ everywhere.
//!
//! One word is djob's own: `now()` is the time by the statement's clock. It becomes the statement's last parameter, which
//! is bound to what a [`Clock`](crate::Clock) shows; on PostgreSQL nothing is bound by default, and the server says.

use std::sync::Arc;

use sqlx::{AssertSqlSafe, Database, SqlSafeStr, SqlStr};
#[cfg(feature = "postgres")]
use sqlx::{
    postgres::{PgArguments, Postgres},
    query::Query,
};

use super::ask::{Ask, Text};
use super::naming::Naming;

/// A database whose words are spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(dead_code)] // which of them are built in depends on the features
pub(crate) enum Dialect {
    /// SQLite, embedded.
    Sqlite,
    /// PostgreSQL.
    Postgres,
    /// MySQL and MariaDB.
    MySql,
}

const fn all(_: Dialect) -> bool {
    true
}

const fn postgres(dialect: Dialect) -> bool {
    matches!(dialect, Dialect::Postgres)
}

const fn sqlite(dialect: Dialect) -> bool {
    matches!(dialect, Dialect::Sqlite)
}

const fn mysql(dialect: Dialect) -> bool {
    matches!(dialect, Dialect::MySql)
}

/// Those that keep a claim's jobs as JSON.
const fn others(dialect: Dialect) -> bool {
    !postgres(dialect)
}

/// Declares the statements: `NAME = database "file", ..`. The first that fits counts; where none does, the database has no
/// such statement.
macro_rules! statements {
    ($($name:ident = $($on:ident $file:literal),+;)*) => {
        /// A statement by name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(non_camel_case_types, clippy::upper_case_acronyms, missing_docs)]
        pub(crate) enum Statement { $($name),* }

        impl Statement {
            /// Every statement there is.
            pub(crate) const ALL: &[Statement] = &[$(Statement::$name),*];

            /// The statement's text as its file has it.
            fn source(self, dialect: Dialect) -> Option<&'static str> {
                let files: &[(fn(Dialect) -> bool, &'static str)] = match self {
                    $(Statement::$name => &[$(($on, include_str!(concat!("queries/", $file, ".sql")))),+]),*
                };
                files.iter().find(|(on, _)| on(dialect)).map(|(_, text)| *text)
            }
        }
    };
}

statements! {
    // enqueue
    ENQUEUE = postgres "enqueue", sqlite "enqueue.sqlite", mysql "enqueue.mysql";
    ENQUEUE_ONE = postgres "enqueue_one";
    LARGE_ARGS = sqlite "large_args", mysql "large_args.mysql";
    HOLD_KEY = all "hold_key";
    HOLD_AGAIN = mysql "hold_again.mysql", all "hold_again";
    KEY_IS_TAKEN = mysql "key_is_taken.mysql", all "key_is_taken";
    KEY_HOLDER = all "key_holder";
    LOCK_ID = postgres "lock_id", mysql "lock_id.mysql";
    UNLOCK_ID = mysql "unlock_id";
    IS_KNOWN = postgres "is_known", sqlite "is_known.sqlite", mysql "is_known.mysql";
    RELEASE_KEY = all "release_key";
    // claim
    LANES = postgres "lanes", sqlite "lanes.sqlite", mysql "lanes.mysql";
    CLAIM = postgres "claim", sqlite "claim.sqlite", mysql "claim.mysql";
    CLAIM_IN_TURN = postgres "claim_in_turn";
    IS_PAUSED = mysql "is_paused";
    BIND = mysql "bind";
    TAKEN = sqlite "taken", mysql "taken.mysql";
    FETCH_ARGS = postgres "fetch_args", sqlite "fetch_args.sqlite", mysql "fetch_args.mysql";
    START = all "start";
    // settle
    SETTLE = postgres "settle";
    SETTLE_DONE = postgres "settle_done", sqlite "settle_done.sqlite", mysql "settle_done.mysql";
    SETTLE_KEPT = postgres "settle_kept";
    TO_WAITING = sqlite "to_waiting", mysql "to_waiting.mysql";
    TO_CLAIMS = sqlite "to_claims", mysql "to_claims.mysql";
    TO_PARKED = sqlite "to_parked", mysql "to_parked.mysql";
    TO_FINISHED = sqlite "to_finished", mysql "to_finished.mysql";
    LOST_ARGS = sqlite "lost_args", mysql "lost_args.mysql";
    HAS_FINISHED = all "has_finished";
    ERRORS = sqlite "errors", mysql "errors.mysql";
    // workers
    JOIN = all "join";
    BEAT = postgres "beat", sqlite "beat.sqlite", mysql "beat.mysql";
    BEATS_AHEAD = others "beats_ahead.others";
    NEWS = mysql "news";
    PUBLISH = mysql "publish.mysql", all "publish";
    CONTRACTS = all "contracts";
    LEAVE = all "leave";
    CANCELS = all "cancels";
    IS_UNWANTED = all "is_unwanted";
    DROP_CANCEL = all "drop_cancel";
    SAY_PROGRESS = mysql "say_progress.mysql", all "say_progress";
    FORGET_PROGRESS = all "forget_progress";
    // maintenance
    ORPHANS = postgres "orphans", others "orphans.others";
    HELD = postgres "held", others "held.others";
    BURY = all "bury";
    PARKED_KINDS = all "parked_kinds";
    UNREAD = postgres "unread", sqlite "unread.sqlite", mysql "unread.mysql";
    PARK_WAITING = postgres "park_waiting", sqlite "park_waiting.sqlite", mysql "park_waiting.mysql";
    PARKED = sqlite "parked.sqlite", mysql "parked.mysql";
    UNPARK = postgres "unpark", sqlite "unpark.sqlite", mysql "unpark.mysql";
    UNPARKABLE = others "unparkable.others";
    UNPARKED = sqlite "unparked.sqlite", mysql "unparked.mysql";
    TAKE_DUTY = mysql "take_duty.mysql", all "take_duty";
    FIRST_DUTY = mysql "first_duty";
    PRUNE = postgres "prune", sqlite "prune.sqlite", mysql "prune.mysql";
    LONELY_ATTEMPTS = postgres "lonely_attempts", sqlite "lonely_attempts.sqlite", mysql "lonely_attempts.mysql";
    PARTITIONS = postgres "partitions";
    PRUNE_PROGRESS = all "prune_progress";
    PRUNE_CANCELS = all "prune_cancels";
    NOTIFY = postgres "notify";
    // admin
    CLOCK = all "clock";
    FIND = all "find";
    FIND_CLAIM = postgres "find_claim", sqlite "find_claim.sqlite", mysql "find_claim.mysql";
    CLAIMS = postgres "claims", others "claims.others";
    ATTEMPTS = all "attempts";
    LIST_WAITING = all "list_waiting";
    LIST_PARKED = all "list_parked";
    LIST_FINISHED = all "list_finished";
    COUNTS = postgres "counts", sqlite "counts.sqlite", mysql "counts.mysql";
    PROGRESS = all "progress";
    PAUSE = mysql "pause.mysql", all "pause";
    FIRST_PAUSE = mysql "first_pause";
    RESUME = all "resume";
    PAUSED = all "paused";
    CLEAR = postgres "clear", sqlite "clear.sqlite", mysql "clear.mysql";
    CLEAR_UNIQUE = sqlite "clear_unique", mysql "clear_unique.mysql";
    CLEAR_ARGS = sqlite "clear_args";
    CLEAR_ATTEMPTS = sqlite "clear_attempts", mysql "clear_attempts.mysql";
    ASK_CANCEL = all "ask_cancel";
    LOCK_JOB = mysql "lock_job";
    CANCEL_WAITING = postgres "cancel_waiting", others "cancel_waiting.others";
    RETRY_FINISHED = postgres "retry_finished", sqlite "retry_finished.sqlite", mysql "retry_finished.mysql";
    EDIT_WAITING = all "edit_waiting";
    EDIT_PARKED = all "edit_parked";
    KEEP_ARGS = all "keep_args";
    DELETE_FROM_JOBS = all "delete_from_jobs";
    DELETE_FROM_ARGS = all "delete_from_args";
    DELETE_FROM_PARKED = all "delete_from_parked";
    DELETE_FROM_FINISHED = all "delete_from_finished";
    DELETE_FROM_ATTEMPTS = all "delete_from_attempts";
    DELETE_KEYS = all "delete_keys";
    // doctor
    DOCTOR_SETTINGS = postgres "doctor_settings", sqlite "doctor_settings.sqlite", mysql "doctor_settings.mysql";
    DOCTOR_STATUS = mysql "doctor_status";
    DOCTOR_SESSIONS = postgres "doctor_sessions", mysql "doctor_sessions.mysql";
    DOCTOR_PREPARED = postgres "doctor_prepared";
    DOCTOR_SLOTS = postgres "doctor_slots";
    DOCTOR_IDS = postgres "doctor_ids";
    DOCTOR_TABLES = postgres "doctor_tables", sqlite "doctor_tables.sqlite", mysql "doctor_tables.mysql";
    DOCTOR_ROWS = postgres "doctor_rows";
    DOCTOR_INTEGRITY = sqlite "doctor_integrity";
    DOCTOR_WORKERS = postgres "doctor_workers", others "doctor_workers.others";
    DOCTOR_CLAIMS = postgres "doctor_claims", others "doctor_claims.others";
    DOCTOR_PARKED = postgres "doctor_parked", others "doctor_parked.others";
    DOCTOR_KINDS = postgres "doctor_kinds", others "doctor_kinds.others";
}

/// Every statement as one connection needs it.
#[derive(Clone)]
pub(crate) struct Texts(Arc<[Option<Text>]>);

impl Texts {
    /// Renders all statements.
    pub(crate) fn new(dialect: Dialect, naming: &Naming) -> Self {
        let render = |statement: &Statement| {
            let (text, places) = render(statement.source(dialect)?, dialect, naming);
            // What is put into the text was checked by `Naming::new`; nothing else ever enters a statement.
            Some(Text { sql: AssertSqlSafe(text).into_sql_str(), places, kept: true })
        };
        Texts(Statement::ALL.iter().map(render).collect())
    }

    /// The same for sessions that change from one transaction to the next: nothing is prepared in them for later.
    #[cfg(feature = "postgres")]
    pub(crate) fn unkept(self) -> Self {
        let unkept = |text: &Option<Text>| text.clone().map(|text| Text { kept: false, ..text });
        Texts(self.0.iter().map(unkept).collect())
    }

    /// The text of a statement that names its parameters in order; empty, and therefore refused by the database, if this
    /// database has no such statement.
    pub(crate) fn get(&self, statement: Statement) -> SqlStr {
        self.text(statement).sql
    }

    /// A statement that names its parameters in order, to bind arguments to.
    #[cfg(feature = "postgres")]
    pub(crate) fn query<'q>(&self, statement: Statement) -> Query<'q, Postgres, PgArguments> {
        let text = self.text(statement);
        sqlx::query(text.sql).persistent(text.kept)
    }

    /// A statement to give arguments to.
    pub(crate) fn ask<'q, D: Database>(&self, statement: Statement) -> Ask<'q, D> {
        Ask::new(self.text(statement))
    }

    /// Whether this database has such a statement.
    pub(crate) fn has(&self, statement: Statement) -> bool {
        self.0[statement as usize].is_some()
    }

    /// Whether the time is one of its parameters.
    pub(crate) fn asks_the_clock(&self, statement: Statement) -> bool {
        let Text { sql, places, .. } = self.text(statement);
        places.map_or_else(|| last_parameter(sql.as_str()) > 0, |places| !places.is_empty())
    }

    fn text(&self, statement: Statement) -> Text {
        self.0[statement as usize].clone().unwrap_or_else(|| Text {
            sql: "".into_sql_str(),
            places: None,
            kept: false,
        })
    }

    /// Every statement this database has.
    #[cfg(test)]
    pub(crate) fn all(&self) -> impl Iterator<Item = (Statement, SqlStr)> {
        Statement::ALL
            .iter()
            .filter_map(|statement| Some((*statement, self.0[*statement as usize].clone()?.sql)))
    }
}

impl std::fmt::Debug for Texts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Texts({})", self.0.len())
    }
}

/// The text, and the number of the argument in each place if the database does not number them itself.
fn render(text: &str, dialect: Dialect, naming: &Naming) -> (String, Option<Arc<[usize]>>) {
    let body: String =
        text.lines().filter(|line| !line.trim_start().starts_with("--")).collect::<Vec<_>>().join("\n");
    let clock = format!("${}", last_parameter(&body) + 1);
    let body = match dialect {
        Dialect::Sqlite => in_plain_words(&body).replace(" for update", "").replace("now()", &clock),
        Dialect::Postgres => {
            body.replace("now()", &format!("coalesce({clock}::timestamptz, statement_timestamp())"))
        }
        Dialect::MySql => {
            in_mysqls_words(&body).replace("now()", &format!("coalesce({clock}, {MYSQLS_CLOCK})"))
        }
    };
    let body = body.replace("djob_", &naming.table(""));
    if dialect == Dialect::MySql { by_places(&body) } else { (body, None) }
}

/// Microseconds since 1970.
const MYSQLS_CLOCK: &str = "cast(unix_timestamp(now(6)) * 1000000 as signed)";

/// PostgreSQL's words that others do without: their times are plain numbers, and their types are loose.
fn in_plain_words(text: &str) -> String {
    let mut text = text.replace(" * interval '1 microsecond'", "");
    for cast in ["::text", "::json", "::timestamptz", "::bigint"] {
        text = text.replace(cast, "");
    }
    text
}

/// MySQL has its own words for a row that is there already.
fn in_mysqls_words(text: &str) -> String {
    let text = in_plain_words(text);
    match text.split_once("on conflict") {
        Some((before, after)) if after.ends_with("do nothing") => {
            before.replacen("insert into", "insert ignore into", 1)
        }
        _ => text,
    }
}

/// Writes `?` for each `$n`, and says which they were.
fn by_places(text: &str) -> (String, Option<Arc<[usize]>>) {
    let mut parts = text.split('$');
    let (mut sql, mut places) = (parts.next().unwrap_or_default().to_owned(), Vec::new());
    for part in parts {
        let digits = part.chars().take_while(char::is_ascii_digit).count();
        match part[..digits].parse() {
            Ok(number) => {
                places.push(number);
                sql.push('?');
            }
            // A path into JSON.
            Err(_) => sql.push('$'),
        }
        sql.push_str(&part[digits..]);
    }
    (sql, Some(places.into()))
}

/// The highest `$n` in a text.
fn last_parameter(text: &str) -> usize {
    let number = |rest: &str| rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok();
    text.split('$').skip(1).filter_map(number).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_is_the_last_parameter() {
        let (text, _) =
            render("-- a\nselect now() + $1 * interval '1 microsecond'", Dialect::Sqlite, &Naming::default());
        assert_eq!(text, "select $2 + $1");
    }

    #[test]
    fn mysql_gets_each_argument_where_it_is_named() {
        let text = "insert into djob_t (a) select $2 from json_table($1, '$[0]') where b = $2 and c <= now()\non conflict (a) do nothing";
        let (text, places) = render(text, Dialect::MySql, &Naming::default());
        assert_eq!(
            text,
            "insert ignore into djob_t (a) select ? from json_table(?, '$[0]') where b = ? and c <= \
             coalesce(?, cast(unix_timestamp(now(6)) * 1000000 as signed))\n"
        );
        assert_eq!(places.as_deref(), Some(&[2, 1, 2, 3][..]));
    }

    #[test]
    fn postgres_is_asked_for_its_own_time_unless_a_time_is_bound() {
        let (text, _) =
            render("select now() from djob_jobs", Dialect::Postgres, &Naming::new(Some("s"), "x_").unwrap());
        assert_eq!(text, "select coalesce($1::timestamptz, statement_timestamp()) from s.x_jobs");
    }
}
