//! Looking at jobs: which ones, how many, and how pages are made out of several rooms.

use super::statement::Statement;
use crate::clock::Timestamp;
use crate::job::{ClaimedJob, JobId, JobRow, JobState};

/// Which jobs to list.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Filter {
    /// Only this state.
    pub state: Option<JobState>,
    /// Only this queue.
    pub queue: Option<String>,
    /// Only this kind.
    pub kind: Option<String>,
    /// Only jobs that are parked for this reason: `unknown_kind`, `newer_version`, `broken_contract` or `unstorable_outcome`.
    pub reason: Option<String>,
    /// Only jobs older than this one: the last id of the page before.
    pub before: Option<JobId>,
    /// How many at most; 0 means 100.
    pub limit: u32,
}

impl Filter {
    /// All jobs.
    pub fn new() -> Self {
        Filter::default()
    }

    /// Only jobs in this state.
    #[must_use]
    pub fn state(mut self, state: JobState) -> Self {
        self.state = Some(state);
        self
    }

    /// Only jobs of this queue.
    #[must_use]
    pub fn queue(mut self, queue: impl Into<String>) -> Self {
        self.queue = Some(queue.into());
        self
    }

    /// Only jobs of this kind.
    #[must_use]
    pub fn kind(mut self, kind: impl Into<String>) -> Self {
        self.kind = Some(kind.into());
        self
    }

    /// Only jobs that are parked for this reason.
    #[must_use]
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// Only jobs older than this one: the last of the page before.
    #[must_use]
    pub fn before(mut self, id: JobId) -> Self {
        self.before = Some(id);
        self
    }

    /// At most so many jobs.
    #[must_use]
    pub fn limit(mut self, jobs: u32) -> Self {
        self.limit = jobs;
        self
    }
}

/// How many jobs of a queue are in a state.
#[derive(Clone, Debug, serde::Serialize)]
#[non_exhaustive]
pub struct Count {
    /// The queue.
    pub queue: String,
    /// The state.
    pub state: JobState,
    /// How many.
    pub jobs: i64,
    /// For ready jobs: since when the oldest one waits.
    pub oldest: Option<Timestamp>,
    /// When they were counted.
    pub seen_at: Timestamp,
}

/// The most claims a list looks through; beyond it, running jobs are left out.
pub(crate) const CLAIMS_SHOWN: i64 = 10_000;

/// Jobs of a claim, as they are looked at.
pub(crate) fn running_rows(jobs: Vec<ClaimedJob>) -> impl Iterator<Item = JobRow> {
    jobs.into_iter().map(|job| JobRow {
        id: job.id,
        kind: job.kind.to_string(),
        queue: job.queue.to_string(),
        priority: job.priority,
        state: JobState::Running,
        attempt: job.attempt,
        max_attempts: job.max_attempts,
        run_at: job.run_at,
        finished_at: None,
        args: job.args.as_deref().unwrap_or_default().to_owned(),
        meta: job.meta,
        result: None,
        error: None,
        progress: None,
    })
}

/// Which rooms a filter looks into, and which state or reason it asks of each; the claimed room is looked into apart.
pub(crate) fn rooms_of(filter: &Filter) -> Vec<(Statement, &str)> {
    use Statement::{LIST_FINISHED, LIST_PARKED, LIST_WAITING};
    if let Some(reason) = &filter.reason {
        let parked = matches!(filter.state, None | Some(JobState::Parked));
        return if parked { vec![(LIST_PARKED, reason)] } else { vec![] };
    }
    match filter.state {
        None => vec![(LIST_WAITING, ""), (LIST_PARKED, ""), (LIST_FINISHED, "")],
        Some(JobState::Running) => vec![],
        Some(JobState::Parked) => vec![(LIST_PARKED, "")],
        Some(state @ (JobState::Ready | JobState::Scheduled)) => vec![(LIST_WAITING, state.as_str())],
        Some(state) => vec![(LIST_FINISHED, state.as_str())],
    }
}

/// One page out of what several rooms gave.
pub(crate) fn newest_first(mut found: Vec<JobRow>, filter: &Filter) -> Vec<JobRow> {
    found.retain(|row| {
        filter.queue.as_ref().is_none_or(|queue| *queue == row.queue)
            && filter.kind.as_ref().is_none_or(|kind| *kind == row.kind)
            && filter.before.is_none_or(|before| row.id < before)
    });
    found.sort_by_key(|row| std::cmp::Reverse(row.id));
    found.truncate(filter.limit as usize);
    found
}
