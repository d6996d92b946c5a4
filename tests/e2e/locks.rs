//! Locking and removing a cluster while people work in it: cut at once, told why; nobody else notices.

use std::time::{Duration, Instant};

use http::{Method, Request};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use serde_json::json;
use trunkline_proto::EnrolReason;
use trunkline_runtime::empty;
use trunkline_tests::{Connection, Enrolling, Logs, Raw, Rig, eventually, within};

const SOON: Duration = Duration::from_secs(15);
/// What is promised.
const AT_ONCE: Duration = Duration::from_secs(1);
/// A message on channel 1, as exec sends its output.
const OUTPUT: &[u8] = &[0x82, 3, 1, b'h', b'i'];

/// What somebody has under way in a cluster: a watch, an exec in two dialects, a log.
struct Work {
    watch: Incoming,
    follow: Incoming,
    exec: Raw,
    spdy: Raw,
    _connections: Vec<Connection>,
}

impl Work {
    async fn begin(rig: &Rig, cluster: &str) -> Self {
        let client = rig.client();
        let mut connections = Vec::new();
        let mut bodies = Vec::new();
        for path in ["watch?watch=1", "api/v1/namespaces/d/pods/p/log?follow=true"] {
            let mut connection = client.http2().await;
            let request = Request::get(format!("/clusters/{cluster}/{path}")).body(empty()).unwrap();
            let mut body = connection.send(request).await.unwrap().into_body();
            body.frame().await.unwrap().unwrap();
            bodies.push(body);
            connections.push(connection);
        }
        let upgraded = |protocol: &'static str| {
            let client = client.clone();
            async move {
                let mut raw = client.raw().await;
                raw.say_head(&[
                    &format!("GET /clusters/{cluster}/upgrade?{}={cluster} HTTP/1.1", &protocol[..4]),
                    "host: localhost",
                    "connection: upgrade",
                    &format!("upgrade: {protocol}"),
                    "sec-websocket-protocol: v5.channel.k8s.io",
                ])
                .await;
                let head = raw.hear_head().await;
                assert!(head.starts_with("HTTP/1.1 101"), "{head}");
                raw.say(OUTPUT).await;
                assert_eq!(raw.hear(OUTPUT.len()).await, OUTPUT);
                raw
            }
        };
        let (exec, spdy) = (upgraded("websocket").await, upgraded("SPDY/3.1").await);
        let follow = bodies.pop().unwrap();
        Self { watch: bodies.pop().unwrap(), follow, exec, spdy, _connections: connections }
    }

    /// Everything goes on.
    async fn goes_on(&mut self, rig: &Rig, cluster: &str) {
        rig.upstream(cluster).release();
        for body in [&mut self.watch, &mut self.follow] {
            within("the next piece", SOON, body.frame()).await.unwrap().unwrap();
        }
        for raw in [&mut self.exec, &mut self.spdy] {
            raw.say(OUTPUT).await;
            assert_eq!(raw.hear(OUTPUT.len()).await, OUTPUT);
        }
    }

    /// Everything is cut within what is promised, and whoever can hear it hears the reason. Says how long it took.
    async fn until_cut(self, began: Instant, reason: &str, why: &str) -> Duration {
        let Self { watch, follow, mut exec, mut spdy, _connections } = self;
        let (watch, follow, exec, spdy) = tokio::join!(
            watch.collect(),
            follow.collect(),
            exec.hear_bytes_to_end(),
            spdy.hear_bytes_to_end()
        );
        let took = began.elapsed();
        assert!(took < AT_ONCE, "{took:?}");
        let last = watch.expect("a watch ends cleanly").to_bytes();
        let event: serde_json::Value = serde_json::from_slice(&last).unwrap();
        assert_eq!(event["type"], "ERROR", "{event}");
        let status = &event["object"];
        assert_eq!(
            (&status["kind"], &status["reason"], &status["code"]),
            (&json!("Status"), &json!(reason), &json!(403))
        );
        assert!(status["message"].as_str().unwrap().contains(why), "{status}");
        assert!(follow.is_err(), "a log that is cut must not look whole");
        // Channel 3 holds a Status, and a close frame says the rest.
        let (status, close) = frames(&exec);
        let status: serde_json::Value = serde_json::from_slice(&status[1..]).unwrap();
        assert_eq!(
            (status["status"].as_str(), status["reason"].as_str()),
            (Some("Failure"), Some(reason)),
            "{status}"
        );
        assert_eq!(&close[..2], &1008u16.to_be_bytes());
        assert!(String::from_utf8_lossy(&close[2..]).contains(why));
        assert!(spdy.is_empty(), "SPDY has no place for words");
        took
    }
}

/// A message on channel 3 and a close frame, and nothing else.
fn frames(bytes: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let mut rest = bytes;
    let mut next = |first: u8| {
        assert_eq!(rest[0], first, "{rest:?}");
        let (length, head) = match rest[1] {
            126 => (usize::from(u16::from_be_bytes([rest[2], rest[3]])), 4),
            short => (usize::from(short), 2),
        };
        let payload = rest[head..head + length].to_vec();
        rest = &rest[head + length..];
        payload
    };
    let (status, close) = (next(0x82), next(0x88));
    assert_eq!(status[0], 3, "the error channel");
    assert!(rest.is_empty(), "{rest:?}");
    (status, close)
}

