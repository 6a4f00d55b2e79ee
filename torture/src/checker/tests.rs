//! Runs that are told event by event, and what the checker says of them.

mod recovery;

use uuid::Uuid;

use super::time::{MILLISECOND, SECOND};
use super::*;
use crate::database::Row;
use crate::ledger::{Event, Outcome};

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

/// What is told of a run. Times are milliseconds.
struct Story {
    books: BTreeMap<&'static str, Vec<Event>>,
    rooms: Rooms,
    forgets: bool,
}

impl Story {
    /// Two workers join, and job 1 is accepted.
    fn of(kind: &str) -> Self {
        let story = Story { books: BTreeMap::new(), rooms: Rooms::default(), forgets: true };
        story.joined("a", 0).joined("b", 0).intended(1, kind, None, 10).enqueued(1, 20)
    }

    fn note(mut self, whom: &'static str, event: Event) -> Self {
        self.books.entry(whom).or_default().push(event);
        self
    }

    fn joined(self, whom: &'static str, at: Moment) -> Self {
        self.note(whom, Event::Joined { at: at * MILLISECOND })
    }

    fn intended(self, number: u64, kind: &str, key: Option<&str>, at: Moment) -> Self {
        let (at, id, key) = (at * MILLISECOND, id(number.into()), key.map(Into::into));
        self.note("e", Event::Intent { at, id, number, kind: kind.into(), due: at, key, commits: true })
    }

    fn enqueued(self, job: u128, at: Moment) -> Self {
        self.note("e", Event::Enqueued { at: at * MILLISECOND, id: id(job) })
    }

    fn merged(self, job: u128, into: u128, at: Moment) -> Self {
        self.note("e", Event::Merged { at: at * MILLISECOND, id: id(job), into: id(into) })
    }

    /// Job 1 begins, under a claim of this number.
    fn starts(self, whom: &'static str, fence: u128, attempt: u16, at: Moment) -> Self {
        let (at, fence) = (at * MILLISECOND, id(fence));
        self.note(whom, Event::Start { at, id: id(1), fence, attempt })
    }

    fn ends(self, whom: &'static str, fence: u128, outcome: Outcome, at: Moment) -> Self {
        let (at, fence) = (at * MILLISECOND, id(fence));
        self.note(whom, Event::End { at, id: id(1), fence, outcome })
    }

    /// Job 1 begins and ends a millisecond later.
    fn runs(self, whom: &'static str, fence: u128, attempt: u16, outcome: Outcome, at: Moment) -> Self {
        self.starts(whom, fence, attempt, at).ends(whom, fence, outcome, at + 1)
    }

    /// A worker is told what became of job 1.
    fn told(self, whom: &'static str, state: &str, at: Moment) -> Self {
        self.note(whom, Event::Settled { at: at * MILLISECOND, id: id(1), state: state.into() })
    }

    fn fault(self, kind: &str, whom: Option<&str>, from: Moment, to: Moment) -> Self {
        let (from, to, whom) = (from * MILLISECOND, to * MILLISECOND, whom.map(Into::into));
        self.note("director", Event::Fault { from, to, kind: kind.into(), whom })
    }

    /// Of a worker that is lost, the database says that it has job 1.
    fn held(self, whom: &str, begun: bool, at: Moment) -> Self {
        let (at, whom, ids) = (at * MILLISECOND, whom.into(), vec![id(1)]);
        let begun = if begun { ids.clone() } else { vec![] };
        self.note("director", Event::Held { at, whom, ids, begun })
    }

    /// A worker is killed that has job 1.
    fn killed(self, whom: &'static str, begun: bool, at: Moment) -> Self {
        self.fault("kill", Some(whom), at, at).held(whom, begun, at)
    }

    fn is(mut self, job: u128, kind: &str, state: &str, error: Option<&str>) -> Self {
        self.rooms.witnessed.push(id(job));
        let (kind, state, error) = (kind.into(), state.into(), error.map(Into::into));
        self.rooms.finished.push(Row { id: id(job), kind, state, error });
        self
    }

    fn judged(self) -> Verdict {
        let book = |(name, events): (&str, Vec<Event>)| Book { name: name.into(), events };
        let books: Vec<Book> = self.books.into_iter().map(book).collect();
        judge(&books, &self.rooms, 5 * SECOND, self.forgets)
    }

    /// Nothing is found.
    fn holds(self) {
        let verdict = self.judged();
        assert!(verdict.holds() && verdict.complaints.is_empty(), "{verdict:?}");
    }

