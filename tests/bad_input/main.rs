//! What is put in by mistake or on purpose: configurations, certificates, flags, ids, paths, headers.
//!
//! Every case has a name and the words that its answer must hold: what is wrong, where, and what to do. A wrong
//! file or flag ends the command with status 1 or 2; a wrong request is answered with a `Status` and reaches no
//! cluster. Nothing panics.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail by panic anywhere")]

mod binary;
mod gateway_files;
mod agent_files;
mod certificates;
mod kubeconfigs;
mod commands;
mod requests;
mod live_file;

#[test]
fn there_are_at_least_two_hundred_cases() {
    let counts = [
        gateway_files::count(),
        agent_files::count(),
        certificates::count(),
        kubeconfigs::count(),
        commands::count(),
        requests::count(),
        live_file::count(),
    ];
    let total: usize = counts.iter().sum();
    println!("{total} cases: {counts:?}");
    assert!(total >= 200, "{total} cases");
}
