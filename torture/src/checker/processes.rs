//! What worker processes did by themselves: nothing but a job that takes its worker down may end one.

use std::collections::{BTreeSet, HashMap};

use uuid::Uuid;

use super::Verdict;
use super::history::Case;
use super::time::{Fault, Faults};

pub(super) fn judge(cases: &HashMap<Uuid, Case>, faults: &Faults, verdict: &mut Verdict) {
    let killers = cases.values().filter(|case| case.kind == "killer").flat_map(|case| &case.runs);
    let taken_down: BTreeSet<&str> = killers.map(|ran| ran.whom.as_str()).collect();
    let joined: BTreeSet<&str> = faults.joined.iter().map(|(whom, _)| whom.as_str()).collect();
    let mut dead = BTreeSet::new();
    for fault in faults.all.iter().filter(|fault| fault.ends()) {
        // One that has not joined found no database, and held nothing.
        let Some(whom) = fault.whom.as_deref().filter(|whom| joined.contains(whom)) else { continue };
        if fault.kills() && dead.insert(whom) && !faults.seen.contains(whom) {
            verdict.unseen += 1;
        }
        let asked = |one: &Fault| one.asks_to_end() && one.concerns(whom) && one.from <= fault.from;
        let by_itself = matches!(fault.kind.as_str(), "died" | "left");
        if by_itself && !taken_down.contains(whom) && !faults.all.iter().any(asked) {
            verdict.complaints.push(format!("{whom} ended by itself at {}", fault.from));
        }
    }
}
