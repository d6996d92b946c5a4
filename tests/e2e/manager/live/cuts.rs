//! What is cut says why, and when: a stream by its cluster and its rule, a socket by its session and its gateway.

use std::time::{Duration, Instant};

use http::{Method, Request};
use serde_json::{Value, json};
use trunkline_runtime::empty;
use trunkline_tests::{Browser, Rig, Tab, eventually, pass, within};

use super::{SOON, follow, raised, watch};

/// What is promised.
const AT_ONCE: Duration = Duration::from_secs(1);

/// A rule by which jane may read, of which clusters.
fn rule(names: &Value) -> Value {
    let spec = json!({"subjects": {"users": ["jane"]}, "clusters": {"names": names}, "role": "viewer"});
    json!({"name": "janes", "spec": spec})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_of_a_locked_cluster_are_cut_in_words_and_those_of_others_go_on() {
    let rig = Rig::builder().cluster("alpha").cluster("beta").enrolling().start().await;
    let mut tab = Tab::of(&rig.client()).await;
    let mut streams = Vec::new();
    for path in [watch("alpha"), follow("alpha"), watch("beta"), follow("beta")] {
        let stream = tab.open(&path).await;
        tab.begun(stream).await;
        tab.lines(stream).await;
        streams.push(stream);
    }
    let began = Instant::now();
    let reply = rig.admin().post("/trunkline/v1/clusters/alpha/lock", &json!({})).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    for stream in &streams[..2] {
        let end = tab.end(*stream).await;
        assert_eq!(end["reason"], "ClusterLocked", "{end}");
        assert_eq!(end["why"], "the cluster was locked", "{end}");
    }
    assert!(began.elapsed() < AT_ONCE, "{:?}", began.elapsed());
    rig.upstream("beta").release();
    assert!(tab.lines(streams[2]).await[0].contains("\"at\":1"));
    assert_eq!(tab.lines(streams[3]).await, ["line 1"]);
    let again = tab.open(&watch("alpha")).await;
    let end = tab.hear(again).await;
    assert!(end["body"].as_str().unwrap().contains("ClusterLocked"), "{end}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t15_a_stream_ends_with_the_rule_it_stands_on_whether_the_page_takes_it_or_not() {
    let rig = Rig::builder().cluster("alpha").enrolling().access(&[]).start().await;
    let admin = rig.admin();
    let path = "/trunkline/v1/access/rules/janes";
    let reply = admin.send_json(Method::PUT, path, &rule(&json!(["alpha"]))).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let mut tab = Tab::of(&rig.client()).await;
    tab.giving = false;
    let log = tab.open(&follow("alpha")).await;
    tab.begun(log).await;
    let stuck = tab.open("/trunkline/v1/clusters/alpha/k8s/lines/1000000").await;
    tab.begun(stuck).await;
    let mut bytes = 0;
    while bytes < 256 * 1024 {
        bytes += tab.hear(stuck).await["bytes"].as_u64().unwrap();
    }
    let began = Instant::now();
    let reply = admin.send(Request::delete(path).body(empty()).unwrap()).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    for stream in [log, stuck] {
        assert_eq!(tab.end(stream).await["reason"], "AccessRevoked");
    }
    assert!(began.elapsed() < AT_ONCE, "{:?}", began.elapsed());
    eventually("the socket alone is under way", SOON, || rig.gateway().requests() == 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t15_a_socket_ends_with_its_session_and_says_by_whom_it_was_ended() {
    let (rig, _, mut browser) = raised(Rig::builder()).await;
    let mut tab = browser.tab().await;
    let log = tab.open(&follow("alpha")).await;
    tab.begun(log).await;
    let session = browser.get("/trunkline/v1/auth/session").await.json()["session"].clone();
    let path = format!("/trunkline/v1/sessions/{}/end", session.as_str().unwrap());
    let began = Instant::now();
    let reply = rig.admin().post(&path, &json!({"reason": "left the company"})).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let (code, reason) = tab.until_closed().await;
    assert!(began.elapsed() < AT_ONCE, "{:?}", began.elapsed());
    assert_eq!(code, 4401, "{reason}");
    assert!(reason.contains("root") && reason.contains("left the company"), "{reason}");
    eventually("nothing is under way", SOON, || rig.gateway().requests() == 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tunnel_that_breaks_is_told_and_the_socket_stays() {
    let mut rig = Rig::start().await;
    let mut tab = Tab::of(&rig.client()).await;
    let (pods, log) = (tab.open(&watch("alpha")).await, tab.open(&follow("alpha")).await);
    for stream in [pods, log] {
        tab.begun(stream).await;
        tab.lines(stream).await;
    }
    rig.cut_agent("alpha").await;
    for stream in [pods, log] {
        let end = tab.end(stream).await;
        assert_eq!(end["reason"], "TunnelLost", "{end}");
        assert!(!end["why"].as_str().unwrap().is_empty(), "{end}");
    }
    let status = tab.open("/trunkline/v1/status").await;
    tab.begun(status).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_that_drains_sends_its_tabs_elsewhere() {
    let mut rig = Rig::builder().drain_seconds(10).start().await;
    let mut tab = Tab::of(&rig.client()).await;
    let log = tab.open(&follow("alpha")).await;
    tab.begun(log).await;
    let gateway = rig.take_gateway(0).unwrap();
    let began = Instant::now();
    let (closed, ()) = tokio::join!(tab.until_closed(), gateway.drain());
    assert_eq!(closed.0, 1001, "{}", closed.1);
    assert!(began.elapsed() < Duration::from_secs(5), "a tab holds up no drain: {:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_is_signed_out_opens_no_further_stream() {
    let (rig, _, mut browser) = raised(Rig::builder()).await;
    let mut tab = browser.tab().await;
    let reply = browser.act(Method::POST, "/trunkline/v1/auth/logout", None).await;
    assert_eq!(reply.status, 204, "{}", reply.text());
    let (code, _) = within("the socket is closed", SOON, tab.until_closed()).await;
    assert_eq!(code, 4401);
    assert_eq!(rig.upstream("alpha").count(), 0);
}

#[tokio::test]
async fn t15_a_socket_whose_session_is_no_more_is_closed_at_the_next_heartbeat() {
    let (rig, _, mut browser) = raised(Rig::builder().without_agents()).await;
    let mut tab = browser.tab().await;
    let status = tab.open("/trunkline/v1/status").await;
    tab.end(status).await;
    // One user has 32 sessions, and whoever was idle longest goes.
    for _ in 0..32 {
        assert_eq!(Browser::new(&rig).sign_in().await.status, 303);
    }
    let status = tab.open("/trunkline/v1/status").await;
    assert_eq!(tab.end(status).await["status"], 401, "nothing is begun any more");
    pass(Duration::from_secs(15)).await;
    let (code, reason) = tab.until_closed().await;
    assert_eq!(code, 4401, "{reason}");
}

#[tokio::test]
async fn a_page_that_answers_no_heartbeat_is_gone() {
    let rig = Rig::builder().without_agents().start().await;
    let tab = Tab::of(&rig.client()).await;
    eventually("the socket is open", SOON, || rig.gateway().requests() == 1).await;
    for _ in 0..4 {
        pass(Duration::from_secs(15)).await;
        // Nobody reads at the page's end, and so nobody answers.
        tokio::task::yield_now().await;
    }
    eventually("the socket is gone", SOON, || rig.gateway().requests() == 0).await;
    drop(tab);
}
