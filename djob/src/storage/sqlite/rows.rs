//! Jobs as JSON arrays: what SQLite takes and gives in place of arrays of columns. Pure.

use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::value::RawValue;
use uuid::Uuid;

use crate::clock::{Timestamp, micros};
use crate::job::{Claim, ClaimKey, ClaimedJob, Due, JobId, Meta, NewJob};
use crate::storage::StorageError;
use crate::storage::columns::ARGS_INLINE_MAX;
use crate::storage::moves::Move;

/// Writes `[[..],[..]]`, one inner array for each item.
pub(super) fn array<T>(items: impl Iterator<Item = T>, each: impl Fn(&mut String, T)) -> String {
    let mut json = String::from("[");
    for (n, item) in items.enumerate() {
        json.push_str(if n == 0 { "" } else { "," });
        each(&mut json, item);
    }
    json.push(']');
    json
}

fn optional(json: &mut String, raw: Option<&str>) {
    let _ = write!(json, ",{}", raw.unwrap_or("null"));
}

/// Text that is not JSON itself.
fn quoted(json: &mut String, text: Option<&str>) {
    let _ = write!(json, ",{}", serde_json::json!(text));
}

/// A job for `enqueue.sqlite.sql`.
pub(super) fn new_job(json: &mut String, job: &NewJob) {
    let NewJob { id, queue, kind, priority, max_attempts, args, .. } = job;
    let _ = write!(json, r#"["{}","{queue}","{kind}",{priority},{max_attempts}"#, id.0.simple());
    optional(json, (args.len() <= ARGS_INLINE_MAX).then_some(args));
    optional(json, job.meta.to_json().as_deref());
    let _ = match job.due {
        Due::At(time) => write!(json, ",{},0]", time.as_micros()),
        Due::In(delay) => write!(json, ",null,{}]", micros(delay)),
    };
}

/// A job for `large_args.sql`. Its arguments are quoted, so that they are stored as they are.
pub(super) fn large_args(json: &mut String, job: &NewJob) {
    let _ = write!(json, r#"["{}""#, job.id.0.simple());
    quoted(json, Some(&job.args));
    json.push(']');
}

/// The nine columns that all rooms share, without the closing bracket.
fn columns(json: &mut String, job: &ClaimedJob, args: Option<&str>) {
    let ClaimedJob { id, queue, kind, priority, run_at, attempt, max_attempts, .. } = job;
    let (id, run_at) = (id.0.simple(), run_at.as_micros());
    let _ = write!(json, r#"["{id:X}","{queue}","{kind}",{priority},{run_at},{attempt},{max_attempts}"#);
    optional(json, args);
    optional(json, job.meta.to_json().as_deref());
}

pub(super) fn to_waiting(json: &mut String, to: &Move) {
    columns(json, &to.job, to.row_args());
    let _ = match to.delay {
        Some(delay) => write!(json, ",{delay}]"),
        None => write!(json, ",null]"),
    };
}

pub(super) fn to_claim(json: &mut String, to: &Move) {
    columns(json, &to.job, to.row_args());
    let _ = write!(json, r#","{}",{}]"#, to.fence.simple(), u8::from(to.state.is_some()));
}

pub(super) fn to_parked(json: &mut String, to: &Move) {
    columns(json, &to.job, to.row_args());
    quoted(json, to.state);
    quoted(json, to.error.as_deref());
    json.push(']');
}

pub(super) fn to_finished(json: &mut String, to: &Move) {
    columns(json, &to.job, to.row_args());
    quoted(json, to.state);
    quoted(json, to.result.as_deref());
    quoted(json, to.error.as_deref());
    let _ = match to.keep {
        Some(keep) => write!(json, ",{},{keep}]", to.ran_us),
        None => write!(json, ",{},null]", to.ran_us),
    };
}

pub(super) fn attempt_error(json: &mut String, to: &Move) {
    let _ = write!(json, r#"["{}",{},{}"#, to.job.id.0.simple(), to.job.attempt, to.ran_us);
    quoted(json, to.error.as_deref());
    json.push(']');
}

pub(super) fn id(json: &mut String, id: JobId) {
    let _ = write!(json, r#""{}""#, id.0.simple());
}

/// One job of a claim row's JSON, as `claim.sqlite.sql` builds it.
#[derive(serde::Deserialize)]
struct Claimed<'a>(
    &'a str,
    &'a str,
    i64,
    u16,
    u16,
    #[serde(borrow)] Option<&'a RawValue>,
    #[serde(borrow)] Option<&'a RawValue>,
);

/// Reads a claim row.
pub(super) fn claim(
    key: ClaimKey,
    queue: &str,
    priority: i16,
    jobs: &str,
    started: bool,
) -> Result<Claim, StorageError> {
    let rows: Vec<Claimed<'_>> = serde_json::from_str(jobs).map_err(StorageError::garbled)?;
    let queue: Arc<str> = queue.into();
    let mut kind: Arc<str> = "".into();
    let mut jobs = Vec::with_capacity(rows.len());
    for (place, row) in rows.into_iter().enumerate() {
        let Claimed(id, name, run_at, attempt, max_attempts, args, meta) = row;
        // Most batches are of one kind: its name is shared.
        if *kind != *name {
            kind = name.into();
        }
        jobs.push(ClaimedJob {
            id: JobId(Uuid::try_parse(id).map_err(StorageError::garbled)?),
            place,
            kind: kind.clone(),
            queue: queue.clone(),
            priority,
            run_at: Timestamp::from_micros(run_at),
            attempt,
            max_attempts,
            args: args.map(|args| args.get().into()),
            args_apart: args.is_none(),
            meta: Meta::from_json(meta.map(RawValue::get)),
        });
    }
    jobs.sort_by_key(|job| (job.run_at, job.id));
    Ok(Claim { key, jobs, started })
}
