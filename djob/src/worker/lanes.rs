//! Which lanes to claim from, and from where on. Pure.
//!
//! A lane is one (queue, priority). Its cursor is the last job that was taken; a claim reads on from there and so never walks
//! over what was deleted before it. Jobs that became visible late, behind the cursor, are found by a *sweep*: a look at all
//! lanes that puts the cursors back to the head, unless that was costly a moment ago.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::job::Claim;
use crate::storage::{Cursor, Lane, LaneAt};

/// The most lanes one claim looks into.
const AT_ONCE: usize = 64;
/// The most lanes whose heads are looked at while there is something to claim.
const HEADS: usize = 4;
/// The most lanes that are remembered while there is nothing in them.
const REMEMBERED: usize = 8;

/// The lanes with something in them, best priority first.
#[derive(Debug, Default)]
pub(crate) struct Lanes {
    lanes: BTreeMap<(i16, String), Place>,
    /// Moves on with each claim, so that queues of one priority take turns at being first.
    turn: usize,
}

/// Where a lane is read on.
#[derive(Clone, Copy, Debug)]
struct Place {
    cursor: Cursor,
    /// The last claim took everything that was due.
    empty: bool,
    /// Since when its first job was due, as the last sweep saw it; `None` if it held nothing.
    head: Option<Timestamp>,
    /// The sweep before saw the same.
    stands: bool,
}

impl Lanes {
    /// Takes in what a sweep saw: the lanes that have a due job, from their heads on; without `rewind` from where they were read
    /// to. Returns how long it is until the first job of all others is due. A few lanes that hold nothing are remembered: the
    /// next job most likely comes into one.
    pub(crate) fn swept(
        &mut self,
        seen: Vec<Lane>,
        serves: impl Fn(&str) -> bool,
        rewind: bool,
    ) -> Option<Duration> {
        let before = std::mem::take(&mut self.lanes);
        let mut next = None;
        for lane in seen.into_iter().filter(|lane| serves(&lane.queue)) {
            if lane.due_at <= lane.seen_at {
                let (key, head) = ((lane.priority, lane.queue), Some(lane.due_at));
                let known = before.get(&key);
                let from_head = Cursor { run_at: lane.due_at, ..Cursor::HEAD };
                let cursor = known.filter(|_| !rewind).map_or(from_head, |place| place.cursor);
                let stands = known.is_some_and(|place| place.head == head);
                self.lanes.insert(key, Place { cursor, empty: false, head, stands });
            } else {
                let wait = lane.due_at - lane.seen_at;
                next = Some(next.map_or(wait, |other: Duration| other.min(wait)));
            }
        }
        if before.len() <= REMEMBERED {
            for (lane, place) in before {
                self.lanes.entry(lane).or_insert(Place { empty: true, head: None, stands: false, ..place });
            }
        }
        next
    }

    /// What to claim from now. Empty lanes are asked, too, as far as there is room: something may have come meanwhile.
    pub(crate) fn ask(&mut self) -> Vec<LaneAt> {
        self.turn = self.turn.wrapping_add(1);
        let room_for_all = self.lanes.len() <= AT_ONCE;
        let mut lanes: Vec<_> = self.lanes.iter().filter(|(_, place)| room_for_all || !place.empty).collect();
        let mut asked = Vec::with_capacity(lanes.len().min(AT_ONCE));
        for same in lanes.chunk_by_mut(|a, b| a.0.0 == b.0.0) {
            let first = self.turn % same.len();
            same.rotate_left(first);
            asked.extend(same.iter().take(AT_ONCE).map(|((priority, queue), place)| LaneAt {
                queue: queue.clone(),
                priority: *priority,
                after: place.cursor,
            }));
            if asked.len() >= AT_ONCE {
                break;
            }
        }
        asked.truncate(AT_ONCE);
        asked
    }

