//! Malformed frames at the doors that they come in by: an agent's at the tunnel door, a gateway's at an agent (T30). What breaks
//! the rules more finely is tried in `trunkline-tunnel`, on links in memory.

use std::sync::Arc;

use rand::rngs::StdRng;
use rand::{Rng as _, RngCore as _, SeedableRng as _};
use rustls_pki_types::ServerName;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};
use trunkline_pki::{AgentName, Validity};
use trunkline_proto::{ALPN, Slot};
use trunkline_tests::{Process, count, eventually, within};

use super::SOON;
use super::scene::{QUIET, Scene};

/// Bytes that are frames for the most part.
fn frames(random: &mut StdRng) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..random.random_range(1..60) {
        let kind = random.random_range(0..5);
        let length: u32 =
            if random.random_ratio(1, 4) { random.random() } else { random.random_range(0..400) };
        bytes.extend([if random.random_ratio(1, 50) { 1 } else { 0 }, kind]);
        bytes.extend(random.random_range(0..16u16).to_be_bytes());
        bytes.extend(random.random_range(0..8u32).to_be_bytes());
        bytes.extend(length.to_be_bytes());
        if kind == 0 && length < 400 {
            let mut payload = vec![0; length as usize];
            random.fill_bytes(&mut payload);
            bytes.extend(payload);
        }
    }
    bytes
}

/// Says all of it and reads until it is hung up on.
async fn say<S: tokio::io::AsyncRead + tokio::io::AsyncWrite>(stream: S, bytes: &[u8]) {
    let (mut read, mut write) = tokio::io::split(stream);
    let hearing = async {
        let mut heard = [0; 4096];
        while let Ok(1..) = read.read(&mut heard).await {}
    };
    let saying = async {
        let _ = write.write_all(bytes).await;
        let _ = write.shutdown().await;
    };
    within("hanging up", SOON, async { tokio::join!(saying, hearing) }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t30_malformed_frames_of_an_agent_harm_no_gateway_and_no_other_cluster() {
    let links = count(150, 20_000);
    let mut scene = Scene::raise(&["alpha", "evil"], QUIET, None).await;
    let _alpha = scene.start_agent("alpha").await;
    let client = scene.client();
    let cluster = "evil".parse().unwrap();
    let uid = scene.uid("evil");
    let name = AgentName { trust_domain: "trunkline.test".into(), cluster, uid, slot: Slot(0) };
    let agent = scene.paper.pki.tunnel.agent(&name, Validity::days(1)).unwrap();
    let connector = TlsConnector::from(scene.paper.pki.careless_link(Some(&agent)).unwrap());
    let mut random = StdRng::seed_from_u64(30);
    let mut said = 0;
    for at in 0..links.times {
        let tcp = TcpStream::connect(scene.tunnel).await.unwrap();
        let link = connector.connect(ServerName::try_from("localhost").unwrap(), tcp).await.unwrap();
        let bytes = frames(&mut random);
        said += bytes.len();
        say(link, &bytes).await;
        if at % 10 == 0 {
            assert_eq!(client.get("/clusters/alpha/api").await.status, 200, "link {at}");
        }
    }
    eventually("the links are gone", SOON, || scene.gateway.open_files() < 40).await;
    println!("{links} links of an agent with {said} bytes of frames; the other cluster served");
    assert!(scene.gateway.runs() && !scene.gateway.log().contains("panicked"), "{}", scene.gateway.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t30_malformed_frames_of_a_gateway_harm_no_agent() {
    let links = count(6, 100);
    let scene = Scene::raise(&["alpha"], QUIET, None).await;
    let door = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let shown = scene.paper.pki.tunnel.tunnel_server(&["localhost"], Validity::days(1)).unwrap();
    let mut tls = rustls::ServerConfig::builder_with_provider(trunkline_pki::crypto_provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![shown.certificate_der.clone()], shown.key_der.clone_key())
        .unwrap();
    tls.alpn_protocols = vec![ALPN.to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(tls));
    let config = scene.agent_file("alpha", door.local_addr().unwrap()).await;
    let log = scene.paper.path("agent.log");
    let mut agent = Process::start(&["agent", "--log", "info", "--config", config.to_str().unwrap()], &log);
    let mut random = StdRng::seed_from_u64(31);
    for at in 0..links.times {
        let (tcp, _) = within("the agent dials again", SOON, door.accept()).await.unwrap();
        if let Ok(link) = acceptor.accept(tcp).await {
            say(link, &frames(&mut random)).await;
        }
        assert!(agent.runs(), "after link {at}: {}", agent.log());
    }
    println!("{links} links with frames of a hostile gateway; the agent dials on");
    assert!(!agent.log().contains("panicked"), "{}", agent.log());
}
