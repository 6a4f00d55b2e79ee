//! What workers have published about their kinds: written and read in the same way on every database.

use std::future::Future;

use sqlx::database::HasStatementCache;
use sqlx::{ColumnIndex, Database, Decode, Encode, Executor, IntoArguments, Row as _, Type};

use super::columns::{Affected, count, smallint};
use super::error::StorageError;
use super::statement::Statement::{CONTRACTS, PUBLISH};
use super::statement::Texts;
use super::verbs::{Now, Result};
use crate::clock::Timestamp;
use crate::job::Contract;

pub(super) trait Contracts: Database {
    /// Every contract there is, by kind and version.
    fn contracts(
        conn: &mut Self::Connection,
        texts: &Texts,
    ) -> impl Future<Output = Result<Vec<Contract>>> + Send;

    /// Writes those that are new, or not as they were.
    fn publish(
        conn: &mut Self::Connection,
        texts: &Texts,
        contracts: &[Contract],
        now: Now,
    ) -> impl Future<Output = Result<()>> + Send;
}

impl<D> Contracts for D
where
    D: Database<QueryResult: Affected> + HasStatementCache,
    D::Arguments: IntoArguments<D>,
    for<'c> &'c mut D::Connection: Executor<'c, Database = D>,
    usize: ColumnIndex<D::Row>,
    for<'q> Option<Timestamp>: Encode<'q, D> + Type<D>,
    for<'q> String: Encode<'q, D> + Decode<'q, D> + Type<D>,
    for<'q> i64: Encode<'q, D> + Decode<'q, D> + Type<D>,
    for<'q> i32: Encode<'q, D> + Decode<'q, D> + Type<D>,
    for<'q> i16: Encode<'q, D> + Decode<'q, D> + Type<D>,
{
    async fn contracts(conn: &mut D::Connection, texts: &Texts) -> Result<Vec<Contract>> {
        let rows = texts.ask::<D>(CONTRACTS).fetch_all(conn).await?;
        rows.iter().map(contract::<D>).collect()
    }

    async fn publish(
        conn: &mut D::Connection,
        texts: &Texts,
        contracts: &[Contract],
        now: Now,
    ) -> Result<()> {
        let known = Self::contracts(conn, texts).await?;
        for contract in contracts.iter().filter(|contract| !known.contains(contract)) {
            let computed = serde_json::to_string(&contract.computed).unwrap_or_default();
            texts
                .ask::<D>(PUBLISH)
                .bind(contract.kind.clone())
                .bind(i32::from(contract.version))
                .bind(contract.schema.clone())
                .bind(contract.queue.clone())
                .bind(contract.priority)
                .bind(contract.delay)
                .bind(smallint(contract.max_attempts))
                .bind(computed)
                .bind(contract.hash())
                .bind(now)
                .execute(&mut *conn)
                .await?;
        }
        Ok(())
    }
}

/// A row of `contracts.sql`.
fn contract<D>(row: &D::Row) -> Result<Contract>
where
    D: Database,
    usize: ColumnIndex<D::Row>,
    for<'q> String: Decode<'q, D> + Type<D>,
    for<'q> i64: Decode<'q, D> + Type<D>,
    for<'q> i32: Decode<'q, D> + Type<D>,
    for<'q> i16: Decode<'q, D> + Type<D>,
{
    let computed: String = row.try_get(7)?;
    Ok(Contract {
        kind: row.try_get(0)?,
        version: u16::try_from(row.try_get::<i32, _>(1)?).map_err(StorageError::garbled)?,
        schema: row.try_get(2)?,
        queue: row.try_get(3)?,
        priority: row.try_get(4)?,
        delay: row.try_get(5)?,
        max_attempts: count(row.try_get(6)?),
        computed: serde_json::from_str(&computed).map_err(StorageError::garbled)?,
    })
}