    /// Takes in what a claim took from the lanes that were `asked`: cursors move past it. A claim that is not `full` has left
    /// nothing; one that is has left nothing in the lanes before the last that gave something.
    pub(crate) fn claimed(&mut self, asked: &[LaneAt], claims: &[Claim], full: bool) {
        let key = |lane: &LaneAt| (lane.priority, lane.queue.clone());
        let mut last = None;
        for job in claims.iter().filter_map(|claim| claim.jobs.iter().max_by_key(|job| (job.run_at, job.id)))
        {
            last = last.max(
                asked.iter().position(|lane| lane.priority == job.priority && *lane.queue == *job.queue),
            );
            let taken = Cursor { run_at: job.run_at, id: job.id };
            if let Some(place) = self.lanes.get_mut(&(job.priority, job.queue.to_string())) {
                place.cursor = taken.max(place.cursor);
            }
        }
        let emptied = if full { last.unwrap_or(0) } else { asked.len() };
        for lane in &asked[..emptied] {
            if let Some(place) = self.lanes.get_mut(&key(lane)) {
                place.empty = true;
            }
        }
    }

    /// The heads of lanes that the last sweep saw something due in; if there is still something to claim, only of a few whose
    /// first job has stood there for a while, in turns.
    pub(crate) fn heads(&self) -> Vec<LaneAt> {
        let all = self.are_empty();
        let due = self.lanes.iter().filter(|(_, place)| place.head.is_some() && (all || place.stands));
        let due: Vec<_> = due.map(|(lane, _)| lane).collect();
        let (first, most) =
            (self.turn % due.len().max(1), if all { due.len() } else { HEADS.min(due.len()) });
        let head = |(priority, queue): &(i16, String)| LaneAt {
            queue: queue.clone(),
            priority: *priority,
            after: Cursor::HEAD,
        };
        due.iter().cycle().skip(first).take(most).map(|lane| head(lane)).collect()
    }

    /// Whether there is no lane to claim from, as far as is known: only a sweep finds more.
    pub(crate) fn are_empty(&self) -> bool {
        self.lanes.values().all(|place| place.empty)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::job::{ClaimKey, ClaimedJob, JobId, Meta};

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
        lanes.swept(vec![lane("a", 5, 1), lane("a", 0, 1), lane("b", 0, 1)], |_| true, true);
        let (first, second) = (asked(&mut lanes), asked(&mut lanes));
        assert_eq!(first[2], ("a".into(), 5));
        assert_eq!(second[2], ("a".into(), 5));
        assert_ne!(first[0], second[0]);
    }

    #[test]
    fn a_lane_whose_first_job_is_not_due_only_sets_the_alarm() {
        let mut lanes = Lanes::default();
        let next = lanes.swept(
            vec![lane("a", 0, 5000), lane("b", 0, 3000), lane("not_ours", 0, 2000)],
            |queue| queue != "not_ours",
            true,
        );
        assert_eq!(next, Some(Duration::from_micros(2000)));
        assert!(lanes.are_empty());
    }

    fn claim(queue: &str, jobs: i64) -> Claim {
        let job = |n| ClaimedJob {
            id: JobId::new(),
            place: 0,
            kind: "k".into(),
            queue: queue.into(),
            priority: 0,
            run_at: Timestamp::from_micros(n),
            attempt: 0,
            max_attempts: 25,
            args: None,
            args_apart: false,
            meta: Meta::default(),
        };
        let fence = uuid::Uuid::now_v7();
        Claim { key: ClaimKey { row: fence, fence }, jobs: (0..jobs).map(job).collect(), started: false }
    }

    #[test]
    fn of_many_lanes_those_that_were_emptied_are_not_asked_again_before_the_next_sweep() {
        let mut lanes = Lanes::default();
        let names: Vec<String> = (0..100).map(|n| format!("q{n:02}")).collect();
        lanes.swept(names.iter().map(|name| lane(name, 0, 1)).collect(), |_| true, true);
        let asked_first = lanes.ask();
        assert_eq!(asked_first.len(), AT_ONCE);
        // Full: the third has more, for all anybody knows; the two before it have not.
        let claims: Vec<Claim> = asked_first[..3].iter().map(|lane| claim(&lane.queue, 5)).collect();
        lanes.claimed(&asked_first, &claims, true);
        // They take turns, so that all come within as many claims.
        let later: Vec<LaneAt> = (0..100).flat_map(|_| lanes.ask()).collect();
        let again = |n: usize| later.iter().any(|lane| lane.queue == asked_first[n].queue);
        assert_eq!([again(0), again(1), again(2), again(3)], [false, false, true, true]);
        assert!(!lanes.are_empty());
        for _ in 0..2 {
            let asked = lanes.ask();
            lanes.claimed(&asked, &[], false);
        }
        assert!(lanes.are_empty() && lanes.ask().is_empty());
    }

