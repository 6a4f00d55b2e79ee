//! `clear`: forgetting waiting jobs.

use djob::{Client, JobState};
use serde::Serialize;

use crate::args::ClearArgs;
use crate::confirm::confirm;
use crate::connect::Database;
use crate::exit::Failure;
use crate::output::Output;
use crate::tally;

#[derive(Serialize)]
struct Cleared {
    cleared: u64,
}

pub(crate) async fn run(database: Database, output: Output, args: ClearArgs) -> Result<(), Failure> {
    let client = database.connect().await?;
    let queue = args.queue.as_deref();
    if !args.consent.yes {
        let waiting = waiting(&client, queue).await?;
        confirm(&args.consent, &format!("Forget {} for good?", jobs(waiting, queue)))?;
    }
    let cleared = client.clear(queue).await?;
    output.print(Cleared { cleared }, || format!("forgot {}\n", jobs(cleared, queue)))
}

async fn waiting(client: &Client, queue: Option<&str>) -> Result<u64, Failure> {
    let queues = tally::by_queue(client.counts().await?);
    let asked = queues.iter().filter(|(name, _)| queue.is_none_or(|queue| queue == *name));
    let waiting =
        asked.map(|(_, tally)| tally.of(JobState::Ready) + tally.of(JobState::Scheduled)).sum::<i64>();
    Ok(u64::try_from(waiting).unwrap_or(0))
}

fn jobs(count: u64, queue: Option<&str>) -> String {
    let jobs = if count == 1 { "job" } else { "jobs" };
    let whose = queue.map(|queue| format!(" of queue {queue:?}")).unwrap_or_default();
    format!("{count} waiting {jobs}{whose}")
}
