//! `jobs list`.

use djob::{Client, Filter, JobRow, JobState, Timestamp};
use serde::Serialize;

use super::view::{JobView, distance};
use crate::args::ListArgs;
use crate::exit::Failure;
use crate::output::{Output, table};
use crate::{duration, find, plain};

/// How much of an error has room in a row.
const ERROR_MAX: usize = 50;

#[derive(Serialize)]
struct Page<'a> {
    jobs: Vec<JobView<'a>>,
}

pub(super) async fn run(client: &Client, output: Output, args: ListArgs) -> Result<(), Failure> {
    let limit = args.limit;
    let filter = filter(client, args).await?;
    let rows = client.list(filter).await?;
    let now = client.storage().now().await?;
    let page = Page { jobs: rows.iter().map(JobView::new).collect() };
    if rows.is_empty() {
        output.note("There are no such jobs.");
        return output.print(page, String::new);
    }
    output.print(page, || screen(&rows, now))?;
    if let Some(last) = rows.last().filter(|_| rows.len() == limit as usize) {
        output.note(&format!("\nThere may be older ones: add --before {}", find::short(last.id)));
    }
    Ok(())
}

async fn filter(client: &Client, args: ListArgs) -> Result<Filter, Failure> {
    let mut filter = Filter::default();
    (filter.state, filter.queue, filter.kind, filter.limit) = (args.state, args.queue, args.kind, args.limit);
    filter.reason = args.reason;
    if let Some(text) = args.before {
        // All of an id is good enough even if its job is gone.
        filter.before = match text.parse() {
            Ok(id) => Some(id),
            Err(_) => Some(find::job(client, &text).await?.id),
        };
    }
    Ok(filter)
}

fn screen(rows: &[JobRow], now: Timestamp) -> String {
    let headings = ["id", "state", "kind", "queue", ">priority", ">errors", "when", "error"];
    table(
        &headings,
        rows.iter().map(|row| {
            vec![
                find::short(row.id),
                row.state.to_string(),
                row.kind.clone(),
                row.queue.clone(),
                row.priority.to_string(),
                format!("{}/{}", row.attempt, row.max_attempts),
                when(row, now),
                plain::short(row.error.as_deref().unwrap_or_default(), ERROR_MAX),
            ]
        }),
    )
}

/// The moment that matters in this state.
fn when(row: &JobRow, now: Timestamp) -> String {
    match row.state {
        JobState::Ready => format!("since {}", duration::show(now - row.run_at)),
        JobState::Scheduled => distance(row.run_at, now),
        _ => row.finished_at.map(|time| distance(time, now)).unwrap_or_default(),
    }
}
