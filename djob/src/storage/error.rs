//! What can go wrong in a database, said once and without secrets.

use std::fmt;

/// An error of the database or on the way to it.
///
/// Its text names the thing, the rule and the way out; it never holds a password or a value of a job.
#[derive(Debug)]
pub struct StorageError(Box<Problem>);

#[derive(Debug)]
pub(crate) enum Problem {
    /// The URL or a setting is not usable.
    Setting(String),
    /// No connection could be had.
    Unreachable(String),
    /// The database did not answer in time.
    Timeout(&'static str),
    /// The tables are missing or old.
    Unmigrated { found: i64, known: i64 },
    /// The tables are newer than those this program can work on.
    Newer { found: i64, known: i64, oldest: i64 },
    /// A procedure is missing that the migrations made.
    Incomplete(String),
    /// The database takes no writes.
    ReadOnly(String),
    /// Sessions change behind djob's back.
    Pooler,
    /// The connection given is not of the client's database.
    OtherDatabase,
    /// What was read is not what djob wrote.
    Garbled(String),
    /// The error of a commit that several callers shared.
    Shared(std::sync::Arc<StorageError>),
    /// Any other error.
    Database(sqlx::Error),
}

impl StorageError {
    pub(crate) fn new(problem: Problem) -> Self {
        StorageError(Box::new(problem))
    }

    pub(crate) fn setting(text: impl Into<String>) -> Self {
        StorageError::new(Problem::Setting(text.into()))
    }

    pub(crate) fn garbled(what: impl fmt::Display) -> Self {
        StorageError::new(Problem::Garbled(what.to_string()))
    }

    /// For storages of other crates: the database cannot be reached, for this reason. The same call may succeed a little later.
    pub fn unreachable(why: impl fmt::Display) -> Self {
        StorageError::new(Problem::Unreachable(why.to_string()))
    }

    /// What went wrong as a connection was opened. Nothing was asked yet: whatever the server says, it says it of itself, and
    /// mostly without a SQLSTATE that tells whether it will pass ("too many connections").
    #[cfg(any(feature = "postgres", feature = "mysql"))]
    pub(crate) fn connecting(error: sqlx::Error) -> Self {
        let error = StorageError::from(error);
        match &*error.0 {
            Problem::Database(refusal) => StorageError::new(Problem::Unreachable(plain(refusal))),
            _ => error,
        }
    }

    /// Whether the same call may succeed a little later: a lost connection, a busy or restarting database, a deadlock.
    pub fn is_transient(&self) -> bool {
        match &*self.0 {
            Problem::Unreachable(_) | Problem::Timeout(_) | Problem::ReadOnly(_) => true,
            Problem::Database(error) => is_transient(error),
            Problem::Shared(error) => error.is_transient(),
            _ => false,
        }
    }

    /// Whether the tables are missing, older or newer than this program needs: `migrate()` or a newer program helps.
    pub fn is_schema(&self) -> bool {
        match &*self.0 {
            Problem::Shared(error) => error.is_schema(),
            problem => matches!(problem, Problem::Unmigrated { .. } | Problem::Newer { .. }),
        }
    }

    /// Whether the server takes no writes.
    #[cfg(any(feature = "postgres", feature = "mysql"))]
    pub(crate) fn is_read_only(&self) -> bool {
        matches!(&*self.0, Problem::ReadOnly(_))
    }

    /// Whether a row of this id was there already.
    pub(crate) fn is_duplicate(&self) -> bool {
        matches!(&*self.0, Problem::Database(error)
            if code(error).as_deref() == Some("23505"))
    }

    /// Whether MySQL has ended a transaction for another's sake, or a lock was waited for in vain.
    #[cfg(feature = "mysql")]
    pub(crate) fn is_deadlock(&self) -> bool {
        matches!(&*self.0, Problem::Database(error) if matches!(mysqls_number(error), Some(1205 | 1213)))
    }

    /// Whether another process writes to the file.
    #[cfg(feature = "sqlite")]
    pub(crate) fn is_busy(&self) -> bool {
        // The lower byte says what it is, the upper ones why.
        let busy = |code: String| code.parse::<u32>().is_ok_and(|code| code & 0xff == 5);
        matches!(&*self.0, Problem::Database(error) if code(error).is_some_and(busy))
    }

