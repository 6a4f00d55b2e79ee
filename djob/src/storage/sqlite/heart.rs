//! The heartbeat's connection. A file is opened once more. A database in memory lives in one connection, which must not get
//! into the hands of a runtime that ends with its worker: there the beat is a write like any other.

use std::time::Duration;

use sqlx::ConnectOptions as _;
use sqlx::sqlite::{Sqlite, SqliteConnection};
use uuid::Uuid;

use super::SqliteStorage;
use super::lock::{self, Patience};
use crate::clock::micros;
use crate::storage::verbs::Verbs;
use crate::storage::{Heart, News, Reply, StorageError};

/// A connection of its own, to a file.
struct OwnHeart {
    conn: SqliteConnection,
    storage: SqliteStorage,
}

/// The storage's own connection.
struct SharedHeart(SqliteStorage);

pub(super) async fn open(storage: &SqliteStorage) -> Result<Box<dyn Heart>, StorageError> {
    Ok(match &storage.file {
        Some((_, options)) => {
            let mut conn = options.connect().await?;
            lock::wait_in_our_own_way(&mut conn).await?;
            Box::new(OwnHeart { conn, storage: storage.clone() })
        }
        None => Box::new(SharedHeart(storage.clone())),
    })
}

impl Heart for OwnHeart {
    fn beat<'a>(&'a mut self, worker: Uuid, lease: Duration) -> Reply<'a, Option<News>> {
        let (conn, storage) = (&mut self.conn, &self.storage);
        Box::pin(async move {
            let patience = Patience::new();
            loop {
                match Sqlite::beat(conn, &storage.texts, worker, micros(lease), storage.now()).await {
                    Err(error) if patience.lasts(&error).await => {}
                    beaten => return beaten,
                }
            }
        })
    }
}

impl Heart for SharedHeart {
    fn beat<'a>(&'a mut self, worker: Uuid, lease: Duration) -> Reply<'a, Option<News>> {
        Box::pin(self.0.write(move |conn, texts, now| {
            Box::pin(async move { Sqlite::beat(conn, &texts, worker, micros(lease), now).await })
        }))
    }
}
