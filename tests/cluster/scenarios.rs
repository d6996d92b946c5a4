//! What must be shown, in the order in which it is played: reading, changing, streams, other clients, then faults.

mod reading;
mod changing;
mod streams;
mod forwards;
mod exchange;
mod clients;
mod refused;
mod goaway;
mod handbook;
mod leaks;
mod faults;

use std::pin::Pin;

use anyhow::Result;

use crate::stage::Stage;

/// What a scenario comes to: a remark for its line, or why it failed.
pub(crate) type Played<'a> = Pin<Box<dyn Future<Output = Result<String>> + 'a>>;

/// One thing that must be shown.
pub(crate) struct Scenario {
    /// The sentence it shows.
    pub(crate) name: &'static str,
    pub(crate) act: for<'a> fn(&'a mut Stage) -> Played<'a>,
}

/// The number to prove a thing with, and the one that shows it every day.
pub(crate) fn how_many(full: usize, daily: usize) -> usize {
    let prove = std::env::var_os("TRUNKLINE_PROVE").is_some_and(|value| value == "1");
    if prove { full } else { daily }
}

macro_rules! scenarios {
    ($($module:ident::$name:ident,)*) => {
        &[$(Scenario { name: stringify!($name), act: |stage| Box::pin($module::$name(stage)) },)*]
    };
}

pub(crate) const ALL: &[Scenario] = scenarios![
    reading::every_way_leads_to_the_cluster_that_was_named,
    reading::no_answer_comes_from_the_other_cluster,
    reading::the_cluster_sees_the_same_user,
    reading::get_brings_what_a_direct_get_brings,
    reading::a_list_in_chunks_is_the_list,
    reading::a_viewer_may_read_and_not_delete,
    reading::discovery_and_raw_paths_are_the_same,
    reading::a_watch_brings_the_same_events,
    changing::changes_answer_what_direct_changes_answer,
    changing::an_object_made_through_the_gateway_belongs_to_its_maker,
    streams::logs_are_followed_to_their_end,
    streams::a_followed_log_comes_line_by_line,
    streams::exec_passes_output_errors_and_status,
    streams::exec_passes_standard_input,
    streams::exec_has_a_terminal,
    streams::attach_reaches_the_running_process,
    streams::cp_copies_both_ways,
    forwards::port_forward_carries_several_connections,
    forwards::kubectl_proxy_leads_to_the_cluster,
    exchange::answers_are_the_same_byte_for_byte,
    exchange::protobuf_is_passed_on,
    exchange::compressed_answers_stay_compressed,
    exchange::a_list_of_50_mb_is_the_same,
    exchange::large_requests_meet_the_clusters_own_limits,
    exchange::an_upload_waits_for_100_continue,
    clients::helm_installs_upgrades_and_uninstalls,
    clients::client_go_sees_the_same,
    clients::python_sees_the_same,
    clients::kube_rs_sees_the_same,
    handbook::the_demo_does_what_it_says_and_leaves_nothing,
    handbook::the_page_on_starting_by_hand_works,
    refused::agents_with_bad_papers_are_refused_in_both_logs,
    refused::an_expired_agent_does_not_start_and_would_not_get_in,
    refused::a_revoked_agent_is_cut_off_while_it_is_connected,
    goaway::no_request_is_lost_to_goaway,
    leaks::cancelled_requests_leave_nothing_behind,
    faults::a_killed_agent_is_missed_in_words_and_back_in_5_s,
    faults::a_watch_goes_on_where_a_killed_agent_cut_it,
    faults::a_frozen_agent_is_given_up_and_comes_back,
    faults::a_killed_gateway_has_its_tunnels_back_in_5_s,
    faults::a_stopping_gateway_finishes_what_it_has,
    faults::a_stopping_agent_finishes_what_it_has,
];
