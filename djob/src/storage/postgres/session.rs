//! What must hold while djob speaks to PostgreSQL, and when that is said.
//!
//! A session of djob's own is told once. A pooler in transaction mode (PgBouncer, Supavisor) lends another session to each
//! transaction, and what is set in one would meet somebody else's statements later; there every call is a transaction,
//! and begins by telling it.

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Executor as _, SqlSafeStr, SqlStr};

use crate::storage::StorageError;

/// The planner, pinned for djob's own statements: its tables swing between nothing and millions of rows, and a plan made for
/// one of the two is ruinous for the other. Every statement has one right plan, by its index.
const SETTINGS: [&str; 10] = [
    "jit = off",
    "enable_seqscan = off",
    "enable_bitmapscan = off",
    "enable_sort = off",
    "enable_hashjoin = off",
    "enable_mergejoin = off",
    "timezone = 'UTC'",
    "client_min_messages = 'warning'",
    "lock_timeout = '3s'",
    "idle_in_transaction_session_timeout = '10s'",
];
const ISOLATION: &str = "default_transaction_isolation = 'read committed'";
/// A claim that is lost with the server leaves its jobs where they were, so it need not wait for the disk.
pub(super) const FOR_CLAIMS: &str = "synchronous_commit = off";

pub(super) const TRANSACTION: &str = "begin isolation level read committed";
const VIEW: &str = "begin isolation level repeatable read read only";

/// How much is done at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// Statements that stand for themselves.
    Statement,
    /// All or nothing.
    Transaction,
    /// With one view of all rooms.
    View,
}

/// What a session is told.
#[derive(Clone, Debug)]
pub(super) struct Session {
    /// When it begins.
    first: Option<SqlStr>,
    /// What a transaction is told, if it is the session's only one.
    each: Option<String>,
}

impl Session {
    /// One of djob's own.
    pub(super) fn own(more: Option<&'static str>) -> Self {
        let told = settings("set", [ISOLATION].into_iter().chain(SETTINGS).chain(more));
        Session { first: Some(AssertSqlSafe(told).into_sql_str()), each: None }
    }

    /// One that a pooler lends for a transaction.
    pub(super) fn lent(more: Option<&'static str>) -> Self {
        Session { first: None, each: Some(settings("set local", SETTINGS.into_iter().chain(more))) }
    }

    /// Tells a connection that was just made.
    pub(super) async fn open(&self, conn: &mut PgConnection) -> Result<(), StorageError> {
        if let Some(first) = &self.first {
            conn.execute(first.clone()).await?;
        }
        Ok(())
    }

    /// Does `work` as one unit.
    pub(super) async fn within<T>(
        &self,
        conn: &mut PgConnection,
        unit: Unit,
        work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, StorageError>,
    ) -> Result<T, StorageError> {
        let Some(begin) = self.begin(unit) else { return work(conn).await };
        let done = async {
            conn.execute(begin).await?;
            work(conn).await
        };
        let done = done.await;
        // Also where it has begun, and what it was told was refused.
        let ended = conn.execute(if done.is_ok() { "commit" } else { "rollback" }).await;
        let done = done?;
        ended?;
        Ok(done)
    }

    fn begin(&self, unit: Unit) -> Option<SqlStr> {
        let begin = match unit {
            Unit::Statement if self.each.is_none() => return None,
            Unit::Statement | Unit::Transaction => TRANSACTION,
            Unit::View => VIEW,
        };
        Some(match &self.each {
            None => begin.into_sql_str(),
            Some(each) => AssertSqlSafe(format!("{begin}; {each}")).into_sql_str(),
        })
    }
}

fn settings(set: &str, settings: impl Iterator<Item = &'static str>) -> String {
    settings.map(|setting| format!("{set} {setting}")).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_lent_session_makes_a_transaction_of_each_statement() {
        let begin = |session: Session, unit| session.begin(unit).map(|sql| sql.as_str().to_owned());
        assert_eq!(begin(Session::own(None), Unit::Statement), None);
        assert_eq!(begin(Session::own(None), Unit::Transaction).unwrap(), TRANSACTION);
        assert_eq!(begin(Session::own(None), Unit::View).unwrap(), VIEW);
        for (unit, expected) in
            [(Unit::Statement, TRANSACTION), (Unit::Transaction, TRANSACTION), (Unit::View, VIEW)]
        {
            let begin = begin(Session::lent(Some(FOR_CLAIMS)), unit).unwrap();
            assert!(begin.starts_with(&format!("{expected}; set local jit = off; ")), "{begin}");
            assert!(begin.ends_with("; set local synchronous_commit = off"), "{begin}");
        }
    }
}
