//! What every store promises, a file for each of its ports. An adapter says how to keep an installation
//! ([`Installation`]) and takes all cases with [`crate::store_contract`].
//!
//! The cases decide as the loops do: they load, let `step` decide, and offer what follows.

pub mod access;
pub mod accounts;
pub mod beats;
pub mod catalog;
pub mod deliveries;
pub mod hearing;
pub mod incidents;
pub mod leases;
pub mod outcomes;
mod rig;
pub mod states;
pub mod timers;

use crate::clock::ManualClock;
use bw_domain::port::Fut;
use bw_domain::port::store::Store;

pub use rig::Rig;

/// Where an adapter keeps one installation for one case: empty at first, with the clock at `builders::START`.
pub trait Installation: Send + Sync {
    /// The store's clock.
    fn clock(&self) -> &ManualClock;

    /// Starts a process on the installation; the cases have one at a time.
    fn start(&self) -> Fut<'_, Store>;

    /// The process ends in order.
    fn stop(&self, store: Store) -> Fut<'_, ()>;

    /// The process ends at once: nothing that it had only in memory is there for the next.
    fn kill(&self, store: Store) -> Fut<'_, ()>;

    /// Whether several processes may be on it at a time. Then what a process had leased stays leased for its term when
    /// it dies: nobody can tell that it is dead. Where there is one process, its successor owns everything at once.
    fn is_shared(&self) -> bool;

    /// Whether this text is anywhere in what the installation has stored.
    fn stores_text(&self, text: &str) -> bool;
}

/// Makes every case of the contract a test of its own: `store_contract!(Directory::new());`
#[macro_export]
macro_rules! store_contract {
    ($new:expr) => {
        $crate::store_contract! { $new;
            states {
                a_commit_moves_the_rows
                a_decision_on_rows_that_moved_is_left_out
                what_conflicts_is_left_out_and_the_rest_is_committed
                twice_is_once
                a_late_failure_counts_nothing_in_either_order
                an_outcome_of_an_earlier_revision_is_recorded_once
                another_cadence_forgets_nothing
                two_vantages_cannot_both_decide_from_half_of_the_votes
                a_monitor_that_is_gone
                everything_of_a_commit_or_nothing
                whatever_a_target_says_can_be_stored
                a_restart_changes_nothing
            }
            catalog {
                a_monitor_counts_after_the_lead
                the_feed_is_in_the_order_of_the_edits
                from_the_beginning_comes_what_still_counts
                whoever_edits_an_old_revision_is_told
                all_edits_or_none
                names_are_unique_among_the_living_of_an_owner
                a_new_monitor_is_looked_at_at_once
                the_consequence_of_an_edit_is_part_of_it
                actions_come_and_go
                secrets_are_sealed
                declarations_come_back_as_they_were
                the_file_that_was_applied_is_remembered
            }
            outcomes {
                a_range_is_newest_first
                a_range_has_filters
                what_is_known
                evidence_belongs_to_its_incident
                evidence_is_bounded
                the_certificate_that_was_seen_last
                changes_of_health
                old_periods_go
                the_history_of_a_deleted_monitor_stays
            }
            incidents {
                spare_ids_differ
                an_incident_opens_and_closes_with_its_monitor
                lists_are_paged
                people_change_incidents
                a_timeline_is_bounded
            }
            deliveries {
                an_event_is_written_once
                an_event_is_routed_once
                a_chain_goes_out_in_order
                what_the_heartbeat_service_tells_at_a_time_is_one_chain
                what_is_leased_is_leased_once
                an_attempt_that_failed_comes_again
                an_attempt_that_was_cut_off_is_unknown
                lists_are_newest_first
                what_waits_for_an_action_that_is_gone_is_abandoned
                timelines_hear_of_deliveries
            }
            timers {
                a_timer_is_that_of_its_state
                timers_survive_a_restart
            }
            leases {
                one_node_takes_all
                nodes_share
                epochs_grow_with_every_change
                the_shards_of_a_process_that_died_are_free_in_time
            }
            accounts {
                marks_begin_at_the_first_start
                marks_move_forward_only
                a_lost_shard_moves_nothing
                a_gap_accounts_for_its_slots
            }
            beats {
                a_beat_is_kept_and_counted
                a_batch_is_taken_in_order
                whatever_a_client_says_can_be_stored
                what_has_ended_takes_no_beats
                what_is_no_beat_is_refused
                a_decision_is_fenced_by_the_count
                an_edit_wants_a_decision
                what_is_due_comes_in_order
                lists_are_newest_first
                the_tail_loses_nothing
                old_beats_go_and_numbers_go_on
                what_was_answered_is_there_after_a_kill
                several_of_healthchecks_share_a_slug
            }
            hearing {
                time_in_which_nobody_heard_is_deaf
                what_is_heard_is_the_least_of_all
                a_node_that_is_silent_is_not_waited_for
                deafness_is_told_with_what_is_heard
                a_short_silence_is_nobodys_fault
            }
            access {
                tokens_are_kept_and_revoked
                sessions_begin_and_end
            }
        }
    };
    ($new:expr; $($port:ident { $($case:ident)* })*) => {$(
        mod $port {
            #[allow(unused_imports, reason = "what `$new` needs is at hand in the module outside")]
            use super::*;
            $(
                #[tokio::test]
                async fn $case() {
                    $crate::contract::store::$port::$case(&$new).await;
                }
            )*
        }
    )*};
}