    /// Something is found, and what was meant.
    fn breaks(self, count: impl Fn(&Verdict) -> u64, words: &str) {
        let verdict = self.judged();
        assert!(!verdict.holds() && count(&verdict) > 0, "{verdict:?}");
        assert!(verdict.complaints.iter().any(|said| said.starts_with(words)), "{verdict:?}");
    }
}

#[test]
fn a_run_in_which_all_went_well_holds() {
    let story = Story::of("quick").runs("a", 5, 1, Outcome::Ok, 100).told("a", "completed", 110);
    story.is(1, "quick", "completed", None).holds();
}

#[test]
fn what_ran_and_is_nowhere_is_lost_whatever_its_enqueuer_was_told() {
    let unknown = Event::Unknown { at: 30 * MILLISECOND, id: id(1) };
    let story = Story::of("quick").note("e", unknown).runs("a", 5, 1, Outcome::Ok, 100);
    story.breaks(|verdict| verdict.lost, "lost");
}

#[test]
fn what_completed_without_a_good_end_is_lost() {
    let story = || Story::of("quick").is(1, "quick", "completed", None);
    story().breaks(|verdict| verdict.lost, "completed, and nobody did it");
    story().starts("a", 5, 1, 100).breaks(|verdict| verdict.lost, "completed, and nobody did it");
}

#[test]
fn an_effect_may_be_killed_before_it_can_note_its_good_end() {
    let mut story = Story::of("effect").starts("a", 5, 1, 100).killed("a", true, 110);
    story.rooms.effects.push(id(1));
    story.is(1, "effect", "completed", None).holds();
}

#[test]
fn a_worker_that_was_told_another_end_saw_a_second_one() {
    let story = Story::of("quick").runs("a", 5, 1, Outcome::Ok, 100).told("a", "failed", 110);
    story.is(1, "quick", "completed", None).breaks(|verdict| verdict.accepted_twice, "accepted twice");
}

#[test]
fn what_ended_twice_was_accepted_twice_though_nobody_lived_to_tell() {
    let mut story = Story::of("quick").runs("a", 5, 1, Outcome::Ok, 100).is(1, "quick", "completed", None);
    story.rooms.witnessed.push(id(1));
    story.breaks(|verdict| verdict.accepted_twice, "accepted twice");
}

#[test]
fn what_was_to_be_rolled_back_is_a_phantom_even_if_nobody_lived_to_say_so() {
    let (at, id, kind) = (30 * MILLISECOND, id(2), "quick".to_owned());
    let intent = Event::Intent { at, id, number: 2, kind, due: at, key: None, commits: false };
    let story = Story::of("quick").runs("a", 5, 1, Outcome::Ok, 100).is(1, "quick", "completed", None);
    story.note("e", intent).is(2, "quick", "cancelled", None).breaks(|verdict| verdict.phantom, "phantom");
}

#[test]
fn what_has_come_to_its_end_runs_no_more_unless_its_worker_has_lost_its_lease() {
    let story = || {
        let story = Story::of("quick").runs("a", 5, 1, Outcome::Ok, 100).told("a", "completed", 110);
        let story = story.is(1, "quick", "completed", None).killed("a", false, 200);
        story.runs("b", 6, 1, Outcome::Ok, 9000)
    };
    story().breaks(|verdict| verdict.out_of_order, "ran after it had come to its end");
    let verdict = story().fault("stop", Some("b"), 1000, 8900).joined("b", 9100).judged();
    assert_eq!((verdict.out_of_order, verdict.duplicates_explained), (0, 1), "{verdict:?}");
}

#[test]
fn an_error_uses_up_an_attempt_and_nothing_else_does() {
    let story = |outcome| {
        let story = Story::of("flaky").runs("a", 5, 1, outcome, 100).killed("a", true, 150);
        story.runs("b", 6, 2, Outcome::Ok, 7000).is(1, "flaky", "completed", None)
    };
    story(Outcome::Error).holds();
    story(Outcome::Ok).breaks(|verdict| verdict.out_of_order, "has used up an attempt that nobody made");
}

#[test]
fn the_next_attempt_waits_for_its_pause() {
    let story = |again| {
        let story = Story::of("flaky").runs("a", 5, 1, Outcome::Error, 100);
        story.runs("a", 6, 2, Outcome::Ok, again).is(1, "flaky", "completed", None)
    };
    story(300).holds();
    story(110).breaks(|verdict| verdict.out_of_order, "was tried again too soon");
}

