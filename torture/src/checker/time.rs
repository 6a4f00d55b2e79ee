//! Faults in time: which of them allow for a job to run again.

use std::collections::{BTreeMap, BTreeSet};

use super::history::Ran;
use crate::ledger::{Book, Event, Moment};

pub(super) const MILLISECOND: Moment = 1_000;
pub(super) const SECOND: Moment = 1000 * MILLISECOND;

/// A worker that has lost its lease begins anew within a lease and this time after the fault: it tries every ten seconds at
/// least.
const BACK_WITHIN: Moment = 20 * SECOND;

/// The faults of a run.
#[derive(Default)]
pub(super) struct Faults {
    pub(super) all: Vec<Fault>,
    /// When each worker process entered the list of the living: more than once if it has lost its lease.
    pub(super) joined: Vec<(String, Moment)>,
    /// The worker processes of which the database could say what they held as they were killed or stopped.
    pub(super) seen: BTreeSet<String>,
    pub(super) lease: Moment,
    /// Whether a crash of the database may take the last moment's claims with it: PostgreSQL's do not wait for the disk.
    pub(super) forgets: bool,
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
        self.kills() || self.kind == "left" || self.asks_to_end()
    }

    /// The process is told to finish what it has begun, and to end.
    pub(super) fn asks_to_end(&self) -> bool {
        matches!(self.kind.as_str(), "replace" | "end")
    }

    fn overlaps(&self, from: Moment, to: Moment) -> bool {
        self.from <= to && self.to >= from
    }
}

impl Faults {
    pub(super) fn of(books: &[Book], lease: Moment, forgets: bool) -> Self {
        let (mut all, mut joined, mut seen) = (vec![], vec![], BTreeSet::new());
        for book in books {
            for event in &book.events {
                match event {
                    Event::Fault { from, to, kind, whom } => {
                        let (kind, whom) = (kind.clone(), whom.clone());
                        all.push(Fault { from: *from, to: *to, kind, whom });
                    }
                    Event::Joined { at } => joined.push((book.name.clone(), *at)),
                    Event::Held { whom, .. } => {
                        seen.insert(whom.clone());
                    }
                    _ => {}
                }
            }
        }
        all.sort_by_key(|fault| fault.from);
        joined.sort_by_key(|(_, at)| *at);
        Faults { all, joined, seen, lease, forgets }
    }

    /// How often each kind of fault happened.
    pub(super) fn counts(&self) -> BTreeMap<String, u64> {
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        // That workers end when all is over is none.
        for fault in self.all.iter().filter(|fault| !matches!(fault.kind.as_str(), "left" | "end")) {
            *counts.entry(fault.kind.clone()).or_default() += 1;
        }
        counts
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
        let gone = |fault: &Fault| fault.concerns(&ran.whom) && fault.to >= ran.at && fault.from <= again;
        let killed = |fault: &Fault| fault.kills() && gone(fault);
        // Who is told to end hands back what has not come to its end, also what it began before it heard. What has come to it
        // does not run again,
        let ends_well = |fault: &Fault| fault.asks_to_end() || fault.kind == "left";
        let handed_back = |fault: &Fault| ends_well(fault) && ran.end.is_none() && gone(fault);
        // unless something kept the worker from storing it until it left.
        let unsaid = |fault: &Fault| fault.kind == "left" && gone(fault) && self.was_kept(ran, fault.from);
        let explains = |fault: &Fault| killed(fault) || handed_back(fault) || unsaid(fault);
        self.all.iter().any(explains) || self.forgot(ran, again) || self.lost_its_lease(ran, again)
    }

    /// Whether a crash of the database may have taken the claim of this run with it, before `again`.
    pub(super) fn forgot(&self, ran: &Ran, again: Moment) -> bool {
        let forgot = |fault: &Fault| {
            let lately = ran.at >= fault.from - 2 * SECOND && ran.at <= fault.to;
            fault.kind == "crash" && lately && fault.from <= again
        };
        self.forgets && self.all.iter().any(forgot)
    }

    /// Whether a fault kept the worker of this run from the database for a while, between its end and this moment.
    fn was_kept(&self, ran: &Ran, until: Moment) -> bool {
        let end = ran.end.map_or(ran.at, |(at, _)| at);
        let kept = |fault: &Fault| {
            let lasted = fault.to - fault.from >= SECOND;
            lasted && fault.concerns(&ran.whom) && fault.overlaps(end, until)
        };
        self.all.iter().any(kept)
    }

    /// Whether the worker of this run had lost its lease, or was about to, by a fault.
    pub(super) fn lost_its_lease(&self, ran: &Ran, again: Moment) -> bool {
        let whom = ran.whom.as_str();
        // A worker that is cut off says so only when it is back, after the others have taken its jobs.
        let late = again.max(ran.at) + 3 * self.lease;
        let joined_again = self.joined_again(whom).any(|at| {
            let by_fault = |fault: &Fault| fault.concerns(whom) && fault.overlaps(at - 3 * self.lease, at);
            at >= ran.at && at <= late && self.all.iter().any(by_fault)
        });
        let out_of_reach = |fault: &Fault| {
            let long = fault.to - fault.from >= self.lease / 2;
            let concerned = long && fault.concerns(whom) && fault.overlaps(ran.at - self.lease, again);
            concerned && self.was_over(whom, ran.at, fault.to + self.lease + BACK_WITHIN)
        };
        joined_again || self.all.iter().any(out_of_reach)
    }

    /// Whether this worker began anew within this time, or ended before it could: one that did neither has kept its lease.
    fn was_over(&self, whom: &str, from: Moment, to: Moment) -> bool {
        let ended = |fault: &Fault| fault.ends() && fault.concerns(whom) && fault.overlaps(from, to);
        self.joined_again(whom).any(|at| at >= from && at <= to) || self.all.iter().any(ended)
    }

    /// When this worker began anew.
    /// Which of its lives a worker process was in: each begins with a new lease.
    pub(super) fn life(&self, whom: &str, at: Moment) -> usize {
        self.joined.iter().filter(|(one, joined)| one == whom && *joined <= at).count()
    }

    fn joined_again(&self, whom: &str) -> impl Iterator<Item = Moment> {
        self.joined.iter().filter(move |(one, _)| one == whom).skip(1).map(|(_, at)| *at)
    }
}
