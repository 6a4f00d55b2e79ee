//! Jobs come in and are worked off at the same time.

use std::time::{Duration, Instant};

use djob::BoxError;

use super::worker::worker;
use crate::args::Args;
use crate::database::Database;
use crate::jobs::timed;
use crate::ledger;
use crate::progress::Progress;
use crate::report::{Line, Times};

/// How often callers set off.
const TICK: Duration = Duration::from_millis(1);

/// `--rate` jobs a second, each by a caller of its own, for `--seconds`: from the call to the start.
pub(crate) async fn steady(args: &Args, database: &Database) -> Result<Vec<Line>, BoxError> {
    let jobs = args.rate * args.seconds;
    let _progress = Progress::follow("steady", jobs, || ledger::total().0);
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let working = tokio::spawn(worker(args, &database.client).run_until(async move { drop(stopped.await) }));
    let (before, begin) = (database.spent().await?, Instant::now());
    let mut callers = tokio::task::JoinSet::new();
    let mut ticks = tokio::time::interval(TICK);
    let mut called = 0;
    while called < jobs {
        ticks.tick().await;
        let due = (begin.elapsed().as_secs_f64() * args.rate as f64) as u64;
        for id in called..due.min(jobs) {
            let client = database.client.clone();
            callers.spawn(async move {
                ledger::called(id, jobs);
                timed.perform_later(id).on(&client).await
            });
        }
        called = called.max(due.min(jobs));
    }
    while let Some(call) = callers.join_next().await {
        call??;
    }
    ledger::more_than(jobs - 1).await;
    let took = begin.elapsed();
    let cost = database.spent_since(before).await?;
    drop(stop);
    working.await??;
    if ledger::total() != ledger::even(jobs) || database.unfinished().await? != 0 {
        return Err(format!("the ledger is not even: {:?}", ledger::total()).into());
    }
    let settings = format!("{} a second, from the call to the start", args.rate);
    Ok(vec![Line {
        times: Times::of(ledger::waited()),
        settings,
        ..Line::new(args, database, jobs, took, cost)
    }])
}
