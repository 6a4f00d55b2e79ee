//! Jobs as JSON arrays: what SQLite and MySQL take and give in place of arrays of columns. Pure.

use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::sync::Arc;

use serde_json::value::RawValue;
use uuid::Uuid;

use crate::clock::{Timestamp, micros};
use crate::job::{Claim, ClaimKey, ClaimedJob, Due, JobId, Meta, NewJob};
use crate::storage::StorageError;
use crate::storage::columns::{ARGS_INLINE_MAX, smallint};
use crate::storage::moves::Move;

/// Writes `[[..],[..]]`, one inner array for each item.
pub(crate) fn array<T>(items: impl Iterator<Item = T>, each: impl Fn(&mut String, T)) -> String {
    let mut json = String::from("[");
    for (n, item) in items.enumerate() {
        json.push_str(if n == 0 { "" } else { "," });
        each(&mut json, item);
    }
    json.push(']');
    json
}

/// How JSON lies within JSON. MySQL would rewrite what is not quoted, and MariaDB stops at a depth of 32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(dead_code)] // which of them are built in depends on the features
pub(crate) enum Nested {
    Plain,
    Quoted,
}

fn optional(json: &mut String, raw: Option<&str>, nested: Nested) {
    match nested {
        Nested::Plain => json.extend([",", raw.unwrap_or("null")]),
        Nested::Quoted => quoted(json, raw),
    }
}

/// A name, as a string of JSON. djob's own need no escapes, but somebody may have edited a row.
struct Text<'a>(&'a str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.bytes().all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\') {
            true => write!(f, r#""{}""#, self.0),
            false => write!(f, "{}", serde_json::json!(self.0)),
        }
    }
}

/// Text that is not JSON itself.
fn quoted(json: &mut String, text: Option<&str>) {
    let _ = write!(json, ",{}", serde_json::json!(text));
}

