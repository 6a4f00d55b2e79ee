//! The texts of all statements, and how one text serves several databases.
//!
//! A statement is a file in `queries/`, written in PostgreSQL's words. `name.sqlite.sql` stands beside it where SQLite
//! needs another text, and its first lines say why. [`Texts`] renders them once for a connection: it puts in the schema
//! and the prefix of the tables, and translates the few words that differ everywhere.
//!
//! One word is djob's own: `now()` is the time by the statement's clock. It becomes the statement's last parameter, which
//! is bound to what a [`Clock`](crate::Clock) shows; on PostgreSQL nothing is bound by default, and the server says.

use std::sync::Arc;

use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

/// A database whose words are spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// SQLite, embedded.
    #[cfg(feature = "sqlite")]
    Sqlite,
    /// PostgreSQL.
    #[cfg(feature = "postgres")]
    Postgres,
}

/// Declares the statements: `NAME = "file"`, then `, sqlite` where a file of SQLite's own exists, or `, only sqlite`.
macro_rules! statements {
    ($($name:ident = $file:literal $(, $other:ident)*;)*) => {
        /// A statement by name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(non_camel_case_types, clippy::upper_case_acronyms, missing_docs)]
        pub(crate) enum Statement { $($name),* }

        impl Statement {
            /// Every statement there is.
            pub(crate) const ALL: &[Statement] = &[$(Statement::$name),*];

            /// The statement's text as its file has it, and the databases it is for.
            fn source(self, dialect: Dialect) -> Option<&'static str> {
                match self { $(Statement::$name => statements!(@text $file dialect $($other)*)),* }
            }
        }
    };
    (@text $file:literal $dialect:ident) => { Some(include_str!(concat!("queries/", $file, ".sql"))) };
    (@text $file:literal $dialect:ident sqlite) => {
        match $dialect {
            #[cfg(feature = "sqlite")]
            Dialect::Sqlite => Some(include_str!(concat!("queries/", $file, ".sqlite.sql"))),
            #[cfg(feature = "postgres")]
            Dialect::Postgres => Some(include_str!(concat!("queries/", $file, ".sql"))),
        }
    };
    (@text $file:literal $dialect:ident only sqlite) => {
        match $dialect {
            #[cfg(feature = "sqlite")]
            Dialect::Sqlite => Some(include_str!(concat!("queries/", $file, ".sql"))),
            #[cfg(feature = "postgres")]
            Dialect::Postgres => None,
        }
    };
    (@text $file:literal $dialect:ident only postgres) => {
        match $dialect {
            #[cfg(feature = "sqlite")]
            Dialect::Sqlite => None,
            #[cfg(feature = "postgres")]
            Dialect::Postgres => Some(include_str!(concat!("queries/", $file, ".sql"))),
        }
    };
}

