//! The jobs that are measured: the same work as the peers' benches have.

use std::time::Duration;

use djob::{BoxError, JobContext, job};

use crate::ledger;

/// Nothing, kept nowhere, as the fastest peers do.
#[job(keep = "0s")]
pub(crate) async fn noop(id: u64) {
    ledger::ran(id);
}

/// Nothing, with the default history.
#[job]
pub(crate) async fn noop_kept(id: u64) {
    ledger::ran(id);
}

/// Fails twice, and then succeeds.
#[job(keep = "0s", backoff = "fixed 0s")]
pub(crate) async fn third_time(ctx: &JobContext, id: u64) -> Result<(), BoxError> {
    if ctx.attempt() < 3 {
        return Err("not yet".into());
    }
    ledger::ran(id);
    Ok(())
}

/// Nothing; from the call to its start is measured.
#[job(keep = "0s")]
pub(crate) async fn timed(id: u64) {
    ledger::started(id);
    ledger::ran(id);
}

/// Says to another process when it starts.
#[job(keep = "0s")]
pub(crate) async fn stamp(id: u64) {
    println!("{id} {}", ledger::wall_ns());
}

/// Takes a while.
#[job(keep = "0s")]
pub(crate) async fn slow(id: u64, ms: u64) {
    tokio::time::sleep(Duration::from_millis(ms)).await;
    ledger::ran(id);
}
