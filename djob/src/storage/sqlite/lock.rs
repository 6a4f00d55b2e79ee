//! Waiting for the write lock, which all processes of a file share.
//!
//! SQLite's own way of waiting looks ten times a second in the end, and between two commits of a busy process the lock is free
//! for a fraction of a millisecond: whoever waits like that may wait for seconds, and lose its lease over it.

use std::time::{Duration, Instant};

use sqlx::SqliteConnection;

use super::StorageError;

/// How long a write waits for those of other processes.
const WAIT_MAX: Duration = Duration::from_secs(5);
const LOOK_EVERY: Duration = Duration::from_millis(1);

/// Tells SQLite to answer at once when the lock is taken. Only a connection that is open is told so: opening it may have to wait,
/// too.
pub(super) async fn wait_in_our_own_way(conn: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    sqlx::query("PRAGMA busy_timeout = 0").execute(conn).await?;
    Ok(())
}

/// Waits, as long as it makes sense.
pub(super) struct Patience(Instant);

impl Patience {
    pub(super) fn new() -> Self {
        Patience(Instant::now())
    }

    /// After an error: whether to try again, now that a moment has passed.
    pub(super) async fn lasts(&self, error: &StorageError) -> bool {
        let lasts = error.is_busy() && self.0.elapsed() < WAIT_MAX;
        if lasts {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        lasts
    }
}
