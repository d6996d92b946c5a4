//! What must be shown, in the order in which it is played: reading, changing, streams, other clients, then faults.

mod reading;
mod changing;
mod streams;
mod forwards;
mod exchange;
mod clients;
mod refused;
mod doors;
mod goaway;
mod handbook;
mod charts;
mod signing_in;
mod pass_through;
mod pods;
mod manager;
mod types;
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

pub(crate) const ALL: &[Scenario] = &[
    Scenario {
        name: "every_way_leads_to_the_cluster_that_was_named",
        act: |stage| Box::pin(reading::every_way_leads_to_the_cluster_that_was_named(stage)),
    },
    Scenario {
        name: "t06_no_answer_comes_from_the_other_cluster",
        act: |stage| Box::pin(reading::no_answer_comes_from_the_other_cluster(stage)),
    },
    Scenario {
        name: "the_cluster_sees_the_same_user",
        act: |stage| Box::pin(reading::the_cluster_sees_the_same_user(stage)),
    },
    Scenario {
        name: "get_brings_what_a_direct_get_brings",
        act: |stage| Box::pin(reading::get_brings_what_a_direct_get_brings(stage)),
    },
    Scenario {
        name: "a_list_in_chunks_is_the_list",
        act: |stage| Box::pin(reading::a_list_in_chunks_is_the_list(stage)),
    },
    Scenario {
        name: "a_viewer_may_read_and_not_delete",
        act: |stage| Box::pin(reading::a_viewer_may_read_and_not_delete(stage)),
    },
    Scenario {
        name: "discovery_and_raw_paths_are_the_same",
        act: |stage| Box::pin(reading::discovery_and_raw_paths_are_the_same(stage)),
    },
    Scenario {
        name: "a_watch_brings_the_same_events",
        act: |stage| Box::pin(reading::a_watch_brings_the_same_events(stage)),
    },
    Scenario {
        name: "changes_answer_what_direct_changes_answer",
        act: |stage| Box::pin(changing::changes_answer_what_direct_changes_answer(stage)),
    },
    Scenario {
        name: "an_object_made_through_the_gateway_belongs_to_its_maker",
        act: |stage| Box::pin(changing::an_object_made_through_the_gateway_belongs_to_its_maker(stage)),
    },
    Scenario {
        name: "logs_are_followed_to_their_end",
        act: |stage| Box::pin(streams::logs_are_followed_to_their_end(stage)),
    },
    Scenario {
        name: "a_followed_log_comes_line_by_line",
        act: |stage| Box::pin(streams::a_followed_log_comes_line_by_line(stage)),
    },
    Scenario {
        name: "exec_passes_output_errors_and_status",
        act: |stage| Box::pin(streams::exec_passes_output_errors_and_status(stage)),
    },
    Scenario {
        name: "exec_passes_standard_input",
        act: |stage| Box::pin(streams::exec_passes_standard_input(stage)),
    },
    Scenario { name: "exec_has_a_terminal", act: |stage| Box::pin(streams::exec_has_a_terminal(stage)) },
    Scenario {
        name: "attach_reaches_the_running_process",
        act: |stage| Box::pin(streams::attach_reaches_the_running_process(stage)),
    },
    Scenario { name: "cp_copies_both_ways", act: |stage| Box::pin(streams::cp_copies_both_ways(stage)) },
    Scenario {
        name: "port_forward_carries_several_connections",
        act: |stage| Box::pin(forwards::port_forward_carries_several_connections(stage)),
    },
    Scenario {
        name: "kubectl_proxy_leads_to_the_cluster",
        act: |stage| Box::pin(forwards::kubectl_proxy_leads_to_the_cluster(stage)),
    },
    Scenario {
        name: "answers_are_the_same_byte_for_byte",
        act: |stage| Box::pin(exchange::answers_are_the_same_byte_for_byte(stage)),
    },
    Scenario { name: "protobuf_is_passed_on", act: |stage| Box::pin(exchange::protobuf_is_passed_on(stage)) },
    Scenario {
        name: "compressed_answers_stay_compressed",
        act: |stage| Box::pin(exchange::compressed_answers_stay_compressed(stage)),
    },
    Scenario {
        name: "a_list_of_50_mb_is_the_same",
        act: |stage| Box::pin(exchange::a_list_of_50_mb_is_the_same(stage)),
    },
    Scenario {
        name: "large_requests_meet_the_clusters_own_limits",
        act: |stage| Box::pin(exchange::large_requests_meet_the_clusters_own_limits(stage)),
    },
    Scenario {
        name: "an_object_of_3_mib_is_the_same",
        act: |stage| Box::pin(exchange::an_object_of_3_mib_is_the_same(stage)),
    },
    Scenario {
        name: "an_upload_waits_for_100_continue",
        act: |stage| Box::pin(exchange::an_upload_waits_for_100_continue(stage)),
    },
    Scenario {
        name: "helm_installs_upgrades_and_uninstalls",
        act: |stage| Box::pin(clients::helm_installs_upgrades_and_uninstalls(stage)),
    },
    Scenario {
        name: "client_go_sees_the_same",
        act: |stage| Box::pin(clients::client_go_sees_the_same(stage)),
    },
    Scenario { name: "python_sees_the_same", act: |stage| Box::pin(clients::python_sees_the_same(stage)) },
    Scenario { name: "kube_rs_sees_the_same", act: |stage| Box::pin(clients::kube_rs_sees_the_same(stage)) },
    Scenario {
        name: "the_demo_does_what_it_says_and_leaves_nothing",
        act: |stage| Box::pin(handbook::the_demo_does_what_it_says_and_leaves_nothing(stage)),
    },
    Scenario {
        name: "the_page_on_starting_by_hand_works",
        act: |stage| Box::pin(handbook::the_page_on_starting_by_hand_works(stage)),
    },
    Scenario {
        name: "helm_makes_the_objects_of_the_manifest",
        act: |stage| Box::pin(charts::helm_makes_the_objects_of_the_manifest(stage)),
    },
    Scenario {
        name: "a_chart_without_groups_gives_the_right_to_none",
        act: |stage| Box::pin(charts::a_chart_without_groups_gives_the_right_to_none(stage)),
    },
    Scenario {
        name: "the_gateways_chart_is_clean",
        act: |stage| Box::pin(charts::the_gateways_chart_is_clean(stage)),
    },
    Scenario {
        name: "a_browser_works_in_two_real_clusters",
        act: |stage| Box::pin(manager::a_browser_works_in_two_real_clusters(stage)),
    },
    Scenario {
        name: "a_manifest_and_a_chart_make_pods_that_need_one_token",
        act: |stage| Box::pin(pods::a_manifest_and_a_chart_make_pods_that_need_one_token(stage)),
    },
    Scenario {
        name: "a_cluster_changes_its_type_both_ways",
        act: |stage| Box::pin(types::a_cluster_changes_its_type_both_ways(stage)),
    },
    Scenario {
        name: "somebody_signs_in_with_a_browser_and_uses_kubectl",
        act: |stage| Box::pin(signing_in::somebody_signs_in_with_a_browser_and_uses_kubectl(stage)),
    },
    Scenario {
        name: "a_service_accounts_token_goes_through_an_agent_without_a_right",
        act: |stage| {
            Box::pin(pass_through::a_service_accounts_token_goes_through_an_agent_without_a_right(stage))
        },
    },
    Scenario {
        name: "agents_with_bad_papers_are_refused_in_both_logs",
        act: |stage| Box::pin(refused::agents_with_bad_papers_are_refused_in_both_logs(stage)),
    },
    Scenario {
        name: "an_expired_agent_does_not_start_and_would_not_get_in",
        act: |stage| Box::pin(refused::an_expired_agent_does_not_start_and_would_not_get_in(stage)),
    },
    Scenario {
        name: "a_revoked_agent_is_cut_off_while_it_is_connected",
        act: |stage| Box::pin(refused::a_revoked_agent_is_cut_off_while_it_is_connected(stage)),
    },
    Scenario {
        name: "t26_the_front_door_passes_h2spec_in_full",
        act: |stage| Box::pin(doors::t26_the_front_door_passes_h2spec_in_full(stage)),
    },
    Scenario {
        name: "t13_a_scanner_finds_tls_1_2_with_modern_suites_at_the_front_and_1_3_alone_at_the_tunnel_door",
        act: |stage| {
            Box::pin(doors::t13_a_scanner_finds_tls_1_2_with_modern_suites_at_the_front_and_1_3_alone_at_the_tunnel_door(stage))
        },
    },
    Scenario {
        name: "no_request_is_lost_to_goaway",
        act: |stage| Box::pin(goaway::no_request_is_lost_to_goaway(stage)),
    },
    Scenario {
        name: "cancelled_requests_leave_nothing_behind",
        act: |stage| Box::pin(leaks::cancelled_requests_leave_nothing_behind(stage)),
    },
    Scenario {
        name: "a_killed_agent_is_missed_in_words_and_back_in_5_s",
        act: |stage| Box::pin(faults::a_killed_agent_is_missed_in_words_and_back_in_5_s(stage)),
    },
    Scenario {
        name: "a_watch_goes_on_where_a_killed_agent_cut_it",
        act: |stage| Box::pin(faults::a_watch_goes_on_where_a_killed_agent_cut_it(stage)),
    },
    Scenario {
        name: "a_frozen_agent_is_given_up_and_comes_back",
        act: |stage| Box::pin(faults::a_frozen_agent_is_given_up_and_comes_back(stage)),
    },
    Scenario {
        name: "t40_a_killed_gateway_has_its_tunnels_back_in_5_s",
        act: |stage| Box::pin(faults::a_killed_gateway_has_its_tunnels_back_in_5_s(stage)),
    },
    Scenario {
        name: "a_stopping_gateway_finishes_what_it_has",
        act: |stage| Box::pin(faults::a_stopping_gateway_finishes_what_it_has(stage)),
    },
    Scenario {
        name: "a_stopping_agent_finishes_what_it_has",
        act: |stage| Box::pin(faults::a_stopping_agent_finishes_what_it_has(stage)),
    },
];
