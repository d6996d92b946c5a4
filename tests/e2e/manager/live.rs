//! The live socket: everything that flows to a tab on one WebSocket, each stream a request of its own.

mod cuts;
mod limits;

use std::time::Duration;

use serde_json::{Value, json};
use trunkline_tests::{Logs, Rig, Tab, eventually};

use super::raised;

const SOON: Duration = Duration::from_secs(15);
const LIVE: &str = "/trunkline/v1/live";
const PROTOCOL: &str = "trunkline.live.v1";

/// A pod's log, followed.
fn follow(cluster: &str) -> String {
    format!("/trunkline/v1/clusters/{cluster}/k8s/api/v1/namespaces/d/pods/p/log?follow=true")
}

/// A watch of a cluster.
fn watch(cluster: &str) -> String {
    format!("/trunkline/v1/clusters/{cluster}/k8s/watch?watch=1")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_a_log_and_the_gateways_own_events_flow_together_on_one_socket() {
    let logs = Logs::capture();
    let (rig, _, mut browser) = raised(Rig::builder().cluster("watched").cluster("followed")).await;
    let mut tab = browser.tab().await;
    let pods = tab.open(&watch("watched")).await;
    let log = tab.open(&follow("followed")).await;
    let fleet = tab.open("/trunkline/v1/clusters?watch=true").await;
    let list = tab.open("/trunkline/v1/clusters/watched/k8s/api/v1/pods").await;
    assert_eq!(tab.hear(pods).await, json!({"begun": pods, "status": 200, "type": "application/json"}));
    assert_eq!(tab.hear(log).await["type"], "text/plain");
    assert_eq!(tab.hear(fleet).await["type"], "text/event-stream");
    let event: Value = serde_json::from_str(&tab.lines(pods).await[0]).unwrap();
    assert_eq!(event["type"], "ADDED");
    assert_eq!(tab.lines(log).await, ["line 0"]);
    rig.upstream("watched").release();
    assert!(tab.lines(pods).await[0].contains("\"at\":1"));
    rig.upstream("followed").release();
    assert_eq!(tab.lines(log).await, ["line 1"]);
    // Of the gateway's own events the payloads alone.
    let mut events = Vec::new();
    while events.len() < 3 {
        events.extend(tab.lines(fleet).await);
    }
    let kinds = events.iter().map(|event| serde_json::from_str::<Value>(event).unwrap()["type"].clone());
    assert_eq!(kinds.collect::<Vec<_>>(), ["added", "added", "synced"]);
    // What ends by itself ends so here.
    tab.begun(list).await;
    assert_eq!(tab.hear(list).await, json!({"lines": list, "data": ["{}"], "bytes": 3}));
    assert_eq!(tab.hear(list).await, json!({"ended": list}));

    // Each is a request as any other: of the same person, with an id of its own, in the access log.
    for (cluster, part) in [("watched", "/watch"), ("followed", "/log")] {
        let seen = rig.upstream(cluster).seen_with(part).pop().unwrap();
        assert_eq!(seen.all("impersonate-user"), ["jane@example.com"]);
        assert_eq!(seen.all("audit-id").len(), 1);
        assert!(seen.all("cookie").is_empty() && seen.all("sec-websocket-protocol").is_empty());
    }
    tab.say(&json!({"close": pods})).await;
    let line = || logs.find(|line| line.field("cluster") == "watched" && line.field("kind") == "watch");
    eventually("the line of the watch", SOON, || line().len() == 1).await;
    assert_eq!(line()[0].field("reason"), "ClientGone");
    assert_eq!(line()[0].field("user"), "jane@example.com");
    drop(tab);
    eventually("all ends with the socket", SOON, || rig.gateway().requests() == 0).await;
}

#[tokio::test]
async fn a_no_is_told_with_its_body_and_every_other_stream_goes_on() {
    let (rig, _, mut browser) = raised(Rig::builder()).await;
    let mut tab = browser.tab().await;
    let log = tab.open(&follow("alpha")).await;
    tab.begun(log).await;
    for (path, status, words) in [
        ("/trunkline/v1/clusters/nowhere/k8s/api", 404, "ClusterNotFound"),
        ("/trunkline/v1/clusters/alpha/k8s/status/410", 410, ""),
        ("/trunkline/v1/clusters/alpha/k8s/api/../x", 400, "BadPath"),
        ("/trunkline/v1/clusters/alpha/k8s/api/v1/namespaces/d/pods/p/exec?command=sh", 403, "AccessDenied"),
        ("/trunkline/v1/clusters/alpha/k8s/fields?content-type=text/html", 502, "AnswerRefused"),
        ("/trunkline/v1/clusters/alpha/k8s/redirect", 302, ""),
        ("/trunkline/v1/nothing", 404, "NotFound"),
        ("/trunkline/v1/audit", 403, "Forbidden"),
        ("/clusters/alpha/api", 400, "Invalid"),
        ("https://localhost/trunkline/v1/clusters", 400, "Invalid"),
        ("/trunkline/v1/live", 400, "Invalid"),
        ("/trunkline/v1/x y", 400, "Invalid"),
        ("", 400, "Invalid"),
    ] {
        let stream = tab.open(path).await;
        let end = tab.hear(stream).await;
        assert_eq!((&end["ended"], &end["status"]), (&json!(stream), &json!(status)), "{path}: {end}");
        assert!(end["body"].as_str().unwrap().contains(words), "{path}: {end}");
    }
    assert!(rig.upstream("alpha").seen_with("exec").is_empty());
    assert_eq!(tab.lines(log).await, ["line 0"]);
}

#[tokio::test]
async fn a_token_and_a_certificate_open_a_live_socket_as_well() {
    let (rig, issuer, _) = raised(Rig::builder()).await;
    let token = issuer.token();
    for client in [rig.client(), rig.client_showing(None).bearing(&token)] {
        let mut tab = Tab::of(&client).await;
        let log = tab.open(&follow("alpha")).await;
        tab.begun(log).await;
        assert_eq!(tab.lines(log).await, ["line 0"]);
    }
}

#[tokio::test]
async fn t17_a_page_of_another_origin_and_one_that_has_the_cookie_alone_open_no_live_socket() {
    let (rig, _, mut browser) = raised(Rig::builder()).await;
    let csrf = format!("trunkline.csrf.{}", browser.csrf().await);
    let own = Some("https://localhost");
    let both: &[&str] = &[PROTOCOL, &csrf];
    for (origin, protocols) in [
        (None, both),
        (Some("null"), both),
        (Some("https://evil.test"), both),
        (Some("https://localhost:1"), both),
        (Some("https://a.localhost"), both),
        (Some("http://localhost"), both),
        (own, &[][..]),
        (own, &[PROTOCOL]),
        (own, &[PROTOCOL, "trunkline.csrf."]),
        (own, &[PROTOCOL, "trunkline.csrf.guess"]),
        (own, &[PROTOCOL, "trunkline.csrf.guess", &csrf]),
        (None, &[]),
    ] {
        let no = browser.websocket(LIVE, origin, protocols).await.unwrap_err();
        assert_eq!(no, 403, "{origin:?} {protocols:?}");
    }
    for (protocols, status) in [(&[csrf.as_str()][..], 400), (&["trunkline.live.v2", &csrf][..], 400)] {
        assert_eq!(browser.websocket(LIVE, own, protocols).await.unwrap_err(), status, "{protocols:?}");
    }
    browser.cookies.clear();
    assert_eq!(browser.websocket(LIVE, own, both).await.unwrap_err(), 401, "nobody's");
    assert_eq!(rig.client().get(LIVE).await.status, 400, "it is no page to look at");
    assert_eq!(rig.upstream("alpha").count(), 0);
}
