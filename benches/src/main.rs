//! The benchmarks of djob: real databases, fsync on, every run checked by its ledger.
//!
//! `djob-bench work --database-url postgres://.. --jobs 200000 --json`; without a URL it starts a PostgreSQL of its own, and
//! with `--mysql` a MariaDB, and with `--sqlite` it uses a fresh file. See the book's page on performance.

mod args;
mod cost;
mod database;
mod dialect;
mod fill;
mod jobs;
mod ledger;
mod progress;
mod report;
mod scenarios;

use std::process::ExitCode;

use clap::Parser as _;

use args::{Args, Scenario};
use database::Database;
use report::Line;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    let filter = tracing_subscriber::EnvFilter::from_default_env();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    match run(&Args::parse()).await {
        Ok(lines) => {
            lines.iter().for_each(Line::print);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: &Args) -> Result<Vec<Line>, djob::BoxError> {
    match args.scenario {
        Scenario::Worker => return scenarios::worker::run(args).await.map(|()| vec![]),
        Scenario::StampWorker => return scenarios::worker::stamp(args).await.map(|()| vec![]),
        Scenario::Versus => return scenarios::versus::versus(args).map(|()| vec![]),
        _ => {}
    }
    let on_sqlite = args.sqlite || matches!(args.scenario, Scenario::SqliteLimit);
    let args = &Args { sqlite: on_sqlite, ..args.clone() };
    let database = Database::open(args).await?;
    let mut lines = match args.scenario {
        Scenario::Work => scenarios::work::work(args, &database).await,
        Scenario::Pinned => scenarios::work::pinned(args, &database).await,
        Scenario::Enqueue => scenarios::enqueue::single(args, &database).await,
        Scenario::EnqueueBulk => scenarios::enqueue::bulk(args, &database).await,
        Scenario::EnqueueTx => scenarios::enqueue::in_transactions(args, &database).await,
        Scenario::Latency => scenarios::latency::latency(args, &database).await,
        Scenario::Slow => scenarios::slow::slow(args, &database).await,
        Scenario::Fail => scenarios::work::fail(args, &database).await,
        Scenario::Idle => scenarios::idle::idle(args, &database).await,
        Scenario::Steady => scenarios::steady::steady(args, &database).await,
        Scenario::Flat => scenarios::flat::flat(args, &database).await,
        Scenario::PgLimit => scenarios::limit::postgres(args, &database).await,
        Scenario::SqliteLimit => scenarios::limit::sqlite(args, &database).await,
        Scenario::Worker | Scenario::StampWorker | Scenario::Versus => unreachable!("handled above"),
    }?;
    lines.iter_mut().for_each(|line| line.json = args.json);
    Ok(lines)
}
