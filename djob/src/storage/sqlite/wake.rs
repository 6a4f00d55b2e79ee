//! Learning of other processes' writes: each commit touches the write-ahead log, and a look at a file's dates costs a
//! microsecond and no statement.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::storage::StorageError;

/// How often the file is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Calls `woken` whenever the write-ahead log of `file` has changed. A database in memory has no other process.
///
/// A file's dates are only so fine: each change is told of twice, so that one right behind it is not missed.
pub(super) async fn watch(file: Option<&Path>, woken: &(dyn Fn() + Send + Sync)) -> Result<(), StorageError> {
    woken();
    let Some(file) = file else { return std::future::pending().await };
    let log = log_of(file);
    let (mut seen, mut again) = (look(&log), false);
    let mut ticks = tokio::time::interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let now = look(&log);
        let changed = now != seen;
        if changed || again {
            woken();
        }
        (seen, again) = (now, changed);
    }
}

fn log_of(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

fn look(log: &Path) -> Option<(SystemTime, u64)> {
    let meta = std::fs::metadata(log).ok()?;
    Some((meta.modified().ok()?, meta.len()))
}
