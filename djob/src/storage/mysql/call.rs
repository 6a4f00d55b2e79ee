//! How a call is made: on one of the connections, within a time limit, in a transaction or not.

use std::time::Duration;

use sqlx::Connection as _;
use sqlx::mysql::MySqlConnection;

use super::{CALL_MAX, MySqlStorage};
use crate::job::BoxFuture;
use crate::pause::some_of;
use crate::storage::StorageError;
use crate::storage::statement::Texts;
use crate::storage::verbs::Now;

/// How often a transaction is done again that the server has ended for another's sake.
const TRIES: u32 = 10;

impl MySqlStorage {
    /// The time to bind: nothing, so that the server says, unless a test holds the clock.
    pub(super) fn now(&self) -> Now {
        self.clock.read()
    }

    /// Does `work` on one of the connections, within a time limit.
    pub(super) async fn on<T, W>(&self, what: &'static str, work: W) -> Result<T, StorageError>
    where
        W: AsyncFnOnce(&mut MySqlConnection, &Texts, Now) -> Result<T, StorageError>,
    {
        let work = async |conn: &mut MySqlConnection| work(conn, &self.texts, self.now()).await;
        self.connections.call(CALL_MAX, what, work).await
    }

    /// The same within a transaction, which is done again if the server has ended it for another's sake.
    pub(super) async fn on_tx<T, W>(&self, what: &'static str, work: W) -> Result<T, StorageError>
    where
        W: for<'c> Fn(&'c mut MySqlConnection, Texts, Now) -> BoxFuture<'c, Result<T, StorageError>>,
    {
        let mut tries = 0;
        loop {
            let once = async |conn: &mut MySqlConnection, texts: &Texts, now: Now| {
                let mut tx = conn.begin().await?;
                let done = work(&mut tx, texts.clone(), now).await?;
                tx.commit().await?;
                Ok(done)
            };
            match self.on(what, once).await {
                Err(error) if error.is_deadlock() && tries < TRIES => tries += 1,
                done => return done,
            }
            tokio::time::sleep(some_of(Duration::from_millis(1 << tries.min(6)))).await;
        }
    }

    /// Does `work` with one view of all rooms, so that a job on its way between two of them is seen in one.
    pub(super) async fn look<T, W>(&self, what: &'static str, work: W) -> Result<T, StorageError>
    where
        W: AsyncFnOnce(&mut MySqlConnection, &Texts, Now) -> Result<T, StorageError>,
    {
        let looked = async move |conn: &mut MySqlConnection, texts: &Texts, now: Now| {
            // For the next transaction only.
            sqlx::query("set transaction isolation level repeatable read").execute(&mut *conn).await?;
            let mut tx = conn.begin_with("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY").await?;
            let done = work(&mut tx, texts, now).await?;
            tx.commit().await?;
            Ok(done)
        };
        self.on(what, looked).await
    }
}
