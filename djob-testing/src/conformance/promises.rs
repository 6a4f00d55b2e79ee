//! The list of all promises, by chapter: what the macros make tests of.

/// The promises of every storage.
#[doc(hidden)]
#[macro_export]
macro_rules! __storage_promises {
    ($then:ident [$make:expr]) => {
        $crate::$then! {
            [$make]
            enqueue {
                a_job_comes_back_as_it_was_stored
                arguments_come_back_as_they_were_written
                answers_come_in_the_order_of_the_jobs
                a_thousand_jobs_are_stored_at_once
                no_jobs_at_all_are_no_error
                a_batch_is_stored_whole_or_not_at_all
                the_same_job_stored_twice_is_one_job
                eight_callers_at_once_store_one_job_of_an_id
                a_repeated_call_finds_its_job_in_every_room
                a_job_stored_twice_does_not_keep_others_from_being_stored
                a_delay_counts_from_the_storages_own_time
                a_job_is_scheduled_until_its_time_and_then_ready
                a_moment_in_the_past_means_now
                jobs_may_be_scheduled_ten_years_ahead
                more_attempts_than_a_database_counts_are_no_error
                eight_callers_at_once_each_get_what_they_stored
            }
            claim {
                eight_claimers_take_each_job_exactly_once
                eight_claimers_of_large_batches_take_each_job_exactly_once
                a_lane_is_taken_by_run_at_and_then_by_id
                the_jobs_of_one_claim_are_in_the_order_in_which_they_start
                lanes_are_served_in_the_order_in_which_they_are_asked
                a_job_that_is_not_due_is_not_claimed
                the_limit_holds_over_all_lanes
                a_claim_reads_on_from_its_cursor
                what_came_late_behind_the_cursor_is_found_from_the_head
                each_lane_is_one_claim_with_a_fence_of_its_own
                fences_grow_from_claim_to_claim_of_one_job
                a_claimed_job_runs_and_waits_no_more
                a_claim_says_all_that_is_stored_of_a_job
                nothing_is_claimed_from_a_lane_that_is_not_asked_for
                lanes_are_those_with_a_job_in_them
                lanes_of_other_priorities_are_left_out
                a_paused_queue_has_no_lane
                nothing_is_claimed_from_a_paused_queue_that_is_asked_for
            }
            settle {
                a_completed_job_keeps_its_result
                each_job_of_a_batch_keeps_its_own_result
                a_failed_job_keeps_its_error_and_counts_the_attempt
                a_cancelled_job_keeps_the_reason_and_burns_no_attempt
                a_job_that_is_kept_for_no_time_leaves_no_row
                a_retried_job_waits_under_its_id_and_counts_the_attempt
                each_attempt_that_went_wrong_leaves_its_error
                a_snoozed_job_waits_and_burns_no_attempt
                a_released_job_is_as_if_it_had_never_been_claimed
                a_rescued_job_waits_as_a_suspect_and_only_a_crash_is_counted
                an_outcome_of_its_own_clears_a_job_of_suspicion
                a_batch_may_end_in_every_way_at_once
                many_claims_are_settled_in_one_call
                an_outcome_that_cannot_be_stored_leaves_its_claim_standing
                an_error_of_any_text_can_be_stored
                a_job_keeps_its_place_in_queue_and_priority_through_every_room
            }
            fence {
                another_worker_cannot_settle_a_claim
                another_fence_cannot_settle_a_claim
                a_claim_is_settled_once
                the_first_run_cannot_finish_the_second
                each_claim_of_a_call_is_answered_for_itself
                what_still_runs_is_settled_alone_under_the_same_fence
                what_was_split_is_settled_once_and_never_as_a_batch
                a_split_job_is_as_it_was_claimed
                a_single_job_is_noted_to_begin_by_its_holder_only
            }
            large_args {
                large_arguments_are_fetched_apart_from_the_claim
                small_and_large_arguments_of_one_batch_are_not_mixed_up
                arguments_around_one_kilobyte_come_back_as_they_were
                large_arguments_survive_every_way_back_to_waiting
                large_arguments_are_found_while_their_job_runs
                large_arguments_are_part_of_history
                large_arguments_of_a_failed_job_come_back_with_it
                large_arguments_are_parked_and_unparked_with_their_job
                large_arguments_of_a_cancelled_job_are_part_of_history
                large_arguments_survive_a_split
                large_arguments_of_a_job_without_a_trace_go_with_it
            }
            unique {
                a_held_key_is_answered_with_its_holder
                within_one_batch_the_first_of_a_key_is_stored
                eight_callers_at_once_store_one_job_of_a_key
                a_key_is_free_once_its_job_is_finished
                a_key_is_held_while_its_job_is_unfinished
                a_refused_settle_frees_no_key
                a_cancelled_job_frees_its_key
                a_deleted_job_frees_its_key
                a_cleared_queue_frees_its_keys
                a_failed_job_that_is_retried_holds_its_key_again
                a_failed_job_is_not_retried_while_another_holds_its_key
                a_refusal_never_names_a_job_that_was_not_stored
            }
            lease {
                a_beat_within_the_lease_is_believed
                a_beat_after_the_lease_is_refused_for_ever
                a_clock_that_is_set_back_keeps_no_dead_worker_alive
                a_beat_tells_of_silent_workers
                a_beat_tells_of_parked_kinds
                a_beat_tells_of_claims_that_are_older_than_a_lease
                a_worker_that_never_joined_or_left_has_no_heartbeat
                the_claims_of_a_living_worker_are_no_orphans
                the_claims_of_a_silent_worker_are_orphans
                the_claims_of_a_worker_without_a_row_are_orphans
                orphans_come_a_bounded_number_at_a_time
                a_rescued_claim_cannot_be_settled_by_the_worker_that_lost_it
                two_rescuers_do_not_rescue_the_same_claim
                a_silent_worker_is_buried_once_it_holds_nothing
                a_duty_is_held_by_one_worker_for_its_time
                eight_workers_at_once_take_a_duty_once
            }
            park {
                a_parked_job_shows_its_reason
                a_parked_job_is_not_claimed
                an_unknown_kind_comes_back_when_it_is_known
                a_newer_version_comes_back_when_it_is_read
                parked_jobs_come_back_a_bounded_number_at_a_time
                a_broken_contract_does_not_come_back_by_itself
                a_job_comes_back_as_it_was_parked
            }
            unread {
                a_claim_by_name_takes_what_the_worker_reads_and_leaves_the_rest
                what_no_living_worker_reads_is_parked_with_its_reason
                what_only_a_silent_worker_reads_is_parked
                unread_jobs_are_parked_a_bounded_number_at_a_time_and_only_if_they_are_due
                a_job_that_is_parked_unread_keeps_its_key_tags_and_large_arguments
                a_worker_passes_over_what_nobody_reads_and_sets_it_aside
                two_workers_share_a_queue_of_which_each_reads_a_half
            }
            published {
                what_was_published_is_read_back
                a_contract_that_was_published_anew_replaces_the_one_before
                eight_workers_at_once_publish_the_same
            }
            admin {
                a_job_is_found_in_every_room
                a_job_that_does_not_run_can_be_given_other_arguments
                a_parked_job_that_was_edited_comes_back_by_its_new_version
                a_job_that_nobody_runs_is_cancelled_at_once
                a_job_that_runs_is_asked_to_stop
                the_wish_to_stop_is_met_when_a_job_is_cancelled_later
                the_wish_to_stop_ends_with_the_job
                a_cancelled_job_that_is_retried_is_not_stopped_again
                a_job_that_is_retried_while_its_stop_is_looked_for_is_not_stopped_again
                a_job_that_is_cancelled_while_it_comes_back_is_in_one_room
                a_job_that_is_retried_twice_as_it_fails_is_in_one_room
                a_job_that_went_wrong_is_retried_now
                a_running_job_cannot_be_retried
                a_retried_job_has_at_least_one_more_attempt
                a_job_that_does_not_run_is_deleted_without_a_trace
                a_running_job_is_not_deleted
                a_queue_is_cleared_of_what_waits_and_nothing_else
                history_is_pruned_when_its_time_is_up
                history_is_pruned_a_bounded_number_at_a_time
                the_errors_of_a_job_that_is_gone_are_pruned
                the_errors_of_a_job_on_the_move_are_kept
                the_errors_of_an_unfinished_job_are_kept_in_every_room
            }
            list {
                jobs_of_all_rooms_are_listed_newest_first
                a_state_picks_its_jobs
                a_queue_and_a_kind_pick_their_jobs
                a_reason_picks_the_jobs_that_are_parked_for_it
                pages_follow_each_other_without_a_gap
                running_jobs_come_in_pages_too
                a_running_job_is_found_behind_many_of_other_queues
                jobs_are_counted_by_queue_and_state
                a_count_says_since_when_the_oldest_ready_job_waits
                running_jobs_are_counted_one_by_one
                a_running_job_shows_how_far_it_is
            }
            outcomes {
                what_a_job_returns_can_be_waited_for
                a_function_that_is_not_async_runs_too
                hundreds_of_jobs_all_complete
                an_error_is_tried_again_after_its_backoff
                a_job_fails_after_its_last_attempt
                a_failed_job_that_is_retried_runs_once_more
                a_panic_is_an_error_and_the_worker_lives
                a_job_may_give_up_although_attempts_are_left
                a_job_may_cancel_itself
                a_job_may_ask_to_be_run_later_at_no_cost
                a_job_without_history_cannot_be_waited_for
                a_job_with_large_arguments_runs
            }
            limits {
                a_job_that_runs_too_long_has_timed_out
                a_job_that_hears_of_its_cancellation_ends_as_it_likes
                a_job_that_does_not_listen_is_stopped_after_a_grace
                a_job_that_was_stopped_and_is_retried_runs_to_its_end
                a_slow_job_does_not_keep_its_neighbours_from_being_settled
            }
            faults {
                whichever_call_goes_wrong_nothing_is_lost_and_nothing_counts_twice
                whichever_call_is_refused_a_job_with_large_arguments_runs_in_the_end
            }
            contract {
                arguments_that_break_a_rule_are_refused_before_they_are_stored
                arguments_that_break_the_contract_are_parked_with_their_place
                a_former_name_runs_as_the_kind_of_today
                a_worker_publishes_what_its_kinds_promise
                an_unknown_kind_is_parked
                an_unknown_kind_runs_when_a_worker_comes_that_knows_it
                a_job_carries_the_version_of_its_arguments
                arguments_of_every_older_version_become_todays
                an_older_version_that_cannot_become_todays_is_parked_with_its_place
                a_newer_version_waits_for_a_worker_that_reads_it
                a_worker_does_not_start_without_the_state_its_jobs_borrow
            }
            hooks {
                on_success_before_run_success_after
                on_an_error_before_run_error_after_and_failure_with_the_last
                a_snooze_is_neither_success_nor_error
                a_job_that_is_parked_was_never_a_success
                hooks_of_the_client_come_before_those_of_the_worker
                a_hook_that_panics_harms_nobody
                layers_lie_around_the_job_the_first_one_outermost
                a_layer_may_stand_in_for_the_job
            }
            queues {
                a_worker_serves_every_queue_unless_it_is_told
                a_worker_serves_only_its_queues
                a_worker_may_serve_all_queues_but_one
                pools_serve_their_queues_side_by_side
                a_worker_runs_only_its_priorities
                jobs_start_by_priority_then_time_then_order_of_enqueue
                a_waiting_worker_hears_of_a_new_job
                a_job_that_no_wake_up_tells_of_is_found_by_looking
                a_queue_that_never_runs_dry_keeps_no_other_waiting
                a_paused_queue_waits_until_it_goes_on
            }
            ends {
                working_off_leaves_what_is_scheduled_for_later
                working_off_includes_what_jobs_enqueue
                a_drain_lets_what_runs_finish
                a_drain_hands_back_what_has_not_begun
                a_job_that_outlasts_the_drain_is_told_to_stop
                a_job_that_does_not_stop_is_interrupted_and_burns_no_attempt
                a_worker_that_drains_keeps_its_lease
                a_job_that_runs_for_longer_than_a_lease_runs_once
                the_jobs_of_a_worker_that_died_run_again
                a_batch_whose_worker_died_is_under_suspicion_and_not_to_blame
                a_suspect_has_a_claim_of_its_own_which_says_that_it_began
                a_job_that_takes_three_workers_down_has_failed
                a_suspect_that_had_not_begun_is_not_charged
                a_worker_that_ends_at_any_moment_spoils_no_connection
                a_worker_that_was_taken_for_dead_begins_anew_and_its_job_runs_again
                a_lease_that_is_lost_once_counts_as_one_crash
            }
        }
    };
}

