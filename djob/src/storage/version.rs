//! Which version the tables have, and whether this program can work on them.

use std::future::Future;

use sqlx::database::HasStatementCache;
use sqlx::{AssertSqlSafe, ColumnIndex, Database, Decode, Executor, IntoArguments, Row as _, Type};

use super::error::{Problem, StorageError};
use super::naming::Naming;
use super::verbs::{KNOWN, Result};

/// How the tables in the database compare with those this version needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SchemaVersion {
    /// The newest migration that was applied; 0 if there are no tables.
    pub found: i64,
    /// The newest migration this program knows.
    pub known: i64,
    /// The oldest migration that a program may know and still work on the tables; 0 if there are none.
    pub oldest: i64,
}

impl SchemaVersion {
    /// Refuses tables on which this program cannot work: they are missing, older than it needs, or so much newer that they
    /// lack what it needs. Others may be newer; a deploy migrates them while programs of the version before still run.
    ///
    /// # Errors
    /// If they are, with the way out.
    pub fn check(self) -> Result<()> {
        let SchemaVersion { found, known, oldest } = self;
        match (found < known, oldest > known) {
            (true, _) => Err(StorageError::new(Problem::Unmigrated { found, known })),
            (_, true) => Err(StorageError::new(Problem::Newer { found, known, oldest })),
            _ => Ok(()),
        }
    }
}

pub(super) trait Version: Database {
    /// What version the tables of these names have. They may not be there, so nothing is prepared.
    fn version(
        conn: &mut Self::Connection,
        naming: &Naming,
    ) -> impl Future<Output = Result<SchemaVersion>> + Send;
}

impl<D> Version for D
where
    D: Database + HasStatementCache,
    D::Arguments: IntoArguments<D>,
    for<'c> &'c mut D::Connection: Executor<'c, Database = D>,
    usize: ColumnIndex<D::Row>,
    for<'q> i64: Decode<'q, D> + Type<D>,
{
    async fn version(conn: &mut D::Connection, naming: &Naming) -> Result<SchemaVersion> {
        let (migrations, schema) = (naming.migrations_table(), naming.table("schema"));
        let text = format!(
            "select max(version), (select max(oldest) from {schema}) from {migrations} where success"
        );
        let row = sqlx::query(AssertSqlSafe(text)).persistent(false).fetch_one(conn).await;
        let (found, oldest) = match row.map_err(StorageError::from) {
            Err(error) if error.is_schema() => (None, None),
            row => row.and_then(|row| Ok((row.try_get(0)?, row.try_get(1)?)))?,
        };
        Ok(SchemaVersion { found: found.unwrap_or(0), known: KNOWN, oldest: oldest.unwrap_or(0) })
    }
}
