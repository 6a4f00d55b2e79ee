//! How a call is made: on one of the connections, within a time limit, in a transaction or not.

use std::time::Duration;

use sqlx::Connection as _;
use sqlx::postgres::PgConnection;

use super::{CALL_MAX, PostgresStorage};
use crate::storage::StorageError;
use crate::storage::connections::Connections;
use crate::storage::statement::Texts;
use crate::storage::verbs::Now;

impl PostgresStorage {
    /// The time to bind: nothing, so that the server says, unless a test holds the clock.
    pub(super) fn now(&self) -> Now {
        self.clock.read()
    }

    /// Does `work` on one of the connections, within `limit`.
    pub(super) async fn within<T, W>(
        &self,
        connections: &Connections<PgConnection>,
        limit: Duration,
        what: &'static str,
        work: W,
    ) -> Result<T, StorageError>
    where
        W: AsyncFnOnce(&mut PgConnection, &Texts, Now) -> Result<T, StorageError>,
    {
        let work = async |conn: &mut PgConnection| work(conn, &self.texts, self.now()).await;
        connections.call(limit, what, work).await
    }

    pub(super) async fn on<T, W>(&self, what: &'static str, work: W) -> Result<T, StorageError>
    where
        W: AsyncFnOnce(&mut PgConnection, &Texts, Now) -> Result<T, StorageError>,
    {
        self.within(&self.durable, CALL_MAX, what, work).await
    }

    /// The same with one view of all rooms, so that a job on its way between two of them is seen in one.
    pub(super) async fn look<T, W>(&self, what: &'static str, work: W) -> Result<T, StorageError>
    where
        W: AsyncFnOnce(&mut PgConnection, &Texts, Now) -> Result<T, StorageError>,
    {
        let work = async move |conn: &mut PgConnection, texts: &Texts, now: Now| {
            let mut tx = conn.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
            let seen = work(&mut tx, texts, now).await?;
            tx.commit().await?;
            Ok(seen)
        };
        self.on(what, work).await
    }

    /// The same within a transaction.
    pub(super) async fn on_tx<T, W>(&self, what: &'static str, work: W) -> Result<T, StorageError>
    where
        W: AsyncFnOnce(&mut PgConnection, &Texts, Now) -> Result<T, StorageError>,
    {
        let work = async move |conn: &mut PgConnection, texts: &Texts, now: Now| {
            let mut tx = conn.begin().await?;
            let done = work(&mut tx, texts, now).await?;
            tx.commit().await?;
            Ok(done)
        };
        self.on(what, work).await
    }
}
