//! `check`: delayed_job's `jobs:check`, for monitors.

use std::collections::BTreeMap;
use std::time::Duration;

use djob::storage::AWAIT_A_WORKER;
use djob::{Client, Filter, JobState};
use serde::Serialize;

use crate::args::CheckArgs;
use crate::connect::Database;
use crate::duration;
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::tally::{self, Tally};

#[derive(Serialize)]
struct Checked<'a> {
    ok: bool,
    max_age_seconds: f64,
    max_failed: Option<u32>,
    problems: &'a [String],
    queues: Vec<QueueView<'a>>,
}

#[derive(Serialize)]
struct QueueView<'a> {
    queue: &'a str,
    ready: i64,
    oldest_ready_seconds: Option<f64>,
    failed: i64,
}

pub(crate) async fn run(database: Database, output: Output, args: CheckArgs) -> Result<(), Failure> {
    let client = database.connect().await?;
    let mut queues = tally::by_queue(client.counts().await?);
    queues.retain(|name, _| args.queue.as_ref().is_none_or(|queue| queue == name));
    let mut problems = problems(&queues, &args);
    problems.extend(unserved(&client, &args).await?);
    let checked = Checked {
        ok: problems.is_empty(),
        max_age_seconds: args.max_age.as_secs_f64(),
        max_failed: args.max_failed,
        problems: &problems,
        queues: queues.iter().map(queue_view).collect(),
    };
    output.print(checked, || if problems.is_empty() { all_is_well(&args) } else { String::new() })?;
    if problems.is_empty() { Ok(()) } else { Err(Failure::several(Exit::CheckFailed, problems)) }
}

fn queue_view<'a>((queue, tally): (&'a String, &Tally)) -> QueueView<'a> {
    QueueView {
        queue,
        ready: tally.of(JobState::Ready),
        oldest_ready_seconds: tally.waited.as_ref().map(Duration::as_secs_f64),
        failed: tally.of(JobState::Failed),
    }
}

/// The most parked jobs that are looked at for each reason.
const PARKED_MAX: u32 = 1000;

/// Jobs that are due for too long and parked, because no worker knows their kind or reads their version.
async fn unserved(client: &Client, args: &CheckArgs) -> Result<Vec<String>, Failure> {
    let now = client.storage().now().await?;
    let mut kinds = BTreeMap::<String, (usize, Duration)>::new();
    for reason in AWAIT_A_WORKER {
        let mut filter = Filter::new().reason(reason).limit(PARKED_MAX);
        filter.queue = args.queue.clone();
        for row in client.list(filter).await? {
            let waited = now - row.run_at;
            if waited > args.max_age {
                let (jobs, longest) = kinds.entry(row.kind).or_default();
                (*jobs, *longest) = (*jobs + 1, waited.max(*longest));
            }
        }
    }
    let problem = |(kind, (jobs, longest)): (String, (usize, Duration))| {
        let longest = duration::show(longest);
        format!(
            "no worker that reads it has come for {jobs} of {kind}, due for up to {longest}: see jobs list --state parked"
        )
    };
    Ok(kinds.into_iter().map(problem).collect())
}

fn problems(queues: &BTreeMap<String, Tally>, args: &CheckArgs) -> Vec<String> {
    let limit = duration::show(args.max_age);
    let late = queues
        .iter()
        .filter_map(|(queue, tally)| Some((queue, tally.waited.filter(|age| *age > args.max_age)?)));
    let mut problems: Vec<String> = late
        .map(|(queue, age)| {
            let age = duration::show(age);
            format!("the oldest ready job of queue {queue:?} has waited {age}, the limit is {limit}: start workers for it")
        })
        .collect();
    let failed: i64 = queues.values().map(|tally| tally.of(JobState::Failed)).sum();
    if let Some(max) = args.max_failed.filter(|max| failed > i64::from(*max)) {
        problems.push(format!("failed jobs: {failed}, the limit is {max}: see `jobs list --state failed`"));
    }
    problems
}

fn all_is_well(args: &CheckArgs) -> String {
    format!("ok: no ready job has waited longer than {}\n", duration::show(args.max_age))
}
