//! `enqueue`: stores jobs whose code this program need not have, judged by the contract their workers have published.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::Path;

use djob::limits::ARGS_MAX;
use djob::{Client, Due, EnqueueError, Enqueued, NewJob};
use djob_contract::{Office, Refusal, Request};
use serde::Serialize;

use crate::args::EnqueueArgs;
use crate::connect::Database;
use crate::exit::{Exit, Failure};
use crate::output::Output;

/// How many lines are stored at a time.
const AT_ONCE: usize = 1000;

#[derive(Serialize)]
struct Stored {
    stored: u64,
    /// Only of a job that was asked for alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    job: Option<StoredJob>,
}

#[derive(Serialize)]
struct StoredJob {
    id: String,
    /// It is a job that was there already, under the same unique key or id.
    existing: bool,
}

pub(crate) async fn run(database: Database, output: Output, args: EnqueueArgs) -> Result<(), Failure> {
    let client = database.connect().await?;
    let office = Office::of(&client).await?;
    if args.lines {
        return many(&client, &office, output, &args).await;
    }
    let job = judge(&office, &args, &one(&args.json)?)?;
    if args.dry_run {
        output.note("The job would be taken. Nothing was stored.");
        return output.print(Stored { stored: 0, job: None }, String::new);
    }
    let (kind, queue) = (job.kind.to_string(), job.queue.to_string());
    let stored = store(&client, vec![job]).await?;
    client.wake().await;
    let stored = stored.first().copied();
    let existing = matches!(stored, Some(Enqueued::Existing(_)));
    let id = stored.map(|stored| stored.id().to_string()).unwrap_or_default();
    let text = match existing {
        false => format!("enqueued {id} ({kind}) in queue {queue}\n"),
        true => format!("{id} ({kind}) is there already: nothing was stored\n"),
    };
    let count = u64::from(!existing);
    output.print(Stored { stored: count, job: Some(StoredJob { id, existing }) }, || text)
}

/// One job for each line.
async fn many(client: &Client, office: &Office, output: Output, args: &EnqueueArgs) -> Result<(), Failure> {
    let mut lines = Lines { reader: open(&args.json)?, number: 0 };
    let (mut stored, mut first) = (0, 1);
    loop {
        let batch = batch(&mut lines, office, args).map_err(|(line, failure)| {
            let sure = match first {
                1 => "nothing was stored".to_owned(),
                first => format!("lines 1 to {} are stored; mend it and go on from line {first}", first - 1),
            };
            failure.within(&format!("line {line}: "), &format!(" ({sure})"))
        })?;
        if batch.is_empty() {
            break;
        }
        if !args.dry_run {
            let answers = store(client, batch).await?;
            stored += answers.iter().filter(|answer| matches!(answer, Enqueued::Inserted(_))).count() as u64;
        }
        first = lines.number + 1;
    }
    client.wake().await;
    let text = match args.dry_run {
        true => format!("all {} jobs would be taken; nothing was stored\n", lines.number),
        false if stored == 1 => format!("enqueued 1 job ({})\n", args.kind),
        false => format!("enqueued {stored} jobs ({})\n", args.kind),
    };
    output.print(Stored { stored, job: None }, || text)
}

/// The next jobs; empty at the end.
fn batch(lines: &mut Lines, office: &Office, args: &EnqueueArgs) -> Result<Vec<NewJob>, (u64, Failure)> {
    let mut jobs = vec![];
    while jobs.len() < AT_ONCE {
        let line = lines.next().map_err(|failure| (lines.number, failure))?;
        let Some(line) = line else { break };
        if !line.trim().is_empty() {
            jobs.push(judge(office, args, &line).map_err(|failure| (lines.number, failure))?);
        }
    }
    Ok(jobs)
}

fn judge(office: &Office, args: &EnqueueArgs, json: &str) -> Result<NewJob, Failure> {
    let mut request = Request::new(&args.kind);
    request.queue = args.queue.clone();
    request.priority = args.priority;
    request.due = args.delay.map(Due::In).or(args.at.map(Due::At));
    request.retries = args.retries;
    request.tags = args.tag.clone();
    request.unique = args.unique.clone();
    request.id = args.id;
    Ok(office.judge(request, json)?)
}

async fn store(client: &Client, jobs: Vec<NewJob>) -> Result<Vec<Enqueued>, Failure> {
    client.enqueue_new(jobs).await.map_err(|error| match error {
        EnqueueError::Storage(error) => error.into(),
        refused => Failure::new(Exit::Refused, refused.to_string()),
    })
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let exit = match refusal {
            Refusal::UnknownKind { .. } => Exit::NotFound,
            _ => Exit::Refused,
        };
        Failure::new(exit, refusal.to_string())
    }
}

/// The JSON itself, or what is in the file or comes by stdin.
pub(super) fn one(json: &str) -> Result<String, Failure> {
    if !json.starts_with('@') && json != "-" {
        return Ok(json.to_owned());
    }
    let mut bytes = vec![];
    // One byte beyond the limit, so that it is seen to be broken.
    let read = open(json)?.take(ARGS_MAX as u64 + 1024).read_to_end(&mut bytes);
    read.map_err(|error| unreadable(json, &error))?;
    text(bytes)
}

fn text(bytes: Vec<u8>) -> Result<String, Failure> {
    let refuse = |_| Failure::new(Exit::Refused, "the arguments are not valid UTF-8: write them as UTF-8");
    String::from_utf8(bytes).map_err(refuse)
}

/// The file after `@`, or stdin for `-`.
fn open(source: &str) -> Result<Box<dyn BufRead>, Failure> {
    match source.strip_prefix('@') {
        Some(path) => {
            let file = File::open(Path::new(path)).map_err(|error| unreadable(path, &error))?;
            Ok(Box::new(BufReader::new(file)))
        }
        None if source == "-" => Ok(Box::new(BufReader::new(io::stdin()))),
        None => {
            Err(Failure::new(Exit::Usage, "--lines reads from a file or from stdin: write @jobs.jsonl or -"))
        }
    }
}

fn unreadable(source: &str, error: &io::Error) -> Failure {
    Failure::new(Exit::Usage, format!("{source:?} cannot be read: {error}"))
}

/// Lines of bounded length.
struct Lines {
    reader: Box<dyn BufRead>,
    /// Of the line that was read last.
    number: u64,
}

impl Lines {
    fn next(&mut self) -> Result<Option<String>, Failure> {
        let mut line = vec![];
        let most = ARGS_MAX as u64 + 1024;
        let read = (&mut self.reader).take(most).read_until(b'\n', &mut line);
        if read.map_err(|error| Failure::new(Exit::Failed, format!("the lines cannot be read: {error}")))?
            == 0
        {
            return Ok(None);
        }
        self.number += 1;
        text(line).map(Some)
    }
}
