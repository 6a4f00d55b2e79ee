//! How long a job waits between attempts.

use std::time::Duration;

/// The longest wait between two attempts.
pub const BACKOFF_MAX: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// How the wait grows from attempt to attempt; written in the attribute as `#[job(backoff = "..")]`.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub enum Backoff {
    /// `5 + n⁴` seconds after the n-th attempt: delayed_job's curve, and the default. 25 attempts take about 20 days.
    #[default]
    Polynomial,
    /// The base, doubled with each attempt.
    Exponential(Duration),
    /// The base, added with each attempt.
    Linear(Duration),
    /// Always the same.
    Fixed(Duration),
    /// A function of the attempt that went wrong (1 for the first).
    Custom(fn(u32) -> Duration),
}

impl Backoff {
    /// The wait after attempt `attempt` (1-based), moved by `jitter` (from -1 to 1) times a tenth of it, so that jobs
    /// that failed together do not come back together.
    ///
    /// ```
    /// use djob::Backoff;
    /// assert_eq!(Backoff::Polynomial.delay(2, 0.0).as_secs(), 5 + 16);
    /// assert_eq!(Backoff::Polynomial.delay(3, 1.0).as_secs(), 94); // 5 + 81, and a tenth more
    /// ```
    pub fn delay(&self, attempt: u32, jitter: f64) -> Duration {
        let plain = match *self {
            Backoff::Polynomial => {
                Duration::from_secs(u64::from(attempt).saturating_pow(4).saturating_add(5))
            }
            Backoff::Exponential(base) => base.saturating_mul(1 << attempt.saturating_sub(1).min(31)),
            Backoff::Linear(base) => base.saturating_mul(attempt),
            Backoff::Fixed(base) => base,
            Backoff::Custom(delay) => delay(attempt),
        };
        plain.min(BACKOFF_MAX).mul_f64(1.0 + jitter.clamp(-1.0, 1.0) / 10.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_default_curve_is_delayed_jobs_own() {
        let waits: Vec<u64> = (1..=4).map(|n| Backoff::default().delay(n, 0.0).as_secs()).collect();
        assert_eq!(waits, [6, 21, 86, 261]);
        let all: u64 = (1..25).map(|n| Backoff::default().delay(n, 0.0).as_secs()).sum();
        assert_eq!(all / 86_400, 20, "25 attempts span about 20 days");
    }

    #[test]
    fn presets_grow_as_their_names_say_and_never_past_the_limit() {
        let second = Duration::from_secs(1);
        assert_eq!(Backoff::Exponential(second).delay(4, 0.0), second * 8);
        assert_eq!(Backoff::Linear(second).delay(4, 0.0), second * 4);
        assert_eq!(Backoff::Fixed(second).delay(4, 0.0), second);
        assert_eq!(Backoff::Custom(|n| Duration::from_millis(n.into())).delay(4, 0.0).as_millis(), 4);
        assert_eq!(Backoff::Exponential(second).delay(1000, 0.0), BACKOFF_MAX);
        assert_eq!(Backoff::Polynomial.delay(u32::MAX, 0.0), BACKOFF_MAX);
    }

    #[test]
    fn jitter_moves_a_wait_by_a_tenth_at_most() {
        let base = Backoff::Fixed(Duration::from_secs(100));
        assert_eq!(base.delay(1, -7.0).as_secs(), 90);
        assert_eq!(base.delay(1, 7.0).as_secs(), 110);
    }

    /// The wait in whole seconds without jitter, counted out step by step.
    fn counted_out(backoff: &Backoff, attempt: u32) -> u64 {
        const MONTH: u64 = 2_592_000;
        let steps = attempt.min(3_000_000);
        let seconds = match backoff {
            Backoff::Polynomial => {
                let square = u128::from(attempt) * u128::from(attempt);
                u64::try_from(square.saturating_mul(square).saturating_add(5)).unwrap_or(u64::MAX)
            }
            Backoff::Exponential(base) => {
                let mut wait = base.as_secs();
                for _ in 1..steps.min(80) {
                    wait = (wait + wait).min(MONTH);
                }
                wait
            }
            Backoff::Linear(base) => {
                let mut wait = 0;
                for _ in 0..steps {
                    wait += base.as_secs();
                    if wait >= MONTH {
                        break;
                    }
                }
                wait
            }
            Backoff::Fixed(base) => base.as_secs(),
            Backoff::Custom(delay) => delay(attempt).as_secs(),
        };
        if seconds > MONTH { MONTH } else { seconds }
    }

    fn backoffs() -> impl Strategy<Value = Backoff> {
        let base = || (1_u64..5_000_000).prop_map(Duration::from_secs);
        prop_oneof![
            Just(Backoff::Polynomial),
            base().prop_map(Backoff::Exponential),
            base().prop_map(Backoff::Linear),
            base().prop_map(Backoff::Fixed),
            Just(Backoff::Custom(|n| Duration::from_secs(u64::from(n) * 7))),
        ]
    }

    /// Some few, as they are, and some that nobody ever comes to.
    fn attempts() -> impl Strategy<Value = u32> {
        prop_oneof![3 => 1_u32..40, 1 => 40_u32..=u32::MAX]
    }

    proptest! {
        #[test]
        fn a_wait_is_what_one_comes_to_by_counting(backoff in backoffs(), attempt in attempts()) {
            prop_assert_eq!(backoff.delay(attempt, 0.0).as_secs(), counted_out(&backoff, attempt));
        }

        #[test]
        fn no_preset_ever_waits_less_after_a_later_attempt(backoff in backoffs(), attempt in attempts()) {
            let later = backoff.delay(attempt.saturating_add(1), 0.0);
            prop_assert!(backoff.delay(attempt, 0.0) <= later);
        }

        #[test]
        fn jitter_of_any_size_moves_a_wait_by_a_tenth_at_most_and_never_the_wrong_way(
            backoff in backoffs(), attempt in attempts(), jitter: f64,
        ) {
            prop_assume!(!jitter.is_nan());
            let (plain, moved) = (backoff.delay(attempt, 0.0), backoff.delay(attempt, jitter));
            prop_assert!(moved * 10 <= plain * 11 + Duration::from_micros(1), "{plain:?} {moved:?}");
            prop_assert!(moved * 10 + Duration::from_micros(1) >= plain * 9, "{plain:?} {moved:?}");
            let (less, more) = if jitter < 0.0 { (moved, plain) } else { (plain, moved) };
            prop_assert!(less <= more);
        }
    }
}
