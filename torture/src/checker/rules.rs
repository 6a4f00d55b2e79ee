//! The rules: what must have become of each job.

use std::collections::BTreeSet;

use super::history::{Answer, Case, Ran};
use super::time::{Faults, SECOND};
use super::{Verdict, order};
use crate::ledger::{Moment, Outcome};

/// How often a hopeless job is tried.
const TRIES: u16 = 3;
/// How many workers may die of a job.
const DEATHS: usize = 3;

pub(super) fn judge(case: &Case, faults: &Faults, verdict: &mut Verdict) {
    count(case, verdict);
    if is_phantom(case) {
        verdict.phantom += 1;
        verdict.complain(case, "phantom");
    }
    if is_lost(case) {
        verdict.lost += 1;
        verdict.complain(case, "lost");
    } else if is_undone(case) {
        verdict.lost += 1;
        verdict.complain(case, "completed, and nobody did it");
    }
    if is_accepted_twice(case) {
        verdict.accepted_twice += 1;
        verdict.complain(
            case,
            &format!("accepted twice ({} effects, seen to end {} times)", case.effects, case.witnessed),
        );
    }
    match end(case, faults) {
        End::Right => {}
        End::Condemned => verdict.condemned += 1,
        End::Wrong => {
            verdict.wrong_end += 1;
            verdict.complain(case, "ended wrong");
        }
    }
    if let Some(what) = order::disorder(case, faults) {
        verdict.out_of_order += 1;
        verdict.complain(case, what);
    }
    order::duplicates(case, faults, verdict);
}

fn count(case: &Case, verdict: &mut Verdict) {
    match case.answer {
        Answer::Enqueued => verdict.enqueued += 1,
        Answer::Unknown | Answer::Intent if case.commits => verdict.unknown += 1,
        _ => {}
    }
    for row in &case.finished {
        match row.state.as_str() {
            "completed" => verdict.completed += 1,
            "failed" => verdict.failed += 1,
            _ => verdict.cancelled += 1,
        }
    }
}

/// Nobody enqueued it, or not in order to stay.
fn must_not_be(case: &Case) -> bool {
    matches!(case.answer, Answer::Never | Answer::RolledBack | Answer::Merged) || !case.commits
}

fn is_phantom(case: &Case) -> bool {
    must_not_be(case) && (case.is_there() || !case.runs.is_empty())
}

/// It was accepted, or was there, and never came to its end. What ran was there, whatever its enqueuer was told.
fn is_lost(case: &Case) -> bool {
    let was_seen = !case.runs.is_empty() || !case.told.is_empty();
    let was_there = was_seen && !must_not_be(case);
    let must_be = case.answer == Answer::Enqueued || case.is_there() || was_there;
    must_be && (case.finished.is_empty() || !case.unfinished.is_empty())
}

/// It counts as completed, and no run of it came to a good end.
fn is_undone(case: &Case) -> bool {
    let completed = case.finished.iter().any(|row| row.state == "completed");
    // One that finishes itself may be killed before it can note that; its effect is counted instead.
    let well = |ran: &Ran| case.kind == "effect" || matches!(ran.end, Some((_, Outcome::Ok)));
    completed && !case.runs.iter().any(well)
}

fn is_accepted_twice(case: &Case) -> bool {
    let completed = case.finished.iter().any(|row| row.state == "completed");
    let effects = u64::from(case.kind == "effect" && completed);
    let told_otherwise = |(_, state): &(Moment, String)| case.finished.iter().any(|row| row.state != *state);
    case.finished.len() > 1
        || case.witnessed != case.finished.len()
        || case.told.len() > 1
        || case.effects != effects
        || case.told.iter().any(told_otherwise)
}

enum End {
    Right,
    /// Three workers died while they had it in hand.
    Condemned,
    Wrong,
}

fn end(case: &Case, faults: &Faults) -> End {
    let Some(row) = case.finished.first() else { return End::Right };
    let right = |right| if right { End::Right } else { End::Wrong };
    if row.kind != case.kind && !case.kind.is_empty() {
        return End::Wrong;
    }
    if row.state == "cancelled" || matches!(case.cancelled, Some((_, true))) {
        return right(row.state == "cancelled" && case.cancelled.is_some());
    }
    let crashed = row.error.as_deref().is_some_and(|error| error.starts_with("crash_loop"));
    match case.kind.as_str() {
        "killer" => right(row.state == "failed" && crashed && is_rightly_stopped(case, faults)),
        _ if crashed && row.state == "failed" => match deaths(case, faults).condemn() {
            true => End::Condemned,
            false => End::Wrong,
        },
        "hopeless" => right(row.state == "failed" && is_tried_out(case)),
        _ => right(row.state == "completed"),
    }
}

/// All of its attempts went wrong, and there were as many as it has.
fn is_tried_out(case: &Case) -> bool {
    let last = |ran: &Ran| ran.attempt == TRIES && matches!(ran.end, Some((_, Outcome::Error)));
    case.runs.iter().any(last) && case.runs.iter().all(|ran| ran.attempt <= TRIES)
}

/// It has taken down more than one worker, and not more than it may. The first may have died before it could note the run.
fn is_rightly_stopped(case: &Case, faults: &Faults) -> bool {
    let uncounted = |ran: &&Ran| faults.forgot(ran, Moment::MAX) || faults.lost_its_lease(ran, ran.at);
    let counted = case.runs.len() - case.runs.iter().filter(uncounted).count();
    deaths(case, faults).begun >= 2 && counted <= DEATHS
}

/// How many workers died, or lost their lease, with a job in hand.
struct Deaths {
    /// While it ran, or may have.
    begun: usize,
    /// While it was on its way.
    held: usize,
}

impl Deaths {
    /// Of one death that nobody can say whether the job had begun: from the next one on that is noted.
    fn condemn(&self) -> bool {
        self.begun + self.held.min(1) >= DEATHS
    }
}

fn deaths(case: &Case, faults: &Faults) -> Deaths {
    // What happened after the sentence has not led to it, and what happened before an attempt's own end is forgotten.
    let sentence = case.ended().unwrap_or(Moment::MAX);
    let attempt = case.runs.iter().map(|ran| ran.attempt).max().unwrap_or(1);
    let error = |ran: &Ran| match ran.end {
        Some((at, Outcome::Error)) if ran.attempt + 1 == attempt => Some(at),
        _ => None,
    };
    let since = case.runs.iter().filter_map(error).min().unwrap_or(Moment::MIN);
    let ends = case.runs.iter().skip(1).map(|ran| ran.at).chain([sentence]);
    let died = |(ran, until): &(&Ran, Moment)| {
        let lost = |until: Moment| faults.lost_its_lease(ran, until.min(ran.at + 10 * SECOND));
        ran.attempt == attempt && (faults.killed_after(ran, *until) || lost(*until))
    };
    // A process that lost its lease and began anew is another worker.
    let worker = |whom: &'_ str, at| (whom.to_owned(), faults.life(whom, at));
    let ran = case.runs.iter().zip(ends).filter(died).map(|(ran, _)| worker(&ran.whom, ran.at));
    let held = || case.held.iter().filter(move |held| held.at >= since);
    let noted = held().filter(|held| held.begun).map(|held| worker(&held.whom, held.at));
    let begun: BTreeSet<(String, usize)> = ran.chain(noted).collect();
    let held: BTreeSet<(String, usize)> = held().map(|held| worker(&held.whom, held.at)).collect();
    Deaths { begun: begun.len(), held: held.difference(&begun).count() }
}
