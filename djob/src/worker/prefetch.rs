//! How many jobs to hold beyond the free slots: about 100 ms of work, as measured. Pure.

use std::time::Duration;

/// How much work a worker holds in advance.
const AHEAD: Duration = Duration::from_millis(100);
/// The most jobs it holds, and the most it claims at once.
pub(crate) const HOLD_MAX: u32 = 4000;
pub(crate) const CLAIM_MAX: u32 = 2000;
/// How much one measurement counts against those before it.
const WEIGHT: f64 = 0.2;

/// The run time of jobs, as it was lately.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RunTime {
    mean_us: Option<f64>,
}

impl RunTime {
    /// Takes the mean run time of some jobs into account.
    pub(crate) fn measured(&mut self, mean: Duration) {
        // As microseconds in which a slot was taken; a job is never free.
        let now = (mean.as_secs_f64() * 1e6).max(0.5);
        self.mean_us = Some(match self.mean_us {
            // A slower job than expected counts at once: what is held already will wait for it.
            Some(mean) if now < mean * 4.0 => mean + (now - mean) * WEIGHT,
            _ => now,
        });
    }

    /// How many jobs `slots` slots get done ahead of time. Nothing is held in advance before anything was measured.
    fn ahead(self, slots: u32) -> u32 {
        let Some(mean) = self.mean_us else { return 0 };
        let jobs = f64::from(slots) * AHEAD.as_secs_f64() * 1e6 / mean;
        // A truncating cast: a slot that needs longer than 100 ms for a job has none in advance.
        jobs.min(f64::from(HOLD_MAX)) as u32
    }
}

/// How many jobs to claim now.
pub(crate) fn want(
    run_time: RunTime,
    slots: u32,
    busy: u32,
    held: u32,
    unsettled: u32,
    read_ahead: Option<u32>,
) -> u32 {
    let free = slots.saturating_sub(busy);
    let ahead = read_ahead.unwrap_or_else(|| run_time.ahead(slots));
    let target = free.saturating_add(ahead).min(HOLD_MAX);
    let missing = target.saturating_sub(held);
    // Do not run away from a database that takes claims and not their outcomes.
    let missing = missing.min((2 * HOLD_MAX).saturating_sub(unsettled));
    // A small claim costs as much as a large one: unless a slot is empty, wait until half of the store is gone.
    if held >= free && missing < target / 2 { 0 } else { missing.min(CLAIM_MAX) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn measured(mean: Duration) -> RunTime {
        let mut run_time = RunTime::default();
        run_time.measured(mean);
        run_time
    }

    #[test]
    fn slow_jobs_are_not_hoarded() {
        let slow = measured(Duration::from_secs(1));
        assert_eq!(want(slow, 10, 0, 0, 0, None), 11);
        assert_eq!(want(measured(Duration::from_secs(2)), 10, 0, 0, 0, None), 10);
        assert_eq!(want(measured(Duration::from_secs(2)), 10, 10, 0, 0, None), 0);
        assert_eq!(want(measured(Duration::from_secs(2)), 10, 7, 0, 0, None), 3);
    }

    #[test]
    fn fast_jobs_are_claimed_by_the_thousand() {
        let fast = measured(Duration::from_micros(2));
        assert_eq!(want(fast, 10, 0, 0, 0, None), CLAIM_MAX);
        assert_eq!(want(fast, 10, 10, 3000, 0, None), 0, "not before half of the store is gone");
        assert_eq!(want(fast, 10, 10, 1000, 0, None), CLAIM_MAX);
    }

    #[test]
    fn nothing_is_held_in_advance_before_anything_was_measured() {
        assert_eq!(want(RunTime::default(), 10, 0, 0, 0, None), 10);
    }

    #[test]
    fn one_slow_job_ends_the_hoarding_at_once() {
        let mut run_time = measured(Duration::from_micros(2));
        run_time.measured(Duration::from_secs(1));
        assert!(run_time.ahead(10) <= 1);
    }

    #[test]
    fn a_database_that_takes_no_outcomes_gets_no_more_claims() {
        assert_eq!(want(measured(Duration::from_micros(2)), 10, 0, 0, 2 * HOLD_MAX, None), 0);
    }

    /// Puts jobs in one by one, as long as there is a reason to.
    fn counted_out(slots: u32, busy: u32, held: u32, unsettled: u32, ahead: u32) -> u32 {
        let free = (busy..slots).count();
        let store = (free + ahead as usize).min(4000);
        let fits = |more: &usize| held as usize + more < store && unsettled as usize + more < 8000;
        let more = (0..).take_while(fits).count();
        let slots_are_served = held as usize >= free;
        let store_is_half_full = 2 * (more + 1) <= store;
        let claimed = if slots_are_served && store_is_half_full { 0 } else { more };
        u32::try_from(claimed.min(2000)).unwrap()
    }

    proptest! {
        #[test]
        fn what_is_wanted_is_what_fits_when_jobs_are_put_in_one_by_one(
            slots in 0_u32..300, busy in 0_u32..300, held in 0_u32..5000, unsettled in 0_u32..9000, ahead in 0_u32..6000,
        ) {
            let wanted = want(RunTime::default(), slots, busy, held, unsettled, Some(ahead));
            prop_assert_eq!(wanted, counted_out(slots, busy, held, unsettled, ahead));
        }

        #[test]
        fn a_free_slot_without_a_job_is_never_left_empty(
            busy in 0_u32..100, held in 0_u32..100, empty in 1_u32..100, unsettled in 0_u32..8000, mean_us in 0_u64..10_000_000,
        ) {
            let slots = busy + held + empty;
            let run_time = measured(Duration::from_micros(mean_us));
            prop_assert!(want(run_time, slots, busy, held, unsettled, None) > 0);
        }

        #[test]
        fn a_busy_worker_holds_as_much_work_as_a_tenth_of_a_second_takes_and_not_more(
            slots in 1_u32..300, mean_us in 1_u64..10_000_000,
        ) {
            let wanted = u64::from(want(measured(Duration::from_micros(mean_us)), slots, slots, 0, 0, None));
            let tenth_us = u64::from(slots) * 100_000;
            prop_assert!(wanted * mean_us <= tenth_us);
            let one_more = (wanted + 1) * mean_us;
            prop_assert!(one_more > tenth_us || wanted == u64::from(CLAIM_MAX), "{wanted} are too few");
        }

        #[test]
        fn what_was_expected_lies_between_the_shortest_and_the_longest_that_was_measured(
            means in prop::collection::vec(1_u64..10_000_000, 1..40),
        ) {
            let mut run_time = RunTime::default();
            for mean in &means {
                run_time.measured(Duration::from_micros(*mean));
            }
            let expected = run_time.mean_us.unwrap();
            let (shortest, longest) = (*means.iter().min().unwrap() as f64, *means.iter().max().unwrap() as f64);
            prop_assert!((shortest - 0.001..=longest + 0.001).contains(&expected), "{expected}");
        }
    }
}
