//! One writer: SQLite lets one connection write at a time, so djob queues its writes and commits together what waits.
//!
//! A lone write is not delayed. While a commit is on its way to the disk, others gather, and share the next one. Each caller
//! is answered after the commit that holds its write.

use std::sync::{Arc, Mutex, PoisonError};

use sqlx::pool::PoolConnection;
use sqlx::{Sqlite, SqliteConnection, SqlitePool};
use tokio::sync::oneshot;

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

#[derive(Default)]
struct Queue {
    waiting: Vec<Write>,
    running: bool,
}

/// The queue of writes.
#[derive(Clone)]
pub(crate) struct Writer {
    pool: SqlitePool,
    queue: Arc<Mutex<Queue>>,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Writer")
    }
}

impl Writer {
    pub(crate) fn new(pool: SqlitePool) -> Self {
        Writer { pool, queue: Arc::default() }
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
        self.push(Box::new(move |conn| {
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
        }));
        answered.await.unwrap_or_else(|_| {
            Err(StorageError::new(Problem::Unreachable("the runtime has stopped".into())))
        })
    }

    /// The connection itself, for what cannot share a transaction.
    pub(super) async fn connection(&self) -> Result<PoolConnection<Sqlite>, StorageError> {
        Ok(self.pool.acquire().await?)
    }

    fn push(&self, write: Write) {
        let start = {
            let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
            queue.waiting.push(write);
            !std::mem::replace(&mut queue.running, true)
        };
        if start {
            // In a run of its own, so that a caller who gives up does not take the others' writes along.
            let run = Run(self.clone());
            tokio::spawn(async move { run.0.commit_all().await });
        }
    }

    async fn commit_all(&self) {
        while let Some(writes) = self.next() {
            self.commit(writes).await;
        }
    }

    /// What waits; `None` ends the run.
    fn next(&self) -> Option<Vec<Write>> {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let count = queue.waiting.len().min(TOGETHER_MAX);
        queue.running = count > 0;
        (count > 0).then(|| queue.waiting.drain(..count).collect())
    }

    async fn commit(&self, writes: Vec<Write>) {
        let mut answers = Vec::with_capacity(writes.len());
        let mut writes = writes.into_iter();
        let ended = self.transaction(&mut writes, &mut answers).await.map_err(Arc::new);
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
        &self,
        writes: &mut std::vec::IntoIter<Write>,
        answers: &mut Vec<Answer>,
    ) -> Result<(), StorageError> {
        // IMMEDIATE: a deferred transaction that turns into a write fails at once if another process writes.
        let mut tx = self.pool.begin_with("BEGIN IMMEDIATE").await?;
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

/// A run of commits. However it ends, the next write may start another.
struct Run(Writer);

impl Drop for Run {
    fn drop(&mut self) {
        let mut queue = self.0.queue.lock().unwrap_or_else(PoisonError::into_inner);
        if queue.running {
            queue.running = false;
            queue.waiting.clear();
        }
    }
}
