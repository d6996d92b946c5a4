//! `trunkline clusters --watch`: what is there, then what changes, whatever becomes of the stream.

use serde_json::Value;
use trunkline_api::ClusterState;

use crate::desk::Desk;

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_prints_what_is_there_and_then_each_change() {
    let desk = Desk::signed_in().await;
    desk.gateway.has("alpha", ClusterState::Connected);
    desk.gateway.has("beta", ClusterState::Joining);
    let mut watch = desk.start(&["clusters", "--watch"]);
    assert!(watch.prints().await.starts_with("NAME"));
    assert!(watch.prints().await.starts_with("alpha"));
    assert!(watch.prints().await.starts_with("beta    joining"));
    desk.gateway.has("beta", ClusterState::Connected);
    assert!(watch.prints().await.starts_with("beta    connected"));
    desk.gateway.lose("alpha");
    assert!(watch.prints().await.starts_with("alpha   removed"));
    watch.interrupt();
    let (code, said) = watch.ends().await;
    assert_eq!((code, said.as_str()), (Some(130), ""), "whoever stops a watch is told nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_ends_is_opened_again_and_nothing_is_told_twice_or_lost() {
    let desk = Desk::signed_in().await;
    desk.gateway.has("alpha", ClusterState::Connected);
    desk.gateway.has("beta", ClusterState::Connected);
    let mut watch = desk.start(&["clusters", "--watch", "-o", "json"]);
    let event = |line: String| {
        let event: Value = serde_json::from_str(&line).unwrap();
        (
            event["type"].as_str().unwrap().to_owned(),
            event["cluster"]["metadata"]["name"].as_str().unwrap().to_owned(),
        )
    };
    for name in ["alpha", "beta"] {
        assert_eq!(event(watch.prints().await), ("added".into(), name.into()));
    }
    desk.gateway.cut_watches();
    desk.gateway.lose_quietly("alpha");
    desk.gateway.has("gamma", ClusterState::Joining);
    // Told in any order: what came while nobody listened, and what went.
    let mut told = [event(watch.prints().await), event(watch.prints().await)];
    told.sort();
    assert_eq!(told, [("modified".into(), "gamma".into()), ("removed".into(), "alpha".into())]);
    assert!(desk.gateway.watches() >= 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_of_names_and_of_yaml_is_for_programs() {
    let desk = Desk::signed_in().await;
    desk.gateway.has("alpha", ClusterState::Connected);
    let mut names = desk.start(&["clusters", "-w", "-o", "name"]);
    assert_eq!(names.prints().await, "alpha");
    let mut yaml = desk.start(&["clusters", "-w", "-o", "yaml"]);
    assert_eq!(yaml.prints().await, "---");
}
