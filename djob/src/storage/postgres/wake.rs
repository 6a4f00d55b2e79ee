//! Hearing of other processes' jobs: LISTEN, on a connection of its own.

use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};

use crate::storage::StorageError;

/// Calls `woken` whenever somebody has notified the channel. Ends when the connection is lost; the caller begins anew.
pub(super) async fn listen(
    options: &PgConnectOptions,
    channel: String,
    woken: &(dyn Fn() + Send + Sync),
) -> Result<(), StorageError> {
    let pool = PgPoolOptions::new().max_connections(1).connect_lazy_with(options.clone());
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.listen(&channel).await?;
    loop {
        // Once before the first wait: what was enqueued before LISTEN has told nobody.
        woken();
        if listener.try_recv().await?.is_none() {
            return Ok(());
        }
    }
}
