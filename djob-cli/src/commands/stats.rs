//! `stats`: how many jobs there are.

use std::collections::BTreeMap;
use std::time::Duration;

use djob::JobState;
use serde::Serialize;

use crate::connect::Database;
use crate::duration;
use crate::exit::Failure;
use crate::output::{Output, table};
use crate::tally::{self, Tally};

#[derive(Serialize)]
struct Stats<'a> {
    queues: Vec<QueueStats<'a>>,
}

#[derive(Serialize)]
struct QueueStats<'a> {
    queue: &'a str,
    #[serde(flatten)]
    jobs: BTreeMap<&'static str, i64>,
    oldest_ready_seconds: Option<f64>,
}

pub(crate) async fn run(database: Database, output: Output) -> Result<(), Failure> {
    let client = database.connect().await?;
    let queues = tally::by_queue(client.counts().await?);
    let stats = Stats { queues: queues.iter().map(queue_stats).collect() };
    if queues.is_empty() {
        output.note("There are no jobs.");
        return output.print(stats, String::new);
    }
    output.print(stats, || screen(&queues))
}

fn queue_stats<'a>((queue, tally): (&'a String, &Tally)) -> QueueStats<'a> {
    QueueStats {
        queue,
        jobs: JobState::ALL.iter().map(|state| (state.as_str(), tally.of(*state))).collect(),
        oldest_ready_seconds: tally.waited.as_ref().map(Duration::as_secs_f64),
    }
}

fn screen(queues: &BTreeMap<String, Tally>) -> String {
    let columns = JobState::ALL.map(|state| format!(">{state}"));
    let headings = ["queue"].into_iter().chain(columns.iter().map(String::as_str)).chain([">oldest ready"]);
    let mut rows: Vec<_> = queues.iter().map(|(queue, tally)| row(queue, tally)).collect();
    if queues.len() > 1 {
        let mut all = Tally::default();
        queues.values().for_each(|tally| all.add(tally));
        rows.push(row("all queues", &all));
    }
    table(&headings.collect::<Vec<_>>(), rows)
}

fn row(queue: &str, tally: &Tally) -> Vec<String> {
    let mut row = vec![queue.to_owned()];
    row.extend(JobState::ALL.map(|state| match tally.of(state) {
        0 => "-".to_owned(),
        jobs => jobs.to_string(),
    }));
    row.push(tally.waited.map_or_else(|| "-".to_owned(), duration::show));
    row
}
