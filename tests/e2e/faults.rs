//! Agents that are away, go away and come back.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use http::Request;
use http_body_util::BodyExt as _;
use trunkline_runtime::{Tasks, empty};
use trunkline_tests::{Logs, Rig, eventually, pass, within};

const SOON: Duration = Duration::from_secs(10);

#[tokio::test]
async fn a_cluster_that_was_never_there_is_a_503_at_once() {
    let rig = Rig::builder().without_agents().start().await;
    pass(Duration::from_secs(31)).await;
    let began = Instant::now();
    let reply = rig.client().get("/clusters/alpha/api").await;
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    assert_eq!((reply.status.as_u16(), reply.reason().as_str()), (503, "ClusterDisconnected"));
    assert_eq!(reply.field("retry-after"), "", "client-go would ask again ten times before it says a word");
    let status = reply.json();
    assert_eq!(status["details"]["name"], "alpha");
    assert!(status["message"].as_str().unwrap().contains("not seen since this gateway started"), "{status}");
    // kubectl's first question: there it repeats plain text and nothing else.
    let mut connection = rig.client().http1().await;
    let discovery = Request::get("/clusters/alpha/apis")
        .header(
            "accept",
            "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json",
        )
        .body(empty())
        .unwrap();
    let reply = connection.whole(discovery).await.unwrap();
    assert_eq!(reply.status, 503);
    assert!(reply.field("content-type").starts_with("text/plain"), "{}", reply.field("content-type"));
    assert!(reply.text().contains("cluster alpha is not connected"), "{}", reply.text());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn requests_wait_for_a_cluster_that_was_there_a_moment_ago_and_are_all_served() {
    let mut rig = Rig::start().await;
    // Each round is a race between the waiting requests and the agent's own bookkeeping.
    for round in 0..10 {
        rig.cut_agent("alpha").await;
        rig.wait_for_links(0).await;
        let client = rig.client();
        let tasks = Tasks::new();
        let waiting: Vec<_> = (0..20)
            .map(|at| {
                let client = client.clone();
                tasks.spawn(async move { client.get(&format!("/clusters/alpha/api/{round}/{at}")).await })
            })
            .collect();
        eventually("they wait", SOON, || rig.gateway().requests() == 20).await;
        rig.start_agent("alpha").await;
        for reply in join_all(waiting).await {
            let reply = reply.unwrap();
            assert_eq!(reply.status, 200, "round {round}: {}", reply.text());
        }
    }
}

#[tokio::test]
async fn a_cluster_that_does_not_come_back_is_a_503_after_five_seconds() {
    let mut rig = Rig::start().await;
    rig.cut_agent("alpha").await;
    rig.wait_for_links(0).await;
    let began = Instant::now();
    let reply = rig.client().get("/clusters/alpha/api").await;
    assert_eq!((reply.status.as_u16(), reply.reason().as_str()), (503, "ClusterDisconnected"));
    let waited = began.elapsed();
    assert!((Duration::from_millis(4900)..Duration::from_secs(7)).contains(&waited), "{waited:?}");
    assert!(reply.text().contains("last seen"), "{}", reply.text());
    // Long ago is at once again.
    pass(Duration::from_secs(31)).await;
    let began = Instant::now();
    assert_eq!(rig.client().get("/clusters/alpha/api").await.status, 503);
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
}

#[tokio::test]
async fn an_answer_that_is_cut_in_the_middle_is_seen_to_be_broken() {
    let logs = Logs::capture();
    let mut rig = Rig::start().await;
    let client = rig.client();
    let mut raw = client.raw().await;
    raw.say_head(&["GET /clusters/alpha/held/cut-1 HTTP/1.1", "host: localhost"]).await;
    raw.hear_until(b"first ").await;
    let mut http2 = client.http2().await;
    let request = Request::get("/clusters/alpha/held/cut-2").body(empty()).unwrap();
    let mut body = http2.send(request).await.unwrap().into_body();
    body.frame().await.unwrap().unwrap();
    rig.cut_agent("alpha").await;
    let rest = raw.hear_to_end().await;
    assert!(!rest.ends_with("0\r\n\r\n"), "no terminating chunk may be claimed: {rest:?}");
    let broken = within("the reset", SOON, body.collect()).await;
    assert!(broken.is_err(), "an HTTP/2 stream must be reset");
    for part in ["/held/cut-1", "/held/cut-2"] {
        eventually(part, SOON, || logs.access(part).len() == 1).await;
        assert_eq!(logs.access(part)[0].field("reason"), "CutOff");
    }
}

#[tokio::test]
async fn a_watch_that_is_cut_ends_with_an_error_event_and_cleanly() {
    let mut rig = Rig::start().await;
    let client = rig.client();
    let mut bodies = Vec::new();
    for mut connection in [client.http1().await, client.http2().await] {
        let request = Request::get("/clusters/alpha/watch?watch=true").body(empty()).unwrap();
        let mut body = connection.send(request).await.unwrap().into_body();
        body.frame().await.unwrap().unwrap();
        bodies.push((body, connection));
    }
    rig.cut_agent("alpha").await;
    for (body, _connection) in bodies {
        let rest = within("the end", SOON, body.collect()).await.expect("a clean end").to_bytes();
        let event: serde_json::Value = serde_json::from_slice(&rest).unwrap();
        assert_eq!((&event["type"], &event["object"]["kind"]), (&"ERROR".into(), &"Status".into()));
        assert_eq!(event["object"]["reason"], "TunnelLost");
    }
}

#[tokio::test]
async fn a_newer_agent_of_a_slot_fences_the_older_one() {
    let logs = Logs::capture();
    let mut rig = Rig::builder().cluster("fenced").start().await;
    let older = rig.take_agent("fenced").unwrap();
    rig.start_agent("fenced").await;
    eventually("the older one is cut", SOON, || {
        logs.says(&["link is down", "cluster=fenced", "a newer agent holds the slot"])
    })
    .await;
    // The older one dials again and is told: were it let in, the two would fence each other for ever.
    let door = rig.tunnel_door(0).to_string();
    eventually("the older one is told", SOON, || logs.says(&["no tunnel", &door, "Fenced"])).await;
    let fenced =
        || logs.find(|line| line.text().contains("cluster=fenced") && line.message == "link is down").len();
    assert_eq!(fenced(), 1);
    let reply = rig.client().get("/clusters/fenced/api").await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    // With the newer one gone it may come back.
    rig.cut_agent("fenced").await;
    eventually("the older one is back", SOON, || fenced() == 2 && rig.gateway().links() == 1).await;
    assert_eq!(rig.client().get("/clusters/fenced/api").await.status, 200);
    older.cut().await;
}
