//! The conformance suite: what every storage must do, each promise a test whose name is the claim.
//!
//! An author of a storage says how to make one and gets every promise as a test of its own:
//!
//! ```
//! use djob_testing::TestDatabase;
//! use djob_testing::conformance::Subject;
//!
//! async fn subject() -> Subject {
//!     Subject::of(TestDatabase::sqlite_memory().await).await
//! }
//!
//! djob_testing::conformance!(my_storage, subject);
//! # fn main() {}
//! ```
//!
//! # delayed_job's own chapter
//!
//! delayed_job ships one test suite for all its backends, `lib/delayed/backend/shared_spec.rb`. Its cases, and the tests
//! that cover what each means here:
//!
//! | shared_spec.rb | covered by |
//! |---|---|
//! | "should set run_at automatically if not set" | `enqueue::a_moment_in_the_past_means_now` |
//! | "should not set run_at automatically if already set" | `enqueue::a_job_is_scheduled_until_its_time_and_then_ready` |
//! | reload of the job's object | `enqueue::arguments_come_back_as_they_were_written` |
//! | enqueue: "should increase count", "saves" | `enqueue::a_job_comes_back_as_it_was_stored` |
//! | enqueue: "should be able to set priority", "run_at", "queue" | `enqueue::a_job_comes_back_as_it_was_stored`, `enqueue::a_delay_counts_from_the_storages_own_time` |
//! | enqueue: "raises ArgumentError" for what cannot be performed | the compiler |
//! | `delay_jobs = false` and a proc | `harness`, and `Client::inline` |
//! | callbacks: enqueue, before, success, after, error, failure | `hooks::*` |
//! | decoding: DeserializationError, NameError, "unloadable" | `contract::arguments_that_break_the_contract_are_parked_with_their_place`, `contract::an_unknown_kind_is_parked` |
//! | reserve: "does not reserve failed jobs" | `settle::a_failed_job_keeps_its_error_and_counts_the_attempt`, `admin::a_job_is_found_in_every_room` |
//! | reserve: "does not reserve jobs scheduled for the future" | `claim::a_job_that_is_not_due_is_not_claimed` |
//! | reserve: "reserves jobs scheduled for the past" | `claim::a_lane_is_taken_by_run_at_and_then_by_id` |
//! | reserve: "does not reserve jobs locked by other workers" | `claim::eight_claimers_take_each_job_exactly_once`, `claim::a_claimed_job_runs_and_waits_no_more` |
//! | reserve: "reserves open jobs", "locks the job" | `claim::a_claim_says_all_that_is_stored_of_a_job` |
//! | reserve: "reserves expired jobs" | `lease::the_claims_of_a_silent_worker_are_orphans` |
//! | reserve: "reserves own jobs" | not wanted: an incarnation never takes up what another one held |
//! | clear_locks!: "should clear locks for the given worker", "not for other workers" | `ends::a_drain_hands_back_what_has_not_begun`, `lease::the_claims_of_a_worker_without_a_row_are_orphans` |
//! | unlock | `settle::a_released_job_is_as_if_it_had_never_been_claimed` |
//! | "has an attribute that is a large text" | `large_args::*` |
//! | named queues: one, several, all | `claim::nothing_is_claimed_from_a_lane_that_is_not_asked_for`, `queues::*` |
//! | max_attempts of the job and of the worker | `outcomes::a_job_fails_after_its_last_attempt` |
//! | priorities: "should fetch jobs ordered by priority", min and max | `claim::lanes_are_served_in_the_order_in_which_they_are_asked`, `claim::lanes_of_other_priorities_are_left_out`, `queues::a_worker_runs_only_its_priorities` |
//! | worker: "should run jobs", "failing jobs are rescheduled", "record last_error" | `outcomes::*`, `settle::each_attempt_that_went_wrong_leaves_its_error` |
//! | worker: max_run_time | `limits::a_job_that_runs_too_long_has_timed_out` |
//! | worker: "does not retry on DeserializationError" | `contract::*` |
//! | failed jobs: "should be destroyed", "should not be if `destroy_failed_jobs = false`" | `settle::a_job_that_is_kept_for_no_time_leaves_no_row`, `settle::a_failed_job_keeps_its_error_and_counts_the_attempt` |
//! | reschedule: "should re-schedule with default time", "with given reschedule_at" | `outcomes::an_error_is_tried_again_after_its_backoff` |
//! | reschedule: "should fail when attempts run out", failure hook, "error in the hook" | `outcomes::a_job_fails_after_its_last_attempt`, `hooks::a_hook_that_panics_harms_nobody` |

#![allow(missing_docs)] // the name of each test is its sentence

pub mod admin;
pub mod by_sql;
pub mod claim;
pub mod damage;
pub mod enqueue;
mod faulty;
pub mod fence;
pub mod large_args;
pub mod lease;
pub mod list;
pub mod park;
mod promises;
pub mod published;
pub mod refusals;
pub mod schema;
pub mod settle;
mod subject;
pub mod transaction;
pub mod unique;
pub mod unread;
pub mod worker;

pub use worker::{contract, effects, ends, faults, hooks, limits, outcomes, queues};

use std::future::Future;
use std::time::Duration;

pub use subject::{Checked, Subject};

/// How long a promise may take, on a machine that has much else to do.
const PATIENCE: Duration = Duration::from_secs(240);

/// Makes a test of every promise a storage gives: `mod $module` with a module for each chapter.
///
/// `$make` is an async function that returns a [`Subject`], a fresh one at each call. The tests run on tokio.
#[macro_export]
macro_rules! conformance {
    ($module:ident, $make:expr) => {
        mod $module {
            #[allow(unused_imports)]
            use super::*;
            $crate::__storage_promises! { __tests [$make] }
        }
    };
}

/// The same of every promise that only a database with SQL gives. `$make` returns a [`TestDatabase`](crate::TestDatabase).
#[macro_export]
macro_rules! sql_conformance {
    ($module:ident, $make:expr) => {
        mod $module {
            #[allow(unused_imports)]
            use super::*;
            $crate::__sql_promises! { __tests [$make] }
        }
    };
}

/// Checks every promise a storage gives, one after the other, for those who have no use for the macro.
///
/// # Errors
/// The first promise that is broken by an error, with its name. One that is broken otherwise panics.
pub async fn all(make: impl AsyncFn() -> Subject) -> Checked {
    crate::__storage_promises! { __calls [make] }
    Ok(())
}

/// Waits for a promise to be checked, and panics if it is broken or takes for ever.
#[doc(hidden)]
pub async fn holds(promise: impl Future<Output = Checked>) {
    match tokio::time::timeout(PATIENCE, promise).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => panic!("{error}"),
        Err(_) => panic!("this takes longer than {PATIENCE:?}: something that was waited for did not come"),
    }
}

#[doc(hidden)]
#[macro_export]
macro_rules! __tests {
    ([$make:expr] $($chapter:ident { $($promise:ident)* })*) => {$(
        mod $chapter {
            #[allow(unused_imports)]
            use super::*;
            $(
                #[::tokio::test]
                async fn $promise() {
                    let make = $make;
                    let subject = make().await;
                    $crate::conformance::holds($crate::conformance::$chapter::$promise(&subject)).await;
                }
            )*
        }
    )*};
}

#[doc(hidden)]
#[macro_export]
macro_rules! __calls {
    ([$make:expr] $($chapter:ident { $($promise:ident)* })*) => {$($(
        let name = concat!(stringify!($chapter), "::", stringify!($promise));
        $chapter::$promise(&$make().await).await.map_err(|error| format!("{name}: {error}"))?;
    )*)*};
}
