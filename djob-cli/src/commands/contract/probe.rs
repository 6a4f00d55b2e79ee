//! `contract probe`: reads the live backlog with this program's code, before it is deployed. Nothing is run, nothing is changed.

use std::time::Duration;

use djob::{Client, Filter, JobId, JobRow, JobState, Timestamp};
use djob_contract::{Backlog, Reading};
use serde::Serialize;

use crate::args::ProbeArgs;
use crate::connect::Database;
use crate::exit::{Exit, Failure};
use crate::output::{Output, table};
use crate::progress::Progress;

/// How many jobs are read at a time.
const PAGE: u32 = 500;
/// The states of jobs that may still run.
const UNFINISHED: [JobState; 4] = [JobState::Ready, JobState::Scheduled, JobState::Parked, JobState::Running];

#[derive(Serialize)]
struct Probed<'a> {
    ok: bool,
    /// Whether every job was looked at.
    whole: bool,
    kinds: Vec<&'a Reading>,
}

pub(super) async fn run(database: Database, output: Output, args: &ProbeArgs) -> Result<(), Failure> {
    let registry = super::linked()?;
    let client = database.connect().await?;
    let waiting = waiting(&client).await?;
    let bar = Progress::new(if args.all { waiting } else { waiting.min(args.sample) }, "reading jobs");
    let (mut backlog, mut whole) = (Backlog::default(), true);
    for state in UNFINISHED {
        let mut walk = Walk::new(&client, state, args);
        while let Some(rows) = walk.next().await? {
            rows.iter().for_each(|row| backlog.look(&registry, row));
            bar.advance(rows.len() as u64);
        }
        whole &= walk.saw_all;
    }
    bar.finish();
    let unreadable = backlog.unreadable();
    let probed = Probed { ok: unreadable == 0, whole, kinds: backlog.readings().collect() };
    output.print(probed, || screen(&backlog, whole))?;
    match unreadable {
        0 => Ok(()),
        jobs => Err(Failure::new(
            Exit::CheckFailed,
            format!("this program's code would park {jobs} of the jobs it read"),
        )),
    }
}

async fn waiting(client: &Client) -> Result<u64, Failure> {
    let counts = client.counts().await?;
    let unfinished = counts.iter().filter(|count| UNFINISHED.contains(&count.state));
    Ok(unfinished.map(|count| count.jobs.unsigned_abs()).sum())
}

/// Goes through the jobs of a state, newest first. A sample reads a page and leaps over the next jobs, further each time: so it
/// sees much of what is new, and something of what is old.
struct Walk<'a> {
    client: &'a Client,
    filter: Filter,
    /// How many are still to be looked at; `None` for all.
    left: Option<u64>,
    pages: u32,
    saw_all: bool,
    over: bool,
}

impl<'a> Walk<'a> {
    fn new(client: &'a Client, state: JobState, args: &ProbeArgs) -> Self {
        let filter = Filter::new().state(state).limit(PAGE);
        let left = (!args.all).then_some(args.sample);
        Walk { client, filter, left, pages: 0, saw_all: true, over: false }
    }

    async fn next(&mut self) -> Result<Option<Vec<JobRow>>, Failure> {
        if self.over || self.left == Some(0) {
            self.saw_all &= self.over;
            return Ok(None);
        }
        let rows = self.client.list(self.filter.clone()).await?;
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
            self.over = true;
            return Ok(None);
        };
        let (first, last) = (first.id, last.id);
        self.pages += 1;
        self.filter.before = Some(last);
        if let Some(left) = &mut self.left {
            *left = left.saturating_sub(rows.len() as u64);
            self.leap(first, last).await?;
        }
        Ok(Some(rows))
    }

    /// Leaps over some of what comes next; not so far that nothing is left.
    async fn leap(&mut self, first: JobId, last: JobId) -> Result<(), Failure> {
        let span = first.made_at() - last.made_at();
        let mut leap = span.saturating_mul(1 << self.pages.min(20)) / 4;
        while leap > span / 2 && leap > Duration::from_millis(1) {
            let there = JobId::first_at(earlier(last.made_at(), leap));
            let ahead = self.client.list(self.filter.clone().before(there).limit(1)).await?;
            if !ahead.is_empty() {
                self.filter.before = Some(there);
                self.saw_all = false;
                return Ok(());
            }
            leap /= 8;
        }
        Ok(())
    }
}

fn earlier(time: Timestamp, by: Duration) -> Timestamp {
    Timestamp::from_micros(time.as_micros().saturating_sub(i64::try_from(by.as_micros()).unwrap_or(i64::MAX)))
}

fn screen(backlog: &Backlog, whole: bool) -> String {
    let rows = backlog.readings().map(|reading| {
        let Reading { kind, version, jobs, readable, .. } = reading;
        vec![kind.clone(), version.to_string(), jobs.to_string(), (jobs - readable).to_string()]
    });
    let rows: Vec<_> = rows.collect();
    if rows.is_empty() {
        return "no unfinished jobs\n".to_owned();
    }
    let mut text = table(&["kind", ">version", ">read", ">would be parked"], rows);
    for reading in backlog.readings() {
        for fault in &reading.faults {
            let jobs = fault.jobs;
            text += &format!(
                "\n{} version {}: {}: {} ({jobs}, such as {})\n",
                reading.kind, reading.version, fault.reason, fault.detail, fault.example
            );
        }
    }
    if !whole {
        text += "\nA sample was read; `--all` reads every job.\n";
    }
    text
}
