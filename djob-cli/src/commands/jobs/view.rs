//! A job as it is shown.

use djob::{JobRow, JobState, Timestamp};
use serde::Serialize;

use crate::duration;

/// A job as JSON, the same in every command.
#[derive(Serialize)]
pub(super) struct JobView<'a> {
    id: String,
    kind: &'a str,
    /// Of its arguments.
    version: u16,
    queue: &'a str,
    priority: i16,
    state: JobState,
    /// Attempts that went wrong.
    attempt: u16,
    max_attempts: u16,
    run_at: String,
    finished_at: Option<String>,
    tags: &'a [String],
    unique_key: Option<&'a str>,
    error: Option<&'a str>,
}

impl<'a> JobView<'a> {
    pub(super) fn new(row: &'a JobRow) -> Self {
        JobView {
            id: row.id.to_string(),
            kind: &row.kind,
            version: row.meta.version,
            queue: &row.queue,
            priority: row.priority,
            state: row.state,
            attempt: row.attempt,
            max_attempts: row.max_attempts,
            run_at: row.run_at.to_string(),
            finished_at: row.finished_at.map(|time| time.to_string()),
            tags: &row.meta.tags,
            unique_key: row.meta.unique_key.as_deref(),
            error: row.error.as_deref(),
        }
    }
}

/// A moment, and how far away it is.
pub(super) fn moment(time: Timestamp, now: Timestamp) -> String {
    format!("{} ({})", time.to_datetime().format("%Y-%m-%d %H:%M:%S UTC"), distance(time, now))
}

/// How far away a moment is.
pub(super) fn distance(time: Timestamp, now: Timestamp) -> String {
    match time > now {
        true => format!("in {}", duration::show(time - now)),
        false => format!("{} ago", duration::show(now - time)),
    }
}
