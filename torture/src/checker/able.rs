//! When at least one worker was able to do its work: it had joined, nothing kept it from the database, and the database was
//! there.

use super::time::{Fault, Faults, SECOND};
use crate::ledger::Moment;

/// A worker whose call went wrong tries again after a second.
const AFTER: Moment = SECOND;

/// Spans of time, in order and apart from each other.
pub(super) struct Able(Vec<(Moment, Moment)>);

impl Able {
    pub(super) fn of(faults: &Faults) -> Self {
        let mut spans: Vec<(Moment, Moment)> = vec![];
        for (place, (whom, joined)) in faults.joined.iter().enumerate() {
            let again = faults.joined[place + 1..].iter().find(|(one, _)| one == whom).map(|(_, at)| *at);
            let ends = |fault: &&Fault| fault.ends() && fault.concerns(whom) && fault.from >= *joined;
            let end = faults.all.iter().find(ends).map(|fault| fault.from);
            let until = again.into_iter().chain(end).min().unwrap_or(Moment::MAX);
            spans.extend(without(*joined, until, faults.all.iter().filter(|fault| fault.concerns(whom))));
        }
        spans.sort_unstable();
        let mut merged: Vec<(Moment, Moment)> = vec![];
        for (from, to) in spans {
            match merged.last_mut() {
                Some(last) if from <= last.1 => last.1 = last.1.max(to),
                _ => merged.push((from, to)),
            }
        }
        Able(merged)
    }

    /// How much of the time between these two somebody was able to work.
    pub(super) fn time_within(&self, from: Moment, to: Moment) -> Moment {
        self.0.iter().map(|(begin, end)| (to.min(*end) - from.max(*begin)).max(0)).sum()
    }
}

/// What is left of a span when nothing counts that lies within a fault, or just behind one.
fn without<'a>(
    from: Moment,
    until: Moment,
    faults: impl Iterator<Item = &'a Fault>,
) -> Vec<(Moment, Moment)> {
    let (mut left, mut begin) = (vec![], from);
    for fault in faults {
        if fault.to + AFTER <= begin {
            continue;
        }
        if fault.from >= until {
            break;
        }
        if fault.from > begin {
            left.push((begin, fault.from));
        }
        begin = fault.to + AFTER;
    }
    if begin < until {
        left.push((begin, until));
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(from: Moment, to: Moment, kind: &str, whom: Option<&str>) -> Fault {
        Fault { from: from * SECOND, to: to * SECOND, kind: kind.into(), whom: whom.map(Into::into) }
    }

    fn able(joined: &[(&str, Moment)], all: Vec<Fault>) -> Able {
        let joined = joined.iter().map(|(whom, at)| ((*whom).to_owned(), at * SECOND)).collect();
        Able::of(&Faults { all, joined, ..Faults::default() })
    }

    #[test]
    fn time_counts_while_any_worker_is_able() {
        let able = able(&[("a", 0), ("b", 10)], vec![fault(4, 4, "kill", Some("a"))]);
        assert_eq!(able.time_within(0, 20 * SECOND), 14 * SECOND);
        assert_eq!(able.time_within(5 * SECOND, 9 * SECOND), 0);
    }

    #[test]
    fn nobody_is_able_while_the_database_is_away_and_a_second_longer() {
        let able = able(&[("a", 0), ("b", 0)], vec![fault(4, 6, "restart", None)]);
        assert_eq!(able.time_within(0, 10 * SECOND), 7 * SECOND);
    }

    #[test]
    fn a_worker_that_is_cut_off_is_made_up_for_by_another() {
        let cut = || fault(4, 6, "cut", Some("a"));
        assert_eq!(able(&[("a", 0)], vec![cut()]).time_within(0, 10 * SECOND), 7 * SECOND);
        assert_eq!(able(&[("a", 0), ("b", 0)], vec![cut()]).time_within(0, 10 * SECOND), 10 * SECOND);
    }
}
