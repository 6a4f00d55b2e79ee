//! Faults in time: which of them allow for a job to run again, and how long it took until it did.

use std::collections::HashMap;

use uuid::Uuid;

use super::history::{Case, Ran};
use super::{Recovery, Verdict};
use crate::ledger::{Book, Event, Moment};

const SECOND: Moment = 1_000_000;

/// The faults of a run.
pub(super) struct Faults {
    all: Vec<Fault>,
    /// When each worker process entered the list of the living, for the second time and later: it had lost its lease.
    joined_again: Vec<(String, Moment)>,
    lease: Moment,
}

struct Fault {
    from: Moment,
    to: Moment,
    kind: String,
    whom: Option<String>,
}

impl Fault {
    fn concerns(&self, whom: &str) -> bool {
        self.whom.as_deref().is_none_or(|one| one == whom)
    }

    /// The process is gone afterwards.
    fn kills(&self) -> bool {
        matches!(self.kind.as_str(), "kill" | "kill_all" | "died" | "replace")
    }

    fn overlaps(&self, from: Moment, to: Moment) -> bool {
        self.from <= to && self.to >= from
    }
}

impl Faults {
    pub(super) fn of(books: &[Book], lease: Moment) -> Self {
        let (mut all, mut joined_again) = (vec![], vec![]);
        for book in books {
            let mut joined = false;
            for event in &book.events {
                match event {
                    Event::Fault { from, to, kind, whom } => {
                        let (kind, whom) = (kind.clone(), whom.clone());
                        all.push(Fault { from: *from, to: *to, kind, whom });
                    }
                    Event::Joined { at } => {
                        if std::mem::replace(&mut joined, true) {
                            joined_again.push((book.name.clone(), *at));
                        }
                    }
                    _ => {}
                }
            }
        }
        Faults { all, joined_again, lease }
    }

    /// Whether the worker process was killed while this run had not come to its end.
    pub(super) fn killed_during(&self, ran: &Ran) -> bool {
        let until = ran.end.map_or(Moment::MAX, |(at, _)| at);
        self.all.iter().any(|fault| {
            fault.kills()
                && fault.whom.as_deref() == Some(&ran.whom)
                && fault.from >= ran.at
                && fault.from <= until
        })
    }

    /// Whether something happened to the worker of this run, or to the database, that allows for the job to run again at
    /// `again`.
    pub(super) fn explain(&self, ran: &Ran, again: Moment) -> bool {
        let whom = ran.whom.as_str();
        let killed = |fault: &Fault| {
            fault.kills() && fault.concerns(whom) && fault.to >= ran.at && fault.from <= again
        };
        // PostgreSQL may forget the last moment's claims when it crashes: they are committed without waiting.
        let forgot = |fault: &Fault| {
            fault.kind == "crash"
                && ran.at >= fault.from - 2 * SECOND
                && ran.at <= fault.to
                && fault.from <= again
        };
        self.all.iter().any(|fault| killed(fault) || forgot(fault)) || self.lost_its_lease(ran, again)
    }

    /// The worker said that it had lost its lease, and a fault accounts for that.
    fn lost_its_lease(&self, ran: &Ran, again: Moment) -> bool {
        let whom = ran.whom.as_str();
        // A worker that is cut off says so only when it is back, after the others have taken its jobs.
        let late = again + 3 * self.lease;
        let mut lost =
            self.joined_again.iter().filter(|(one, at)| one == whom && *at >= ran.at && *at <= late);
        let joined_again = lost.any(|(_, at)| {
            self.all.iter().any(|fault| fault.concerns(whom) && fault.overlaps(at - 3 * self.lease, *at))
        });
        // One that was killed before it was back could not say it.
        let out_of_reach = |fault: &Fault| {
            let lasts = fault.to - fault.from;
            fault.concerns(whom) && lasts >= self.lease / 2 && fault.overlaps(ran.at - self.lease, again)
        };
        joined_again || self.all.iter().any(out_of_reach)
    }

    /// For how much of this time the database was away from everybody.
    fn away(&self, from: Moment, to: Moment) -> Moment {
        let everybody = self.all.iter().filter(|fault| fault.whom.is_none() && fault.overlaps(from, to));
        everybody.map(|fault| fault.to.min(to) - fault.from.max(from)).sum()
    }
}

/// How long it took until the jobs of killed and stopped workers ran again.
pub(super) fn recoveries(
    books: &[Book],
    cases: &HashMap<Uuid, Case>,
    faults: &Faults,
    verdict: &mut Verdict,
) {
    let mut held: HashMap<Uuid, Vec<Moment>> = HashMap::new();
    for event in books.iter().flat_map(|book| &book.events) {
        if let Event::Held { at, ids, .. } = event {
            ids.iter().for_each(|id| held.entry(*id).or_default().push(*at));
        }
    }
    let mut took = vec![];
    for (id, mut times) in held {
        times.sort_unstable();
        let Some(case) = cases.get(&id) else { continue };
        for (place, at) in times.iter().enumerate() {
            let Some(next) = next_sign(case, *at) else { continue };
            // Whoever took it was killed, too, before it could run: that counts from there.
            if times.get(place + 1).is_some_and(|later| *later <= next) {
                continue;
            }
            let millis = (next - at - faults.away(*at, next)).max(0) / 1000;
            if millis > (faults.lease + 10 * SECOND) / 1000 {
                verdict.slow_recoveries += 1;
                verdict.complain(case, &format!("recovered only {millis} ms after {at}"));
            }
            took.push(u64::try_from(millis).unwrap_or(0));
        }
    }
    verdict.recovery_ms = distribution(took);
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
