//! One writer: SQLite lets one connection write at a time, so djob queues its writes and commits together what waits.
//!
//! It does so on a thread of its own: a transaction is several statements, and a job that blocks its runtime between two of
//! them would keep every other process out of the database.
//!
//! A lone write is not delayed. While a commit is on its way to the disk, others gather, and share the next one. Each caller
//! is answered after the commit that holds its write.

use std::sync::Arc;

use sqlx::pool::PoolConnection;
use sqlx::{Connection as _, Sqlite, SqliteConnection, SqlitePool};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

use super::lock::Patience;
use crate::job::BoxFuture;
use crate::storage::StorageError;
use crate::storage::error::Problem;

/// The most writes that share a commit.
const TOGETHER_MAX: usize = 64;

/// Tells a caller how its write ended: called after the commit, with the commit's own error if there was one.
type Answer = Box<dyn FnOnce(Option<StorageError>) + Send>;
/// A write: done on the connection, inside of a transaction that others share, or told why there is none. `false` undoes
/// this write alone.
type Write = Box<
    dyn for<'c> FnOnce(Result<&'c mut SqliteConnection, StorageError>) -> BoxFuture<'c, (bool, Answer)>
        + Send,
>;

/// The queue of writes.
#[derive(Clone)]
pub(crate) struct Writer {
    pool: SqlitePool,
    queue: UnboundedSender<Write>,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Writer")
    }
}

impl Writer {
    /// Starts the thread that commits. It ends with the last writer.
    pub(crate) fn new(pool: SqlitePool, in_memory: bool) -> Result<Self, StorageError> {
        let (queue, waiting) = unbounded_channel();
        let committer = Committer { pool: pool.clone(), in_memory };
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(sqlx::Error::Io)?;
        let thread = std::thread::Builder::new().name("djob-sqlite".into());
        thread.spawn(move || runtime.block_on(committer.commit_all(waiting))).map_err(sqlx::Error::Io)?;
        Ok(Writer { pool, queue })
    }

    /// Does `work` in a transaction, which it may share with other writes, and returns after the commit.
    pub(crate) async fn write<T, W>(&self, work: W) -> Result<T, StorageError>
    where
        T: Send + 'static,
        W: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, StorageError>>
            + Send
            + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let write: Write = Box::new(move |conn| {
            Box::pin(async move {
                let done = match conn {
                    Ok(conn) => work(conn).await,
                    Err(error) => Err(error),
                };
                let keep = done.is_ok();
                let tell: Answer = Box::new(move |commit| {
                    // A caller that has gone away wants no answer.
                    let _ = answer.send(match commit {
                        Some(error) => done.and(Err(error)),
                        None => done,
                    });
                });
                (keep, tell)
            })
        });
        let gone =
            || StorageError::new(Problem::Unreachable("the thread that writes to SQLite has ended".into()));
        self.queue.send(write).map_err(|_| gone())?;
        answered.await.unwrap_or_else(|_| Err(gone()))
    }

    /// The connection itself, for what cannot share a transaction.
    pub(super) async fn connection(&self) -> Result<PoolConnection<Sqlite>, StorageError> {
        Ok(self.pool.acquire().await?)
    }
}

/// The thread's part.
struct Committer {
    pool: SqlitePool,
    /// The one connection is the database, and must not be closed.
    in_memory: bool,
}

impl Committer {
    async fn commit_all(&self, mut waiting: UnboundedReceiver<Write>) {
        let mut writes = Vec::new();
        while waiting.recv_many(&mut writes, TOGETHER_MAX).await > 0 {
            self.commit(std::mem::take(&mut writes)).await;
        }
    }

    async fn commit(&self, writes: Vec<Write>) {
        let mut answers = Vec::with_capacity(writes.len());
        let mut writes = writes.into_iter();
        let ended = match self.pool.acquire().await {
            Err(error) => Err(error.into()),
            Ok(mut conn) => {
                let ended = Self::transaction(&mut conn, &mut writes, &mut answers).await;
                // A full disk ends the transaction behind sqlx's back, which then refuses to begin another.
                if ended.is_err() && !self.in_memory {
                    conn.close_on_drop();
                }
                ended
            }
        };
        let ended = ended.map_err(Arc::new);
        let why = |error: &Arc<StorageError>| StorageError::new(Problem::Shared(error.clone()));
        if let Err(error) = &ended {
            for unwritten in writes {
                answers.push(unwritten(Err(why(error))).await.1);
            }
        }
        for answer in answers {
            answer(ended.as_ref().err().map(why));
        }
    }

    async fn transaction(
        conn: &mut SqliteConnection,
        writes: &mut std::vec::IntoIter<Write>,
        answers: &mut Vec<Answer>,
    ) -> Result<(), StorageError> {
        // IMMEDIATE: a deferred transaction that turns into a write fails at once if another process writes.
        let patience = Patience::new();
        let mut tx = loop {
            match conn.begin_with("BEGIN IMMEDIATE").await.map_err(StorageError::from) {
                Ok(tx) => break tx,
                Err(error) if patience.lasts(&error).await => {}
                Err(error) => return Err(error),
            }
        };
        if writes.len() == 1 {
            for write in writes {
                let (keep, answer) = write(Ok(&mut tx)).await;
                answers.push(answer);
                if !keep {
                    return Ok(tx.rollback().await?);
                }
            }
            return Ok(tx.commit().await?);
        }
        while writes.len() > 0 {
            sqlx::query("SAVEPOINT one").execute(&mut *tx).await?;
            let Some(write) = writes.next() else { break };
            let (keep, answer) = write(Ok(&mut tx)).await;
            answers.push(answer);
            let end = if keep { "RELEASE one" } else { "ROLLBACK TO one" };
            sqlx::query(end).execute(&mut *tx).await?;
        }
        Ok(tx.commit().await?)
    }
}
