//! Unread: waiting jobs that no worker reads are set aside. The same steps on every database, inside of a transaction.

use std::future::Future;

use sqlx::database::HasStatementCache;
use sqlx::{ColumnIndex, Database, Decode, Encode, Executor, IntoArguments, Row as _, Type};

use super::columns::Affected;
use super::statement::Statement::{PARK_WAITING, PARKED, UNREAD};
use super::statement::Texts;
use super::verbs::{Now, Result, Verbs};
use super::{Known, LaneAt};
use crate::job::{JobId, unread};

pub(super) trait Unread: Verbs {
    /// Of the first `limit` due jobs of a lane, sets aside those that no worker reads which has beaten for `lease`
    /// microseconds; returns how many.
    fn park_unread(
        conn: &mut Self::Connection,
        texts: &Texts,
        lane: &LaneAt,
        lease: i64,
        limit: u32,
        now: Now,
    ) -> impl Future<Output = Result<u64>> + Send;
}

impl<D> Unread for D
where
    D: Verbs + Database<QueryResult: Affected> + HasStatementCache,
    D::Arguments: IntoArguments<D>,
    for<'c> &'c mut D::Connection: Executor<'c, Database = D>,
    usize: ColumnIndex<D::Row>,
    for<'q> Now: Encode<'q, D> + Type<D>,
    for<'q> JobId: Decode<'q, D> + Type<D>,
    for<'q> String: Encode<'q, D> + Type<D>,
    for<'q> i64: Encode<'q, D> + Type<D>,
    for<'q> i32: Decode<'q, D> + Type<D>,
    for<'q> i16: Encode<'q, D> + Type<D>,
{
    async fn park_unread(
        conn: &mut D::Connection,
        texts: &Texts,
        lane: &LaneAt,
        lease: i64,
        limit: u32,
        now: Now,
    ) -> Result<u64> {
        let ask = texts.ask::<D>(UNREAD).bind(lane.queue.clone()).bind(lane.priority).bind(i64::from(limit));
        let rows = ask.bind(lease).bind(now).fetch_all(&mut *conn).await?;
        let mut parked = Vec::with_capacity(rows.len());
        for row in &rows {
            let (id, version, known): (JobId, i32, Option<i32>) =
                (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
            let (reason, detail) = unread(version, known);
            parked.push((id.0.simple().to_string(), reason, detail, version));
        }
        if parked.is_empty() {
            return Ok(0);
        }
        let json = serde_json::to_string(&parked).unwrap_or_default();
        let set_aside = texts.ask::<D>(PARK_WAITING).bind(json.clone()).bind(now).execute(&mut *conn).await?;
        if texts.has(PARKED) {
            texts.ask::<D>(PARKED).bind(json).execute(conn).await?;
        }
        Ok(set_aside.affected())
    }
}

/// What a worker reads: each kind with its newest version, as `{"send_welcome":2}`.
pub(super) fn known_json(known: &[Known]) -> String {
    let versions = known.iter().map(|known| (known.kind.as_str(), known.version));
    serde_json::to_string(&versions.collect::<std::collections::BTreeMap<_, _>>()).unwrap_or_default()
}
