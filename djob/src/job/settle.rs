//! The one decision: what follows from an attempt's outcome. Storage only writes what is decided here.

use std::time::Duration;

use super::backoff::Backoff;
use super::outcome::Outcome;
use super::state::JobState;

/// How many times a job may take its worker down with it.
pub const CRASHES_MAX: u16 = 3;
/// How long a completed or cancelled job is kept, unless its kind says otherwise.
pub const KEEP_COMPLETED: Duration = Duration::from_secs(24 * 60 * 60);
/// How long a failed job is kept, unless its kind says otherwise.
pub const KEEP_FAILED: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The longest snooze: ten years.
pub const SNOOZE_MAX: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// How long a finished job is kept; written in the attribute as `#[job(keep = "7d")]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// This long; zero leaves no row at all.
    For(Duration),
    /// Until somebody deletes it.
    Forever,
}

/// What the decision needs to know of the job.
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    /// Attempts that ended in an error before this one.
    pub attempt: u16,
    /// How many attempts the job may use up.
    pub max_attempts: u16,
    /// How many workers died while it ran, or may have run, before.
    pub deaths: u16,
    /// How long to wait between attempts.
    pub backoff: Backoff,
    /// How long to keep it, if its kind says.
    pub keep: Option<Keep>,
    /// A random number from -1 to 1, for the backoff.
    pub jitter: f64,
}

/// Where the job goes now.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Settlement {
    /// Into the finished room.
    Finish {
        /// Completed, failed or cancelled.
        state: JobState,
        /// The result as JSON.
        result: Option<String>,
        /// What went wrong.
        error: Option<String>,
        /// How long the row is kept.
        keep: Keep,
    },
    /// Back to waiting after an error, which counts as an attempt.
    Retry {
        /// How long until the next attempt.
        delay: Duration,
        /// What went wrong.
        error: String,
    },
    /// Back to waiting, because the job asked for it.
    Snooze {
        /// How long.
        delay: Duration,
    },
    /// Back to waiting at once, as if it had never been claimed.
    Release,
    /// Back to waiting for this long, because there is no place for it here.
    Postpone {
        /// How long.
        delay: Duration,
    },
    /// Back to waiting, under suspicion: its worker died.
    Rescue {
        /// Whether the job is known to have run then.
        crashed: bool,
    },
    /// Into the parked room, with a reason.
    Park {
        /// The short name of the reason.
        reason: &'static str,
        /// The reason in words.
        detail: String,
    },
}

/// Decides what follows from an outcome.
pub fn settle(facts: &Facts, outcome: Outcome) -> Settlement {
    let finish = |state, result, error| {
        let default = if state == JobState::Failed { KEEP_FAILED } else { KEEP_COMPLETED };
        Settlement::Finish { state, result, error, keep: facts.keep.unwrap_or(Keep::For(default)) }
    };
    match outcome {
        Outcome::Completed(result) => finish(JobState::Completed, result, None),
        Outcome::CompletedInTransaction => {
            settle(facts, Outcome::Error("returned Ok, but its transaction was not committed".into()))
        }
        Outcome::Error(error) if facts.attempt.saturating_add(1) < facts.max_attempts => {
            let attempt = u32::from(facts.attempt) + 1;
            Settlement::Retry { delay: facts.backoff.delay(attempt, facts.jitter), error }
        }
        Outcome::Error(error) | Outcome::Fail(error) => finish(JobState::Failed, None, Some(error)),
        Outcome::Snooze(delay) => Settlement::Snooze { delay: delay.min(SNOOZE_MAX) },
        Outcome::Cancelled(why) => finish(JobState::Cancelled, None, Some(why)),
        Outcome::BrokenContract(detail) => Settlement::Park { reason: "broken_contract", detail },
        Outcome::UnknownKind => park(unread(1, None)),
        Outcome::NewerVersion { version, known } => park(unread(version.into(), Some(known.into()))),
        Outcome::Interrupted => Settlement::Release,
        Outcome::Crashed if facts.deaths.saturating_add(1) >= CRASHES_MAX => {
            let error = format!("crash_loop: {CRASHES_MAX} workers died while they ran this job");
            finish(JobState::Failed, None, Some(error))
        }
        Outcome::Crashed => Settlement::Rescue { crashed: true },
        Outcome::Suspected => Settlement::Rescue { crashed: false },
    }
}

