//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Run real worker processes on a real database, break whatever can break around them, and count what was lost.
///
/// Processes are killed and stopped, the database is restarted and killed, its connections are cut, delayed and left
/// half open. An independent ledger, written by the jobs themselves, is compared with what the database says in the
/// end. The exit code is 0 only if nothing was lost, nothing ran that was not enqueued, and no outcome counted twice.
#[derive(Parser)]
#[command(name = "torture", version, args_conflicts_with_subcommands = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) part: Option<Part>,
    #[command(flatten)]
    pub(crate) run: Run,
}

/// What is tortured, how long and how hard.
#[derive(Args, Clone, Debug)]
pub(crate) struct Run {
    /// Which database; its server is started for this run alone
    #[arg(long, value_enum, default_value = "sqlite")]
    pub(crate) database: Database,
    /// How many jobs are enqueued
    #[arg(long, value_name = "N", default_value_t = 5000)]
    pub(crate) jobs: u64,
    /// How often a worker process is ended by SIGKILL
    #[arg(long, value_name = "K", default_value_t = 20)]
    pub(crate) kills: u32,
    /// How often the database is restarted, half of the times by SIGKILL
    #[arg(long, value_name = "M", default_value_t = 2)]
    pub(crate) restarts: u32,
    /// The same seed makes the same plan of faults [default: taken from the clock]
    #[arg(long, value_name = "S")]
    pub(crate) seed: Option<u64>,
    /// How long jobs are enqueued and faults happen [default: 1.5 s for each kill, 20 s at least]
    #[arg(long, value_name = "H")]
    pub(crate) hours: Option<f64>,
    /// Worker processes at a time
    #[arg(long, value_name = "W", default_value_t = 3, value_parser = clap::value_parser!(u32).range(2..=64))]
    pub(crate) workers: u32,
    /// Jobs at a time in each of them
    #[arg(long, value_name = "C", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) concurrency: u32,
    /// The workers' lease, in seconds; they beat six times as often
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(2..=3600))]
    pub(crate) lease: u64,
    /// End with one line of JSON, instead of a table
    #[arg(long)]
    pub(crate) json: bool,
    /// Also write a page about this run
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// Keep the ledger and the logs of all processes in this folder
    #[arg(long, value_name = "FOLDER")]
    pub(crate) keep: Option<PathBuf>,
    /// Show the plan of faults and end
    #[arg(long)]
    pub(crate) plan: bool,
}

impl Run {
    pub(crate) fn lease(&self) -> Duration {
        Duration::from_secs(self.lease)
    }

    /// How long faults happen.
    pub(crate) fn length(&self) -> Duration {
        match self.hours {
            Some(hours) => Duration::from_secs_f64(hours.clamp(0.0, 10_000.0) * 3600.0),
            None => Duration::from_millis(1500 * u64::from(self.kills)).max(Duration::from_secs(20)),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Database {
    Sqlite,
    Postgres,
    Mariadb,
}

impl Database {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Database::Sqlite => "sqlite",
            Database::Postgres => "postgres",
            Database::Mariadb => "mariadb",
        }
    }
}

/// The processes that a run starts; not for people.
#[derive(Subcommand)]
pub(crate) enum Part {
    /// Work jobs off until SIGTERM
    #[command(hide = true)]
    Work(Work),
    /// Enqueue jobs
    #[command(hide = true)]
    Enqueue(Enqueue),
}

#[derive(Args, Debug)]
pub(crate) struct Work {
    #[arg(long)]
    pub(crate) url: String,
    #[arg(long)]
    pub(crate) ledger: PathBuf,
    #[arg(long)]
    pub(crate) name: String,
    #[arg(long)]
    pub(crate) concurrency: u32,
    #[arg(long)]
    pub(crate) lease: u64,
    /// An older release, which does not know the newest kind.
    #[arg(long, action = clap::ArgAction::Set)]
    pub(crate) old: bool,
    /// How far this process's clock is off, in seconds: the ledger's is not.
    #[arg(long, allow_hyphen_values = true, default_value_t = 0)]
    pub(crate) skew: i64,
}

#[derive(Args, Debug)]
pub(crate) struct Enqueue {
    #[arg(long)]
    pub(crate) url: String,
    #[arg(long)]
    pub(crate) ledger: PathBuf,
    #[arg(long)]
    pub(crate) seed: u64,
    /// The number of the first job.
    #[arg(long)]
    pub(crate) from: u64,
    #[arg(long)]
    pub(crate) to: u64,
    /// Jobs a second.
    #[arg(long)]
    pub(crate) rate: f64,
    /// How many jobs of this run take their worker down.
    #[arg(long)]
    pub(crate) killers: u64,
    /// How many jobs this run enqueues in all.
    #[arg(long)]
    pub(crate) jobs: u64,
}
