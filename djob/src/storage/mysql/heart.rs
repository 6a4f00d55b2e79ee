//! The heartbeat's own connection: it must not wait for one that is lent.

use std::time::Duration;

use sqlx::mysql::{MySql, MySqlConnection};
use uuid::Uuid;

use super::MySqlStorage;
use crate::clock::{Clock, micros};
use crate::storage::statement::Texts;
use crate::storage::verbs::Verbs;
use crate::storage::{Heart, News, Reply, StorageError};

struct MySqlHeart {
    conn: MySqlConnection,
    texts: Texts,
    clock: Clock,
}

pub(super) async fn open(storage: &MySqlStorage) -> Result<Box<dyn Heart>, StorageError> {
    let (texts, clock) = (storage.texts.clone(), storage.clock.clone());
    Ok(Box::new(MySqlHeart { conn: storage.connect().await?, texts, clock }))
}

impl Heart for MySqlHeart {
    fn beat<'a>(&'a mut self, worker: Uuid, lease: Duration) -> Reply<'a, Option<News>> {
        Box::pin(async move {
            MySql::beat(&mut self.conn, &self.texts, worker, micros(lease), self.clock.read()).await
        })
    }
}
