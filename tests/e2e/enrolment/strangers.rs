//! A gateway that is not the pinned one is told nothing, and a link for enrolment opens nothing else.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use http::StatusCode;
use rustls::ServerConfig;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};
use trunkline_agent::Credentials;
use trunkline_pki::{
    Anchor, Authority, DoorSettings, DoorSource, LinkTls, PaperNames, Papers, Revocations, TunnelDoorTls,
    Validity, crypto_provider, enrol_link_tls,
};
use trunkline_proto::{ALPN, ENROL_ALPN, ENROL_PATH};
use trunkline_runtime::{Door, Tasks};
use trunkline_tests::{Enrolling, Logs, Rig, eventually, post, within};

use super::SOON;

/// Somebody between agent and gateway: ends the agents' TLS and keeps what they say.
#[derive(Clone)]
struct Impostor {
    address: SocketAddr,
    said: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Impostor {
    async fn start(tls: Arc<ServerConfig>, tasks: &Tasks) -> Self {
        let door = Door::bind("impostor", ([127, 0, 0, 1], 0).into()).await.unwrap();
        let impostor = Self { address: door.address().unwrap(), said: Arc::default() };
        let (said, family) = (impostor.said.clone(), tasks.clone());
        tasks.spawn_until_stopped(async move {
            loop {
                let (tcp, _) = door.accept().await;
                let (said, acceptor) = (said.clone(), TlsAcceptor::from(tls.clone()));
                family.spawn_until_stopped(async move {
                    let mut heard = Vec::new();
                    if let Ok(mut tls) = acceptor.accept(tcp).await {
                        let _ =
                            tokio::time::timeout(Duration::from_secs(1), tls.read_to_end(&mut heard)).await;
                    }
                    said.lock().unwrap().push(heard);
                });
            }
        });
        impostor
    }

    fn visits(&self) -> usize {
        self.said.lock().unwrap().len()
    }

    fn heard(&self, text: &str) -> bool {
        let said = self.said.lock().unwrap();
        said.iter().any(|heard| heard.windows(text.len()).any(|window| window == text.as_bytes()))
    }
}

/// Papers of another gateway, and what its door shows to those who enrol.
fn others(rig: &Rig) -> (Papers, Arc<ServerConfig>) {
    let local = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let names = PaperNames { front: local.clone(), tunnel: local };
    let papers = Papers::open(&rig.paper.path("others"), &names).unwrap();
    let source = DoorSource { papers: Some(papers.clone()), ..DoorSource::default() };
    let door = TunnelDoorTls::new(DoorSettings { source, revocations: Revocations::new() }).unwrap();
    (papers, door.enrol().unwrap())
}

/// A door that shows the true root beside a certificate of its own making.
fn forged(rig: &Rig) -> Arc<ServerConfig> {
    let own = Authority::new("of my own", Validity::days(1)).unwrap();
    let leaf = own.tunnel_server(&["localhost", "127.0.0.1"], Validity::days(1)).unwrap();
    let root = CertificateDer::from_pem_slice(rig.papers().roots_pem().as_bytes()).unwrap();
    let chain = vec![leaf.certificate_der.clone(), own.certificate_der().clone(), root];
    let mut config = ServerConfig::builder_with_provider(crypto_provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, leaf.key_der.clone_key())
        .unwrap();
    config.alpn_protocols = vec![ENROL_ALPN.to_vec()];
    Arc::new(config)
}

#[tokio::test]
async fn t12_a_gateway_that_is_not_the_pinned_one_never_sees_the_token() {
    let logs = Logs::capture();
    let mut rig = Rig::builder().cluster("wary").enrolling().without_agents().start().await;
    let token = std::fs::read_to_string(rig.token_file("wary")).unwrap();
    let (papers, tls) = others(&rig);
    for tls in [tls.clone(), forged(&rig)] {
        let impostor = Impostor::start(tls, &rig.tasks).await;
        let mut config = rig.pod_config("wary", 0);
        config.gateway.addresses = vec![impostor.address.to_string()];
        rig.begin_pod_with("wary", 0, config).await;
        eventually("it comes, and comes again", Duration::from_secs(60), || impostor.visits() >= 2).await;
        rig.cut_pod("wary", 0).await;
        assert!(impostor.said.lock().unwrap().iter().all(Vec::is_empty), "not one byte is said");
        let door = impostor.address.to_string();
        assert!(logs.says(&["trunkline_agent", &door, "pin", &rig.pin().to_string()]), "the agent says why");
    }
    // The same ears hear the token of an agent that pins them: the silence above was the agent's doing.
    let impostor = Impostor::start(tls, &rig.tasks).await;
    let mut config = rig.pod_config("wary", 0);
    config.gateway.addresses = vec![impostor.address.to_string()];
    if let Credentials::Enrol(enrol) = &mut config.gateway.credentials {
        enrol.pin = papers.pin();
    }
    rig.begin_pod_with("wary", 0, config).await;
    eventually("the token is heard", SOON, || impostor.heard(&token)).await;
}

/// A connection to the tunnel door with ALPNs and a configuration of one's own.
async fn dial(
    rig: &Rig,
    tls: &rustls::ClientConfig,
    alpn: &[&[u8]],
) -> std::io::Result<tokio_rustls::client::TlsStream<TcpStream>> {
    let mut tls = tls.clone();
    tls.alpn_protocols = alpn.iter().map(|one| one.to_vec()).collect();
    let tcp = TcpStream::connect(rig.tunnel_door(0)).await?;
    TlsConnector::from(Arc::new(tls)).connect("localhost".try_into().unwrap(), tcp).await
}

/// What comes back for these bytes, up to the end.
async fn heard_for(
    stream: std::io::Result<impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin>,
    bytes: &[u8],
) -> String {
    let Ok(mut stream) = stream else { return String::new() };
    let _ = stream.write_all(bytes).await;
    let mut heard = Vec::new();
    let _ = within("the end", SOON, stream.read_to_end(&mut heard)).await;
    String::from_utf8_lossy(&heard).into_owned()
}

#[tokio::test]
async fn a_link_for_enrolment_carries_one_request_and_opens_nothing_else() {
    let rig = Rig::builder().cluster("narrow").enrolling().without_agents().start().await;
    let token = std::fs::read_to_string(rig.token_file("narrow")).unwrap();
    let asking = Enrolling::new(rig.tunnel_door(0), rig.pin(), "narrow").token(&token);
    let body = serde_json::to_string(&asking.request).unwrap();
    let one =
        format!("POST {ENROL_PATH} HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n{body}", body.len());

    // Two requests at once: one answer.
    let heard = heard_for(asking.link().await, format!("{one}{one}").as_bytes()).await;
    assert!(heard.starts_with("HTTP/1.1 200"), "{heard}");
    assert_eq!(heard.matches("HTTP/1.1").count(), 1, "{heard}");
    let certified: trunkline_proto::Certified =
        serde_json::from_str(heard.split("\r\n\r\n").nth(1).unwrap()).unwrap();

    // Other paths, other methods, other words.
    for path in
        ["/", "/trunkline/v1/hello", "/trunkline/v1/clusters", "/trunkline/v1/enrol/", "/clusters/narrow/api"]
    {
        let (status, _) =
            post(asking.link().await.unwrap(), path, body.clone().into(), &rig.tasks).await.unwrap();
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
    }
    let get = format!("GET {ENROL_PATH} HTTP/1.1\r\nhost: x\r\n\r\n");
    let heard = heard_for(asking.link().await, get.as_bytes()).await;
    assert!(heard.starts_with("HTTP/1.1 404"), "{heard}");
    let long = vec![b' '; 65 * 1024];
    let (status, _) = post(asking.link().await.unwrap(), ENROL_PATH, long, &rig.tasks).await.unwrap();
    assert_eq!(status, StatusCode::BAD_REQUEST);
    // A mux's first words (a yamux ping, and a stream's opening) are no request.
    for words in [[0, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1], [0, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0]] {
        let heard = heard_for(asking.link().await, &words).await;
        assert!(heard.is_empty() || heard.starts_with("HTTP/1.1 400"), "{heard}");
    }

    // The key alone opens no tunnel, whatever else is offered along with it.
    let key = enrol_link_tls(&asking.key, &Anchor::Pin(rig.pin())).unwrap();
    let ping = [0, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1];
    assert_eq!(heard_for(dial(&rig, &key, &[ALPN]).await, &ping).await, "");
    let both = dial(&rig, &key, &[ALPN, ENROL_ALPN]).await.unwrap();
    assert_eq!(both.get_ref().1.alpn_protocol(), Some(ENROL_ALPN));
    assert_eq!(heard_for(dial(&rig, &key, &[]).await, &ping).await, "");
    // A slot's certificate enrols nobody.
    let slot = LinkTls::issued(&certified.certificate, &asking.slot_key, &certified.roots).unwrap();
    assert_eq!(heard_for(dial(&rig, &slot.current(), &[ENROL_ALPN]).await, one.as_bytes()).await, "");
    assert_eq!(rig.gateway().links(), 0);
}

#[tokio::test]
async fn an_enrolment_that_does_not_go_on_is_hung_up_on() {
    let rig = Rig::builder().cluster("slow").enrolling().without_agents().start().await;
    let asking = Enrolling::new(rig.tunnel_door(0), rig.pin(), "slow");
    let began = Instant::now();
    let half = format!("POST {ENROL_PATH} HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n{{");
    let (silent, half) =
        tokio::join!(heard_for(asking.link().await, b""), heard_for(asking.link().await, half.as_bytes()));
    assert!(!silent.contains("200") && !half.contains("200"));
    let took = began.elapsed();
    assert!((9..13).contains(&took.as_secs()), "{took:?}");
}

#[tokio::test]
async fn a_gateway_without_a_data_folder_enrols_nobody_and_the_agent_says_so() {
    let logs = Logs::capture();
    let mut rig = Rig::builder().cluster("paperless").without_agents().start().await;
    let mut config = rig.agent_config("paperless");
    config.gateway.credentials = Credentials::Enrol(trunkline_agent::EnrolConfig {
        pin: rig.paper.pki.tunnel.pin(),
        token_file: None,
        identity: trunkline_agent::IdentityConfig::Folder(rig.identity("paperless")),
        slot: trunkline_agent::SlotSource::Is(trunkline_proto::Slot(0)),
    });
    rig.begin_pod_with("paperless", 0, config).await;
    let door = rig.tunnel_door(0).to_string();
    eventually("the agent's log", SOON, || logs.says(&["trunkline_agent", &door, "nobody enrols there"]))
        .await;
}
