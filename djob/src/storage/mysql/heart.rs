//! The heartbeat's own connection: it must not wait for one that is lent.

use std::time::Duration;

use sqlx::mysql::{MySql, MySqlConnection};
use uuid::Uuid;

use super::MySqlStorage;
use crate::clock::{Clock, micros};
use crate::storage::statement::Texts;
use crate::storage::trust::{Made, Trust};
use crate::storage::verbs::Verbs;
use crate::storage::{Heart, News, Reply, StorageError};

struct MySqlHeart {
    conn: MySqlConnection,
    trust: Trust,
    made: Made,
    texts: Texts,
    clock: Clock,
}

pub(super) async fn open(storage: &MySqlStorage) -> Result<Box<dyn Heart>, StorageError> {
    let (trust, texts, clock) = (storage.trust.clone(), storage.texts.clone(), storage.clock.clone());
    let made = trust.made();
    Ok(Box::new(MySqlHeart { conn: storage.connect().await?, trust, made, texts, clock }))
}

impl Heart for MySqlHeart {
    fn beat<'a>(&'a mut self, worker: Uuid, lease: Duration) -> Reply<'a, Option<News>> {
        Box::pin(async move {
            let (texts, now) = (&self.texts, self.clock.read());
            self.trust.heed(self.made, MySql::beat(&mut self.conn, texts, worker, micros(lease), now).await)
        })
    }
}