    #[test]
    fn a_lane_that_holds_nothing_is_remembered_with_its_cursor() {
        let mut lanes = Lanes::default();
        lanes.swept(vec![lane("a", 0, 1)], |_| true, true);
        let asked = lanes.ask();
        lanes.claimed(&asked, &[claim("a", 3)], false);
        lanes.swept(vec![], |_| true, true);
        assert!(lanes.are_empty());
        assert_eq!(lanes.ask()[0].after.run_at, Timestamp::from_micros(2));
        let many = |from| (from..from + 9).map(|n| lane(&format!("q{n}"), 0, 1)).collect();
        lanes.swept(many(0), |_| true, true);
        lanes.swept(many(100), |_| true, true);
        assert_eq!(lanes.ask().len(), 9, "but not many");
    }

    #[test]
    fn without_a_rewind_a_lane_is_read_on_from_where_it_was_and_a_new_one_from_its_head() {
        let mut lanes = Lanes::default();
        lanes.swept(vec![lane("a", 0, 1)], |_| true, true);
        assert_eq!(lanes.heads(), [], "nobody knows yet how long its first job has stood there");
        let asked = lanes.ask();
        lanes.claimed(&asked, &[claim("a", 3)], true);
        lanes.swept(vec![lane("a", 0, 1), lane("b", 0, 1)], |_| true, false);
        let at = |run_at| Timestamp::from_micros(run_at);
        let runs_at: Vec<_> =
            lanes.lanes.iter().map(|((_, queue), place)| (queue.as_str(), place.cursor.run_at)).collect();
        assert_eq!(runs_at, [("a", at(2)), ("b", at(1))]);
        assert_eq!(lanes.heads(), [head_of("a")], "its first job is still there");
        let asked = lanes.ask();
        lanes.claimed(&asked, &[], false);
        assert_eq!(lanes.heads().len(), 2, "there is nothing else to do");
    }

    fn head_of(queue: &str) -> LaneAt {
        LaneAt { queue: queue.into(), priority: 0, after: Cursor::HEAD }
    }

    #[test]
    fn few_lanes_are_all_asked_also_when_they_were_emptied() {
        let mut lanes = Lanes::default();
        lanes.swept(vec![lane("a", 0, 1), lane("b", 0, 1)], |_| true, true);
        let asked = lanes.ask();
        lanes.claimed(&asked, &[claim("a", 3)], false);
        assert!(lanes.are_empty());
        let again = lanes.ask();
        assert_eq!(again.len(), 2);
        assert!(again.iter().any(|lane| lane.queue == "a" && lane.after.run_at == Timestamp::from_micros(2)));
    }

    /// A waiting room as a plain list: claims look at every job.
    #[derive(Debug, Default)]
    struct Waiting {
        jobs: Vec<(Cursor, String, i16)>,
        now: i64,
        made: u128,
    }

    impl Waiting {
        /// `run_at` may lie behind what was taken long ago: its transaction was slow.
        fn put(&mut self, queue: String, priority: i16, run_at: i64) {
            self.made += 1;
            // Ids in no order at all, as of many processes.
            let id = JobId(uuid::Uuid::from_u128(
                self.made.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835),
            ));
            self.jobs.push((Cursor { run_at: Timestamp::from_micros(run_at), id }, queue, priority));
        }

        fn is_due(&self, at: &Cursor) -> bool {
            at.run_at <= Timestamp::from_micros(self.now)
        }

        fn lanes(&self) -> Vec<Lane> {
            let mut seen: Vec<Lane> = vec![];
            for (at, queue, priority) in &self.jobs {
                match seen.iter_mut().find(|lane| lane.queue == *queue && lane.priority == *priority) {
                    Some(lane) => lane.due_at = lane.due_at.min(at.run_at),
                    None => seen.push(Lane { due_at: at.run_at, ..lane(queue, *priority, 0) }),
                }
            }
            seen.iter_mut().for_each(|lane| lane.seen_at = Timestamp::from_micros(self.now));
            seen
        }

