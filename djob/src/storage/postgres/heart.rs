//! The heartbeat's own connection: it must not wait for one that is lent.

use std::time::Duration;

use sqlx::postgres::{PgConnection, Postgres};
use uuid::Uuid;

use super::PostgresStorage;
use super::session::{Session, Unit};
use crate::clock::{Clock, micros};
use crate::storage::statement::Texts;
use crate::storage::trust::{Made, Trust};
use crate::storage::verbs::Verbs;
use crate::storage::{Heart, News, Reply, StorageError};

struct PostgresHeart {
    conn: PgConnection,
    session: Session,
    trust: Trust,
    made: Made,
    texts: Texts,
    clock: Clock,
}

pub(super) async fn open(storage: &PostgresStorage) -> Result<Box<dyn Heart>, StorageError> {
    let (session, trust) = (storage.durable.session.clone(), storage.trust.clone());
    let made = trust.made();
    let (texts, clock) = (storage.texts.clone(), storage.clock.clone());
    Ok(Box::new(PostgresHeart { conn: storage.connect().await?, session, trust, made, texts, clock }))
}

impl Heart for PostgresHeart {
    fn beat<'a>(&'a mut self, worker: Uuid, lease: Duration) -> Reply<'a, Option<News>> {
        Box::pin(async move {
            let (texts, now) = (&self.texts, self.clock.read());
            let beat =
                async |conn: &mut PgConnection| Postgres::beat(conn, texts, worker, micros(lease), now).await;
            self.trust.heed(self.made, self.session.within(&mut self.conn, Unit::Statement, beat).await)
        })
    }
}
