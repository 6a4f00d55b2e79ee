//! How soon a job starts on an idle worker.

use std::time::{Duration, Instant};

use djob::{BoxError, Client};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout};

use super::worker::{process, worker};
use crate::args::Args;
use crate::database::Database;
use crate::jobs::{noop, stamp};
use crate::ledger;
use crate::progress::Progress;
use crate::report::{Line, Times};

/// The first jobs warm everything up and are not counted.
const WARM_UP: u64 = 20;

/// Moments of one job, in nanoseconds by one clock: its call, its commit, its start.
struct Moments {
    called: u64,
    committed: u64,
    started: u64,
}

/// One job at a time, 10 to 30 ms apart: from the call, and from the commit, to the start.
pub(crate) async fn latency(args: &Args, database: &Database) -> Result<Vec<Line>, BoxError> {
    let _progress = Progress::follow("latency", args.jobs, || ledger::total().0);
    let begin = Instant::now();
    let moments = if args.across { across(args, database).await? } else { within(args, database).await? };
    let (took, counted) = (begin.elapsed(), &moments[usize::try_from(WARM_UP)?..]);
    let place = if args.across { "another process" } else { "the same process" };
    let line = |from: &str, since: fn(&Moments) -> u64| Line {
        times: Times::of(counted.iter().map(|moment| moment.started.saturating_sub(since(moment))).collect()),
        settings: format!("from the {from} to the start in {place}"),
        ..Line::new(args, database, args.jobs, took, None)
    };
    // The call's line is the last: that is what the peers measure.
    Ok(vec![line("commit", |moment| moment.committed), line("call", |moment| moment.called)])
}

async fn pause(id: u64) {
    tokio::time::sleep(Duration::from_millis(10 + id * 7 % 20)).await;
}

/// The worker is in this process.
async fn within(args: &Args, database: &Database) -> Result<Vec<Moments>, BoxError> {
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let working = tokio::spawn(worker(args, &database.client).run_until(async move { drop(stopped.await) }));
    let mut moments = Vec::new();
    for id in 0..args.jobs + WARM_UP {
        pause(id).await;
        let called = ledger::now_ns();
        noop.perform_later(id).on(&database.client).await?;
        let committed = ledger::now_ns();
        ledger::more_than(id).await;
        moments.push(Moments { called, committed, started: ledger::last_ns() });
    }
    drop(stop);
    working.await??;
    Ok(moments)
}

/// The worker is a process that says when each job starts.
async fn across(args: &Args, database: &Database) -> Result<Vec<Moments>, BoxError> {
    let (_worker, mut lines) = stamping(args, database)?;
    let mut moments = Vec::new();
    for id in 0..args.jobs + WARM_UP {
        pause(id).await;
        moments.push(one_across(id, &database.client, &mut lines).await?);
    }
    Ok(moments)
}

type Stamps = Lines<BufReader<ChildStdout>>;

fn stamping(args: &Args, database: &Database) -> Result<(Child, Stamps), BoxError> {
    let mut worker = process("stamp-worker", args, database)?;
    let output = worker.stdout.take().ok_or("the worker process has no output")?;
    Ok((worker, BufReader::new(output).lines()))
}

async fn one_across(id: u64, client: &Client, lines: &mut Stamps) -> Result<Moments, BoxError> {
    let called = ledger::wall_ns();
    stamp.perform_later(id).on(client).await?;
    let committed = ledger::wall_ns();
    let line = lines.next_line().await?.ok_or("the worker process has ended")?;
    let (seen, started) = line.split_once(' ').ok_or("the worker process has said something else")?;
    if seen.parse() != Ok(id) {
        return Err(format!("the ledger is not even: job {seen} ran instead of {id}").into());
    }
    ledger::ran(id);
    Ok(Moments { called, committed, started: started.parse()? })
}