/// A job for `enqueue.sqlite.sql`.
pub(crate) fn new_job(json: &mut String, job: &NewJob, nested: Nested) {
    let NewJob { id, queue, kind, priority, args, .. } = job;
    let max_attempts = smallint(job.max_attempts);
    let _ = write!(json, r#"["{}",{},{},{priority},{max_attempts}"#, id.0.simple(), Text(queue), Text(kind));
    optional(json, (args.len() <= ARGS_INLINE_MAX).then_some(args), nested);
    optional(json, job.meta.to_json().as_deref(), nested);
    let _ = match job.due {
        Due::At(time) => write!(json, ",{},0]", time.as_micros()),
        Due::In(delay) => write!(json, ",null,{}]", micros(delay)),
    };
}

/// A job for `large_args.sql`. Its arguments are quoted, so that they are stored as they are.
pub(crate) fn large_args(json: &mut String, job: &NewJob) {
    let _ = write!(json, r#"["{}""#, job.id.0.simple());
    quoted(json, Some(&job.args));
    json.push(']');
}

/// The nine columns that all rooms share, without the closing bracket.
fn columns(json: &mut String, job: &ClaimedJob, args: Option<&str>, nested: Nested) {
    let ClaimedJob { id, priority, run_at, .. } = job;
    let (queue, kind) = (Text(&job.queue), Text(&job.kind));
    let (id, run_at) = (id.0.simple(), run_at.as_micros());
    let (attempt, max_attempts) = (smallint(job.attempt), smallint(job.max_attempts));
    let _ = write!(json, r#"["{id:X}",{queue},{kind},{priority},{run_at},{attempt},{max_attempts}"#);
    optional(json, args, nested);
    optional(json, job.meta.to_json().as_deref(), nested);
}

pub(crate) fn to_waiting(json: &mut String, to: &Move, nested: Nested) {
    columns(json, &to.job, to.row_args(), nested);
    let _ = match to.delay {
        Some(delay) => write!(json, ",{delay}]"),
        None => write!(json, ",null]"),
    };
}

pub(crate) fn to_claim(json: &mut String, to: &Move) {
    columns(json, &to.job, to.row_args(), Nested::Plain);
    let _ = write!(json, r#","{}",{}]"#, to.fence.simple(), u8::from(to.state.is_some()));
}

/// A claim row for `to_claims.mysql.sql`, with its one job as [`claim`] reads it.
pub(crate) fn to_claim_row(json: &mut String, to: &Move) {
    let (id, fence, started) = (to.job.id.0.simple(), to.fence.simple(), u8::from(to.state.is_some()));
    let _ = write!(json, r#"["{id}","{fence}",{started},{},{}"#, Text(&to.job.queue), to.job.priority);
    let mut jobs = String::from("[");
    claimed(&mut jobs, &to.job, to.row_args(), Nested::Quoted);
    jobs.push(']');
    quoted(json, Some(&jobs));
    json.push(']');
}

/// A job of a claim row, as [`claim`] reads it.
pub(crate) fn claimed(json: &mut String, job: &ClaimedJob, args: Option<&str>, nested: Nested) {
    let ClaimedJob { id, run_at, .. } = job;
    let (id, kind, run_at) = (id.0.simple(), Text(&job.kind), run_at.as_micros());
    let (attempt, max_attempts) = (smallint(job.attempt), smallint(job.max_attempts));
    let _ = write!(json, r#"["{id:X}",{kind},{run_at},{attempt},{max_attempts}"#);
    optional(json, args, nested);
    optional(json, job.meta.to_json().as_deref(), nested);
    json.push(']');
}

pub(crate) fn to_parked(json: &mut String, to: &Move, nested: Nested) {
    columns(json, &to.job, to.row_args(), nested);
    quoted(json, to.state);
    quoted(json, to.error.as_deref());
    json.push(']');
}

pub(crate) fn to_finished(json: &mut String, to: &Move, nested: Nested) {
    columns(json, &to.job, to.row_args(), nested);
    quoted(json, to.state);
    quoted(json, to.result.as_deref());
    quoted(json, to.error.as_deref());
    let _ = match to.keep {
        Some(keep) => write!(json, ",{},{keep}]", to.ran_us),
        None => write!(json, ",{},null]", to.ran_us),
    };
}

pub(crate) fn attempt_error(json: &mut String, to: &Move) {
    let _ = write!(json, r#"["{}",{},{}"#, to.job.id.0.simple(), smallint(to.job.attempt), to.ran_us);
    quoted(json, to.error.as_deref());
    json.push(']');
}

pub(crate) fn id(json: &mut String, id: JobId) {
    let _ = write!(json, r#""{}""#, id.0.simple());
}

/// One job of a claim row's JSON, as `claim.sqlite.sql` or [`claimed`] writes it. It takes whatever a column may hold: one job that
/// cannot be read would stop the claims of all that wait beside it.
#[derive(serde::Deserialize)]
struct Claimed<'a>(
    &'a str,
    #[serde(borrow)] Cow<'a, str>,
    i64,
    i64,
    i64,
    #[serde(borrow)] Option<&'a RawValue>,
    #[serde(borrow)] Option<&'a RawValue>,
);

/// Reads a claim row.
pub(crate) fn claim(
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
            kind = (&*name).into();
        }
        jobs.push(ClaimedJob {
            id: JobId(Uuid::try_parse(id).map_err(StorageError::garbled)?),
            place,
            kind: kind.clone(),
            queue: queue.clone(),
            priority,
            run_at: Timestamp::from_micros(run_at),
            attempt: count(attempt),
            max_attempts: count(max_attempts),
            args: args.map(unnested).map(Into::into),
            args_apart: args.is_none(),
            meta: Meta::from_json(meta.map(unnested).as_deref()),
        });
    }
    jobs.sort_by_key(|job| (job.run_at, job.id));
    Ok(Claim { key, jobs, started })
}

/// A count as it is stored: of those that fit into a `smallint` the nearest, whatever an edited row says.
fn count(stored: i64) -> u16 {
    u16::try_from(stored.clamp(0, i64::from(i16::MAX))).unwrap_or(0)
}

/// The JSON within: it is an object, so that a string is one that was quoted.
fn unnested(raw: &RawValue) -> Cow<'_, str> {
    let text = raw.get();
    let quoted = text.starts_with('"').then(|| serde_json::from_str::<String>(text).ok()).flatten();
    quoted.map_or(Cow::Borrowed(text), Cow::Owned)
}

/// Whether a text is JSON, where the database does not look.
pub(crate) fn check(text: &str) -> Result<(), serde_json::Error> {
    serde_json::from_str::<serde::de::IgnoredAny>(text).map(drop)
}
