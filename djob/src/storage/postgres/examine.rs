//! Asking PostgreSQL what the doctor needs to know.

use sqlx::postgres::Postgres;

use super::{PostgresStorage, connect};
use crate::storage::doctor::{self, Fact, Facts, postgres::CHECKS};
use crate::storage::statement::Dialect;
use crate::storage::{Finding, Storage as _, StorageError};

pub(super) async fn examine(storage: &PostgresStorage) -> Result<Vec<Finding>, StorageError> {
    let version = storage.schema_version().await;
    let mut facts = Facts::new(Dialect::Postgres, &storage.naming, version, &storage.migrations())?;
    facts.note(Fact::new("local", connect::is_local(&storage.options).to_string()));
    facts.note(Fact::new("ssl mode", format!("{:?}", storage.options.get_ssl_mode())));
    for source in doctor::sources(&CHECKS) {
        // Each on its own, since one that is refused ends its transaction.
        let answer = storage
            .on("examine", async |conn, texts, now| doctor::ask::<Postgres>(conn, texts, now, source).await);
        facts.take_in(source, answer.await);
    }
    Ok(doctor::judge(&CHECKS, &facts))
}