statements! {
    // enqueue
    ENQUEUE = "enqueue", sqlite;
    ENQUEUE_ONE = "enqueue_one", only, postgres;
    LARGE_ARGS = "large_args", only, sqlite;
    HOLD_KEY = "hold_key";
    HOLD_AGAIN = "hold_again";
    KEY_IS_TAKEN = "key_is_taken";
    KEY_HOLDER = "key_holder";
    LOCK_ID = "lock_id", only, postgres;
    IS_KNOWN = "is_known", sqlite;
    RELEASE_KEY = "release_key";
    // claim
    LANES = "lanes", sqlite;
    CLAIM = "claim", sqlite;
    CLAIM_IN_TURN = "claim_in_turn", only, postgres;
    TAKEN = "taken", only, sqlite;
    FETCH_ARGS = "fetch_args", sqlite;
    START = "start";
    // settle
    SETTLE = "settle", only, postgres;
    SETTLE_DONE = "settle_done", sqlite;
    SETTLE_KEPT = "settle_kept", only, postgres;
    TO_WAITING = "to_waiting", only, sqlite;
    TO_CLAIMS = "to_claims", only, sqlite;
    TO_PARKED = "to_parked", only, sqlite;
    TO_FINISHED = "to_finished", only, sqlite;
    LOST_ARGS = "lost_args", only, sqlite;
    ERRORS = "errors", only, sqlite;
    // workers
    JOIN = "join";
    BEAT = "beat", sqlite;
    LEAVE = "leave";
    CANCELS = "cancels";
    IS_UNWANTED = "is_unwanted";
    DROP_CANCEL = "drop_cancel";
    SAY_PROGRESS = "say_progress";
    FORGET_PROGRESS = "forget_progress";
    // maintenance
    ORPHANS = "orphans", sqlite;
    HELD = "held", sqlite;
    BURY = "bury";
    PARKED_KINDS = "parked_kinds";
    UNPARK = "unpark", sqlite;
    UNPARKED = "unparked", only, sqlite;
    TAKE_DUTY = "take_duty";
    PRUNE = "prune", sqlite;
    PRUNE_ATTEMPTS = "prune_attempts", sqlite;
    PARTITIONS = "partitions", only, postgres;
    PRUNE_PROGRESS = "prune_progress";
    PRUNE_CANCELS = "prune_cancels";
    NOTIFY = "notify", only, postgres;
    // admin
    CLOCK = "clock";
    FIND = "find";
    FIND_CLAIM = "find_claim", sqlite;
    CLAIMS = "claims", sqlite;
    ATTEMPTS = "attempts";
    LIST_WAITING = "list_waiting";
    LIST_PARKED = "list_parked";
    LIST_FINISHED = "list_finished";
    COUNTS = "counts", sqlite;
    PROGRESS = "progress";
    PAUSE = "pause";
    RESUME = "resume";
    PAUSED = "paused";
    CLEAR = "clear", sqlite;
    CLEAR_UNIQUE = "clear_unique", only, sqlite;
    CLEAR_ARGS = "clear_args", only, sqlite;
    CLEAR_ATTEMPTS = "clear_attempts", only, sqlite;
    ASK_CANCEL = "ask_cancel";
    CANCEL_WAITING = "cancel_waiting", sqlite;
    RETRY_FINISHED = "retry_finished", sqlite;
    DELETE_FROM_JOBS = "delete_from_jobs";
    DELETE_FROM_ARGS = "delete_from_args";
    DELETE_FROM_PARKED = "delete_from_parked";
    DELETE_FROM_FINISHED = "delete_from_finished";
    DELETE_FROM_ATTEMPTS = "delete_from_attempts";
    DELETE_KEYS = "delete_keys";
}

/// Where djob's tables are: a schema (PostgreSQL) and a prefix, `djob_` unless somebody says otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Naming {
    schema: Option<String>,
    prefix: String,
}

impl Default for Naming {
    fn default() -> Self {
        Naming { schema: None, prefix: "djob_".to_owned() }
    }
}

/// A schema or prefix with other letters than `a-z 0-9 _`, or too long.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} cannot be part of a table's name: a lower-case letter or _ first, then up to 31 of a-z 0-9 _")]
pub struct InvalidTableName(String);

impl Naming {
    /// Tables `prefix..` in `schema`. Both are checked here, since they become part of statements.
    pub fn new(schema: Option<&str>, prefix: &str) -> Result<Self, InvalidTableName> {
        for part in schema.into_iter().chain([prefix]) {
            let lawful = |byte: &u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
            let starts = part.as_bytes().first().is_some_and(|byte| !byte.is_ascii_digit());
            if !starts || part.len() > 32 || !part.as_bytes().iter().all(lawful) {
                return Err(InvalidTableName(part.to_owned()));
            }
        }
        Ok(Naming { schema: schema.map(str::to_owned), prefix: prefix.to_owned() })
    }

    /// The schema, if one was set.
    pub fn schema(&self) -> Option<&str> {
        self.schema.as_deref()
    }

    /// The name of a table as statements use it, given its plain name (`jobs`).
    pub fn table(&self, name: &str) -> String {
        match &self.schema {
            Some(schema) => format!("{schema}.{}{name}", self.prefix),
            None => format!("{}{name}", self.prefix),
        }
    }

