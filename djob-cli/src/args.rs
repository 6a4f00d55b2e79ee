//! The command line. What stands here as documentation is the text of `--help`.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use djob::{JobId, JobState, Timestamp};

use crate::duration;

const ENDING: &str = "\
Exit codes:
  0  done
  1  failed
  2  the command line is wrong, or asks for what this program cannot do
  3  no such job, or no such kind
  4  the check failed, the doctor found a danger, or a contract is broken
  5  the job that was to be enqueued was refused
  6  the job's state does not allow it, or an id is ambiguous
  7  the database cannot be reached
  8  the tables are missing, old, or too new for this program

Data goes to stdout, messages and logs go to stderr.
DJOB_LOG (or RUST_LOG) filters the logs: DJOB_LOG=djob=debug";

const DOCTORS_ENDING: &str = "\
What it says of each check:
  ok       all is well
  unknown  it could not be looked at, or there is nothing to compare with
  warning  jobs are slower or less private than they could be, or it will become a danger
  danger   the promise does not hold: jobs can be lost, or do not run

The exit code is 4 if anything is a danger, with --strict also if there is a warning.";

const ENQUEUES_ENDING: &str = "\
The job is judged by the newest contract of its kind that a worker has published. A refusal names each place and its rule,
never the value, and stores nothing:
  djob enqueue send_welcome '{\"user_id\": 7, \"email\": \"ada@example.org\"}'
  djob enqueue send_welcome @welcome.json --queue mail --in 5m
  djob enqueue send_welcome --lines - < many.jsonl";

/// Runs background jobs, and looks after them.
#[derive(Parser)]
#[command(name = "djob", version, after_help = ENDING)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Args)]
#[command(next_help_heading = "Common options")]
pub(crate) struct Common {
    /// sqlite://jobs.db, postgres://user@host/db or mysql://user@host/db [env: DJOB_DATABASE_URL, then DATABASE_URL]
    #[arg(short, long, global = true, value_name = "URL")]
    pub(crate) database_url: Option<String>,
    /// PostgreSQL schema of the tables
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) schema: Option<String>,
    /// Beginning of the tables' names, instead of djob_
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) prefix: Option<String>,
    /// How data is printed
    #[arg(short, long, global = true, value_name = "FORMAT", default_value = "table")]
    pub(crate) output: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Table,
    Json,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Run jobs until SIGTERM or SIGINT
    Work(WorkArgs),
    /// Run jobs until none is due any more
    Workoff(WorkArgs),
    /// Enqueue a job without having its code, judged by what its workers have published
    #[command(after_help = ENQUEUES_ENDING)]
    Enqueue(EnqueueArgs),
    /// List, show, retry, cancel or delete jobs
    #[command(subcommand)]
    Jobs(JobsCommand),
    /// Forget waiting jobs
    Clear(ClearArgs),
    /// Fail if jobs wait too long for a worker, or too many jobs have failed; for monitors
    Check(CheckArgs),
    /// Look for whatever weakens djob's promise, and say what to type about it; changes nothing
    #[command(after_help = DOCTORS_ENDING)]
    Doctor(DoctorArgs),
    /// List the kinds of jobs, or print the JSON Schema of one
    #[command(subcommand)]
    Kinds(KindsCommand),
    /// Say before a deploy what a change of the jobs' arguments breaks
    #[command(subcommand)]
    Contract(ContractCommand),
    /// Count the jobs by queue and state
    Stats,
    /// Create djob's tables, or ask after them
    #[command(subcommand)]
    Db(DbCommand),
}