fn park((reason, detail): (&'static str, String)) -> Settlement {
    Settlement::Park { reason, detail }
}

/// Why a job is set aside whose arguments are of this version, if versions up to `known` of its kind are read; `None`: nobody
/// knows the kind.
pub(crate) fn unread(version: i32, known: Option<i32>) -> (&'static str, String) {
    match known {
        None => (
            "unknown_kind",
            "no function of this kind is linked into the worker: is its crate named? `use my_jobs as _;`"
                .into(),
        ),
        Some(known) => (
            "newer_version",
            format!(
                "its arguments are of version {version}, and workers read versions up to {known}: \
                 deploy workers that have the newer code"
            ),
        ),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn facts() -> Facts {
        Facts { attempt: 0, max_attempts: 3, deaths: 0, backoff: Backoff::default(), keep: None, jitter: 0.0 }
    }

    fn state_of(settlement: Settlement) -> Option<JobState> {
        match settlement {
            Settlement::Finish { state, .. } => Some(state),
            _ => None,
        }
    }

    #[test]
    fn an_error_is_retried_until_the_attempts_are_used_up() {
        let error = || Outcome::Error("e".into());
        let after = |attempt| settle(&Facts { attempt, ..facts() }, error());
        assert_eq!(after(0), Settlement::Retry { delay: Duration::from_secs(6), error: "e".into() });
        assert_eq!(after(1), Settlement::Retry { delay: Duration::from_secs(21), error: "e".into() });
        assert_eq!(state_of(after(2)), Some(JobState::Failed));
        assert_eq!(state_of(after(u16::MAX)), Some(JobState::Failed));
    }

    #[test]
    fn a_fail_needs_no_further_attempt() {
        assert_eq!(state_of(settle(&facts(), Outcome::Fail("no".into()))), Some(JobState::Failed));
    }

    #[test]
    fn three_crashes_end_a_job_and_suspicion_alone_never_does() {
        let crash = |deaths| settle(&Facts { deaths, ..facts() }, Outcome::Crashed);
        assert_eq!(crash(0), Settlement::Rescue { crashed: true });
        assert_eq!(crash(1), Settlement::Rescue { crashed: true });
        assert_eq!(state_of(crash(2)), Some(JobState::Failed));
        let suspected = settle(&Facts { deaths: 2, ..facts() }, Outcome::Suspected);
        assert_eq!(suspected, Settlement::Rescue { crashed: false });
    }

    #[test]
    fn a_job_that_breaks_its_contract_is_parked_and_not_destroyed() {
        let newer = Outcome::NewerVersion { version: 3, known: 2 };
        for outcome in [Outcome::BrokenContract("/id: missing".into()), Outcome::UnknownKind, newer] {
            assert!(matches!(settle(&facts(), outcome), Settlement::Park { .. }));
        }
    }

    #[test]
    fn history_is_kept_a_day_for_success_and_a_month_for_failure_unless_the_kind_says_otherwise() {
        let keep_of = |facts: &Facts, outcome| match settle(facts, outcome) {
            Settlement::Finish { keep, .. } => keep,
            other => panic!("{other:?}"),
        };
        assert_eq!(keep_of(&facts(), Outcome::Completed(None)), Keep::For(KEEP_COMPLETED));
        assert_eq!(keep_of(&facts(), Outcome::Fail("no".into())), Keep::For(KEEP_FAILED));
        let forever = Facts { keep: Some(Keep::Forever), ..facts() };
        assert_eq!(keep_of(&forever, Outcome::Completed(None)), Keep::Forever);
    }

    /// Each outcome, and where it leads: while the job has something left (attempts, or crashes), and when it has not.
    const TABLE: [(&str, &str, &str); 11] = [
        ("completed", "completed", "completed"),
        ("completed in a transaction", "retry", "failed"),
        ("error", "retry", "failed"),
        ("fail", "failed", "failed"),
        ("snooze", "snooze", "snooze"),
        ("cancelled", "cancelled", "cancelled"),
        ("broken contract", "parked", "parked"),
        ("unknown kind", "parked", "parked"),
        ("newer version", "parked", "parked"),
        ("interrupted", "as it was", "as it was"),
        ("suspected", "suspect", "suspect"),
    ];

    fn outcome(name: &str) -> Outcome {
        match name {
            "completed" => Outcome::Completed(Some("1".into())),
            "completed in a transaction" => Outcome::CompletedInTransaction,
            "error" => Outcome::Error("e".into()),
            "fail" => Outcome::Fail("e".into()),
            "snooze" => Outcome::Snooze(Duration::MAX),
            "cancelled" => Outcome::Cancelled("c".into()),
            "broken contract" => Outcome::BrokenContract("b".into()),
            "unknown kind" => Outcome::UnknownKind,
            "newer version" => Outcome::NewerVersion { version: 2, known: 1 },
            "interrupted" => Outcome::Interrupted,
            "suspected" => Outcome::Suspected,
            other => panic!("{other}"),
        }
    }

    fn leads_to(settlement: &Settlement) -> &'static str {
        match settlement {
            Settlement::Finish { state, .. } => state.as_str(),
            Settlement::Retry { .. } => "retry",
            Settlement::Snooze { .. } => "snooze",
            Settlement::Release => "as it was",
            Settlement::Postpone { .. } => "later",
            Settlement::Rescue { crashed: true } => "crashed",
            Settlement::Rescue { crashed: false } => "suspect",
            Settlement::Park { .. } => "parked",
        }
    }

    proptest! {
        #[test]
        fn every_outcome_leads_where_the_table_says(
            row in 0..TABLE.len(), attempt: u16, max_attempts: u16, deaths: u16, jitter in -1.0..1.0,
        ) {
            let (name, with_more, at_the_end) = TABLE[row];
            let facts = Facts { attempt, max_attempts, deaths, jitter, ..facts() };
            // The attempts that come after this one.
            let has_more = (u32::from(attempt)..u32::from(max_attempts)).nth(1).is_some();
            let expected = if has_more { with_more } else { at_the_end };
            prop_assert_eq!(leads_to(&settle(&facts, outcome(name))), expected);
        }

        #[test]
        fn a_job_that_always_errs_runs_as_often_as_it_may(max_attempts in 0_u16..60) {
            let mut runs = 0;
            loop {
                runs += 1;
                let now = Facts { attempt: runs - 1, max_attempts, ..facts() };
                match leads_to(&settle(&now, Outcome::Error("e".into()))) {
                    "retry" => prop_assert!(runs < max_attempts),
                    end => break prop_assert_eq!(end, "failed"),
                }
            }
            prop_assert_eq!(runs, max_attempts.max(1), "it runs once even if it may not");
        }

        #[test]
        fn the_third_death_ends_a_job_whatever_became_of_its_attempts(attempt: u16, max_attempts: u16, deaths: u16) {
            let now = Facts { attempt, max_attempts, deaths, ..facts() };
            let expected = match deaths {
                0 | 1 => "crashed",
                _ => "failed",
            };
            prop_assert_eq!(leads_to(&settle(&now, Outcome::Crashed)), expected);
        }

        #[test]
        fn nobody_waits_longer_than_the_longest_snooze(wanted: u64) {
            let settled = settle(&facts(), Outcome::Snooze(Duration::from_secs(wanted)));
            let Settlement::Snooze { delay } = settled else { panic!("{settled:?}") };
            prop_assert_eq!(delay.as_secs(), if wanted > 315_360_000 { 315_360_000 } else { wanted });
        }
    }
}
