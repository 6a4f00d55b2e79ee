//! The command line.

use clap::{Parser, ValueEnum};

/// Measure djob. Every run ends with its ledger even, or fails.
#[derive(Clone, Debug, Parser)]
#[command(name = "djob-bench", version)]
pub(crate) struct Args {
    /// What to measure.
    pub(crate) scenario: Scenario,
    /// The database; without it a PostgreSQL of the benchmark's own, with fsync on.
    #[arg(long, env = "DATABASE_URL")]
    pub(crate) database_url: Option<String>,
    /// A fresh SQLite file instead.
    #[arg(long, conflicts_with = "mysql")]
    pub(crate) sqlite: bool,
    /// A MariaDB of the benchmark's own instead.
    #[arg(long)]
    pub(crate) mysql: bool,
    /// How many jobs.
    #[arg(long, default_value_t = 200_000)]
    pub(crate) jobs: u64,
    /// Jobs at once on each worker, or callers at once; the worker's default without it.
    #[arg(long)]
    pub(crate) concurrency: Option<u32>,
    /// Worker processes.
    #[arg(long, default_value_t = 1)]
    pub(crate) processes: u32,
    /// Jobs in one call of `enqueue-bulk`.
    #[arg(long, default_value_t = 1000)]
    pub(crate) batch: u64,
    /// Keep completed jobs for the default 24 hours instead of not at all.
    #[arg(long)]
    pub(crate) history: bool,
    /// How long a job of `slow` takes, in milliseconds.
    #[arg(long, default_value_t = 10)]
    pub(crate) job_ms: u64,
    /// Jobs that are in the way in `flat`; ten times as many in its deepest cell with `--deep`.
    #[arg(long, default_value_t = 1_000_000)]
    pub(crate) ballast: u64,
    /// Only the empty cell of `flat`, and those whose names contain this.
    #[arg(long, default_value = "")]
    pub(crate) cell: String,
    /// The deepest cell of `flat`, too.
    #[arg(long)]
    pub(crate) deep: bool,
    /// Jobs a second in `steady`.
    #[arg(long, default_value_t = 10_000)]
    pub(crate) rate: u64,
    /// How long `steady` lasts, in seconds.
    #[arg(long, default_value_t = 10)]
    pub(crate) seconds: u64,
    /// The worker of `latency` is in another process.
    #[arg(long)]
    pub(crate) across: bool,
    /// `versus`: the folder of the peers' benches.
    #[arg(long, default_value = "../shared/peers")]
    pub(crate) peers: std::path::PathBuf,
    /// `versus`: what to compare.
    #[arg(long, default_value = "work")]
    pub(crate) op: String,
    /// `versus`: against whom, as `peer:variant`, instead of the fastest at this.
    #[arg(long, value_delimiter = ',')]
    pub(crate) against: Vec<String>,
    /// `versus`: how often each runs, in turns.
    #[arg(long, default_value_t = 5)]
    pub(crate) rounds: u32,
    /// One JSON line for each result.
    #[arg(long)]
    pub(crate) json: bool,
}

/// What can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scenario {
    /// Drain a backlog of no-op jobs.
    Work,
    /// The same while another session's snapshot stays open.
    Pinned,
    /// Every job fails twice before it succeeds.
    Fail,
    /// One job a call, by `--concurrency` callers.
    Enqueue,
    /// `--batch` jobs a call.
    EnqueueBulk,
    /// One job in each of the caller's own transactions.
    EnqueueTx,
    /// From the call, and from the commit, to the start, on an idle worker; one job at a time.
    Latency,
    /// Jobs that take a while, shared by worker processes: how evenly?
    Slow,
    /// Jobs come in at `--rate` while they are worked off: from the call to the start.
    Steady,
    /// Drain `--jobs` with a lot in the way: backlog, schedule, history, queues, priorities, workers.
    Flat,
    /// What PostgreSQL itself does with the same rows.
    PgLimit,
    /// What SQLite itself does with the same rows.
    SqliteLimit,
    /// djob beside its peers, in interleaved rounds.
    Versus,
    /// Statements a minute of a worker that has nothing to do.
    Idle,
    /// A worker process of the benchmark's own; not for people.
    #[value(hide = true)]
    Worker,
    /// One that says when each job starts.
    #[value(hide = true)]
    StampWorker,
}

impl Scenario {
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}