#[derive(Args)]
pub(crate) struct WorkArgs {
    /// Serve only these queues; -slow is every queue but slow [env: QUEUES, then QUEUE]
    #[arg(long, visible_alias = "queue", value_name = "A,B", allow_hyphen_values = true)]
    pub(crate) queues: Option<String>,
    /// Serve these with slots of their own: mail:4, default,low:8 or *; repeatable, replaces --queues
    #[arg(long, value_name = "SPEC", allow_hyphen_values = true)]
    pub(crate) pool: Vec<String>,
    /// Run only jobs with this priority number or a higher one
    #[arg(
        long,
        value_name = "N",
        env = "MIN_PRIORITY",
        hide_env_values = true,
        allow_negative_numbers = true
    )]
    pub(crate) min_priority: Option<i16>,
    /// Run only jobs with this priority number or a lower one
    #[arg(
        long,
        value_name = "N",
        env = "MAX_PRIORITY",
        hide_env_values = true,
        allow_negative_numbers = true
    )]
    pub(crate) max_priority: Option<i16>,
    /// Run so many jobs at once [default: 20]
    #[arg(short = 'n', long, value_name = "N", alias = "number-of-workers", alias = "number_of_workers")]
    pub(crate) concurrency: Option<u32>,
    /// Look at the database at least this often: 5, 500ms [default: 5s]
    #[arg(long, value_name = "SECONDS", env = "SLEEP_DELAY", hide_env_values = true, value_parser = duration::parse_pause)]
    pub(crate) sleep_delay: Option<Duration>,
    /// Hold so many jobs beyond the free slots [default: as many as run in 100ms]
    #[arg(long, value_name = "N", env = "READ_AHEAD", hide_env_values = true)]
    pub(crate) read_ahead: Option<u32>,
    /// Stop when no job is due any more; later ones do not count
    #[arg(long)]
    pub(crate) exit_on_complete: bool,
    /// Name under which the worker is listed [default: host and process id]
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Once told to stop, let jobs finish for so long: 25, 2m [default: 25s]
    #[arg(long, value_name = "SECONDS", value_parser = duration::parse)]
    pub(crate) shutdown_timeout: Option<Duration>,
}

impl WorkArgs {
    pub(crate) fn until_done(self) -> Self {
        WorkArgs { exit_on_complete: true, ..self }
    }
}

#[derive(Args)]
pub(crate) struct EnqueueArgs {
    /// The kind of the job: see `kinds list --published`
    pub(crate) kind: String,
    /// The arguments as a JSON object, @file, or - for stdin
    #[arg(value_name = "JSON", default_value = "{}")]
    pub(crate) json: String,
    /// Read one job's arguments from each line
    #[arg(long)]
    pub(crate) lines: bool,
    /// Wait in this queue
    #[arg(short, long, value_name = "NAME")]
    pub(crate) queue: Option<String>,
    /// Lower runs first
    #[arg(short, long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) priority: Option<i16>,
    /// Run so long from now at the earliest: 300, 5m, 1h30m
    #[arg(long = "in", value_name = "SECONDS", value_parser = duration::parse, conflicts_with = "at")]
    pub(crate) delay: Option<Duration>,
    /// Run at this time at the earliest: 2026-12-01T09:00:00+01:00
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<Timestamp>,
    /// Try this often again
    #[arg(long, value_name = "N")]
    pub(crate) retries: Option<u16>,
    /// A label; repeatable
    #[arg(long, value_name = "NAME")]
    pub(crate) tag: Vec<String>,
    /// Enqueue nothing if an unfinished job of the kind has this key
    #[arg(long, value_name = "KEY")]
    pub(crate) unique: Option<String>,
    /// The job's id, so that the same command done twice is one job
    #[arg(long, value_name = "UUID", conflicts_with = "lines")]
    pub(crate) id: Option<JobId>,
    /// Judge the job, and store nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Subcommand)]
pub(crate) enum KindsCommand {
    /// List the kinds of this program's jobs, or those that workers have published
    List(Published),
    /// Print the JSON Schema of a kind's arguments
    Schema {
        /// The kind
        kind: String,
        /// Its version [default: the newest]
        #[arg(long = "of-version", value_name = "N")]
        version: Option<u16>,
        #[command(flatten)]
        published: Published,
    },
}

#[derive(Args)]
pub(crate) struct Published {
    /// Look at what workers have published, not at the jobs of this program
    #[arg(long)]
    pub(crate) published: bool,
}

#[derive(Subcommand)]
pub(crate) enum ContractCommand {
    /// Write down what this program's jobs ask for, to be committed beside the code
    Lock(LockArgs),
    /// Compare this program's jobs with the lock file: exit code 4 if jobs that wait would not be read any more
    Check(CheckContractArgs),
    /// Read the live backlog with this program's code, changing nothing: exit code 4 if it would park any of it
    Probe(ProbeArgs),
}

#[derive(Args)]
pub(crate) struct LockArgs {
    /// The lock file
    #[arg(long, value_name = "FILE", default_value = "djob.lock.json")]
    pub(crate) file: PathBuf,
    /// Write it also if the change is not safe to deploy
    #[arg(long)]
    pub(crate) accept: bool,
}

#[derive(Args)]
pub(crate) struct CheckContractArgs {
    /// The lock file to compare with
    #[arg(long, value_name = "FILE", default_value = "djob.lock.json")]
    pub(crate) against: PathBuf,
    /// Fail also on what only callers without the code do not survive
    #[arg(long)]
    pub(crate) strict: bool,
}

#[derive(Args)]
pub(crate) struct ProbeArgs {
    /// How many jobs of each state to read at most
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) sample: u64,
    /// Read every job
    #[arg(long, conflicts_with = "sample")]
    pub(crate) all: bool,
}