/// The promises of a database with SQL.
#[doc(hidden)]
#[macro_export]
macro_rules! __sql_promises {
    ($then:ident [$make:expr]) => {
        $crate::$then! {
            [$make]
            transaction {
                jobs_of_a_committed_transaction_are_there
                jobs_of_a_rolled_back_transaction_never_were
                a_key_held_by_a_committed_job_is_seen_within_a_transaction
                callers_may_name_the_same_keys_in_any_order
                an_outcome_is_committed_with_the_callers_own_writes
                an_outcome_is_rolled_back_with_the_callers_own_writes
                a_transaction_cannot_finish_what_another_worker_holds
            }
            schema {
                a_migrated_database_has_the_version_this_program_needs
                migrating_twice_is_migrating_once
                missing_tables_are_told_by_every_verb
                programs_that_start_at_once_may_all_migrate
                tables_of_another_prefix_live_beside_the_usual_ones
                a_prefix_may_hold_the_usual_one
            }
            by_sql {
                a_job_that_sql_enqueues_runs
                options_that_sql_names_hold
                large_arguments_that_sql_enqueues_lie_apart
                what_sql_can_see_is_refused_and_nothing_is_stored
                what_sql_cannot_see_is_parked_by_the_worker
            }
            damage {
                a_claim_that_cannot_be_read_keeps_no_other_from_rescue
                many_claims_that_cannot_be_read_keep_no_other_from_rescue
                a_waiting_row_with_impossible_values_runs_as_its_neighbours_do
                large_arguments_that_cannot_be_read_keep_no_neighbour_waiting
                rows_that_somebody_has_edited_keep_no_claim_by_name_from_the_others
                a_kind_of_any_text_is_carried_through_every_room
            }
            refusals {
                an_outcome_that_is_refused_is_replaced_by_that_fact
                a_job_none_of_whose_outcomes_is_taken_is_set_aside
            }
            effects {
                an_effect_and_its_completion_are_committed_together
                an_effect_that_is_rolled_back_is_an_attempt_that_went_wrong
                an_error_after_the_commit_does_not_run_the_effect_again
                many_effects_are_each_committed_once
                only_a_transactional_kind_may_finish_itself
                an_effect_that_is_rolled_back_is_no_success_for_hooks
            }
        }
    };
}