        /// Of the lanes in their order, what is due behind each cursor, up to a limit.
        fn claim(&mut self, lanes: &[LaneAt], limit: usize) -> Vec<Claim> {
            let mut claims = vec![];
            let mut left = limit;
            for lane in lanes {
                let mut here: Vec<Cursor> = self
                    .jobs
                    .iter()
                    .filter(|(at, queue, priority)| {
                        *queue == lane.queue
                            && *priority == lane.priority
                            && self.is_due(at)
                            && *at > lane.after
                    })
                    .map(|(at, ..)| *at)
                    .collect();
                here.sort();
                here.truncate(left);
                left -= here.len();
                if here.is_empty() {
                    continue;
                }
                self.jobs.retain(|(at, ..)| !here.contains(at));
                let mut taken = claim(&lane.queue, i64::try_from(here.len()).unwrap());
                for (job, at) in taken.jobs.iter_mut().zip(&here) {
                    (job.id, job.run_at, job.priority) = (at.id, at.run_at, lane.priority);
                }
                claims.push(taken);
            }
            claims
        }
    }

    #[derive(Clone, Debug)]
    enum Step {
        Put { queue: u8, priority: i16, run_at: i64 },
        Pass(i64),
        Sweep { rewind: bool },
        Claim(usize),
    }

    /// One claim; what it leaves must lie before no cursor that it moved.
    fn claim_once(lanes: &mut Lanes, waiting: &mut Waiting, limit: usize) -> usize {
        let asked = lanes.ask();
        assert!(asked.len() <= AT_ONCE);
        assert!(asked.is_sorted_by_key(|lane| lane.priority), "the better priority comes first");
        let claims = waiting.claim(&asked, limit);
        let taken: usize = claims.iter().map(|claim| claim.jobs.len()).sum();
        lanes.claimed(&asked, &claims, taken >= limit);
        for lane in &asked {
            let Some(place) = lanes.lanes.get(&(lane.priority, lane.queue.clone())) else { continue };
            let skipped = waiting.jobs.iter().find(|(at, queue, priority)| {
                (queue, priority) == (&lane.queue, &lane.priority)
                    && (lane.after < *at && *at <= place.cursor)
            });
            assert_eq!(skipped, None, "a cursor moves past what was taken only");
        }
        taken
    }

    fn sweep(lanes: &mut Lanes, waiting: &Waiting, rewind: bool) {
        let next = lanes.swept(waiting.lanes(), |_| true, rewind);
        let later = waiting.lanes().into_iter().map(|lane| lane.due_at - lane.seen_at);
        assert_eq!(next, later.filter(|wait| !wait.is_zero()).min(), "the alarm is set for the next lane");
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let put = (0_u8..90, 0_i16..3, 0_i64..60).prop_map(|(queue, priority, run_at)| Step::Put {
            queue,
            priority,
            run_at,
        });
        let few = (0_u8..3, 0_i16..2, 0_i64..60).prop_map(|(queue, priority, run_at)| Step::Put {
            queue,
            priority,
            run_at,
        });
        let step = prop_oneof![
            4 => put,
            4 => few,
            1 => (0_i64..20).prop_map(Step::Pass),
            1 => any::<bool>().prop_map(|rewind| Step::Sweep { rewind }),
            3 => (1_usize..6).prop_map(Step::Claim),
        ];
        prop::collection::vec(step, 0..250)
    }

    proptest! {
        #[test]
        fn everything_that_is_due_is_found_in_the_end_and_nothing_is_skipped(steps in steps()) {
            let (mut lanes, mut waiting) = (Lanes::default(), Waiting::default());
            let mut taken = 0;
            for step in steps {
                match step {
                    Step::Put { queue, priority, run_at } => waiting.put(format!("q{queue}"), priority, run_at),
                    Step::Pass(time) => waiting.now += time,
                    Step::Sweep { rewind } => sweep(&mut lanes, &waiting, rewind),
                    Step::Claim(limit) => taken += claim_once(&mut lanes, &mut waiting, limit),
                }
            }
            // As a claimer does: a sweep, and claims for as long as there may be something.
            for _ in 0..4 {
                sweep(&mut lanes, &waiting, true);
                let mut claims = 0;
                while !lanes.are_empty() {
                    taken += claim_once(&mut lanes, &mut waiting, 5);
                    claims += 1;
                    prop_assert!(claims < 2000, "claims come to an end");
                }
            }
            let due = waiting.jobs.iter().filter(|(at, ..)| waiting.is_due(at)).count();
            prop_assert_eq!(due, 0, "{} were found", taken);
            prop_assert_eq!(taken + waiting.jobs.len(), waiting.made as usize, "each once");
        }
    }
}
