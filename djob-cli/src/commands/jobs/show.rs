//! `jobs show`.

use djob::{Attempt, Client, JobRow, Timestamp};
use serde::Serialize;
use serde_json::Value;

use super::view::{JobView, distance, moment};
use crate::exit::Failure;
use crate::output::{Output, bold, table};
use crate::{duration, find, plain};

#[derive(Serialize)]
struct Shown<'a> {
    jobs: Vec<FullView<'a>>,
}

#[derive(Serialize)]
struct FullView<'a> {
    #[serde(flatten)]
    job: JobView<'a>,
    args: Value,
    result: Option<Value>,
    attempts: Vec<AttemptView<'a>>,
}

#[derive(Serialize)]
struct AttemptView<'a> {
    attempt: u16,
    ended_at: String,
    ran_ms: i64,
    worker: String,
    error: &'a str,
}

pub(super) async fn run(client: &Client, output: Output, ids: &[String]) -> Result<(), Failure> {
    let mut found = Vec::new();
    for row in find::jobs(client, ids).await? {
        let attempts = client.attempts(row.id).await?;
        found.push((row, attempts));
    }
    let now = client.storage().now().await?;
    let shown = Shown { jobs: found.iter().map(|(row, attempts)| full_view(row, attempts)).collect() };
    output.print(shown, || {
        let screens = found.iter().map(|(row, attempts)| screen(row, attempts, now));
        screens.collect::<Vec<_>>().join("\n")
    })
}

fn full_view<'a>(row: &'a JobRow, attempts: &'a [Attempt]) -> FullView<'a> {
    let attempts = attempts.iter().map(|attempt| AttemptView {
        attempt: attempt.attempt,
        ended_at: attempt.ended_at.to_string(),
        ran_ms: attempt.ran_ms,
        worker: attempt.worker.to_string(),
        error: &attempt.error,
    });
    FullView {
        job: JobView::new(row),
        args: value(&row.args),
        result: row.result.as_deref().map(value),
        attempts: attempts.collect(),
    }
}

/// What is stored as JSON; what is none after all is shown as text.
fn value(json: &str) -> Value {
    serde_json::from_str(json).unwrap_or_else(|_| json.into())
}

fn screen(row: &JobRow, attempts: &[Attempt], now: Timestamp) -> String {
    let facts = facts(row, now);
    let width = facts.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let lines =
        facts.into_iter().map(|(name, fact)| format!("{}  {fact}\n", bold(&format!("{name:width$}"))));
    let mut screen: String = lines.collect();
    screen += &row.error.as_deref().map(|error| section("error", error)).unwrap_or_default();
    screen += &section("args", &pretty(&row.args));
    screen += &row.result.as_deref().map(|result| section("result", &pretty(result))).unwrap_or_default();
    if !attempts.is_empty() {
        screen +=
            &format!("\n{}\n{}", bold("attempts that went wrong"), indent(&attempt_table(attempts, now)));
    }
    screen
}

fn section(name: &str, text: &str) -> String {
    format!("\n{}\n{}", bold(name), indent(&plain::text(text)))
}

fn facts(row: &JobRow, now: Timestamp) -> Vec<(&'static str, String)> {
    let mut facts = vec![
        ("id", row.id.to_string()),
        ("kind", row.kind.clone()),
        ("queue", row.queue.clone()),
        ("priority", row.priority.to_string()),
        ("state", row.state.to_string()),
        ("errors", format!("{} of {} attempts went wrong", row.attempt, row.max_attempts)),
        ("run at", moment(row.run_at, now)),
    ];
    if row.meta.version > 1 {
        facts.insert(2, ("version", row.meta.version.to_string()));
    }
    facts.extend(row.finished_at.map(|time| ("finished", moment(time, now))));
    if !row.meta.tags.is_empty() {
        facts.push(("tags", row.meta.tags.join(", ")));
    }
    facts.extend(row.meta.unique_key.as_deref().map(|key| ("unique key", plain::line(key))));
    facts
}

fn pretty(json: &str) -> String {
    serde_json::to_string_pretty(&value(json)).unwrap_or_else(|_| json.to_owned())
}

fn indent(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}

fn attempt_table(attempts: &[Attempt], now: Timestamp) -> String {
    let ran =
        |attempt: &Attempt| std::time::Duration::from_millis(u64::try_from(attempt.ran_ms).unwrap_or(0));
    table(
        &[">no", "ended", "ran for", "error"],
        attempts.iter().map(|attempt| {
            let ended = distance(attempt.ended_at, now);
            vec![
                attempt.attempt.to_string(),
                ended,
                duration::show(ran(attempt)),
                plain::line(&attempt.error),
            ]
        }),
    )
}