#[test]
fn under_one_claim_a_job_runs_once() {
    let story = Story::of("flaky").runs("a", 5, 1, Outcome::Error, 100).runs("b", 6, 2, Outcome::Error, 400);
    let story = story.runs("a", 5, 3, Outcome::Ok, 700).is(1, "flaky", "completed", None);
    story.breaks(|verdict| verdict.duplicates_unexplained, "ran twice under one claim");
}

#[test]
fn of_one_death_alone_nobody_needs_to_know_whether_the_job_had_begun() {
    let story = |second, third| {
        let story = Story::of("quick").joined("c", 0).killed("a", false, 100);
        let story = story.killed("b", second, 9000).killed("c", third, 18_000);
        story.is(1, "quick", "failed", Some("crash_loop: 3 workers"))
    };
    assert_eq!(story(true, true).judged().condemned, 1);
    story(true, false).breaks(|verdict| verdict.wrong_end, "ended wrong");
    story(false, false).breaks(|verdict| verdict.wrong_end, "ended wrong");
}

#[test]
fn what_happens_after_the_sentence_has_not_led_to_it() {
    let story = Story::of("quick").joined("c", 0).starts("a", 5, 1, 100).killed("a", true, 110);
    let story = story.starts("b", 6, 1, 9000).killed("b", true, 9010).runs("c", 7, 1, Outcome::Ok, 18_000);
    let story = story.told("a", "failed", 18_100).fault("kill", Some("c"), 20_000, 20_000);
    let story = story.is(1, "quick", "failed", Some("crash_loop: 3 workers"));
    story.breaks(|verdict| verdict.wrong_end, "ended wrong");
}

#[test]
fn a_process_that_lost_its_lease_dies_once_more_when_it_is_killed() {
    let story = |lost: bool| {
        let story = Story::of("quick").joined("a", 0).joined("c", 0).runs("a", 5, 1, Outcome::Ok, 100);
        let story =
            story.fault("silence", Some("a"), 90, 7000).starts("b", 6, 1, 8000).killed("b", true, 8010);
        let story = if lost { story.joined("a", 8500) } else { story };
        let story = story.starts("a", 7, 1, 16_000).killed("a", true, 16_010);
        story.is(1, "quick", "failed", Some("crash_loop: 3 workers"))
    };
    assert_eq!(story(true).judged().condemned, 1);
    story(false).breaks(|verdict| verdict.wrong_end, "ended wrong");
}

#[test]
fn a_death_before_an_error_is_forgotten() {
    let story = |attempt| {
        let story = Story::of("flaky").joined("c", 0).starts("a", 5, 1, 100).killed("a", true, 110);
        let story = story.runs("b", 6, 1, Outcome::Error, 9000).starts("b", 7, attempt, 9300);
        let story = story.killed("b", true, 9310).starts("c", 8, attempt, 18_000).killed("c", true, 18_010);
        story.is(1, "flaky", "failed", Some("crash_loop: 3 workers"))
    };
    story(2).breaks(|verdict| verdict.wrong_end, "ended wrong");
    assert_eq!(story(1).judged().condemned, 1);
}

#[test]
fn a_job_that_takes_its_worker_down_runs_in_three_and_no_more() {
    let story = |workers: &[&'static str]| {
        let mut story = Story::of("killer");
        for (place, &whom) in workers.iter().enumerate() {
            let (fence, at) = (place as u128 + 5, 9000 * place as Moment + 100);
            story =
                story.joined(whom, 0).starts(whom, fence, 1, at).fault("died", Some(whom), at + 9, at + 9);
        }
        story.is(1, "killer", "failed", Some("crash_loop: 3 workers"))
    };
    story(&["u", "v", "w"]).holds();
    story(&["u"]).breaks(|verdict| verdict.wrong_end, "ended wrong");
    story(&["u", "v", "w", "x"]).breaks(|verdict| verdict.wrong_end, "ended wrong");
}

#[test]
fn a_hopeless_job_is_tried_three_times() {
    let story = || Story::of("hopeless").is(1, "hopeless", "failed", Some("as always"));
    let twice = || story().runs("a", 5, 1, Outcome::Error, 100).runs("a", 6, 2, Outcome::Error, 400);
    twice().runs("a", 7, 3, Outcome::Error, 700).holds();
    twice().breaks(|verdict| verdict.wrong_end, "ended wrong");
}

#[test]
fn what_was_cancelled_there_and_then_is_cancelled() {
    let story = |state| {
        let cancelled = Event::Cancelled { at: 200 * MILLISECOND, id: id(1), done: true };
        Story::of("quick").runs("a", 5, 1, Outcome::Ok, 100).note("e", cancelled).is(1, "quick", state, None)
    };
    story("cancelled").holds();
    story("completed").breaks(|verdict| verdict.wrong_end, "ended wrong");
}

