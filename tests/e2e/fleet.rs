//! Clusters and certificates that are taken away or replaced while everything runs.

use std::time::{Duration, Instant};

use http::Request;
use http_body_util::BodyExt as _;
use rustls_pki_types::CertificateDer;
use trunkline_gateway::ClusterConfig;
use trunkline_proto::ClusterUid;
use trunkline_runtime::empty;
use trunkline_tests::{Client, Logs, Rig, eventually, within};

const SOON: Duration = Duration::from_secs(10);
/// What is promised locally.
const AT_ONCE: Duration = Duration::from_secs(1);

#[tokio::test]
async fn a_removed_cluster_is_cut_within_a_second_and_refused() {
    let logs = Logs::capture();
    let rig = Rig::builder().cluster("removed").cluster("stays").start().await;
    let client = rig.client();
    let mut connection = client.http2().await;
    let request = Request::get("/clusters/removed/held").body(empty()).unwrap();
    let mut body = connection.send(request).await.unwrap().into_body();
    body.frame().await.unwrap().unwrap();
    let mut config = rig.config_of(0);
    config.clusters.retain(|cluster| cluster.id.as_str() != "removed");
    let began = Instant::now();
    rig.gateway().fleet().follow(&config).unwrap();
    assert!(within("the cut", SOON, body.collect()).await.is_err());
    assert!(began.elapsed() < AT_ONCE, "{:?}", began.elapsed());
    let reply = client.get("/clusters/removed/api").await;
    assert_eq!((reply.status.as_u16(), reply.reason().as_str()), (404, "ClusterNotFound"));
    assert_eq!(client.get("/clusters/stays/api").await.status, 200);
    // Both logs hold the reason.
    eventually("the gateway's log", SOON, || {
        logs.says(&["link is down", "cluster=removed", "the cluster was removed"])
    })
    .await;
    let door = rig.tunnel_door(0).to_string();
    eventually("the agent's log", SOON, || {
        logs.says(&["trunkline_agent", "no tunnel", &door, "ClusterUnknown", "removed is not registered"])
    })
    .await;
    // Registered again, the same cluster comes back by itself.
    rig.gateway().fleet().follow(&rig.config_of(0)).unwrap();
    eventually("back", SOON, || rig.gateway().links() == 2).await;
    assert_eq!(client.get("/clusters/removed/api").await.status, 200);
}

#[tokio::test]
async fn a_cluster_registered_anew_under_an_old_name_is_another_one() {
    let logs = Logs::capture();
    let rig = Rig::builder().cluster("renewed").start().await;
    let mut config = rig.config_of(0);
    config.clusters = vec![ClusterConfig {
        id: "renewed".parse().unwrap(),
        uid: Some(ClusterUid::random()),
        pass_through: Vec::new(),
    }];
    rig.gateway().fleet().follow(&config).unwrap();
    rig.wait_for_links(0).await;
    eventually("the agent is told", SOON, || logs.says(&["no tunnel", "UidMismatch", "renewed"])).await;
    assert_eq!(rig.gateway().links(), 0);
}

#[tokio::test]
async fn t14_a_revoked_agent_is_cut_within_a_second_and_stays_out() {
    let logs = Logs::capture();
    let mut rig = Rig::builder().cluster("lost").without_agents().start().await;
    let cluster = rig.cluster("lost");
    let (issued, certificate) = rig.paper.agent("lost-agent", &cluster.id, cluster.uid, 0);
    let mut agent = rig.agent_config("lost");
    agent.gateway.credentials = rig.showing(certificate);
    rig.start_agent_with("lost", agent).await;
    assert_eq!(rig.client().get("/clusters/lost/api").await.status, 200);
    let mut config = rig.config_of(0);
    config.tunnel.revoked.push(issued.serial.clone());
    let began = Instant::now();
    rig.gateway().fleet().follow(&config).unwrap();
    rig.wait_for_links(0).await;
    assert!(began.elapsed() < AT_ONCE, "{:?}", began.elapsed());
    let door = rig.tunnel_door(0).to_string();
    eventually("the agent's log", SOON, || logs.says(&["trunkline_agent", &door, "certificate is revoked"]))
        .await;
    eventually("the gateway's log", SOON, || logs.says(&["link refused", "CertificateRevoked"])).await;
    assert_eq!(rig.gateway().links(), 0);
}