    /// Whether a lock was waited for in vain.
    #[cfg(feature = "postgres")]
    pub(crate) fn is_lock_timeout(&self) -> bool {
        matches!(&*self.0, Problem::Database(error) if code(error).as_deref() == Some("55P03"))
    }

    /// Whether the role may not do this.
    pub(crate) fn is_denied(&self) -> bool {
        // 42501 is PostgreSQL's; MySQL's numbers are of a database, a table, a column, a procedure and a privilege.
        matches!(&*self.0, Problem::Database(error) if code(error).as_deref() == Some("42501")
            || matches!(mysqls_number(error), Some(1044 | 1142 | 1143 | 1370 | 1227)))
    }

    /// Whether a URL or a setting is not usable: nothing was tried.
    pub fn is_setting(&self) -> bool {
        matches!(&*self.0, Problem::Setting(_) | Problem::Pooler)
    }

    /// Whether the database could not be reached at all.
    pub fn is_unreachable(&self) -> bool {
        matches!(&*self.0, Problem::Unreachable(_) | Problem::Timeout(_))
    }
}

impl fmt::Display for StorageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Problem::Setting(text) => f.write_str(text),
            Problem::Unreachable(why) => write!(f, "the database cannot be reached: {why}"),
            Problem::Timeout(what) => write!(f, "the database did not answer in time ({what})"),
            Problem::Unmigrated { found: 0, .. } => f.write_str(
                "djob's tables are missing: call `client.migrate().await?` or run `djob db migrate`",
            ),
            Problem::Unmigrated { found, known } => write!(
                f,
                "djob's tables have version {found} and this program needs {known}: \
                 call `client.migrate().await?` or run `djob db migrate`"
            ),
            Problem::Newer { found, known, oldest } => write!(
                f,
                "djob's tables have version {found}, on which a program must know version {oldest}, and this one knows only \
                 {known}: deploy a newer version of it"
            ),
            Problem::Incomplete(what) => write!(
                f,
                "{what}: dumps leave procedures out unless told `--routines`; `djob doctor` says how it comes back"
            ),
            Problem::ReadOnly(why) => write!(
                f,
                "the database takes no writes ({why}): is it a replica, or is the file not writable for this user?"
            ),
            Problem::Pooler => f.write_str(
                "a pooler lends another session to each transaction: add `pgbouncer=true` to the URL \
                 (`postgres://..?pgbouncer=true`), or connect to PostgreSQL itself, which also starts jobs sooner",
            ),
            Problem::OtherDatabase => f.write_str(
                "the transaction given to `in_tx` is not of the client's database: \
                 use a client for that database with `.on(&client)`",
            ),
            Problem::Garbled(what) => write!(f, "the database holds something djob did not write: {what}"),
            Problem::Shared(error) => write!(f, "{error}"),
            Problem::Database(error) => write!(f, "the database refused: {}", plain(error)),
        }
    }
}

impl std::error::Error for StorageError {}

