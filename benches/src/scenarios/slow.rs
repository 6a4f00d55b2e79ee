//! Jobs that take a while, shared by worker processes.

use std::time::Instant;

use djob::BoxError;

use super::worker::{ledgers, start, together};
use crate::args::Args;
use crate::database::Database;
use crate::jobs::SlowJob;
use crate::ledger;
use crate::report::Line;

/// How evenly the processes share: the settings name the share of each.
pub(crate) async fn slow(args: &Args, database: &Database) -> Result<Vec<Line>, BoxError> {
    let jobs = (0..args.jobs).map(|id| SlowJob { id, ms: args.job_ms });
    database.client.enqueue_all(jobs).await?;
    database.calm().await?;
    let begin = Instant::now();
    let shares = ledgers(start(args, database)?).await?;
    let took = begin.elapsed();
    if together(&shares) != ledger::even(args.jobs) {
        return Err(format!("the ledger is not even: {shares:?}").into());
    }
    let shares: Vec<u64> = shares.into_iter().map(|(runs, _)| runs).collect();
    let settings = format!("{} ms each, shared {shares:?}", args.job_ms);
    Ok(vec![Line { settings, ..Line::new(args, database, args.jobs, took, None) }])
}
