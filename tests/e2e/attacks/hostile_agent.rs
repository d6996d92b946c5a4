//! What one stolen agent's credential opens (T8; CVE-2024-56513): its own tunnel, and nothing of anybody else.

use std::time::Duration;

use http::{Method, Request, header};
use http_body_util::BodyExt as _;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use trunkline_pki::LinkTls;
use trunkline_proto::{ControlCall, HEAD_HEADER, Identity, Purpose, RequestId, StreamHead};
use trunkline_runtime::full;
use trunkline_tests::{Client, Enrolling, FarEnd, Rig, within};

use super::SOON;

/// What stands in the registry of the other cluster, and nowhere else.
const SECRETS: &[&str] = &["victim", "crown-jewels", "the-other-tenant"];

/// Everything that the gateway answers anywhere, and what it might.
fn paths() -> Vec<String> {
    let calls = [
        ControlCall::Hello,
        ControlCall::Ping,
        ControlCall::Status,
        ControlCall::Drain,
        ControlCall::Links,
        ControlCall::Renew,
        ControlCall::Trust,
    ];
    let mut paths: Vec<String> = calls.iter().map(|call| call.path().to_owned()).collect();
    for path in [
        "/",
        "/metrics",
        "/livez",
        "/status",
        "/api",
        "/trunkline/v1",
        "/trunkline/v1/",
        "/trunkline/v1/enrol",
        "/trunkline/v1/clusters",
        "/trunkline/v1/clusters?watch=1",
        "/trunkline/v1/clusters/victim",
        "/trunkline/v1/clusters/victim/join",
        "/trunkline/v1/clusters/victim/lock",
        "/trunkline/v1/clusters/victim/reach",
        "/trunkline/v1/openapi.json",
        "/trunkline/v1/version",
        "/trunkline/v1/whoami",
        "/trunkline/v1/pki",
        "/trunkline/v1/pki/rotate",
        "/trunkline/v1/hello/../clusters",
        "/clusters/victim/api/v1/secrets",
        "/clusters/victim",
        "/clusters/evil/api",
        "/../clusters/victim/api",
        "https://victim.clusters.test/api",
    ] {
        paths.push(path.to_owned());
    }
    paths
}

/// Bodies that each call may want, with the other's name where there is one.
fn bodies() -> Vec<String> {
    let hello = serde_json::to_string(&FarEnd::hello("victim", 2).unwrap()).unwrap();
    vec![
        String::new(),
        "{}".into(),
        "null".into(),
        hello,
        json!({"cluster": "victim", "uid": "victim", "slot": 0, "csr": "x", "token": null, "software": "x", "now": 0}).to_string(),
        json!({"upstream": "up", "message": "x", "cluster": "victim"}).to_string(),
        json!({"grace_ms": 0, "message": "move"}).to_string(),
        "[".repeat(10_000),
    ]
}

fn heads(far_end: &FarEnd) -> Vec<Option<StreamHead>> {
    let identity =
        Identity { user: "root".into(), groups: vec!["trunkline:admins".into()], ..Identity::default() };
    let head = |purpose| StreamHead { request: RequestId::random(), epoch: far_end.welcome.epoch, purpose };
    vec![Some(head(Purpose::Control)), Some(head(Purpose::Kubernetes(identity))), None]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t08_a_stolen_agent_credential_tells_nothing_of_another_cluster() {
    let mut rig = Rig::builder().cluster("evil").cluster("victim").enrolling().start().await;
    let patch = json!({"labels": {"secret": "crown-jewels"}, "displayName": "the-other-tenant"});
    let reply = rig.admin().send_json(Method::PATCH, "/trunkline/v1/clusters/victim", &patch).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let uid = rig.cluster("victim").uid.to_string();
    // The agent's key and its slot are in somebody else's hands.
    let asking = Enrolling::with_key(rig.tunnel_door(0), rig.pin(), "evil", rig.cluster_key("evil"));
    let certified = asking.ask(&rig.tasks).await.unwrap();
    let tls = LinkTls::issued(&certified.certificate, &asking.slot_key, &certified.roots).unwrap();
    rig.cut_pod("evil", 0).await;
    let come = || FarEnd::come(rig.tunnel_door(0), tls.current(), "evil", 77, &rig.tasks);
    let mut far_end = within("a session", SOON, come()).await.unwrap();

    let (mut asked, mut answered) = (0, 0);
    for path in paths() {
        for method in [Method::GET, Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS] {
            for body in bodies() {
                for head in heads(&far_end) {
                    // A drain and a broken rule end the session: the thief comes again.
                    if !far_end.session.is_open() {
                        far_end.leave().await;
                        far_end = within("a session", SOON, come()).await.unwrap();
                    }
                    let mut request = Request::builder()
                        .method(method.clone())
                        .uri(&path)
                        .header(header::HOST, "trunkline");
                    if let Some(head) = head {
                        request = request.header(HEAD_HEADER, head.encode().unwrap());
                    }
                    asked += 1;
                    let request = request.body(full(body.clone())).unwrap();
                    let answer = within("an answer", SOON, far_end.session.request(request)).await;
                    let Ok(response) = answer else { continue };
                    let (parts, body) = response.into_parts();
                    let Ok(body) = within("a body", SOON, body.collect()).await else { continue };
                    answered += 1;
                    let told = format!("{parts:?} {}", String::from_utf8_lossy(&body.to_bytes()));
                    for secret in SECRETS.iter().copied().chain([uid.as_str()]) {
                        assert!(!told.contains(secret), "{method} {path} tells of {secret}: {told}");
                    }
                }
            }
        }
    }
    assert_eq!(rig.upstream("victim").count(), 0, "nothing reached the other cluster");

    // At the front door the agent's certificate is nobody's.
    let mut at_front = (*tls.current()).clone();
    at_front.alpn_protocols = vec![b"http/1.1".to_vec()];
    let thief = Client::new(rig.front(), at_front, &rig.tasks);
    if let Ok(mut stream) = thief.connect(b"http/1.1").await {
        let _ = stream.write_all(b"GET /trunkline/v1/clusters HTTP/1.1\r\nhost: x\r\n\r\n").await;
        let mut heard = Vec::new();
        let _ = within("the end", Duration::from_secs(15), stream.read_to_end(&mut heard)).await;
        assert!(!String::from_utf8_lossy(&heard).contains("200 OK"));
    }
    println!("{asked} requests of a hostile agent, {answered} answered, 0 of another cluster");
    assert!(asked >= 2_000 && answered > 500);
}