#[derive(Subcommand)]
pub(crate) enum JobsCommand {
    /// List jobs, newest first
    List(ListArgs),
    /// Show all that is known about jobs
    Show(Ids),
    /// Give a waiting or parked job other arguments, judged as those of a new one; a parked one waits again
    Edit(EditArgs),
    /// Put failed, cancelled or parked jobs back to waiting, due now
    Retry(Chosen),
    /// Cancel waiting or parked jobs, and ask the workers of running ones to stop them
    Cancel(Chosen),
    /// Forget jobs that do not run, without a trace
    Delete(DeleteArgs),
}

#[derive(Args)]
pub(crate) struct ListArgs {
    /// Only jobs in this state
    #[arg(long, value_parser = PossibleValuesParser::new(JobState::ALL.map(JobState::as_str)).try_map(|state| state.parse::<JobState>()))]
    pub(crate) state: Option<JobState>,
    /// Only jobs of this queue
    #[arg(long)]
    pub(crate) queue: Option<String>,
    /// Only jobs of this kind
    #[arg(long)]
    pub(crate) kind: Option<String>,
    /// Only jobs that are parked for this reason: unknown_kind, newer_version, broken_contract, unstorable_outcome
    #[arg(long)]
    pub(crate) reason: Option<String>,
    /// How many at most
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) limit: u32,
    /// Only jobs older than this one: the last id of the page before
    #[arg(long, value_name = "ID")]
    pub(crate) before: Option<String>,
}

#[derive(Args)]
pub(crate) struct Ids {
    /// Ids, or at least the last 4 characters of each
    #[arg(required = true, value_name = "ID")]
    pub(crate) ids: Vec<String>,
}

#[derive(Args)]
pub(crate) struct Chosen {
    /// Ids, or at least the last 4 characters of each
    #[arg(required_unless_present = "reason", conflicts_with = "reason", value_name = "ID")]
    pub(crate) ids: Vec<String>,
    /// Instead of ids: all jobs that are parked for this reason
    #[arg(long)]
    pub(crate) reason: Option<String>,
    /// Of those, only jobs of this kind
    #[arg(long, requires = "reason")]
    pub(crate) kind: Option<String>,
}

#[derive(Args)]
pub(crate) struct EditArgs {
    /// The id, or at least its last 4 characters
    pub(crate) id: String,
    /// The arguments as a JSON object, @file, or - for stdin
    #[arg(value_name = "JSON")]
    pub(crate) json: String,
    /// Leave a parked job where it is
    #[arg(long)]
    pub(crate) keep_parked: bool,
}

#[derive(Args)]
pub(crate) struct DeleteArgs {
    #[command(flatten)]
    pub(crate) jobs: Ids,
    #[command(flatten)]
    pub(crate) consent: Consent,
}

#[derive(Args)]
pub(crate) struct Consent {
    /// Do it without asking
    #[arg(short, long)]
    pub(crate) yes: bool,
}

#[derive(Args)]
pub(crate) struct ClearArgs {
    /// Only jobs of this queue
    #[arg(long)]
    pub(crate) queue: Option<String>,
    #[command(flatten)]
    pub(crate) consent: Consent,
}

#[derive(Args)]
pub(crate) struct CheckArgs {
    /// How long a ready job may wait for a worker: 300, 5m, 1h30m
    #[arg(long, value_name = "SECONDS", default_value = "300", value_parser = duration::parse)]
    pub(crate) max_age: Duration,
    /// Look at this queue only
    #[arg(long)]
    pub(crate) queue: Option<String>,
    /// How many failed jobs there may be [default: any number]
    #[arg(long, value_name = "N")]
    pub(crate) max_failed: Option<u32>,
}

#[derive(Args)]
pub(crate) struct DoctorArgs {
    /// Fail on warnings, too
    #[arg(long)]
    pub(crate) strict: bool,
}

#[derive(Subcommand)]
pub(crate) enum DbCommand {
    /// Create djob's tables, or bring them up to date
    Migrate,
    /// Say which version the tables have, and which this program needs
    Status,
    /// Print the migrations' statements, for other tools; needs no database
    Sql {
        /// The kind of database [default: that of the URL]
        database: Option<Dialect>,
    },
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
    Mysql,
}