#[tokio::test]
async fn t14_a_revoked_client_is_cut_within_a_second_its_upgrades_included() {
    let rig = Rig::start().await;
    let issued = rig.paper.client("mallory", &["dev"]);
    let client = rig.client_showing(Some(&issued));
    let mut bodies = Vec::new();
    for mut connection in [client.http1().await, client.http2().await] {
        let request = Request::get("/clusters/alpha/watch?watch=1").body(empty()).unwrap();
        let mut body = connection.send(request).await.unwrap().into_body();
        body.frame().await.unwrap().unwrap();
        bodies.push((body, connection));
    }
    let mut exec = client.raw().await;
    exec.say_head(&[
        "GET /clusters/alpha/upgrade HTTP/1.1",
        "host: localhost",
        "connection: upgrade",
        "upgrade: websocket",
    ])
    .await;
    assert!(exec.hear_head().await.starts_with("HTTP/1.1 101"));
    exec.say("echo").await;
    exec.hear_until(b"echo").await;
    let jane = rig.client();
    let (mut janes, _) = {
        let mut connection = jane.http1().await;
        let request = Request::get("/clusters/alpha/watch?watch=1").body(empty()).unwrap();
        (connection.send(request).await.unwrap().into_body(), connection)
    };
    janes.frame().await.unwrap().unwrap();

    let mut config = rig.config_of(0);
    config.front.revoked.push(issued.serial.clone());
    let began = Instant::now();
    rig.gateway().fleet().follow(&config).unwrap();
    for (body, _connection) in bodies {
        let _ = within("the cut", SOON, body.collect()).await;
    }
    exec.hear_to_end().await;
    assert!(began.elapsed() < AT_ONCE, "{:?}", began.elapsed());
    let before = rig.upstream("alpha").count();
    if let Ok(stream) = client.connect(b"http/1.1").await {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let mut stream = stream;
        let _ = stream.write_all(b"GET /clusters/alpha/api HTTP/1.1\r\nhost: x\r\n\r\n").await;
        let mut heard = Vec::new();
        let _ = within("the end", SOON, stream.read_to_end(&mut heard)).await;
        assert!(heard.is_empty(), "{}", String::from_utf8_lossy(&heard));
    }
    assert_eq!(rig.upstream("alpha").count(), before);
    // Others are not touched.
    rig.upstream("alpha").release();
    assert!(within("jane's next event", SOON, janes.frame()).await.unwrap().is_ok());
}

async fn shown_by_the_front_door(client: &Client) -> Option<CertificateDer<'static>> {
    let stream = client.connect(b"http/1.1").await.ok()?;
    stream.get_ref().1.peer_certificates().and_then(<[_]>::first).map(|leaf| leaf.clone().into_owned())
}

#[tokio::test]
async fn replaced_certificate_files_are_in_use_within_seconds_and_broken_ones_never() {
    let rig = Rig::start().await;
    let client = rig.client();
    let first = shown_by_the_front_door(&client).await.unwrap();
    let mut kept = client.http1().await;
    assert_eq!(kept.get("/clusters/alpha/api").await.unwrap().status, 200);
    // Half a pair, as a careless copy leaves it: the last good one stays.
    let good = std::fs::read(rig.paper.path("front.key")).unwrap();
    rig.paper.write("front.key", "not a key");
    let logs = Logs::capture();
    let began = Instant::now();
    while !logs.says(&["keeping the last good ones", "front.key"]) {
        assert!(began.elapsed() < SOON, "a broken file must be told of");
        assert_eq!(shown_by_the_front_door(&client).await.as_ref(), Some(&first));
        tokio::task::yield_now().await;
    }
    rig.paper.write("front.key", good);
    let renewed = rig.paper.renew_front();
    let began = Instant::now();
    while shown_by_the_front_door(&client).await != Some(renewed.certificate_der.clone()) {
        assert!(began.elapsed() < SOON, "a replaced certificate must be shown");
        tokio::task::yield_now().await;
    }
    assert_eq!(kept.get("/clusters/alpha/api").await.unwrap().status, 200, "what is open stays open");
}
