//! `jobs edit`: a waiting or parked job gets other arguments, judged as those of a new one.

use djob::{Client, JobState};
use djob_contract::Office;
use serde::Serialize;

use crate::args::EditArgs;
use crate::commands::enqueue::one;
use crate::exit::{Exit, Failure};
use crate::find;
use crate::output::Output;

#[derive(Serialize)]
struct Edited {
    id: String,
    version: u16,
    /// It was parked, and waits again.
    released: bool,
}

pub(super) async fn run(client: &Client, output: Output, args: EditArgs) -> Result<(), Failure> {
    let row = find::job(client, &args.id).await?;
    let given = one(&args.json)?;
    let given = given.trim();
    let version = Office::of(client).await?.judge_args(&row.kind, given)?;
    if !client.edit(row.id, given, version).await? {
        let state = row.state;
        let why =
            format!("job {} ({}) is {state}: only waiting and parked jobs can be edited", row.id, row.kind);
        return Err(Failure::new(Exit::Conflict, why));
    }
    let released = row.state == JobState::Parked && !args.keep_parked && client.retry(row.id).await?;
    let end = if released { ": due now" } else { "" };
    let text = format!("edited {} ({}, version {version}){end}\n", row.id, row.kind);
    output.print(Edited { id: row.id.to_string(), version, released }, || text)
}
