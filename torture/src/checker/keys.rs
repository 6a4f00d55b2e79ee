//! Unique keys: one unfinished job holds each, and only to that one another job gives way.

use std::collections::HashMap;

use uuid::Uuid;

use super::Verdict;
use super::history::{Answer, Case};
use crate::ledger::Moment;

pub(super) fn judge(cases: &HashMap<Uuid, Case>, verdict: &mut Verdict) {
    for case in cases.values().filter(|case| case.answer == Answer::Merged) {
        let holder = case.merged_into.and_then(|id| cases.get(&id));
        if !holder.is_some_and(|holder| may_hold_the_key_of(holder, case)) {
            verdict.keys_broken += 1;
            verdict.complain(case, "gave way to a job that did not hold its key");
        }
    }
    let mut holders: HashMap<&str, Vec<&Case>> = HashMap::new();
    for case in cases.values().filter(|case| case.accepted.is_some()) {
        if let Some(key) = &case.key {
            holders.entry(key.as_str()).or_default().push(case);
        }
    }
    for case in holders.values().flat_map(|cases| second_holders(cases)) {
        verdict.keys_broken += 1;
        verdict.complain(case, "took a key that another job held");
    }
}

/// Whether it had this key and was there, and was not over before the other one came.
fn may_hold_the_key_of(holder: &Case, other: &Case) -> bool {
    let over = holder.ended().is_some_and(|end| end < other.intended);
    holder.key == other.key && holder.is_there() && !over
}

/// Those that were accepted while another one cannot have been finished.
fn second_holders<'a>(cases: &[&'a Case]) -> Vec<&'a Case> {
    let held = |case: &&Case| Some((case.accepted?, unfinished_until(case)?));
    let mut held: Vec<(Moment, Moment)> = cases.iter().filter_map(held).collect();
    held.sort_unstable();
    let mut cases = cases.to_vec();
    cases.sort_by_key(|case| case.intended);
    let (mut held, mut until) = (held.into_iter().peekable(), Moment::MIN);
    let mut second = vec![];
    for case in cases {
        // All that had been accepted before this one came.
        while let Some((_, end)) = held.next_if(|(accepted, _)| *accepted < case.intended) {
            until = until.max(end);
        }
        if case.accepted.is_some_and(|accepted| accepted <= until) {
            second.push(case);
        }
    }
    second
}

/// Until when it cannot have been finished: its last attempt had not begun. Of one that may be cancelled nobody knows.
fn unfinished_until(case: &Case) -> Option<Moment> {
    if case.cancelled.is_some() {
        return None;
    }
    let last = case.runs.iter().map(|ran| ran.attempt).max()?;
    case.runs.iter().filter(|ran| ran.attempt == last).map(|ran| ran.at).min()
}
