//! A job as data: before it is stored, while it is claimed, and as it is looked at.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use super::id::JobId;
use super::settle::{CRASHES_MAX, Facts, Keep};
use super::state::JobState;
use super::{Backoff, JobDef};
use crate::clock::Timestamp;

/// When a job may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// This long from now, by the database's clock.
    In(Duration),
    /// At this moment; a moment in the past means now.
    At(Timestamp),
}

impl Due {
    /// At once.
    pub const NOW: Due = Due::In(Duration::ZERO);
}

/// A job that is about to be stored.
#[derive(Clone, Debug)]
#[allow(missing_docs)] // the columns of `djob_jobs`, described there
pub struct NewJob {
    pub id: JobId,
    /// The caller chose the id: if there is such a job already, nothing is stored.
    pub id_given: bool,
    pub kind: Cow<'static, str>,
    pub queue: Cow<'static, str>,
    pub priority: i16,
    pub due: Due,
    pub max_attempts: u16,
    pub args: String,
    pub meta: Meta,
}

/// What was stored: the job itself, or the one that already held its unique key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enqueued {
    /// The job is stored under its own id.
    Inserted(JobId),
    /// An unfinished job holds the same unique key; nothing was stored.
    Existing(JobId),
}

impl Enqueued {
    /// The id of the job that is in the database now.
    pub const fn id(self) -> JobId {
        match self {
            Enqueued::Inserted(id) | Enqueued::Existing(id) => id,
        }
    }
}

/// The rarely used facts of a job, stored as one small JSON object, or not at all.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Meta {
    /// The version of its kind's arguments it was stored as.
    #[serde(skip_serializing_if = "is_one")]
    pub version: u16,
    /// Labels given at enqueue.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// The unique key the job holds until it is finished.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unique_key: Option<String>,
    /// How many workers died while it ran in them.
    #[serde(skip_serializing_if = "is_zero")]
    pub crashes: u16,
    /// It was in flight when a worker died, and nobody knows whether it had begun.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub suspect: bool,
    /// How often it was snoozed.
    #[serde(skip_serializing_if = "is_zero")]
    pub snoozes: u16,
}

fn is_zero(n: &u16) -> bool {
    *n == 0
}

fn is_one(n: &u16) -> bool {
    *n == 1
}

impl Default for Meta {
    fn default() -> Self {
        Meta { version: 1, tags: vec![], unique_key: None, crashes: 0, suspect: false, snoozes: 0 }
    }
}

impl Meta {
    /// How many workers died while it ran in them, or may have.
    pub fn deaths(&self) -> u16 {
        self.crashes.saturating_add(u16::from(self.suspect))
    }

    /// A worker has died over it, or may have: it gets a claim row of its own, in which it is noted that it begins.
    pub(crate) fn is_suspect(&self) -> bool {
        self.deaths() > 0
    }

    /// If another worker dies while it runs it has failed: so it runs in the quarantine, with no other suspect beside it.
    pub(crate) fn is_on_its_last_chance(&self) -> bool {
        self.deaths() + 1 >= CRASHES_MAX
    }

    /// As stored: nothing if there is nothing to say.
    pub(crate) fn to_json(&self) -> Option<String> {
        if *self == Meta::default() {
            return None;
        }
        serde_json::to_string(self).ok()
    }

    /// As read; what cannot be read is as good as nothing.
    pub(crate) fn from_json(json: Option<&str>) -> Meta {
        json.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
    }
}

/// A job in the hands of a worker.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)] // the columns of `djob_jobs`, described there
pub struct ClaimedJob {
    pub id: JobId,
    /// Its place in its claim row.
    pub place: usize,
    pub kind: Arc<str>,
    pub queue: Arc<str>,
    pub priority: i16,
    pub run_at: Timestamp,
    /// Attempts that ended in an error so far.
    pub attempt: u16,
    pub max_attempts: u16,
    /// The arguments as JSON; `None` while they lie in `djob_args` and have not been fetched.
    pub args: Option<Arc<str>>,
    /// The arguments lie in `djob_args`.
    pub args_apart: bool,
    pub meta: Meta,
}

impl ClaimedJob {
    /// What the decision about this job's next step needs.
    pub(crate) fn facts(&self, def: Option<&JobDef>, jitter: f64) -> Facts {
        Facts {
            attempt: self.attempt,
            max_attempts: self.max_attempts,
            deaths: self.meta.deaths(),
            backoff: def.map_or(Backoff::default(), |def| def.backoff),
            keep: def.and_then(|def| def.keep),
            jitter,
        }
    }
}

/// A row of the claimed room: one batch, or one job that was taken out of its batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClaimKey {
    /// The row's own id: the claim's for a batch, the job's for a single job.
    pub row: Uuid,
    /// The claim id: the fence that every write about its jobs must show.
    pub fence: Uuid,
}

/// A batch of jobs that one worker took out of one lane.
#[derive(Clone, Debug)]
pub struct Claim {
    /// Its row.
    pub key: ClaimKey,
    /// Its jobs, in the order in which they should start.
    pub jobs: Vec<ClaimedJob>,
    /// It is the row of a single job that is known to have begun.
    pub started: bool,
}

/// A job as the CLI, a dashboard or [`Client::find`](crate::Client::find) shows it, whatever room it is in.
#[derive(Clone, Debug, serde::Serialize)]
#[non_exhaustive]
pub struct JobRow {
    /// Its id.
    pub id: JobId,
    /// What kind of job it is.
    pub kind: String,
    /// The queue it waits, or waited, in.
    pub queue: String,
    /// Lower runs first.
    pub priority: i16,
    /// The room it is in.
    pub state: JobState,
    /// Attempts that ended in an error so far.
    pub attempt: u16,
    /// How many attempts it may use up.
    pub max_attempts: u16,
    /// When it may run, or was to run.
    pub run_at: Timestamp,
    /// When it was finished.
    pub finished_at: Option<Timestamp>,
    /// Its arguments as JSON.
    pub args: String,
    /// Labels, unique key and the like.
    pub meta: Meta,
    /// What its function returned, as JSON.
    pub result: Option<String>,
    /// Why it failed, was cancelled or is parked.
    pub error: Option<String>,
    /// How far it has come, from 0 to 1, if it runs, has said so, and was looked for alone.
    pub progress: Option<f64>,
}

/// One attempt that ended in an error.
#[derive(Clone, Debug, serde::Serialize)]
#[non_exhaustive]
pub struct Attempt {
    /// 1 for the first.
    pub attempt: u16,
    /// When it ended.
    pub ended_at: Timestamp,
    /// How long it ran, in milliseconds.
    pub ran_ms: i64,
    /// The worker that ran it.
    pub worker: Uuid,
    /// What went wrong.
    pub error: String,
}

/// How long after `now` a finished row is kept, in microseconds; `None` is for ever, zero is not at all.
pub(crate) fn keep_micros(keep: Keep) -> Option<i64> {
    match keep {
        Keep::For(duration) => Some(crate::clock::micros(duration)),
        Keep::Forever => None,
    }
}
