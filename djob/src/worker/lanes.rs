//! Which lanes to claim from, and from where on. Pure.
//!
//! A lane is one (queue, priority). Its cursor is the last job that was taken; a claim reads on from there and so never walks
//! over what was deleted before it. Jobs that became visible late, behind the cursor, are found by a *sweep*: a look at all
//! lanes that puts the cursors back to the head.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::job::Claim;
use crate::storage::{Cursor, Lane, LaneAt};

/// The most lanes one claim looks into.
const AT_ONCE: usize = 64;

/// The lanes with something in them, best priority first.
#[derive(Debug, Default)]
pub(crate) struct Lanes {
    cursors: BTreeMap<(i16, String), Cursor>,
    /// Moves on with each claim, so that queues of one priority take turns at being first.
    turn: usize,
}

impl Lanes {
    /// Takes in what a sweep saw: the lanes that have a due job, from their heads on. Returns how long it is until the first
    /// job of all others is due.
    pub(crate) fn swept(&mut self, seen: Vec<Lane>, serves: impl Fn(&str) -> bool) -> Option<Duration> {
        self.cursors.clear();
        let mut next = None;
        for lane in seen.into_iter().filter(|lane| serves(&lane.queue)) {
            if lane.due_at <= lane.seen_at {
                self.cursors.insert((lane.priority, lane.queue), Cursor::HEAD);
            } else {
                let wait = lane.due_at - lane.seen_at;
                next = Some(next.map_or(wait, |other: Duration| other.min(wait)));
            }
        }
        next
    }

    /// What to claim from now.
    pub(crate) fn ask(&mut self) -> Vec<LaneAt> {
        self.turn = self.turn.wrapping_add(1);
        let mut asked = Vec::with_capacity(self.cursors.len().min(AT_ONCE));
        let mut lanes: Vec<_> = self.cursors.iter().collect();
        for same in lanes.chunk_by_mut(|a, b| a.0.0 == b.0.0) {
            let first = self.turn % same.len();
            same.rotate_left(first);
            asked.extend(same.iter().map(|((priority, queue), after)| LaneAt {
                queue: queue.clone(),
                priority: *priority,
                after: **after,
            }));
            if asked.len() >= AT_ONCE {
                break;
            }
        }
        asked.truncate(AT_ONCE);
        asked
    }

    /// Moves the cursors past what was claimed.
    pub(crate) fn claimed(&mut self, claims: &[Claim]) {
        for job in claims.iter().filter_map(|claim| claim.jobs.iter().max_by_key(|job| (job.run_at, job.id)))
        {
            let taken = Cursor { run_at: job.run_at, id: job.id };
            let key = (job.priority, job.queue.to_string());
            self.cursors.entry(key).and_modify(|at| *at = taken.max(*at)).or_insert(taken);
        }
    }

    /// Whether there is no lane to claim from.
    pub(crate) fn is_empty(&self) -> bool {
        self.cursors.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;

    fn lane(queue: &str, priority: i16, due: i64) -> Lane {
        let at = Timestamp::from_micros;
        Lane { queue: queue.into(), priority, due_at: at(due), seen_at: at(1000) }
    }

    fn asked(lanes: &mut Lanes) -> Vec<(String, i16)> {
        lanes.ask().into_iter().map(|lane| (lane.queue, lane.priority)).collect()
    }

    #[test]
    fn the_better_priority_comes_first_and_equals_take_turns() {
        let mut lanes = Lanes::default();
        lanes.swept(vec![lane("a", 5, 1), lane("a", 0, 1), lane("b", 0, 1)], |_| true);
        let (first, second) = (asked(&mut lanes), asked(&mut lanes));
        assert_eq!(first[2], ("a".into(), 5));
        assert_eq!(second[2], ("a".into(), 5));
        assert_ne!(first[0], second[0]);
    }

    #[test]
    fn a_lane_whose_first_job_is_not_due_only_sets_the_alarm() {
        let mut lanes = Lanes::default();
        let next = lanes
            .swept(vec![lane("a", 0, 5000), lane("b", 0, 3000), lane("not_ours", 0, 2000)], |queue| {
                queue != "not_ours"
            });
        assert_eq!(next, Some(Duration::from_micros(2000)));
        assert!(lanes.is_empty());
    }
}