/// The reasons in the access log for what was under way in a cluster.
fn reasons(logs: &Logs, cluster: &str) -> Vec<String> {
    let lines = logs.find(|line| line.target == "access" && line.field("cluster") == cluster);
    let under_way = |line: &&trunkline_tests::Line| line.field("kind") != "ordinary";
    lines.iter().filter(under_way).map(|line| line.field("reason").to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_locked_cluster_is_cut_within_a_second_in_words_and_comes_back_when_unlocked() {
    let logs = Logs::capture();
    let rig = Rig::builder().cluster("lock-me").cluster("lock-not").enrolling().start().await;
    let work = Work::begin(&rig, "lock-me").await;
    let mut others = Work::begin(&rig, "lock-not").await;
    let admin = rig.admin();
    let began = Instant::now();
    let reply = admin.post("/trunkline/v1/clusters/lock-me/lock", &json!({"reason": "audit"})).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let took = work.until_cut(began, "ClusterLocked", "the cluster was locked").await;
    println!("locked: watch, log, exec and SPDY cut {took:?} after the order");
    others.goes_on(&rig, "lock-not").await;
    eventually("the access log", SOON, || reasons(&logs, "lock-me").len() == 4).await;
    assert_eq!(reasons(&logs, "lock-me"), ["ClusterLocked"; 4]);
    assert!(reasons(&logs, "lock-not").is_empty(), "what goes on has no line yet");

    let client = rig.client();
    let reply = client.get("/clusters/lock-me/api").await;
    assert_eq!((reply.status.as_u16(), reply.reason().as_str()), (403, "ClusterLocked"), "{}", reply.text());
    assert!(reply.text().contains("audit"), "the reason is told: {}", reply.text());
    let shown = admin.get("/trunkline/v1/clusters/lock-me").await.json();
    assert_eq!(shown["status"]["state"], "locked");
    assert_eq!(shown["spec"]["locked"]["by"], "root");
    eventually("the agent is told", SOON, || {
        logs.says(&["trunkline_agent", "ClusterLocked", "lock-me", "audit"])
    })
    .await;
    assert_eq!(rig.gateway().links(), 1, "its agent stays out");

    let reply = admin.post("/trunkline/v1/clusters/lock-me/unlock", &json!({})).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    eventually("it is back", Duration::from_secs(60), || rig.gateway().links() == 2).await;
    assert_eq!(client.get("/clusters/lock-me/api").await.status, 200);
    others.goes_on(&rig, "lock-not").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_removed_cluster_is_cut_within_a_second_and_its_name_begins_anew() {
    let logs = Logs::capture();
    let rig = Rig::builder().cluster("gone").cluster("kept").enrolling().start().await;
    let admin = rig.admin();
    let patch = json!({"labels": {"env": "prod"}, "displayName": "Gone"});
    let reply = admin.send_json(Method::PATCH, "/trunkline/v1/clusters/gone", &patch).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let work = Work::begin(&rig, "gone").await;
    let mut others = Work::begin(&rig, "kept").await;
    let (uid, key) = (rig.cluster("gone").uid, rig.cluster_key("gone"));
    let began = Instant::now();
    let request = Request::delete("/trunkline/v1/clusters/gone").body(empty()).unwrap();
    let reply = admin.send(request).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.json()["spec"]["displayName"], "Gone", "as it was");
    let took = work.until_cut(began, "ClusterRemoved", "the cluster was removed from the fleet").await;
    println!("removed: watch, log, exec and SPDY cut {took:?} after the order");
    others.goes_on(&rig, "kept").await;
    eventually("the access log", SOON, || reasons(&logs, "gone").len() == 4).await;
    assert_eq!(reasons(&logs, "gone"), ["ClusterRemoved"; 4]);
    let client = rig.client();
    let reply = client.get("/clusters/gone/api").await;
    assert_eq!((reply.status.as_u16(), reply.reason().as_str()), (404, "ClusterNotFound"));
    eventually("the agent is told", SOON, || logs.says(&["trunkline_agent", "ClusterUnknown", "gone"])).await;

    // The name again: another cluster, that inherits nothing. The old agent runs on with its key and the used token.
    rig.take_token_away("gone");
    let reply = admin.post("/trunkline/v1/clusters", &json!({"name": "gone"})).await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    let shown = reply.json()["cluster"].clone();
    assert_ne!(shown["metadata"]["uid"].as_str().unwrap(), uid.to_string());
    assert_eq!(shown["metadata"]["labels"], json!({}));
    assert_eq!((&shown["spec"]["displayName"], &shown["spec"]["protection"]), (&json!(""), &json!("none")));
    assert_eq!((&shown["status"]["state"], &shown["status"]["lastSeen"]), (&json!("joining"), &json!(null)));
    assert_eq!(shown["status"]["slots"], json!([]));
    let old = Enrolling::with_key(rig.tunnel_door(0), rig.pin(), "gone", key);
    assert_eq!(old.refused(&rig.tasks).await, EnrolReason::KeyUnknown);
    let told = || logs.says(&["trunkline_agent", "KeyUnknown", "cluster gone"]);
    eventually("the old agent is told", Duration::from_secs(60), told).await;
    assert_eq!(client.get("/clusters/gone/api").await.reason(), "ClusterDisconnected");
    // With the new token in its place the old agent's cluster joins as the new one.
    rig.renew_token("gone").await;
    eventually("it joins", Duration::from_secs(60), || rig.gateway().links() == 2).await;
    assert_eq!(client.get("/clusters/gone/api").await.status, 200);
    others.goes_on(&rig, "kept").await;
}
