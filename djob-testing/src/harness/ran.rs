//! What the harness ran, gathered from the client's events.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use djob::{Client, Event, EventStream, JobId, JobState, WorkerError};

/// How often one job may run in a drain, and how many times the clock may be moved.
const RUNS_MAX: usize = 100;
const ROUNDS_MAX: usize = 1000;

/// One run of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ran {
    /// The job.
    pub id: JobId,
    /// Its kind.
    pub kind: String,
    /// Which attempt it was, 1 for the first; 0 if it did not begin because nobody knows its kind.
    pub attempt: u16,
    /// What became of the job: completed, failed, cancelled or parked; scheduled if it will be tried again.
    pub state: JobState,
    /// What its function returned, as JSON.
    pub result: Option<String>,
    /// What went wrong.
    pub error: Option<String>,
    /// How long it ran, in real time.
    pub took: Duration,
}

/// A drain that does not come to an end, with the job that keeps it going.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Endless {
    /// The kind that ran most often.
    pub kind: String,
    /// How often.
    pub runs: usize,
    /// What happened last.
    pub last: Box<Ran>,
}

impl fmt::Display for Endless {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Endless { kind, runs, last } = self;
        let error = last.error.as_deref().map(|error| format!(" ({error})")).unwrap_or_default();
        write!(
            f,
            "the drain does not end: \"{kind}\" ran {runs} times, and is {}{error} once more; \
             does it snooze for ever, or enqueue itself? `run_due` runs each job once",
            last.state
        )
    }
}

impl std::error::Error for Endless {}

/// The rounds of a drain.
#[derive(Default)]
pub(super) struct Rounds {
    pub(super) ran: Vec<Ran>,
    rounds: usize,
    runs: HashMap<JobId, usize>,
}

impl Rounds {
    /// Takes in what ran in a round, unless there were too many.
    pub(super) fn add(&mut self, ran: Vec<Ran>) -> Result<(), Endless> {
        self.rounds += 1;
        for run in ran {
            let runs = self.runs.entry(run.id).or_default();
            *runs += 1;
            let runs = *runs;
            self.ran.push(run.clone());
            if runs > RUNS_MAX {
                return Err(Endless { kind: run.kind.clone(), runs, last: Box::new(run) });
            }
        }
        if self.rounds > ROUNDS_MAX { Err(self.most_frequent()) } else { Ok(()) }
    }

    fn most_frequent(&self) -> Endless {
        let mut kinds: BTreeMap<&str, (usize, &Ran)> = BTreeMap::new();
        for run in &self.ran {
            let (runs, last) = kinds.entry(&run.kind).or_insert((0, run));
            (*runs, *last) = (*runs + 1, run);
        }
        match kinds.into_iter().max_by_key(|(_, (runs, _))| *runs) {
            Some((kind, (runs, last))) => {
                Endless { kind: kind.to_owned(), runs, last: Box::new(last.clone()) }
            }
            None => panic!("jobs wait, and the worker takes none of them: is their queue paused?"),
        }
    }
}

/// Runs a worker to its end, and gathers what it ran.
pub(super) async fn collect(
    client: &Client,
    work: impl Future<Output = Result<(), WorkerError>>,
) -> Result<Vec<Ran>, WorkerError> {
    let (mut events, mut seen) = (client.events(), Seen::default());
    let mut work = pin!(work);
    loop {
        tokio::select! {
            biased;
            Some(event) = events.next() => seen.event(event),
            ended = &mut work => {
                ended?;
                break;
            }
        }
    }
    while let Some(event) = at_hand(&mut events).await {
        seen.event(event);
    }
    Ok(seen.ran)
}

/// The next event, if it is there already.
async fn at_hand(events: &mut EventStream) -> Option<Event> {
    let mut next = pin!(events.next());
    poll_fn(|cx| match next.as_mut().poll(cx) {
        Poll::Ready(event) => Poll::Ready(event),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

#[derive(Default)]
struct Seen {
    attempts: HashMap<JobId, u16>,
    ran: Vec<Ran>,
}

impl Seen {
    fn event(&mut self, event: Event) {
        match event {
            Event::Started { id, attempt, .. } => drop(self.attempts.insert(id, attempt)),
            Event::Settled { id, kind, state, result, error, ran } => {
                let attempt = self.attempts.remove(&id).unwrap_or(0);
                let text = |text: Option<Arc<str>>| text.as_deref().map(str::to_owned);
                let (result, error, kind) = (text(result), text(error), kind.to_string());
                self.ran.push(Ran { id, kind, attempt, state, result, error, took: ran });
            }
            _ => {}
        }
    }
}