    /// The channel on which PostgreSQL tells of new jobs; one for each set of tables.
    pub fn channel(&self) -> String {
        self.table("wake").replace('.', "_")
    }

    /// A migration's text with the prefix put in (the schema is set for the session that migrates).
    pub(crate) fn migration(&self, text: &str) -> String {
        text.replace("djob_", &self.prefix)
    }
}

/// Every statement as one connection needs it.
#[derive(Clone)]
pub(crate) struct Texts(Arc<[Option<SqlStr>]>);

impl Texts {
    /// Renders all statements.
    pub(crate) fn new(dialect: Dialect, naming: &Naming) -> Self {
        let render = |statement: &Statement| {
            // What is put into the text was checked by `Naming::new`; nothing else ever enters a statement.
            let text = render(statement.source(dialect)?, dialect, naming);
            Some(AssertSqlSafe(text).into_sql_str())
        };
        Texts(Statement::ALL.iter().map(render).collect())
    }

    /// The text of a statement; empty, and therefore refused by the database, if this database has no such statement.
    pub(crate) fn get(&self, statement: Statement) -> SqlStr {
        self.0[statement as usize].clone().unwrap_or_else(|| "".into_sql_str())
    }

    /// Every statement this database has.
    #[cfg(test)]
    pub(crate) fn all(&self) -> impl Iterator<Item = (Statement, SqlStr)> {
        Statement::ALL.iter().filter_map(|statement| Some((*statement, self.0[*statement as usize].clone()?)))
    }
}

impl std::fmt::Debug for Texts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Texts({})", self.0.len())
    }
}

fn render(text: &str, dialect: Dialect, naming: &Naming) -> String {
    let body: String =
        text.lines().filter(|line| !line.trim_start().starts_with("--")).collect::<Vec<_>>().join("\n");
    let clock = format!("${}", last_parameter(&body) + 1);
    let body = match dialect {
        #[cfg(feature = "sqlite")]
        Dialect::Sqlite => in_sqlites_words(&body).replace("now()", &clock),
        #[cfg(feature = "postgres")]
        Dialect::Postgres => {
            body.replace("now()", &format!("coalesce({clock}::timestamptz, statement_timestamp())"))
        }
    };
    body.replace("djob_", &naming.table(""))
}

/// PostgreSQL's words that SQLite does without: its times are plain numbers, and its types are loose.
#[cfg(feature = "sqlite")]
fn in_sqlites_words(text: &str) -> String {
    // It has one writer, and so nothing to lock.
    let mut text = text.replace(" * interval '1 microsecond'", "").replace(" for update", "");
    for cast in ["::text", "::json", "::timestamptz", "::bigint"] {
        text = text.replace(cast, "");
    }
    text
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
    fn names_that_could_change_a_statement_are_refused() {
        for bad in ["", "a;", "A", "1a", "a\"b", "a b", &"x".repeat(33)] {
            assert!(Naming::new(None, bad).is_err(), "{bad}");
            assert!(Naming::new(Some(bad), "djob_").is_err(), "{bad}");
        }
        assert_eq!(Naming::new(Some("jobs"), "x_").unwrap().table("claims"), "jobs.x_claims");
    }

    #[cfg(feature = "sqlite")]
    #[test]
    fn the_clock_is_the_last_parameter() {
        let text =
            render("-- a\nselect now() + $1 * interval '1 microsecond'", Dialect::Sqlite, &Naming::default());
        assert_eq!(text, "select $2 + $1");
    }

    #[cfg(feature = "postgres")]
    #[test]
    fn postgres_is_asked_for_its_own_time_unless_a_time_is_bound() {
        let text =
            render("select now() from djob_jobs", Dialect::Postgres, &Naming::new(Some("s"), "x_").unwrap());
        assert_eq!(text, "select coalesce($1::timestamptz, statement_timestamp()) from s.x_jobs");
    }
}
