//! `jobs retry`, `jobs cancel` and `jobs delete`.

use djob::{Cancelled, Client, Filter, JobRow, JobState};
use serde::Serialize;

use crate::args::{Chosen, DeleteArgs};
use crate::confirm::confirm;
use crate::exit::{Exit, Failure};
use crate::find;
use crate::output::Output;

/// What became of a job.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Outcome {
    Retried,
    Cancelled,
    /// Its worker was asked to stop it.
    Asked,
    Deleted,
    /// Its state does not allow it.
    Refused,
}

#[derive(Serialize)]
struct Changes {
    jobs: Vec<Change>,
}

#[derive(Serialize)]
struct Change {
    id: String,
    kind: String,
    outcome: Outcome,
}

impl Change {
    fn new(row: &JobRow, outcome: Outcome) -> Self {
        Change { id: row.id.to_string(), kind: row.kind.clone(), outcome }
    }

    fn sentence(&self) -> Option<String> {
        let Change { id, kind, .. } = self;
        Some(match self.outcome {
            Outcome::Retried => format!("retried {id} ({kind}): due now\n"),
            Outcome::Cancelled => format!("cancelled {id} ({kind})\n"),
            Outcome::Asked => format!("asked the worker of {id} ({kind}) to stop it\n"),
            Outcome::Deleted => format!("deleted {id} ({kind})\n"),
            Outcome::Refused => return None,
        })
    }
}

/// How many parked jobs are looked up at a time.
const PAGE: u32 = 1000;

/// The jobs that were named, or all that are parked for a reason.
async fn rows(client: &Client, chosen: &Chosen) -> Result<Vec<JobRow>, Failure> {
    let Some(reason) = &chosen.reason else { return find::jobs(client, &chosen.ids).await };
    let mut filter = Filter::new().reason(reason).limit(PAGE);
    filter.kind = chosen.kind.clone();
    let mut rows = Vec::new();
    loop {
        let page = client.list(filter.clone()).await?;
        let Some(last) = page.last().map(|row| row.id) else { return Ok(rows) };
        rows.extend(page);
        filter.before = Some(last);
    }
}

pub(super) async fn retry(client: &Client, output: Output, chosen: &Chosen) -> Result<(), Failure> {
    let mut changes = Vec::new();
    for row in rows(client, chosen).await? {
        let back = client.retry(row.id).await?;
        changes.push(Change::new(&row, if back { Outcome::Retried } else { Outcome::Refused }));
    }
    report(client, output, changes, "only failed, cancelled and parked jobs can be retried").await
}

pub(super) async fn cancel(client: &Client, output: Output, chosen: &Chosen) -> Result<(), Failure> {
    let mut changes = Vec::new();
    for row in rows(client, chosen).await? {
        let outcome = match client.cancel(row.id).await? {
            Cancelled::Now => Outcome::Cancelled,
            Cancelled::Asked => Outcome::Asked,
            Cancelled::NotFound => Outcome::Refused,
        };
        changes.push(Change::new(&row, outcome));
    }
    report(client, output, changes, "only unfinished jobs can be cancelled").await
}

pub(super) async fn delete(client: &Client, output: Output, args: &DeleteArgs) -> Result<(), Failure> {
    let rows = find::jobs(client, &args.jobs.ids).await?;
    confirm(&args.consent, &question(&rows))?;
    let mut changes = Vec::new();
    for row in rows {
        let gone = client.delete(row.id).await?;
        changes.push(Change::new(&row, if gone { Outcome::Deleted } else { Outcome::Refused }));
    }
    report(client, output, changes, "only jobs that do not run can be deleted; `jobs cancel` stops it").await
}

fn question(rows: &[JobRow]) -> String {
    match rows {
        [row] => format!("Delete {} ({}, {}) for good?", row.id, row.kind, row.state),
        rows => format!("Delete these {} jobs for good?", rows.len()),
    }
}

/// Says what became of the jobs; that some were refused is an error, whatever became of the others.
async fn report(client: &Client, output: Output, changes: Vec<Change>, rule: &str) -> Result<(), Failure> {
    let mut errors = Vec::new();
    for Change { id, kind, .. } in changes.iter().filter(|change| change.outcome == Outcome::Refused) {
        let state = state(client, id).await?.map_or("gone", JobState::as_str);
        errors.push(format!("job {id} ({kind}) is {state}: {rule}"));
    }
    let text = changes.iter().filter_map(Change::sentence).collect();
    output.print(Changes { jobs: changes }, || text)?;
    if errors.is_empty() { Ok(()) } else { Err(Failure::several(Exit::Conflict, errors)) }
}

/// The state a job is in by now.
async fn state(client: &Client, id: &str) -> Result<Option<JobState>, Failure> {
    let Ok(id) = id.parse() else { return Ok(None) };
    Ok(client.find(id).await?.map(|row| row.state))
}
