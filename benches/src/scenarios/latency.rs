//! How soon a job starts on an idle worker.

use std::time::{Duration, Instant};

use djob::BoxError;

use super::worker::worker;
use crate::args::Args;
use crate::database::Database;
use crate::jobs::noop;
use crate::ledger;
use crate::report::{Line, Times};

/// The first jobs warm everything up and are not counted.
const WARM_UP: u64 = 20;

/// One job at a time, 10 to 30 ms apart: from the call, and from the commit, to the start.
pub(crate) async fn latency(args: &Args, database: &Database) -> Result<Vec<Line>, BoxError> {
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let working = tokio::spawn(worker(args, &database.client).run_until(async move { drop(stopped.await) }));
    let begin = Instant::now();
    let (mut from_call, mut from_commit) = (Vec::new(), Vec::new());
    for id in 0..args.jobs + WARM_UP {
        tokio::time::sleep(Duration::from_millis(10 + id * 7 % 20)).await;
        let called = ledger::now_ns();
        noop.perform_later(id).on(&database.client).await?;
        let committed = ledger::now_ns();
        ledger::more_than(id).await;
        if id >= WARM_UP {
            from_call.push(ledger::last_ns().saturating_sub(called));
            from_commit.push(ledger::last_ns().saturating_sub(committed));
        }
    }
    let took = begin.elapsed();
    drop(stop);
    working.await??;
    let line = |settings: &str, times| Line {
        times: Times::of(times),
        settings: settings.into(),
        ..Line::new(args, database, args.jobs, took, None)
    };
    Ok(vec![line("from the call to the start", from_call), line("from the commit to the start", from_commit)])
}