/// A job that came to its end in worker a at 0.1 s, and ran again in worker b at 9 s.
fn ran_again() -> Story {
    let story = Story::of("quick").runs("a", 5, 1, Outcome::Ok, 100).runs("b", 6, 1, Outcome::Ok, 9000);
    story.is(1, "quick", "completed", None)
}

#[test]
fn a_long_fault_explains_a_second_run_only_if_its_worker_came_back_or_ended() {
    let away = || ran_again().fault("read_only", None, 1000, 8000);
    away().breaks(|verdict| verdict.duplicates_unexplained, "ran twice for no reason");
    away().joined("a", 9500).holds();
    away().fault("kill", Some("a"), 9500, 9500).holds();
    away().fault("kill", Some("b"), 9500, 9500).breaks(|verdict| verdict.duplicates_unexplained, "ran twice");
}

#[test]
fn a_drain_explains_no_second_run_of_what_came_to_its_end() {
    let drained = || ran_again().fault("replace", Some("a"), 90, 90).fault("left", Some("a"), 8000, 8000);
    drained().breaks(|verdict| verdict.duplicates_unexplained, "ran twice for no reason");
    drained().fault("cut", Some("a"), 1000, 2500).holds();
    let story = Story::of("sleeper").starts("a", 5, 1, 100).fault("replace", Some("a"), 110, 110);
    story.runs("b", 6, 1, Outcome::Ok, 9000).is(1, "sleeper", "completed", None).holds();
    // It began before its worker heard that it is to end.
    let story = Story::of("sleeper").fault("replace", Some("a"), 90, 90).starts("a", 5, 1, 100);
    let story = story.fault("left", Some("a"), 8000, 8000).runs("b", 6, 1, Outcome::Ok, 9000);
    story.is(1, "sleeper", "completed", None).holds();
}

#[test]
fn a_crash_explains_a_second_run_where_claims_do_not_wait_for_the_disk() {
    let crashed = || ran_again().fault("crash", None, 200, 900);
    crashed().holds();
    let story = Story { forgets: false, ..crashed() };
    story.breaks(|verdict| verdict.duplicates_unexplained, "ran twice for no reason");
}

/// Job 1 has key x from 20 ms on, and runs in worker a at 100 ms; job 2 wants it, too.
fn two_of_one_key(at: Moment) -> Story {
    let story = Story::of("quick").intended(1, "quick", Some("x"), 10).enqueued(1, 20);
    let story = story.runs("a", 5, 1, Outcome::Ok, 100).told("a", "completed", 110);
    story.is(1, "quick", "completed", None).intended(2, "quick", Some("x"), at)
}

#[test]
fn a_job_gives_way_only_to_the_one_that_holds_its_key() {
    two_of_one_key(50).merged(2, 1, 60).holds();
    two_of_one_key(105).merged(2, 1, 200).holds();
    let wrong = "gave way to a job that did not hold its key";
    two_of_one_key(150).merged(2, 1, 200).breaks(|verdict| verdict.keys_broken, wrong);
    two_of_one_key(50).merged(2, 3, 60).breaks(|verdict| verdict.keys_broken, wrong);
}

#[test]
fn a_key_is_held_by_one_unfinished_job() {
    let second = |from: Moment, to: Moment| {
        let cancelled = Event::Cancelled { at: (to + 1) * MILLISECOND, id: id(2), done: true };
        let story = two_of_one_key(from).enqueued(2, to).note("e", cancelled);
        story.is(2, "quick", "cancelled", None)
    };
    second(150, 160).holds();
    second(50, 60).breaks(|verdict| verdict.keys_broken, "took a key that another job held");
}

#[test]
fn a_worker_that_ends_by_itself_is_told_of() {
    let well = || {
        let story = Story::of("quick").runs("a", 5, 1, Outcome::Ok, 100);
        story.is(1, "quick", "completed", None)
    };
    for kind in ["died", "left"] {
        let verdict = well().fault(kind, Some("b"), 200, 200).judged();
        assert!(verdict.complaints[0].starts_with("b ended by itself"), "{verdict:?}");
        well().fault("replace", Some("b"), 150, 150).fault(kind, Some("b"), 200, 200).holds();
        // It has not even joined.
        well().fault(kind, Some("z"), 200, 200).holds();
    }
}

#[test]
fn a_run_in_which_nothing_was_accepted_shows_nothing() {
    let verdict = judge(&[], &Rooms::default(), 5 * SECOND, true);
    assert!(verdict.complaints[0].starts_with("nothing was enqueued"));
}
