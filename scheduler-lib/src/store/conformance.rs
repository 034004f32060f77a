//! What every [`SlotStore`](super::SlotStore) promises, as tests that run over any of them.
//!
//! Time passes by arguments only. The fixture is an async function that is given a case, opens an
//! empty store whose cursor stands at [`START_MS`], runs the case on it, and clears up:
//!
//! ```
//! use std::sync::Arc;
//! use polling_model::SlotRing;
//! use scheduler_lib::store::{MemoryStore, SharedStore, conformance::START_MS};
//!
//! async fn on_a_fresh_store(case: impl AsyncFnOnce(SharedStore)) {
//!     case(Arc::new(MemoryStore::new(SlotRing::MINUTES, START_MS))).await;
//! }
//!
//! scheduler_lib::store_conformance! {
//!     #[tokio::test]
//!     on_a_fresh_store
//! }
//! ```

pub mod draining;
pub mod holding;
pub mod importing;
pub mod keeping;
pub mod noting;
pub mod postponing;
pub mod reaping;
pub mod registering;
pub mod remembering;
mod scene;
pub mod settling;

/// When each case begins, UTC milliseconds: at the start of a minute in November 2023.
pub const START_MS: i64 = 1_700_000_040_000;

/// One test for each promise, over the fixture at a path.
#[macro_export]
macro_rules! store_conformance {
    ($(#[$attribute:meta])* $fixture:path) => {
        $crate::store_conformance! { @cases [$(#[$attribute])*] $fixture;
            registering: {
                a_registered_job_waits_in_its_slot,
                many_jobs_are_registered_at_once,
                registering_again_changes_nothing,
                of_two_slots_the_emptier_is_taken,
                what_was_due_is_placed_after_the_cursor,
                a_removed_job_leaves_nothing_behind,
                an_update_places_a_waiting_job_sooner_and_never_later,
                edits_that_keep_coming_do_not_postpone_a_job,
                a_job_does_not_crowd_itself_out,
                an_update_in_flight_changes_the_rules_only,
                a_replaced_context_begins_a_new_life,
                edits_of_unknown_jobs_say_so,
            }
            draining: {
                a_drain_takes_what_is_due_and_no_more,
                each_drain_gives_a_new_token,
                a_drained_job_is_not_drained_again,
                a_drain_is_bounded,
                a_slot_is_drained_over_its_width,
                jobs_whose_poll_brought_nothing_get_other_neighbours,
                missed_slots_are_drained_in_order,
                concurrent_drains_share_no_job,
                the_deadline_goes_by_the_job_type,
                what_is_due_beyond_the_ring_waits_later,
                a_long_absence_promotes_in_time,
                a_clock_behind_the_cursor_drains_nothing,
                the_cursor_never_goes_back,
            }
            settling: {
                a_completion_is_accepted_once,
                a_completion_of_another_drain_is_stale,
                a_completion_of_another_life_is_told_apart,
                an_edit_makes_the_decision_be_made_again,
                each_edit_has_a_revision_of_its_own,
                a_completion_without_a_context_keeps_the_old,
                a_job_may_leave_with_its_completion,
                now_means_the_drain_that_runs,
                strikes_lead_to_quarantine,
                stale_dead_letters_are_strikes,
                a_completion_clears_strikes,
                a_batch_is_answered_in_order,
            }
            holding: {
                a_paused_job_is_not_drained,
                a_job_that_waits_is_moved_to_any_time,
                a_stopped_channel_drains_nothing_until_it_goes_on,
                a_completion_while_paused_updates_and_stays,
                a_resumed_job_is_placed_anew,
                a_completion_may_hold,
                a_refused_job_is_held_only_under_its_token,
                a_job_runs_now_from_wherever_it_waits,
                in_flight_a_run_is_asked_for,
                a_drain_fulfils_the_run_that_was_asked_for,
                running_a_quarantined_job_clears_its_strikes,
                held_jobs_are_removed_like_others,
            }
            reaping: {
                a_lease_lasts_until_its_deadline,
                a_reaped_job_still_takes_its_completion,
                after_the_next_drain_the_old_token_is_spent,
                reaping_is_bounded,
            }
            postponing: {
                a_postponed_job_waits_anew_and_its_token_is_spent,
                postponing_again_changes_nothing,
                a_job_that_is_not_in_flight_is_not_postponed,
                a_job_of_another_life_is_not_postponed,
                a_run_asked_for_meanwhile_comes_at_once,
                a_job_may_be_postponed_to_any_time,
                a_claimed_note_sends_nothing_that_was_postponed,
                more_jobs_than_a_chunk_are_postponed,
            }
            noting: {
                an_open_note_is_claimed_once,
                a_note_is_gone_when_all_is_sent,
                a_claim_returns_only_jobs_in_flight_under_the_note,
                with_enough_open_notes_nothing_is_drained,
            }
            remembering: {
                a_job_is_bound_to_the_scopes_that_it_was_told_last,
                a_jobs_activity_is_kept,
                scopes_and_activity_outlast_every_other_step,
                a_record_tells_its_last_placements,
                reasons_are_bounded_in_number_and_size,
                the_same_reason_again_only_moves_its_time,
                a_reason_is_one_line_within_its_bound,
            }
            importing: {
                a_job_comes_out_of_a_store_as_it_came_into_it,
                an_existing_job_is_not_imported,
                a_job_that_was_in_flight_is_due_when_that_ends,
                an_imported_job_is_placed_by_when_it_is_due,
                more_jobs_than_a_chunk_are_imported,
            }
            keeping: {
                all_jobs_are_listed_in_pages,
                a_page_that_begins_nowhere_is_refused,
                held_jobs_are_listed_alone,
                states_are_loaded_in_the_order_asked_for,
                loads_are_told_slot_by_slot,
                what_is_due_soon_is_told_by_type,
                a_healthy_store_needs_no_repair,
                jobs_add_up_whatever_happens_at_once,
                undecodable_messages_are_kept_once_and_bounded,
                an_undecodable_message_is_found_and_forgotten,
                bursts_are_kept_newest_first_and_bounded,
                long_reasons_and_contexts_survive,
            }
        }
    };
    (@cases $attributes:tt $fixture:path; $($module:ident: $cases:tt)*) => {
        $( $crate::store_conformance! { @module $attributes $fixture; $module $cases } )*
    };
    (@module $attributes:tt $fixture:path; $module:ident { $($case:ident,)* }) => {
        $( $crate::store_conformance! { @test $attributes $fixture; $module $case } )*
    };
    (@test [$(#[$attribute:meta])*] $fixture:path; $module:ident $case:ident) => {
        $(#[$attribute])*
        async fn $case() {
            $fixture($crate::store::conformance::$module::$case).await;
        }
    };
}
