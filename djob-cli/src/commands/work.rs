//! `work` and `workoff`: running jobs.

use std::time::Duration;

use djob::{Client, Registry, Worker};

use crate::app::Crew;
use crate::args::WorkArgs;
use crate::connect::Database;
use crate::exit::{Exit, Failure};
use crate::log::set;

/// How long jobs have after they were told to stop.
const GRACE: Duration = Duration::from_secs(5);

/// What to write when there is nothing to run.
const FOUR_LINES: &str = "
Write one like this, beside your jobs:

    #[tokio::main]
    async fn main() -> std::process::ExitCode {
        djob_cli::App::new().run().await
    }

If your jobs live in a library, add `use my_jobs as _;` so that they are linked in.
";

pub(crate) async fn run(database: Database, crew: Crew, args: WorkArgs) -> Result<(), Failure> {
    if knows_no_kinds() {
        let why =
            "this program knows no jobs to run: jobs are run by your own binary, which holds their functions";
        return Err(Failure::new(Exit::Usage, why).advising(FOUR_LINES));
    }
    let client = database.connect().await?;
    client.install();
    crew.equip(worker(&client, args, set)).run().await?;
    Ok(())
}

/// Without kinds, a worker would park every job there is.
fn knows_no_kinds() -> bool {
    Registry::linked().is_ok_and(|registry| registry.kinds().next().is_none())
}

fn worker(client: &Client, args: WorkArgs, env: impl Fn(&str) -> Option<String>) -> Worker {
    let mut worker = Worker::new(client).exit_on_complete(args.exit_on_complete);
    if let Some(queues) = args.queues.or_else(|| env("QUEUES")).or_else(|| env("QUEUE")) {
        worker = worker.queues(queues.split(','));
    }
    if !args.pool.is_empty() {
        worker = worker.pools(args.pool.join(";"));
    }
    let (min, max) = (args.min_priority.unwrap_or(i16::MIN), args.max_priority.unwrap_or(i16::MAX));
    worker = worker.priorities(min, max);
    worker = args.concurrency.into_iter().fold(worker, Worker::concurrency);
    worker = args.sleep_delay.into_iter().fold(worker, Worker::poll);
    worker = args.read_ahead.into_iter().fold(worker, Worker::read_ahead);
    worker = args.name.into_iter().fold(worker, Worker::name);
    args.shutdown_timeout.into_iter().fold(worker, |worker, drain| worker.shutdown(drain, GRACE))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::args::{Cli, Command};

    async fn built(args: &[&str], env: &[(&str, &str)]) -> Worker {
        let client = djob::connect("sqlite::memory:").await.unwrap();
        let cli =
            Cli::try_parse_from(["app", "work"].iter().chain(args)).unwrap_or_else(|error| panic!("{error}"));
        let Command::Work(args) = cli.command else { panic!("not work") };
        let find = |name: &str| Some(env.iter().find(|(key, _)| *key == name)?.1.to_owned());
        worker(&client, args, find)
    }

    /// What is said about a queue whose name is not lawful: where it came from does not matter, which one it is does.
    async fn refusal(args: &[&str], env: &[(&str, &str)]) -> String {
        let error = built(args, env).await.work_off().await.unwrap_err();
        error.to_string().split('"').nth(1).unwrap_or_default().to_owned()
    }

    #[tokio::test]
    async fn queues_are_named_by_the_flag_then_by_queues_then_by_queue() {
        let env = [("QUEUES", "Two"), ("QUEUE", "Three")];
        assert_eq!(refusal(&["--queues", "One"], &env).await, "One");
        assert_eq!(refusal(&[], &env).await, "Two");
        assert_eq!(refusal(&[], &env[1..]).await, "Three");
        assert_eq!(refusal(&["--pool", "mail:1", "--pool", "Four:2", "--queues", "One"], &env).await, "Four");
    }

    #[tokio::test]
    async fn the_flags_of_delayed_job_reach_the_worker() {
        let flags = ["--min-priority", "-5", "--max-priority=9", "--sleep-delay", "2", "--read-ahead", "7"];
        let built = format!("{:?}", built(&flags, &[]).await);
        for part in
            ["priorities: (-5, 9)", "poll: Some(2s)", "read_ahead: Some(7)", "exit_on_complete: false"]
        {
            assert!(built.contains(part), "{part} in {built}");
        }
    }

    #[tokio::test]
    async fn a_worker_has_a_name_and_a_time_to_drain() {
        let flags = ["--name", "w1", "--shutdown-timeout", "2m", "--exit-on-complete"];
        let built = format!("{:?}", built(&flags, &[]).await);
        for part in ["name: \"w1\"", "drain: 120s", "exit_on_complete: true"] {
            assert!(built.contains(part), "{part} in {built}");
        }
    }
}
