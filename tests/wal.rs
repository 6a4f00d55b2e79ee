//! SQLite's write-ahead log: it grows while somebody reads, and must not stay that large.

use std::time::Duration;

use djob::job;
use djob::sqlx::{Connection as _, Executor as _, SqliteConnection};

use crate::common::{eventually, sqlite};

/// What the log is cut to: see `sqlite/connect.rs`.
const CUT: u64 = 64 * 1024 * 1024;

#[job(name = "wal.keep")]
async fn keep(text: String) {
    drop(text);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_that_a_reader_has_let_grow_is_cut_when_it_has_gone() {
    let database = sqlite().await;
    let log = format!("{}-wal", database.url.trim_start_matches("sqlite://"));
    let size = || std::fs::metadata(&log).map_or(0, |log| log.len());
    let mut reader = SqliteConnection::connect(&database.url).await.unwrap();
    reader.execute("begin; select count(*) from djob_jobs").await.unwrap();
    let large = "x".repeat(200_000);
    while size() <= CUT + CUT / 8 {
        let some = (0..40).map(|_| KeepJob { text: large.clone() });
        database.client.enqueue_all(some).await.unwrap();
    }
    reader.close().await.unwrap();
    eventually("the log is cut", Duration::from_secs(20), async || {
        keep.perform_later("small".into()).on(&database.client).await.unwrap();
        size() <= CUT
    })
    .await;
}
