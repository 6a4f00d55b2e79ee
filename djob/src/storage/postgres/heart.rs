//! The heartbeat's own connection: it must not wait for one that is lent.

use std::time::Duration;

use sqlx::postgres::{PgConnection, Postgres};
use uuid::Uuid;

use super::PostgresStorage;
use crate::clock::{Clock, micros};
use crate::storage::statement::Texts;
use crate::storage::verbs::Verbs;
use crate::storage::{Heart, News, Reply, StorageError};

struct PostgresHeart {
    conn: PgConnection,
    texts: Texts,
    clock: Clock,
}

pub(super) async fn open(storage: &PostgresStorage) -> Result<Box<dyn Heart>, StorageError> {
    let (texts, clock) = (storage.texts.clone(), storage.clock.clone());
    Ok(Box::new(PostgresHeart { conn: storage.connect().await?, texts, clock }))
}

impl Heart for PostgresHeart {
    fn beat<'a>(&'a mut self, worker: Uuid, lease: Duration) -> Reply<'a, Option<News>> {
        Box::pin(async move {
            Postgres::beat(&mut self.conn, &self.texts, worker, micros(lease), self.clock.read()).await
        })
    }
}
