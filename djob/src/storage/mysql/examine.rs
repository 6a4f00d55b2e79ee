//! Asking MySQL or MariaDB what the doctor needs to know.

use sqlx::mysql::MySql;
use sqlx::{AssertSqlSafe, Executor as _};

use super::{MySqlStorage, connect};
use crate::storage::doctor::{self, Fact, Facts, mysql::CHECKS};
use crate::storage::statement::Dialect;
use crate::storage::{Finding, Storage as _, StorageError};

pub(super) async fn examine(storage: &MySqlStorage) -> Result<Vec<Finding>, StorageError> {
    let version = storage.schema_version().await;
    let mut facts = Facts::new(Dialect::MySql, &storage.naming, version, &storage.migrations())?;
    facts.note(Fact::new("local", connect::is_local(&storage.options).to_string()));
    facts.note(Fact::new("ssl mode", format!("{:?}", storage.options.get_ssl_mode())));
    for source in doctor::sources(&CHECKS) {
        let answer = storage
            .on("examine", async |conn, texts, now| doctor::ask::<MySql>(conn, texts, now, source).await);
        facts.take_in(source, answer.await);
    }
    for table in doctor::unseen(&facts, "table") {
        if is_denied(storage, format!("select 1 from {table} limit 0")).await {
            facts.note(Fact::new("hidden table", table));
        }
    }
    for function in doctor::unseen(&facts, "function") {
        // Without its arguments none of them runs.
        if is_denied(storage, format!("call {function}()")).await {
            facts.note(Fact::new("hidden function", function));
        }
    }
    Ok(doctor::judge(&CHECKS, &facts))
}

/// Whether the role may not do this, whatever else would come of it.
async fn is_denied(storage: &MySqlStorage, text: String) -> bool {
    let probe = storage.on("examine", async |conn, _, _| Ok(conn.execute(AssertSqlSafe(text)).await?));
    probe.await.is_err_and(|error| error.is_denied())
}
