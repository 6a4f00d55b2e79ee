//! Draining a backlog.

use std::time::Instant;

use djob::sqlx::{self, Connection as _};
use djob::{BoxError, Enqueued};

use super::worker::{ledgers, start, together, worker};
use crate::args::Args;
use crate::database::Database;
use crate::jobs::{NoopJob, NoopKeptJob, ThirdTimeJob};
use crate::ledger;
use crate::report::Line;

/// No-op jobs.
pub(crate) async fn work(args: &Args, database: &Database) -> Result<Vec<Line>, BoxError> {
    let client = &database.client;
    let stored: Vec<Enqueued> = match args.history {
        true => client.enqueue_all((0..args.jobs).map(|id| NoopKeptJob { id })).await?,
        false => client.enqueue_all((0..args.jobs).map(|id| NoopJob { id })).await?,
    };
    let mut line = drain(args, database, stored.len() as u64).await?;
    line.settings = if args.history { "history 24 h" } else { "nothing kept" }.into();
    Ok(vec![line])
}

/// No-op jobs while another session's snapshot stays open.
pub(crate) async fn pinned(args: &Args, database: &Database) -> Result<Vec<Line>, BoxError> {
    let mut pin = sqlx::PgConnection::connect(&database.url).await?;
    sqlx::raw_sql("begin isolation level repeatable read; select count(*) from djob_jobs")
        .execute(&mut pin)
        .await?;
    let lines = work(args, database).await;
    sqlx::raw_sql("commit").execute(&mut pin).await?;
    lines
}

/// Jobs that fail twice.
pub(crate) async fn fail(args: &Args, database: &Database) -> Result<Vec<Line>, BoxError> {
    let stored = database.client.enqueue_all((0..args.jobs).map(|id| ThirdTimeJob { id })).await?;
    Ok(vec![drain(args, database, stored.len() as u64).await?])
}

/// Drains what waits, in this process or in others, and checks the ledger.
async fn drain(args: &Args, database: &Database, jobs: u64) -> Result<Line, BoxError> {
    database.calm().await?;
    let (before, begin) = (database.spent().await?, Instant::now());
    let total = if args.processes == 1 {
        worker(args, &database.client).work_off().await?;
        ledger::total()
    } else {
        together(&ledgers(start(args, database)?).await?)
    };
    let took = begin.elapsed();
    let cost = database.spent_since(before).await?;
    if total != ledger::even(jobs) || database.unfinished().await? != 0 {
        return Err(format!("the ledger is not even: {total:?} of {:?}", ledger::even(jobs)).into());
    }
    Ok(Line::new(args, database, jobs, took, cost))
}
