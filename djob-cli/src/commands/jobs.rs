//! `jobs`: looking at jobs and changing them.

mod change;
mod edit;
mod list;
mod show;
mod view;

use crate::args::JobsCommand;
use crate::connect::Database;
use crate::exit::Failure;
use crate::output::Output;

pub(crate) async fn run(database: Database, output: Output, command: JobsCommand) -> Result<(), Failure> {
    let client = database.connect().await?;
    match command {
        JobsCommand::List(args) => list::run(&client, output, args).await,
        JobsCommand::Show(jobs) => show::run(&client, output, &jobs.ids).await,
        JobsCommand::Edit(args) => edit::run(&client, output, args).await,
        JobsCommand::Retry(chosen) => change::retry(&client, output, &chosen).await,
        JobsCommand::Cancel(chosen) => change::cancel(&client, output, &chosen).await,
        JobsCommand::Delete(args) => change::delete(&client, output, &args).await,
    }
}
