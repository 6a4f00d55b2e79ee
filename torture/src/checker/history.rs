//! All that is known of one job, from every process's book and from the database.

use std::collections::HashMap;
use std::fmt;

use uuid::Uuid;

use crate::database::{Rooms, Row};
use crate::ledger::{Book, Event, Moment, Outcome};

/// What the process that enqueued a job was told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Nobody said that it would enqueue this job.
    #[default]
    Never,
    /// It was about to.
    Intent,
    Enqueued,
    Merged,
    Unknown,
    RolledBack,
}

/// One job.
#[derive(Clone, Debug, Default)]
pub(crate) struct Case {
    pub(crate) id: Uuid,
    pub(crate) number: u64,
    pub(crate) kind: String,
    pub(crate) due: Moment,
    /// Its kind and its unique key: each kind has keys of its own.
    pub(crate) key: Option<String>,
    /// When it was about to be enqueued, and when it was answered that it had been.
    pub(crate) intended: Moment,
    pub(crate) accepted: Option<Moment>,
    /// Whether it was enqueued in order to stay.
    pub(crate) commits: bool,
    pub(crate) answer: Answer,
    /// The job that was said to hold its key.
    pub(crate) merged_into: Option<Uuid>,
    /// When somebody asked for its end, and whether it was cancelled before it ran.
    pub(crate) cancelled: Option<(Moment, bool)>,
    /// Its runs, in the order in which they began.
    pub(crate) runs: Vec<Ran>,
    /// When workers put it back for later.
    pub(crate) put_back: Vec<Moment>,
    /// The final states that workers were told it had, and when.
    pub(crate) told: Vec<(Moment, String)>,
    pub(crate) finished: Vec<Row>,
    pub(crate) unfinished: Vec<String>,
    pub(crate) effects: u64,
    /// How often it came into the room of finished jobs.
    pub(crate) witnessed: usize,
    /// The workers that held it when they were killed or stopped, in the order in which that happened.
    pub(crate) held: Vec<Held>,
}

/// A worker that was killed or stopped held the job.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) at: Moment,
    pub(crate) whom: String,
    /// Whether the database knew that it had begun.
    pub(crate) begun: bool,
}

/// One run of a job.
#[derive(Clone, Debug)]
pub(crate) struct Ran {
    pub(crate) at: Moment,
    /// The worker process.
    pub(crate) whom: String,
    pub(crate) fence: Uuid,
    pub(crate) attempt: u16,
    pub(crate) end: Option<(Moment, Outcome)>,
}

impl Case {
    pub(crate) fn is_there(&self) -> bool {
        !self.finished.is_empty() || !self.unfinished.is_empty()
    }

    /// From when on it was finished, as far as anybody was told.
    pub(crate) fn ended(&self) -> Option<Moment> {
        let cancelled = self.cancelled.filter(|(_, done)| *done).map(|(at, _)| at);
        self.told.iter().map(|(at, _)| *at).chain(cancelled).min()
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Case { id, number, kind, answer, .. } = self;
        write!(f, "{kind} {number} ({id}), {answer:?}")?;
        if let Some((at, done)) = self.cancelled {
            write!(f, ", cancelled at {at} (before it ran: {done})")?;
        }
        for ran in &self.runs {
            write!(f, "; attempt {} at {} in {} under {}", ran.attempt, ran.at, ran.whom, ran.fence)?;
            match ran.end {
                Some((at, outcome)) => write!(f, " until {at}: {outcome:?}")?,
                None => write!(f, ", no end")?,
            }
        }
        for (at, state) in &self.told {
            write!(f, "; told {state} at {at}")?;
        }
        for row in &self.finished {
            write!(f, "; is {}", row.state)?;
            if let Some(error) = &row.error {
                write!(f, " ({:.60})", error)?;
            }
        }
        self.unfinished.iter().try_for_each(|room| write!(f, "; is {room}"))
    }
}

/// Puts together what is known of each job.
pub(crate) fn cases(books: &[Book], rooms: &Rooms) -> HashMap<Uuid, Case> {
    let mut cases: HashMap<Uuid, Case> = HashMap::new();
    for book in books {
        book.events.iter().for_each(|event| enter(&mut cases, &book.name, event));
    }
    for row in &rooms.finished {
        case(&mut cases, row.id).finished.push(row.clone());
    }
    for (room, id) in &rooms.unfinished {
        case(&mut cases, *id).unfinished.push(room.clone());
    }
    for id in &rooms.witnessed {
        case(&mut cases, *id).witnessed += 1;
    }
    for id in &rooms.effects {
        case(&mut cases, *id).effects += 1;
    }
    for case in cases.values_mut() {
        case.runs.sort_by_key(|ran| ran.at);
        case.held.sort_by_key(|held| held.at);
    }
    cases
}

fn case(cases: &mut HashMap<Uuid, Case>, id: Uuid) -> &mut Case {
    cases.entry(id).or_insert_with(|| Case { id, ..Case::default() })
}

fn enter(cases: &mut HashMap<Uuid, Case>, whom: &str, event: &Event) {
    match event {
        Event::Intent { at, id, number, kind, due, key, commits } => {
            let case = case(cases, *id);
            (case.number, case.kind, case.due) = (*number, kind.clone(), *due);
            case.key = key.as_ref().map(|key| format!("{kind}:{key}"));
            (case.intended, case.commits, case.answer) = (*at, *commits, Answer::Intent);
        }
        Event::Enqueued { at, id } => {
            let case = case(cases, *id);
            (case.accepted, case.answer) = (Some(*at), Answer::Enqueued);
        }
        Event::Merged { id, into, .. } => {
            let case = case(cases, *id);
            (case.merged_into, case.answer) = (Some(*into), Answer::Merged);
        }
        Event::Unknown { id, .. } => case(cases, *id).answer = Answer::Unknown,
        Event::RolledBack { id, .. } => case(cases, *id).answer = Answer::RolledBack,
        Event::Cancelled { at, id, done } => case(cases, *id).cancelled = Some((*at, *done)),
        Event::Start { at, id, fence, attempt } => {
            let ran = Ran { at: *at, whom: whom.to_owned(), fence: *fence, attempt: *attempt, end: None };
            case(cases, *id).runs.push(ran);
        }
        Event::End { at, id, fence, outcome } => {
            let mut runs = case(cases, *id).runs.iter_mut().rev();
            if let Some(ran) = runs.find(|ran| ran.fence == *fence && ran.whom == whom) {
                ran.end = Some((*at, *outcome));
            }
        }
        Event::Settled { at, id, state } => {
            if ["completed", "failed", "cancelled"].contains(&state.as_str()) {
                case(cases, *id).told.push((*at, state.clone()));
            // An older release parks what it does not know.
            } else if matches!(state.as_str(), "scheduled" | "parked") {
                case(cases, *id).put_back.push(*at);
            }
        }
        Event::Held { at, whom, ids, begun } => {
            for id in ids {
                let held = Held { at: *at, whom: whom.clone(), begun: begun.contains(id) };
                case(cases, *id).held.push(held);
            }
        }
        Event::Refused { .. } | Event::Joined { .. } | Event::Fault { .. } => {}
    }
}
