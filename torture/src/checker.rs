//! The checker: compares the ledger with what the database says in the end. It knows the rules and nothing of djob.

mod able;
mod history;
mod rules;
mod time;

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
    /// Jobs that were accepted and are not finished.
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
    /// Jobs that ran before their time, after they were cancelled, or as an attempt that had been.
    pub(crate) out_of_order: u64,
    /// Jobs that failed because three workers were killed while they ran.
    pub(crate) condemned: u64,
    /// Times that a job of a dead worker was put back for lack of room in the quarantine.
    pub(crate) ran_apart: u64,
    /// How long it took until a killed or stopped worker's jobs ran again.
    pub(crate) recovery_ms: Recovery,
    /// Recoveries that took longer than 40 seconds, or than the lease and ten seconds where that is more.
    pub(crate) slow_recoveries: u64,
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

/// Judges a run.
pub(crate) fn judge(books: &[Book], rooms: &Rooms, lease: Moment) -> Verdict {
    let faults = time::Faults::of(books, lease);
    let cases = history::cases(books, rooms);
    let mut verdict = Verdict::default();
    for case in cases.values() {
        rules::judge(case, &faults, &mut verdict);
    }
    time::recoveries(books, &cases, &faults, &mut verdict);
    verdict
}
