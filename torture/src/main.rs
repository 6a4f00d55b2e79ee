//! Torture: breaks whatever can break around real worker processes on a real database, and counts what was lost.

mod args;
mod bank;
mod checker;
mod database;
mod dice;
mod director;
mod enqueue;
mod jobs;
mod ledger;
mod plan;
mod process;
mod progress;
mod proxy;
mod report;
mod work;

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser as _;
use djob::BoxError;

use crate::args::{Cli, Part, Run};
use crate::report::Report;

#[tokio::main(worker_threads = 2)]
async fn main() -> ExitCode {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "warn".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_writer(std::io::stderr).init();
    let cli = Cli::parse();
    let done = match cli.part {
        Some(Part::Work(args)) => work::run(args).await.map(|()| true),
        Some(Part::Enqueue(args)) => enqueue::run(args).await.map(|()| true),
        None => torture(cli.run).await,
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("torture: {error}");
            ExitCode::from(2)
        }
    }
}

/// A whole run; whether the promise held.
async fn torture(run: Run) -> Result<bool, BoxError> {
    let seed = run.seed.unwrap_or_else(|| u64::try_from(ledger::now(0)).unwrap_or(0) % 1_000_000);
    let plan = plan::plan(&run, seed);
    if run.plan {
        plan.iter().for_each(|planned| println!("{planned}"));
        return Ok(true);
    }
    eprintln!("torture: {}, seed {seed}, {} faults in {:.0?}", run.database.name(), plan.len(), run.length());
    let (begin, temporary) = (Instant::now(), tempfile::tempdir()?);
    let folder = match &run.keep {
        Some(folder) => {
            std::fs::create_dir_all(folder)?;
            if std::fs::read_dir(folder)?.next().is_some() {
                return Err(
                    format!("{} is not empty: another run's ledger may be in it", folder.display()).into()
                );
            }
            folder.as_path()
        }
        None => temporary.path(),
    };
    let verdict = director::direct(run.clone(), seed, plan.clone(), folder).await?;
    let report = Report::new(&run, seed, &plan, verdict, begin.elapsed());
    if let Some(file) = &run.report {
        std::fs::write(file, report.page())?;
    }
    if !report.held() && run.json {
        eprint!("{}", report.table());
    }
    if run.json {
        println!("{}", report.json())
    } else {
        print!("{}", report.table())
    }
    if !report.held() && run.keep.is_none() {
        let kept = temporary.keep();
        eprintln!("torture: the ledger and the logs are in {}", kept.display());
    }
    Ok(report.held())
}
