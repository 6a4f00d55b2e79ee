//! What a recovery is, and when it was slow.

use super::*;

/// Worker a has job 1 in hand, and b completes it at last, after so many seconds.
fn completed_by_b(after: Moment) -> Story {
    let story = Story::of("quick").runs("b", 6, 1, Outcome::Ok, after * 1000);
    story.is(1, "quick", "completed", None)
}

#[test]
fn a_recovery_takes_40_seconds_at_most() {
    let verdict = completed_by_b(40).killed("a", true, 1000).judged();
    assert!(verdict.holds() && verdict.recovery_ms.max == 39_000, "{verdict:?}");
    completed_by_b(42).killed("a", true, 1000).breaks(|verdict| verdict.slow_recoveries, "recovered only");
}

#[test]
fn who_is_killed_while_it_stands_still_was_lost_when_it_was_stopped() {
    let stopped = || completed_by_b(45).fault("stop", Some("a"), 1000, 11_000).held("a", true, 1000);
    let verdict = stopped().killed("a", true, 9000).judged();
    assert_eq!((verdict.recovery_ms.count, verdict.slow_recoveries), (1, 1), "{verdict:?}");
    // Where it was back in between it may have taken the job anew.
    stopped().joined("a", 8000).killed("a", true, 9000).holds();
}

#[test]
fn what_is_put_back_was_rescued_by_then_and_its_wait_is_told() {
    // In time, since it was busy with another; or aside, since it is of an older release and does not know it.
    for back in ["scheduled", "parked"] {
        let verdict = completed_by_b(80).killed("a", true, 1000).told("b", back, 8000).judged();
        assert!(verdict.holds(), "{verdict:?}");
        assert_eq!((verdict.ran_apart, verdict.apart_ms_max, verdict.recovery_ms.count), (1, 79_000, 0));
    }
    let late = completed_by_b(80).killed("a", true, 1000).told("b", "scheduled", 48_000);
    late.breaks(|verdict| verdict.slow_recoveries, "recovered only");
}

#[test]
fn half_of_the_recoveries_take_a_lease_and_ten_seconds_at_most() {
    let story = |begins: Moment| {
        let mut story = Story::of("flaky");
        for number in 2..=25 {
            story = story.intended(number, "quick", None, 10).enqueued(number.into(), 20);
            story = story.is(number.into(), "quick", "completed", None);
        }
        let ids: Vec<Uuid> = (2..=25).map(id).collect();
        for job in &ids {
            let (at, id, fence, outcome) = (begins * SECOND, *job, *job, Outcome::Ok);
            story = story.note("b", Event::Start { at, id, fence, attempt: 1 });
            story = story.note("b", Event::End { at: at + 1, id, fence, outcome });
        }
        let held = Event::Held { at: SECOND, whom: "a".into(), ids, begun: vec![] };
        let story = story.fault("kill", Some("a"), 1000, 1000).note("director", held);
        story.runs("b", 5, 1, Outcome::Ok, 2000).is(1, "flaky", "completed", None)
    };
    story(15).holds();
    let verdict = story(20).judged();
    assert!(verdict.complaints.iter().any(|said| said.starts_with("half of the")), "{verdict:?}");
}
