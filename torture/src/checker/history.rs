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
    pub(crate) answer: Answer,
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
    /// The workers that held it when they were killed or stopped.
    pub(crate) held_by: Vec<String>,
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
    for id in &rooms.effects {
        case(&mut cases, *id).effects += 1;
    }
    for case in cases.values_mut() {
        case.runs.sort_by_key(|ran| ran.at);
    }
    cases
}

fn case(cases: &mut HashMap<Uuid, Case>, id: Uuid) -> &mut Case {
    cases.entry(id).or_insert_with(|| Case { id, ..Case::default() })
}

fn enter(cases: &mut HashMap<Uuid, Case>, whom: &str, event: &Event) {
    match event {
        Event::Intent { id, number, kind, due, .. } => {
            let case = case(cases, *id);
            (case.number, case.kind, case.due) = (*number, kind.clone(), *due);
            case.answer = Answer::Intent;
        }
        Event::Enqueued { id, .. } => case(cases, *id).answer = Answer::Enqueued,
        Event::Merged { id, .. } => case(cases, *id).answer = Answer::Merged,
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
            } else if state == "scheduled" {
                case(cases, *id).put_back.push(*at);
            }
        }
        Event::Held { whom, ids, .. } => {
            ids.iter().for_each(|id| case(cases, *id).held_by.push(whom.clone()));
        }
        Event::Refused { .. } | Event::Joined { .. } | Event::Fault { .. } => {}
    }
}
