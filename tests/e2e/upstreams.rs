//! API servers: the management cluster's own, ones that are down, and ones that break off.

use std::time::Duration;

use http::{Request, Response};
use http_body_util::BodyExt as _;
use trunkline_gateway::Gateway;
use trunkline_runtime::empty;
use trunkline_tests::{FakeUpstream, Logs, Reply, Rig, Wire, channel, eventually, within};

const SOON: Duration = Duration::from_secs(15);

fn is_status(reply: &Reply, status: u16, reason: &str, words: &[&str]) {
    assert_eq!((reply.status.as_u16(), reply.reason().as_str()), (status, reason), "{}", reply.text());
    let object = reply.json();
    assert_eq!((&object["kind"], &object["code"]), (&"Status".into(), &status.into()));
    assert_eq!(object["details"]["name"], "alpha", "{object}");
    for word in words {
        assert!(reply.text().contains(word), "{word}: {}", reply.text());
    }
}

#[tokio::test]
async fn the_management_cluster_is_reached_directly_in_the_same_way() {
    let rig = Rig::builder().without_agents().start().await;
    let management = FakeUpstream::start(&rig.paper, Wire::Tls, &rig.tasks).await;
    let mut config = rig.gateway_config();
    config.management = Some(management.config(&rig.paper));
    let gateway = Gateway::bind(config).await.unwrap().serve().unwrap();
    let client = rig.client().at(gateway.front());
    assert_eq!(client.get("/clusters/management/bytes/1000").await.body.len(), 1000);
    let by_header = Request::get("/api").header("x-cluster-id", "management").body(empty()).unwrap();
    assert_eq!(client.send(by_header).await.status, 200);
    let mut raw = client.raw().await;
    raw.say_head(&[
        "GET /clusters/management/upgrade HTTP/1.1",
        "host: localhost",
        "connection: upgrade",
        "upgrade: websocket",
    ])
    .await;
    assert!(raw.hear_head().await.starts_with("HTTP/1.1 101"));
    raw.say("echo").await;
    raw.hear_until(b"echo").await;
    for seen in management.seen() {
        assert_eq!(seen.all("impersonate-user"), ["jane"]);
        assert_eq!(seen.all("authorization"), ["Bearer the-agents-own-token"]);
    }
    assert_eq!(management.count(), 3);
    gateway.cut().await;
}

#[tokio::test]
async fn an_api_server_that_is_down_is_a_502_that_names_it_and_both_logs_hold_it() {
    let logs = Logs::capture();
    let mut rig = Rig::builder().without_agents().start().await;
    let mut config = rig.agent_config("alpha");
    config.upstream.server = Some("https://127.0.0.1:1".into());
    rig.start_agent_with("alpha", config).await;
    let reply = rig.client().get("/clusters/alpha/api/down").await;
    is_status(
        &reply,
        502,
        "UpstreamUnreachable",
        &["agent of cluster alpha", "https://127.0.0.1:1", "is it up?"],
    );
    eventually("the agent's log", SOON, || logs.says(&["trunkline_agent", "UpstreamUnreachable"])).await;
    eventually("the gateway's log", SOON, || !logs.access("/api/down").is_empty()).await;
    assert_eq!(logs.access("/api/down")[0].field("status"), "502");
}

#[tokio::test]
async fn t36_an_api_server_under_another_root_gets_no_request() {
    let mut rig = Rig::builder().without_agents().start().await;
    let mut config = rig.agent_config("alpha");
    config.upstream.ca = Some(rig.paper.path("front-ca.pem"));
    rig.start_agent_with("alpha", config).await;
    let reply = rig.client().get("/clusters/alpha/api").await;
    is_status(&reply, 502, "UpstreamUnreachable", &["TLS handshake", "is upstream.ca its root?"]);
    assert_eq!(rig.upstream("alpha").count() as u64 + rig.upstream("alpha").probes(), 0);
}

#[tokio::test]
async fn an_api_server_that_breaks_off_is_not_taken_for_one_that_has_finished() {
    let mut rig = Rig::builder().without_agents().start().await;
    let broken_off = std::sync::Arc::new(tokio::sync::Notify::new());
    let (told, tasks) = (broken_off.clone(), rig.tasks.clone());
    let answering = move |request: Request<hyper::body::Incoming>| {
        let (told, tasks) = (told.clone(), tasks.clone());
        async move {
            let (sender, body) = channel();
            let half_an_event = "{\"type\":\"ADDED\"}\n{\"type\":\"ADD";
            let whole_event = "{\"type\":\"ADDED\"}\n";
            let half = request.uri().path() == "/half";
            sender.send(if half { half_an_event } else { whole_event }).await;
            tasks.spawn_until_stopped(async move {
                told.notified().await;
                sender.fail().await;
            });
            let mut response = Response::new(body);
            response.headers_mut().insert("content-type", http::HeaderValue::from_static("application/json"));
            response
        }
    };
    let upstream = FakeUpstream::answering(&rig.paper, Wire::Tls, &rig.tasks, answering).await;
    let mut config = rig.agent_config("alpha");
    config.upstream = upstream.config(&rig.paper);
    rig.start_agent_with("alpha", config).await;
    let mut connection = rig.client().http2().await;
    let mut ask = async |path: &str| {
        let request = Request::get(format!("/clusters/alpha{path}")).body(empty()).unwrap();
        let mut body = connection.send(request).await.unwrap().into_body();
        body.frame().await.unwrap().unwrap();
        broken_off.notify_waiters();
        within("the end", SOON, body.collect()).await.map(|whole| whole.to_bytes())
    };
    let ordinary = ask("/whole").await;
    assert!(ordinary.is_err(), "an ordinary answer is seen to be broken: {ordinary:?}");
    let watched = ask("/whole?watch=1").await.expect("a watch ends cleanly");
    assert!(watched.starts_with(b"{\"type\":\"ERROR\""), "{}", String::from_utf8_lossy(&watched));
    assert!(ask("/half?watch=1").await.is_err(), "an event cannot follow half of one");
}

#[tokio::test]
async fn more_streams_than_an_api_server_allows_on_a_connection_open_another() {
    let rig = Rig::start().await;
    let client = rig.client();
    let shared = client.http2().await;
    let mut watches = Vec::new();
    for at in 0..220 {
        let mut connection = shared.another();
        let request = Request::get(format!("/clusters/alpha/watch/{at}?watch=1")).body(empty()).unwrap();
        let mut body = within("a watch", SOON, connection.send(request)).await.unwrap().into_body();
        within("its first event", SOON, body.frame()).await.unwrap().unwrap();
        watches.push(body);
    }
    assert_eq!(client.get("/clusters/alpha/api").await.status, 200);
    rig.upstream("alpha").release();
    for body in &mut watches {
        within("the next event", SOON, body.frame()).await.unwrap().unwrap();
    }
}
