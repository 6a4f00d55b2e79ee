//! How a call is made: on one of the connections, within a time limit, in a transaction or not.

use sqlx::postgres::PgConnection;

use super::session::{Session, Unit};
use super::{CALL_MAX, PostgresStorage};
use crate::storage::StorageError;
use crate::storage::connections::Connections;
use crate::storage::statement::Texts;
use crate::storage::verbs::Now;

/// Connections of one sort.
#[derive(Clone)]
pub(super) struct Line {
    pub(super) connections: Connections<PgConnection>,
    pub(super) session: Session,
}

impl PostgresStorage {
    /// The time to bind: nothing, so that the server says, unless a test holds the clock.
    pub(super) fn now(&self) -> Now {
        self.clock.read()
    }

    /// Does `work` on one of the connections.
    pub(super) async fn on<T, W>(&self, what: &'static str, work: W) -> Result<T, StorageError>
    where
        W: AsyncFnOnce(&mut PgConnection, &Texts, Now) -> Result<T, StorageError>,
    {
        self.call(&self.durable, Unit::Statement, what, work).await
    }

    /// The same with one view of all rooms, so that a job on its way between two of them is seen in one.
    pub(super) async fn look<T, W>(&self, what: &'static str, work: W) -> Result<T, StorageError>
    where
        W: AsyncFnOnce(&mut PgConnection, &Texts, Now) -> Result<T, StorageError>,
    {
        self.call(&self.durable, Unit::View, what, work).await
    }

    /// The same within a transaction.
    pub(super) async fn on_tx<T, W>(&self, what: &'static str, work: W) -> Result<T, StorageError>
    where
        W: AsyncFnOnce(&mut PgConnection, &Texts, Now) -> Result<T, StorageError>,
    {
        self.call(&self.durable, Unit::Transaction, what, work).await
    }

    /// The same on a connection that does not wait for the disk.
    pub(super) async fn on_claims<T, W>(&self, what: &'static str, work: W) -> Result<T, StorageError>
    where
        W: AsyncFnOnce(&mut PgConnection, &Texts, Now) -> Result<T, StorageError>,
    {
        self.call(&self.claims, Unit::Statement, what, work).await
    }

    async fn call<T, W>(
        &self,
        line: &Line,
        unit: Unit,
        what: &'static str,
        work: W,
    ) -> Result<T, StorageError>
    where
        W: AsyncFnOnce(&mut PgConnection, &Texts, Now) -> Result<T, StorageError>,
    {
        let work = async |conn: &mut PgConnection| work(conn, &self.texts, self.now()).await;
        let work = async |conn: &mut PgConnection| line.session.within(conn, unit, work).await;
        line.connections.call(CALL_MAX, what, work).await
    }
}
