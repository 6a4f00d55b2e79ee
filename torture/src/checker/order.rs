//! The order of a job's runs, and which of them were in vain.

use std::collections::BTreeSet;

use super::Verdict;
use super::history::{Case, Ran};
use super::time::{Faults, MILLISECOND};
use crate::ledger::{Moment, Outcome};

/// Two clocks of one machine, read one after the other.
const TOLERANCE: Moment = 2 * MILLISECOND;
/// Every kind waits 200 ms between two attempts, less a tenth at random, and a bit.
const PAUSE: Moment = 150 * MILLISECOND;

/// What is wrong with the order of its runs.
pub(super) fn disorder(case: &Case, faults: &Faults) -> Option<&'static str> {
    let first = case.runs.first()?;
    if first.at + TOLERANCE < case.due {
        return Some("ran before its time");
    }
    if let Some((at, true)) = case.cancelled
        && case.runs.iter().any(|ran| ran.at > at + TOLERANCE)
    {
        return Some("ran after it was cancelled");
    }
    // A worker that has lost its lease may begin a job that it held before: that is an earlier run, only late.
    let late = |ran: &Ran| faults.lost_its_lease(ran, ran.at);
    if let Some(end) = case.ended()
        && case.runs.iter().any(|ran| ran.at > end + TOLERANCE && !late(ran))
    {
        return Some("ran after it had come to its end");
    }
    if case.runs.windows(2).any(|pair| pair[1].attempt < pair[0].attempt && !late(&pair[1])) {
        return Some("forgot an attempt");
    }
    if has_lost_an_attempt(case) {
        return Some("has used up an attempt that nobody made");
    }
    case.runs.iter().any(|ran| is_too_soon(case, ran)).then_some("was tried again too soon")
}

/// Errors use up attempts, and nothing else does: no drain, no crash, no snooze.
fn has_lost_an_attempt(case: &Case) -> bool {
    let mut errors = 0;
    case.runs.iter().any(|ran| {
        let missing = usize::from(ran.attempt) > errors + 1;
        errors += usize::from(matches!(ran.end, Some((_, Outcome::Error))));
        missing
    })
}

/// Whether it began before the pause after the last attempt was over.
fn is_too_soon(case: &Case, ran: &Ran) -> bool {
    let error = |one: &Ran| match one.end {
        Some((at, Outcome::Error)) if one.attempt + 1 == ran.attempt => Some(at),
        _ => None,
    };
    case.runs.iter().filter_map(error).min().is_some_and(|at| ran.at < at + PAUSE)
}

/// Counts the runs in vain.
pub(super) fn duplicates(case: &Case, faults: &Faults, verdict: &mut Verdict) {
    for pair in case.runs.windows(2).filter(|pair| is_duplicate(&pair[0], &pair[1])) {
        if faults.explain(&pair[0], pair[1].at) {
            verdict.duplicates_explained += 1;
        } else {
            verdict.duplicates_unexplained += 1;
            verdict.complain(case, "ran twice for no reason");
        }
    }
    // Under one claim a job runs once, whatever happens.
    let claims: BTreeSet<_> = case.runs.iter().map(|ran| ran.fence).collect();
    if claims.len() < case.runs.len() {
        verdict.duplicates_unexplained += 1;
        verdict.complain(case, "ran twice under one claim");
    }
}

/// Whether the second run was in vain, or the first.
fn is_duplicate(first: &Ran, second: &Ran) -> bool {
    match first.end {
        Some((_, Outcome::Error)) => second.attempt <= first.attempt,
        Some((_, Outcome::Snooze)) => second.attempt != first.attempt,
        Some((_, Outcome::Ok)) | None => true,
    }
}
