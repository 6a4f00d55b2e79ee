//! The checker: compares the ledger with what the database says in the end. It knows the rules and nothing of djob.

mod able;
mod history;
mod keys;
mod order;
mod processes;
mod recovery;
mod rules;
#[cfg(test)]
mod tests;
mod time;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::database::Rooms;
use crate::ledger::{Book, Moment};

pub(crate) use history::Case;

/// What came of a run.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Verdict {
    /// Jobs whose enqueueing was answered.
    pub(crate) enqueued: u64,
    /// Jobs of which nobody knows whether they were accepted: the answer was lost.
    pub(crate) unknown: u64,
    pub(crate) completed: u64,
    pub(crate) failed: u64,
    pub(crate) cancelled: u64,
    /// Jobs that were accepted and are not finished, or count as completed and were not done.
    pub(crate) lost: u64,
    /// Jobs that ran or are there, and were never enqueued.
    pub(crate) phantom: u64,
    /// Jobs of which more than one outcome counted.
    pub(crate) accepted_twice: u64,
    /// Runs in vain, after a fault that allows for it.
    pub(crate) duplicates_explained: u64,
    /// Runs in vain without such a fault.
    pub(crate) duplicates_unexplained: u64,
    /// Jobs that ended otherwise than their kind must.
    pub(crate) wrong_end: u64,
    /// Jobs that ran before their time, after their end, or as an attempt that had been or that nobody had used up.
    pub(crate) out_of_order: u64,
    /// Jobs that took a unique key which another one held, or gave way to one that did not hold it.
    pub(crate) keys_broken: u64,
    /// Jobs that failed because three workers were killed while they ran.
    pub(crate) condemned: u64,
    /// Times that a job of a dead worker was put back for lack of room in the quarantine, and its longest wait.
    pub(crate) ran_apart: u64,
    pub(crate) apart_ms_max: u64,
    /// How long it took until a killed or stopped worker's jobs ran again, of the time in which somebody was able to run them.
    pub(crate) recovery_ms: Recovery,
    /// The same by the clock on the wall.
    pub(crate) recovery_wall_ms: Recovery,
    /// Workers that were killed while the database could not say what they held: their recoveries are not among these.
    pub(crate) unseen: u64,
    /// Recoveries that took longer than 40 seconds, or than the lease and ten seconds where that is more.
    pub(crate) slow_recoveries: u64,
    /// How often each fault happened.
    pub(crate) faults: BTreeMap<String, u64>,
    /// What is wrong, one by one; the first hundred.
    pub(crate) complaints: Vec<String>,
}

/// How long recoveries took, in milliseconds.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Recovery {
    pub(crate) count: u64,
    pub(crate) p50: u64,
    pub(crate) p90: u64,
    pub(crate) p99: u64,
    pub(crate) max: u64,
}

/// The most complaints that are written down.
const COMPLAINTS_MAX: usize = 100;

impl Verdict {
    /// Whether the promise held.
    pub(crate) fn holds(&self) -> bool {
        let broken = [
            self.lost,
            self.phantom,
            self.accepted_twice,
            self.duplicates_unexplained,
            self.wrong_end,
            self.out_of_order,
            self.keys_broken,
            self.slow_recoveries,
        ];
        broken.iter().all(|count| *count == 0)
    }

    fn complain(&mut self, case: &Case, what: &str) {
        if self.complaints.len() < COMPLAINTS_MAX {
            self.complaints.push(format!("{what}: {case}"));
        }
    }
}

/// Judges a run. A database that `forgets` may lose its last moment's claims when it crashes.
pub(crate) fn judge(books: &[Book], rooms: &Rooms, lease: Moment, forgets: bool) -> Verdict {
    let faults = time::Faults::of(books, lease, forgets);
    let cases = history::cases(books, rooms);
    let mut verdict = Verdict { faults: faults.counts(), ..Verdict::default() };
    for case in cases.values() {
        rules::judge(case, &faults, &mut verdict);
    }
    keys::judge(&cases, &mut verdict);
    recovery::judge(&cases, &faults, &mut verdict);
    processes::judge(&cases, &faults, &mut verdict);
    if verdict.enqueued == 0 {
        verdict.complaints.push("nothing was enqueued: such a run shows nothing".into());
    }
    verdict
}
