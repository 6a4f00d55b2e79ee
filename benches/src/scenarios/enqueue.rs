//! Putting jobs in.

use std::time::Instant;

use djob::BoxError;
use djob::sqlx;

use crate::args::Args;
use crate::cost::Cost;
use crate::database::Database;
use crate::dialect::Dialect;
use crate::jobs::{NoopJob, noop};
use crate::report::{Line, Times};

/// One job a call, by many callers at once.
pub(crate) async fn single(args: &Args, database: &Database) -> Result<Vec<Line>, BoxError> {
    let callers = u64::from(args.concurrency.unwrap_or(1));
    let each = args.jobs / callers;
    let (before, begin) = (database.spent().await?, Instant::now());
    let call = |caller: u64| {
        let client = database.client.clone();
        tokio::spawn(async move {
            let mut times = Vec::new();
            for id in caller * each..(caller + 1) * each {
                let begin = Instant::now();
                noop.perform_later(id).on(&client).await?;
                times.push(u64::try_from(begin.elapsed().as_nanos()).unwrap_or(u64::MAX));
            }
            Ok::<_, djob::EnqueueError>(times)
        })
    };
    let mut times = Vec::new();
    for caller in (0..callers).map(call).collect::<Vec<_>>() {
        times.extend(caller.await??);
    }
    line(args, database, each * callers, begin, before, Times::of(times)).await
}

/// Many jobs a call.
pub(crate) async fn bulk(args: &Args, database: &Database) -> Result<Vec<Line>, BoxError> {
    let (before, begin) = (database.spent().await?, Instant::now());
    for first in (0..args.jobs).step_by(usize::try_from(args.batch)?) {
        let ids = first..(first + args.batch).min(args.jobs);
        database.client.enqueue_all(ids.map(|id| NoopJob { id })).await?;
    }
    line(args, database, args.jobs, begin, before, None).await
}

/// One job in each of the caller's own transactions.
pub(crate) async fn in_transactions(args: &Args, database: &Database) -> Result<Vec<Line>, BoxError> {
    let (before, begin) = (database.spent().await?, Instant::now());
    match database.dialect {
        Dialect::Postgres => {
            let pool = sqlx::PgPool::connect(&database.url).await?;
            for id in 0..args.jobs {
                let mut tx = pool.begin().await?;
                noop.perform_later(id).on(&database.client).in_tx(&mut tx).await?;
                tx.commit().await?;
            }
        }
        Dialect::MySql => {
            let pool = sqlx::MySqlPool::connect(&database.url).await?;
            for id in 0..args.jobs {
                let mut tx = pool.begin().await?;
                noop.perform_later(id).on(&database.client).in_tx(&mut tx).await?;
                tx.commit().await?;
            }
        }
        Dialect::Sqlite => {
            let pool = sqlx::SqlitePool::connect(&database.url).await?;
            for id in 0..args.jobs {
                let mut tx = pool.begin_with("BEGIN IMMEDIATE").await?;
                noop.perform_later(id).on(&database.client).in_tx(&mut tx).await?;
                tx.commit().await?;
            }
        }
    }
    line(args, database, args.jobs, begin, before, None).await
}

async fn line(
    args: &Args,
    database: &Database,
    jobs: u64,
    begin: Instant,
    before: Option<Cost>,
    times: Option<Times>,
) -> Result<Vec<Line>, BoxError> {
    let took = begin.elapsed();
    let cost = database.spent_since(before).await?;
    let waiting = database.unfinished().await?;
    if waiting != jobs.cast_signed() {
        return Err(format!("the ledger is not even: {waiting} jobs wait, {jobs} were enqueued").into());
    }
    let settings = format!(
        "{} at a time",
        if args.scenario == crate::args::Scenario::EnqueueBulk { args.batch } else { 1 }
    );
    Ok(vec![Line { times, settings, ..Line::new(args, database, jobs, took, cost) }])
}
