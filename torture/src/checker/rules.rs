//! The rules: what must be true of each job.

use std::collections::BTreeSet;

use super::Verdict;
use super::history::{Answer, Case, Ran};
use super::time::Faults;
use crate::ledger::Outcome;

pub(super) fn judge(case: &Case, faults: &Faults, verdict: &mut Verdict) {
    count(case, verdict);
    if is_phantom(case) {
        verdict.phantom += 1;
        verdict.complain(case, "phantom");
    }
    if is_lost(case) {
        verdict.lost += 1;
        verdict.complain(case, "lost");
    }
    if is_accepted_twice(case) {
        verdict.accepted_twice += 1;
        verdict.complain(case, &format!("accepted twice ({} effects)", case.effects));
    }
    match end(case, faults) {
        End::Right => {}
        End::Condemned => verdict.condemned += 1,
        End::Wrong => {
            verdict.wrong_end += 1;
            verdict.complain(case, "ended wrong");
        }
    }
    if let Some(what) = disorder(case, faults) {
        verdict.out_of_order += 1;
        verdict.complain(case, what);
    }
    for pair in case.runs.windows(2).filter(|pair| is_duplicate(&pair[0], &pair[1])) {
        if pair[0].fence != pair[1].fence && faults.explain(&pair[0], pair[1].at) {
            verdict.duplicates_explained += 1;
        } else {
            verdict.duplicates_unexplained += 1;
            verdict.complain(case, "ran twice for no reason");
        }
    }
}

fn count(case: &Case, verdict: &mut Verdict) {
    match case.answer {
        Answer::Enqueued => verdict.enqueued += 1,
        Answer::Unknown | Answer::Intent => verdict.unknown += 1,
        Answer::Merged | Answer::RolledBack | Answer::Never => {}
    }
    for row in &case.finished {
        match row.state.as_str() {
            "completed" => verdict.completed += 1,
            "failed" => verdict.failed += 1,
            _ => verdict.cancelled += 1,
        }
    }
}

fn is_there(case: &Case) -> bool {
    !case.finished.is_empty() || !case.unfinished.is_empty()
}

/// Nobody enqueued it, or its transaction was rolled back, and yet it is there.
fn is_phantom(case: &Case) -> bool {
    let must_not_be = matches!(case.answer, Answer::Never | Answer::RolledBack | Answer::Merged);
    must_not_be && (is_there(case) || !case.runs.is_empty())
}

/// It was accepted, or is there, and never came to its end.
fn is_lost(case: &Case) -> bool {
    let must_be = case.answer == Answer::Enqueued || is_there(case);
    must_be && (case.finished.is_empty() || !case.unfinished.is_empty())
}

fn is_accepted_twice(case: &Case) -> bool {
    let completed = case.finished.iter().any(|row| row.state == "completed");
    let effects = u64::from(case.kind == "effect" && completed);
    case.finished.len() > 1 || case.told.len() > 1 || case.effects != effects
}

enum End {
    Right,
    /// Three workers were killed while it ran.
    Condemned,
    Wrong,
}

fn end(case: &Case, faults: &Faults) -> End {
    let Some(row) = case.finished.first() else { return End::Right };
    let crashed = row.error.as_deref().is_some_and(|error| error.starts_with("crash_loop"));
    let expected = match case.kind.as_str() {
        "hopeless" => row.state == "failed",
        "killer" => row.state == "failed" && crashed,
        _ => row.state == "completed",
    };
    if row.kind != case.kind && !case.kind.is_empty() {
        return End::Wrong;
    }
    if expected || (row.state == "cancelled" && case.cancelled.is_some()) {
        return End::Right;
    }
    if crashed && deaths(case, faults) >= 3 { End::Condemned } else { End::Wrong }
}

/// How many workers died, or lost their lease, while they had this job in hand.
fn deaths(case: &Case, faults: &Faults) -> usize {
    let ends = case.runs.iter().skip(1).map(|ran| ran.at).chain([i64::MAX]);
    let died = |(ran, until): &(&Ran, i64)| {
        faults.killed_after(ran, *until) || faults.lost_its_lease(ran, (*until).min(ran.at + 10_000_000))
    };
    let ran = case.runs.iter().zip(ends).filter(died).map(|(ran, _)| ran.whom.as_str());
    let whom: BTreeSet<&str> = case.held_by.iter().map(String::as_str).chain(ran).collect();
    whom.len()
}

/// What is wrong with the order of its runs.
fn disorder(case: &Case, faults: &Faults) -> Option<&'static str> {
    // Two clocks of one machine, read one after the other.
    const TOLERANCE: i64 = 2_000;
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
    let forgot =
        |pair: &[Ran]| pair[1].attempt < pair[0].attempt && !faults.lost_its_lease(&pair[1], pair[1].at);
    if case.runs.windows(2).any(forgot) {
        return Some("forgot an attempt");
    }
    None
}

/// Whether the second run was in vain, or the first.
fn is_duplicate(first: &Ran, second: &Ran) -> bool {
    match first.end {
        Some((_, Outcome::Error)) => second.attempt <= first.attempt,
        Some((_, Outcome::Snooze)) => second.attempt != first.attempt,
        Some((_, Outcome::Ok)) | None => true,
    }
}