impl From<sqlx::Error> for StorageError {
    fn from(error: sqlx::Error) -> Self {
        let code = code(&error);
        let text = plain(&error);
        let number = mysqls_number(&error);
        StorageError::new(match (&error, code.as_deref()) {
            // 42P01: undefined table; 3F000: unknown schema; 42S02 is MySQL's. SQLite only says so in words.
            (_, Some("42P01" | "3F000" | "42S02")) => {
                Problem::Unmigrated { found: 0, known: crate::storage::verbs::KNOWN }
            }
            _ if text.contains("no such table") => {
                Problem::Unmigrated { found: 0, known: crate::storage::verbs::KNOWN }
            }
            // A prepared statement is not there, or somebody else's is.
            (_, Some("26000" | "42P05")) => Problem::Pooler,
            // 25006: read-only transaction; 8 and its kin: SQLITE_READONLY.
            (_, Some("25006" | "8" | "264" | "520" | "776" | "1032")) => Problem::ReadOnly(text),
            // --read-only and --super-read-only.
            _ if matches!(number, Some(1290 | 1836)) => Problem::ReadOnly(text),
            // So are a function of the server's and a savepoint, by the same number.
            _ if number == Some(1305) && text.starts_with("PROCEDURE") => Problem::Incomplete(text),
            // No right to the database, no such database.
            _ if matches!(number, Some(1044 | 1049)) => {
                Problem::Unreachable(format!("{text}; check the URL"))
            }
            // 28P01, 28000: wrong password or user; 3D000: no such database.
            (_, Some("28P01" | "28000" | "3D000")) => Problem::Unreachable(format!("{text}; check the URL")),
            // What it advises is not djob's to give: the crate that does it has a known weakness.
            (sqlx::Error::Configuration(_), _) if text.contains("RSA auth backend") => Problem::Unreachable(
                "MySQL takes a password by TLS only: connect over TCP, not a socket, with djob's feature `tls`".into(),
            ),
            (sqlx::Error::PoolTimedOut, _) => Problem::Timeout("no free connection"),
            (sqlx::Error::Io(_), _) => Problem::Unreachable(text),
            (sqlx::Error::Tls(_), _) => Problem::Unreachable(format!(
                "{text}; TLS takes djob's feature `tls`, and a network that you trust does without: \
                 `?sslmode=disable`, on MySQL `?ssl-mode=DISABLED`"
            )),
            // 14: SQLITE_CANTOPEN.
            (_, Some("14")) => {
                Problem::Unreachable(format!("{text}; does the folder exist, and may this user write to it?"))
            }
            _ => Problem::Database(error),
        })
    }
}

impl From<sqlx::migrate::MigrateError> for StorageError {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        match error {
            sqlx::migrate::MigrateError::Execute(error) => error.into(),
            sqlx::migrate::MigrateError::VersionMissing(found) => StorageError::new(Problem::Newer {
                found,
                known: crate::storage::verbs::KNOWN,
                oldest: found,
            }),
            other => StorageError::garbled(other),
        }
    }
}

/// MySQL's own number of an error: its SQLSTATE is mostly the one for everything.
#[cfg(feature = "mysql")]
fn mysqls_number(error: &sqlx::Error) -> Option<u16> {
    Some(error.as_database_error()?.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>()?.number())
}

#[cfg(not(feature = "mysql"))]
fn mysqls_number(_: &sqlx::Error) -> Option<u16> {
    None
}

fn code(error: &sqlx::Error) -> Option<String> {
    error.as_database_error()?.code().map(|code| code.into_owned())
}

/// The database's own words, less the values that PostgreSQL likes to quote in its detail.
fn plain(error: &sqlx::Error) -> String {
    match error.as_database_error() {
        Some(error) => error.message().to_owned(),
        None => error.to_string(),
    }
}

/// Connection lost, server shutting down or starting, too many connections, serialisation failure, deadlock, lock timeout,
/// disk full; on SQLite busy, locked, full.
fn is_transient(error: &sqlx::Error) -> bool {
    use sqlx::Error::{Io, PoolClosed, PoolTimedOut, Protocol, WorkerCrashed};
    if matches!(error, Io(_) | PoolTimedOut | Protocol(_) | WorkerCrashed | PoolClosed) {
        return true;
    }
    // Lock wait, deadlock, out of disk, table full, too many transactions; the statement or the session was killed.
    if matches!(mysqls_number(error), Some(1205 | 1213 | 1021 | 1114 | 1637 | 1317 | 1927)) {
        return true;
    }
    let Some(code) = code(error) else { return false };
    let postgres = ["08", "53", "57", "40"].iter().any(|class| code.len() == 5 && code.starts_with(class));
    postgres || code == "55P03" || matches!(code.parse::<u32>().map(|code| code & 0xff), Ok(5 | 6 | 13 | 10))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Without TLS sqlx advises a feature that djob does not have, and should not.
    #[test]
    fn a_password_that_mysql_takes_by_tls_only_is_told_with_a_way_that_there_is() {
        let advice = "RSA auth backend disabled; enable feature `mysql-rsa` (..) or use TLS.";
        let error = StorageError::from(sqlx::Error::Configuration(advice.into()));
        assert!(error.is_unreachable() && !error.to_string().contains("mysql-rsa"), "{error}");
        assert!(error.to_string().contains("feature `tls`"), "{error}");
    }
}
