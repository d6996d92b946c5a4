//! A gateway for tests: an enrolment door with papers of its own, that answers as it is told and keeps what it heard.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use trunkline_pki::{
    AgentName, DoorSettings, DoorSource, PaperNames, Papers, Revocations, SlotKey, TunnelDoorTls, Validity,
    enrolling_key,
};
use trunkline_proto::{Certified, ClusterUid, EnrolReason, EnrolRefusal, EnrolRequest};
use trunkline_runtime::{Body, Door, Tasks};
use trunkline_tunnel::{Dialler, GatewayAddress, json, read_json};
use trunkline_upstream::{Metrics, Upstream, UpstreamConfig};

use crate::config::IdentityConfig;
use crate::enrol::{Clock, Enroller};
use crate::identity::IdentityStore;

/// How long the certificates live.
const LIFE: Duration = Duration::from_secs(3_600);

/// An enrolment door. Clones are the same one.
#[derive(Clone)]
pub(crate) struct FakeGateway {
    pub(crate) address: GatewayAddress,
    pub(crate) papers: Papers,
    state: Arc<Mutex<State>>,
    /// How many requests came so far.
    heard: watch::Sender<usize>,
}

pub(crate) struct State {
    /// All requests so far, with the pin of the key each came with.
    pub(crate) asked: Vec<(EnrolRequest, String)>,
    /// Says no to those who bring no token.
    pub(crate) without_token: Option<EnrolReason>,
    /// Says no to everybody.
    pub(crate) everybody: Option<EnrolReason>,
    /// Issues certificates for this slot and cluster in place of what was asked for.
    pub(crate) instead: Option<(&'static str, u16)>,
    pub(crate) uid: ClusterUid,
}

impl FakeGateway {
    /// A gateway whose papers are in a folder.
    pub(crate) async fn start(folder: &Path, tasks: &Tasks) -> Self {
        let names = PaperNames { front: Vec::new(), tunnel: vec!["127.0.0.1".into()] };
        let papers = Papers::open(folder, &names).unwrap();
        let source = DoorSource { papers: Some(papers.clone()), ..DoorSource::default() };
        let tls = TunnelDoorTls::new(DoorSettings { source, revocations: Revocations::new() }).unwrap();
        let door = Door::bind("fake gateway", ([127, 0, 0, 1], 0).into()).await.unwrap();
        let address = door.address().unwrap().to_string().parse().unwrap();
        let state = State {
            asked: Vec::new(),
            without_token: None,
            everybody: None,
            instead: None,
            uid: ClusterUid::random(),
        };
        let this = Self { address, papers, state: Arc::new(Mutex::new(state)), heard: watch::Sender::new(0) };
        let (gateway, family) = (this.clone(), tasks.clone());
        tasks.spawn_until_stopped(async move {
            loop {
                let (tcp, _) = door.accept().await;
                let (gateway, acceptor) = (gateway.clone(), TlsAcceptor::from(tls.enrol().unwrap()));
                family.spawn_until_stopped(async move {
                    let Ok(tls) = acceptor.accept(tcp).await else { return };
                    let shown = tls.get_ref().1.peer_certificates().unwrap()[0].clone();
                    let key = enrolling_key(&shown).unwrap().to_string();
                    let answering = service_fn(|request| {
                        let answer = gateway.answer(request, key.clone());
                        async move { Ok::<_, std::convert::Infallible>(answer.await) }
                    });
                    let serving = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(tls), answering);
                    let _ = serving.await;
                });
            }
        });
        this
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Waits until so many requests came.
    pub(crate) async fn has_heard(&self, requests: usize) {
        let mut heard = self.heard.subscribe();
        let heard = heard.wait_for(|heard| *heard >= requests);
        tokio::time::timeout(Duration::from_secs(20), heard).await.unwrap().unwrap();
    }

    /// The tokens of all requests so far.
    pub(crate) fn tokens(&self) -> Vec<Option<String>> {
        self.state().asked.iter().map(|(request, _)| request.token.clone()).collect()
    }

    /// A certificate for a key, as it comes over the tunnel.
    pub(crate) fn certified(&self, key: &SlotKey, cluster: &str, slot: u16) -> Certified {
        let (uid, now) = (self.state().uid, SystemTime::now());
        let name = AgentName {
            trust_domain: self.papers.trust_domain().to_owned(),
            cluster: cluster.parse().unwrap(),
            uid,
            slot: trunkline_proto::Slot(slot),
        };
        self.signed(&key.csr_pem(), &name, now)
    }

    async fn answer(&self, request: Request<Incoming>, key: String) -> Response<Body> {
        let asked: EnrolRequest = read_json(request.into_body()).await.unwrap();
        let (no, name) = {
            let mut state = self.state();
            let no = state.everybody.or(state.without_token.filter(|_| asked.token.is_none()));
            let (cluster, slot) = match state.instead {
                Some((cluster, slot)) => (cluster.parse().unwrap(), trunkline_proto::Slot(slot)),
                None => (asked.cluster.clone(), asked.slot),
            };
            let trust_domain = self.papers.trust_domain().to_owned();
            state.asked.push((asked.clone(), key));
            self.heard.send_modify(|heard| *heard += 1);
            (no, AgentName { trust_domain, cluster, uid: state.uid, slot })
        };
        if let Some(reason) = no {
            return json(StatusCode::FORBIDDEN, &EnrolRefusal { reason, message: "as it was told".into() });
        }
        json(StatusCode::OK, &self.signed(&asked.csr, &name, SystemTime::now()))
    }

    fn signed(&self, csr: &str, name: &AgentName, now: SystemTime) -> Certified {
        let validity = Validity { not_before: now - LIFE, not_after: now + LIFE };
        let signed = self.papers.sign_agent(csr, name, validity).unwrap();
        Certified {
            uid: name.uid,
            certificate: signed.certificate_pem,
            roots: self.papers.roots_pem(),
            not_after: crate::pass::seconds(signed.not_after),
            now: crate::pass::seconds(now),
        }
    }

    /// What it takes for slot 1 of `alpha` to enrol here, with an identity and perhaps a token in a folder.
    pub(crate) fn enroller(&self, folder: &Path, tasks: &Tasks) -> Enroller {
        let credential = folder.join("api-token");
        std::fs::write(&credential, "unused").unwrap();
        let upstream = UpstreamConfig {
            server: Some("http://127.0.0.1:1".into()),
            token_file: Some(credential),
            ..UpstreamConfig::default()
        };
        let upstream = Upstream::new(&upstream, tasks, Metrics::default()).unwrap();
        Enroller {
            cluster: "alpha".parse().unwrap(),
            slot: trunkline_proto::Slot(1),
            software: "test".into(),
            dialler: Dialler { proxy: None, server_name: None },
            pin: self.papers.pin(),
            token_file: Some(folder.join("join-token")),
            store: IdentityStore::new(&IdentityConfig::Folder(folder.join("identity")), &upstream),
            clock: Clock::default(),
            shown: Mutex::default(),
        }
    }
}
