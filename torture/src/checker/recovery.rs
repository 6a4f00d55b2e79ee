//! How long it took until the jobs of killed and stopped workers ran again: of that time, as long as there was another worker
//! that was able to run them.

use std::collections::HashMap;

use uuid::Uuid;

use super::able::Able;
use super::history::{Case, Held};
use super::time::{Faults, MILLISECOND, SECOND};
use super::{Recovery, Verdict};
use crate::ledger::Moment;

/// What is promised with the default lease, which is 30 seconds. A slow machine may need all of it with a shorter one, too,
const RECOVERY_MAX: Moment = 40 * SECOND;
/// but for half of the recoveries: with a lease of 5 seconds, 40 would show nothing of the promise.
const BEYOND_LEASE: Moment = 10 * SECOND;
/// So many say something about the half of them.
const MANY: u64 = 20;

pub(super) fn judge(cases: &HashMap<Uuid, Case>, faults: &Faults, verdict: &mut Verdict) {
    let able = Able::of(faults);
    let usual = millis(faults.lease + BEYOND_LEASE);
    let (mut took, mut wall) = (vec![], vec![]);
    for case in cases.values() {
        for (place, held) in case.held.iter().enumerate() {
            let Some(next) = next_sign(case, held.at) else { continue };
            if !counts_from_here(case, place, next, faults) {
                continue;
            }
            let back = case.put_back.iter().copied().filter(|back| *back > held.at && *back < next).min();
            let time = millis(able.time_within(held.at, back.unwrap_or(next)));
            if time > usual.max(millis(RECOVERY_MAX)) {
                verdict.slow_recoveries += 1;
                verdict.complain(case, &format!("recovered only {time} ms after {}", held.at));
            }
            // One under which two workers have died runs apart. Where there is no room for it, it is put back: it was rescued by
            // then, and waits for others from there on.
            if back.is_some() {
                verdict.ran_apart += 1;
                verdict.apart_ms_max = verdict.apart_ms_max.max(millis(next - held.at));
                continue;
            }
            took.push(time);
            wall.push(millis(next - held.at));
        }
    }
    (verdict.recovery_ms, verdict.recovery_wall_ms) = (distribution(took), distribution(wall));
    let Recovery { count, p50, .. } = verdict.recovery_ms;
    if count >= MANY && p50 > usual {
        verdict.complaints.push(format!("half of the recoveries took {p50} ms or more, not {usual}"));
    }
}

fn millis(time: Moment) -> u64 {
    u64::try_from(time / MILLISECOND).unwrap_or(0)
}

/// Whether a recovery counts from where it was held for this time.
fn counts_from_here(case: &Case, place: usize, next: Moment, faults: &Faults) -> bool {
    let same = |one: &Held, other: &Held| one.whom == other.whom && !joined_between(faults, one, other);
    let held = &case.held[place];
    // Its worker was stopped first, and killed before it was back: that counts from the stop.
    let counted = |one: &Held| same(one, held) && next_sign(case, one.at) == Some(next);
    // Whoever took it was killed, too, before it could run: that counts from there.
    let taken = |one: &Held| one.at <= next && !same(held, one);
    !case.held[..place].iter().any(counted) && !case.held[place + 1..].iter().any(taken)
}

/// Whether the worker began anew in between.
fn joined_between(faults: &Faults, one: &Held, other: &Held) -> bool {
    faults.joined.iter().any(|(whom, at)| *whom == one.whom && *at > one.at && *at <= other.at)
}

/// When it was next heard of the job.
fn next_sign(case: &Case, after: Moment) -> Option<Moment> {
    let runs = case.runs.iter().map(|ran| ran.at);
    runs.chain(case.told.iter().map(|(at, _)| *at)).filter(|at| *at > after).min()
}

/// The least time within which so many of a hundred were over.
fn distribution(mut took: Vec<u64>) -> Recovery {
    took.sort_unstable();
    let at = |percent: usize| {
        let rank = (took.len() * percent).div_ceil(100);
        took.get(rank.saturating_sub(1)).copied().unwrap_or(0)
    };
    Recovery { count: took.len() as u64, p50: at(50), p90: at(90), p99: at(99), max: at(100) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_of_a_hundred_as_are_said_were_over_by_then() {
        let Recovery { count, p50, p90, p99, max } = distribution((1..=11).collect());
        assert_eq!((count, p50, p90, p99, max), (11, 6, 10, 11, 11));
        assert_eq!(distribution(vec![7]).p50, 7);
        assert_eq!(distribution(vec![]).max, 0);
    }
}
