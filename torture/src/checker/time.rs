//! Faults in time: which of them allow for a job to run again, and how long it took until it did.

use std::collections::HashMap;

use uuid::Uuid;

use super::able::Able;
use super::history::{Case, Ran};
use super::{Recovery, Verdict};
use crate::ledger::{Book, Event, Moment};

pub(super) const SECOND: Moment = 1_000_000;

/// What is promised with the default lease, which is 30 seconds.
const RECOVERY_MAX: Moment = 40 * SECOND;

/// The faults of a run.
pub(super) struct Faults {
    pub(super) all: Vec<Fault>,
    /// When each worker process entered the list of the living: more than once if it has lost its lease.
    pub(super) joined: Vec<(String, Moment)>,
    pub(super) lease: Moment,
}

pub(super) struct Fault {
    pub(super) from: Moment,
    pub(super) to: Moment,
    pub(super) kind: String,
    pub(super) whom: Option<String>,
}

impl Fault {
    pub(super) fn concerns(&self, whom: &str) -> bool {
        self.whom.as_deref().is_none_or(|one| one == whom)
    }

    /// The process is gone afterwards, without a word.
    pub(super) fn kills(&self) -> bool {
        matches!(self.kind.as_str(), "kill" | "kill_all" | "died")
    }

    /// The process is gone afterwards.
    pub(super) fn ends(&self) -> bool {
        self.kills() || self.kind == "replace"
    }

    fn overlaps(&self, from: Moment, to: Moment) -> bool {
        self.from <= to && self.to >= from
    }
}

impl Faults {
    pub(super) fn of(books: &[Book], lease: Moment) -> Self {
        let (mut all, mut joined) = (vec![], vec![]);
        for book in books {
            for event in &book.events {
                match event {
                    Event::Fault { from, to, kind, whom } => {
                        let (kind, whom) = (kind.clone(), whom.clone());
                        all.push(Fault { from: *from, to: *to, kind, whom });
                    }
                    Event::Joined { at } => joined.push((book.name.clone(), *at)),
                    _ => {}
                }
            }
        }
        all.sort_by_key(|fault| fault.from);
        joined.sort_by_key(|(_, at)| *at);
        Faults { all, joined, lease }
    }

    /// Whether the worker process was killed after this run had begun, and before `until`.
    pub(super) fn killed_after(&self, ran: &Ran, until: Moment) -> bool {
        let mut kills =
            self.all.iter().filter(|fault| fault.kills() && fault.whom.as_deref() == Some(&ran.whom));
        kills.any(|fault| fault.from >= ran.at && fault.from <= until)
    }

    /// Whether something happened to the worker of this run, or to the database, that allows for the job to run again at
    /// `again`.
    pub(super) fn explain(&self, ran: &Ran, again: Moment) -> bool {
        let whom = ran.whom.as_str();
        let ended =
            |fault: &Fault| fault.ends() && fault.concerns(whom) && fault.to >= ran.at && fault.from <= again;
        // PostgreSQL may forget the last moment's claims when it crashes: they are committed without waiting.
        let forgot = |fault: &Fault| {
            let lately = ran.at >= fault.from - 2 * SECOND && ran.at <= fault.to;
            fault.kind == "crash" && lately && fault.from <= again
        };
        self.all.iter().any(|fault| ended(fault) || forgot(fault)) || self.lost_its_lease(ran, again)
    }

    /// Whether the worker of this run had lost its lease, or was about to, by a fault.
    pub(super) fn lost_its_lease(&self, ran: &Ran, again: Moment) -> bool {
        let whom = ran.whom.as_str();
        // A worker that is cut off says so only when it is back, after the others have taken its jobs.
        let late = again.max(ran.at) + 3 * self.lease;
        let mut joined = self.joined.iter().filter(|(one, _)| one == whom).skip(1);
        let joined_again = joined.any(|(_, at)| {
            let by_fault = |fault: &Fault| fault.concerns(whom) && fault.overlaps(at - 3 * self.lease, *at);
            *at >= ran.at && *at <= late && self.all.iter().any(by_fault)
        });
        // One that was killed before it was back could not say it.
        let out_of_reach = |fault: &Fault| {
            let long = fault.to - fault.from >= self.lease / 2;
            long && fault.concerns(whom) && fault.overlaps(ran.at - self.lease, again)
        };
        joined_again || self.all.iter().any(out_of_reach)
    }
}

/// How long it took until the jobs of killed and stopped workers ran again: of that time, as long as there was another worker
/// that was able to run them.
pub(super) fn recoveries(
    books: &[Book],
    cases: &HashMap<Uuid, Case>,
    faults: &Faults,
    verdict: &mut Verdict,
) {
    let (held, able) = (held(books), Able::of(faults));
    let mut took = vec![];
    for (id, times) in held {
        let Some(case) = cases.get(&id) else { continue };
        for (place, at) in times.iter().enumerate() {
            let Some(next) = next_sign(case, *at) else { continue };
            // One under which two workers have died runs apart: where there is no room for it, it is put back.
            if case.put_back.iter().any(|back| back > at && *back < next) {
                verdict.ran_apart += 1;
                continue;
            }
            // Whoever took it was killed, too, before it could run: that counts from there.
            if times.get(place + 1).is_some_and(|later| *later <= next) {
                continue;
            }
            let millis = able.time_within(*at, next) / 1000;
            if millis > (faults.lease + 10 * SECOND).max(RECOVERY_MAX) / 1000 {
                verdict.slow_recoveries += 1;
                verdict.complain(case, &format!("recovered only {millis} ms after {at}"));
            }
            took.push(u64::try_from(millis).unwrap_or(0));
        }
    }
    verdict.recovery_ms = distribution(took);
}

/// For each job when a worker was killed or stopped that held it.
fn held(books: &[Book]) -> HashMap<Uuid, Vec<Moment>> {
    let mut held: HashMap<Uuid, Vec<Moment>> = HashMap::new();
    for event in books.iter().flat_map(|book| &book.events) {
        if let Event::Held { at, ids, .. } = event {
            ids.iter().for_each(|id| held.entry(*id).or_default().push(*at));
        }
    }
    held.values_mut().for_each(|times| times.sort_unstable());
    held
}

/// When it was next heard of the job.
fn next_sign(case: &Case, after: Moment) -> Option<Moment> {
    let runs = case.runs.iter().map(|ran| ran.at);
    runs.chain(case.told.iter().map(|(at, _)| *at)).filter(|at| *at > after).min()
}

fn distribution(mut took: Vec<u64>) -> Recovery {
    took.sort_unstable();
    let at = |percent: usize| took.get((took.len().saturating_sub(1)) * percent / 100).copied().unwrap_or(0);
    Recovery { count: took.len() as u64, p50: at(50), p90: at(90), p99: at(99), max: at(100) }
}
