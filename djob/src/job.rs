//! What a job is: its arguments, its definition, and what becomes of it. Pure: no I/O, no runtime, no clock.

pub(crate) mod args;
pub(crate) mod backoff;
pub(crate) mod contract;
pub(crate) mod id;
pub(crate) mod name;
pub(crate) mod outcome;
pub(crate) mod row;
pub(crate) mod schema;
pub(crate) mod settle;
pub(crate) mod state;
pub(crate) mod version;

use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

pub use args::{ArgsError, Fault};
pub use backoff::Backoff;
pub use contract::Contract;
pub use id::JobId;
pub use name::InvalidName;
pub use outcome::{BoxError, Directive, IntoJobResult, JobError, Outcome};
pub use row::{Attempt, Claim, ClaimKey, ClaimedJob, Due, Enqueued, JobRow, Meta, NewJob};
pub(crate) use settle::unread;
pub use settle::{Facts, Keep, Settlement, settle};
pub use state::{JobState, UnknownState};
pub use version::{Unreadable, Upcast};

use crate::state::State;
use crate::worker::JobContext;

/// A future that may be sent between threads, boxed.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The arguments of a job, as `#[job]` writes them from the function's signature.
///
/// The methods say where and when a job with *these* arguments runs; they come from closures in the attribute, such as
/// `#[job(priority = |job| if job.vip { 0 } else { 10 })]`, and from its plain options otherwise.
pub trait Job:
    serde::Serialize
    + serde::de::DeserializeOwned
    + schemars::JsonSchema
    + validator::Validate
    + Send
    + Sync
    + 'static
{
    // No associated types: one would turn a private type in a job's signature into hard error E0446.

    /// What the attribute says about every job of this kind.
    const DEF: &'static JobDef;

    /// The queue for these arguments.
    fn queue(&self) -> Cow<'static, str> {
        Cow::Borrowed(Self::DEF.queue)
    }

    /// The priority for these arguments; lower runs first.
    fn priority(&self) -> i16 {
        Self::DEF.priority
    }

    /// How long these arguments wait before they may run.
    fn delay(&self) -> Duration {
        Self::DEF.delay
    }

    /// A key that only one unfinished job may hold.
    fn unique_key(&self) -> Option<String> {
        None
    }
}

/// Runs a stored job: decodes its arguments, borrows its state, calls the function.
pub type RunFn = for<'a> fn(&'a JobContext, &'a str) -> BoxFuture<'a, Result<Option<String>, JobError>>;

/// Everything that is known about a kind of job before any of them exists.
///
/// Written by `#[job]`; the handle gives it back as `send_welcome.def()`.
#[derive(Clone, Copy)]
pub struct JobDef {
    /// The name under which jobs of this kind are stored.
    pub kind: &'static str,
    /// Former names: jobs stored under these are run as this kind.
    pub aliases: &'static [&'static str],
    /// The version of its arguments, from 1 on: each stored job carries the one it was stored as.
    pub version: u16,
    /// From each older version to today's arguments, the oldest first; `None` where no way leads on any more.
    pub upcasts: &'static [Option<Upcast>],
    /// The queue, unless a job says otherwise.
    pub queue: &'static str,
    /// Lower runs first; 0 by default.
    pub priority: i16,
    /// How long a job waits before it may run, unless a job says otherwise.
    pub delay: Duration,
    /// The options that are computed from the arguments of each job, by the methods of [`Job`]: `queue`, `priority`, `delay`,
    /// `unique`.
    pub computed: &'static [&'static str],
    /// How many attempts may follow the first one.
    pub retries: u16,
    /// How long an attempt may run; `None` is the worker's default of 30 minutes.
    pub timeout: Option<Duration>,
    /// How long to wait between attempts.
    pub backoff: Backoff,
    /// How long a finished job is kept; `None` is 24 hours if it completed and 30 days if it failed.
    pub keep: Option<Keep>,
    /// Each job has a claim row of its own, so that it can finish inside its own transaction.
    pub transactional: bool,
    /// Unknown arguments are refused when the job runs, too.
    pub strict: bool,
    /// The function is not async and runs on the blocking pool.
    pub blocking: bool,
    /// Where the function stands.
    pub file: &'static str,
    /// The line of its attribute.
    pub line: u32,
    /// The state it borrows.
    pub needs: &'static [Need],
    /// The type of its result, as the function names it.
    pub output: &'static str,
    /// The JSON Schema of its arguments.
    pub schema: fn() -> schemars::Schema,
    /// Decodes and validates arguments without running anything.
    pub check: fn(&str) -> Result<(), ArgsError>,
    /// Runs a stored job.
    pub run: RunFn,
}

impl JobDef {
    /// How many attempts there are in all.
    pub const fn max_attempts(&self) -> u16 {
        self.retries.saturating_add(1)
    }
}

impl fmt::Debug for JobDef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let JobDef { kind, queue, priority, retries, file, line, .. } = self;
        write!(f, "{kind} (queue {queue}, priority {priority}, retries {retries}, {file}:{line})")
    }
}

/// A state that a job's function borrows.
#[derive(Clone, Copy, Debug)]
pub struct Need {
    /// The type as the user wrote it.
    pub name: &'static str,
    /// Whether the state is there.
    pub held: fn(&State) -> bool,
}
