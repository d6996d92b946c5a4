use std::path::Path;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use trunkline_proto::EnrolReason;
use trunkline_upstream::UpstreamConfig;

use super::*;
use crate::config::{EnrolConfig, IdentityConfig, SlotSource, WayConfig};
use crate::fake_gateway::FakeGateway;

fn joining(gateway: &FakeGateway, folder: &Path) -> AgentConfig {
    let credential = folder.join("api-token");
    std::fs::write(&credential, "unused").unwrap();
    AgentConfig {
        cluster: "alpha".parse().unwrap(),
        gateway: WayConfig {
            addresses: vec![gateway.address.to_string()],
            credentials: Credentials::Enrol(EnrolConfig {
                pin: gateway.papers.pin(),
                token_file: Some(folder.join("join-token")),
                identity: IdentityConfig::Folder(folder.join("identity")),
                slot: SlotSource::Is(trunkline_proto::Slot(3)),
            }),
            server_name: None,
            proxy: None,
        },
        upstream: UpstreamConfig {
            server: Some("http://127.0.0.1:1".into()),
            token_file: Some(credential),
            ..UpstreamConfig::default()
        },
        logs: None,
        admin: Some(([127, 0, 0, 1], 0).into()),
        drain_seconds: 1,
    }
}

/// The body that the admin port answers with.
async fn get(running: &Running, path: &str) -> String {
    let mut stream = tokio::net::TcpStream::connect(running.admin().unwrap()).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: admin\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer.split_once("\r\n\r\n").unwrap().1.to_owned()
}

#[tokio::test]
async fn an_agent_that_gets_no_certificate_stays_says_why_and_tries_a_new_token_at_once() {
    let (tasks, folder) = (Tasks::new(), tempfile::tempdir().unwrap());
    let gateway = FakeGateway::start(&folder.path().join("gateway"), &tasks).await;
    gateway.state().everybody = Some(EnrolReason::TokenUsed);
    std::fs::write(folder.path().join("join-token"), "tlj_used").unwrap();
    let running = Agent::bind(joining(&gateway, folder.path())).await.unwrap().serve();
    gateway.has_heard(1).await;
    let mut waits = running.uplink.trouble();
    waits.wait_for(Option::is_some).await.unwrap();
    let ready = get(&running, "/readyz").await;
    assert!(ready.contains("waiting for: tunnel (the gateway at") && ready.contains("TokenUsed"), "{ready}");
    let status: AgentStatus = serde_json::from_str(&get(&running, "/status").await).unwrap();
    assert_eq!(status, running.status());
    assert_eq!((status.cluster_type.as_str(), status.slot.0, status.links), ("managed", 3, 0));
    assert_eq!(status.gateways, [gateway.address.to_string()]);
    assert!(status.uid.is_none() && status.certificate_not_after.is_none() && status.renews);
    assert!(status.last_error.unwrap().contains("TokenUsed"));
    // Left alone for half a minute, but for a token that is another one.
    std::fs::write(folder.path().join("join-token"), "tlj_new").unwrap();
    gateway.has_heard(2).await;
    assert_eq!(gateway.tokens(), [Some("tlj_used".into()), Some("tlj_new".into())]);
    assert!(get(&running, "/metrics").await.contains("trunkline_agent_enrolments_failed_total"));
    running.cut().await;
    tasks.shut_down().await;
}
