//! What must be shown, in the order in which it is played: reading, changing, streams, other clients, then faults.

mod reading;
mod changing;
mod streams;
mod forwards;
mod exchange;
mod clients;

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

macro_rules! scenarios {
    ($($module:ident::$name:ident,)*) => {
        &[$(Scenario { name: stringify!($name), act: |stage| Box::pin($module::$name(stage)) },)*]
    };
}

pub(crate) const ALL: &[Scenario] = scenarios![
    reading::every_way_leads_to_the_cluster_that_was_named,
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
];
