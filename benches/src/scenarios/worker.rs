//! A worker process of the benchmark's own: works until nothing is due, and prints its ledger.

use std::process::Stdio;

use djob::{BoxError, Worker};
use tokio::process::{Child, Command};

use crate::args::Args;
use crate::database::Database;
use crate::ledger;

/// The process's part.
pub(crate) async fn run(args: &Args) -> Result<(), BoxError> {
    let url = args.database_url.as_deref().ok_or("a worker process needs --database-url")?;
    let client = djob::connect(url).await?;
    worker(args, &client).work_off().await?;
    let (runs, sum) = ledger::total();
    println!("{runs} {sum}");
    Ok(())
}

/// The part of the process that says when each job starts, until it is told to stop.
pub(crate) async fn stamp(args: &Args) -> Result<(), BoxError> {
    let url = args.database_url.as_deref().ok_or("a worker process needs --database-url")?;
    let client = djob::connect(url).await?;
    worker(args, &client).run().await?;
    Ok(())
}

/// A worker with the settings of the command line.
pub(crate) fn worker(args: &Args, client: &djob::Client) -> Worker {
    let worker = Worker::new(client);
    match args.concurrency {
        Some(concurrency) => worker.concurrency(concurrency),
        None => worker,
    }
}

/// Starts worker processes.
pub(crate) fn start(args: &Args, database: &Database) -> Result<Vec<Child>, BoxError> {
    (0..args.processes).map(|_| process("worker", args, database)).collect()
}

/// Starts a process of this program, to do `what`.
pub(crate) fn process(what: &str, args: &Args, database: &Database) -> Result<Child, BoxError> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args([what, "--database-url", &database.url]).stdout(Stdio::piped()).kill_on_drop(true);
    if let Some(concurrency) = args.concurrency {
        command.args(["--concurrency", &concurrency.to_string()]);
    }
    Ok(command.spawn()?)
}

/// Waits for worker processes; returns the ledger of each.
pub(crate) async fn ledgers(workers: Vec<Child>) -> Result<Vec<(u64, u64)>, BoxError> {
    let mut ledgers = Vec::new();
    for worker in workers {
        let output = worker.wait_with_output().await?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let (runs, sum) = text.trim().split_once(' ').ok_or("a worker process has left no ledger")?;
        ledgers.push((runs.parse()?, sum.parse()?));
    }
    Ok(ledgers)
}

/// All ledgers as one.
pub(crate) fn together(ledgers: &[(u64, u64)]) -> (u64, u64) {
    ledgers.iter().fold((0, 0), |(runs, sum), ledger| (runs + ledger.0, sum + ledger.1))
}
