//! An agent that enrols by hand: any key, any token, any request, on a link of its own.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use http::{Request, StatusCode, header};
use http_body_util::BodyExt as _;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::client::ResolvesClientCert;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::sign::CertifiedKey;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use trunkline_pki::{Anchor, ClusterKey, KeyPin, SlotKey, enrol_link_tls};
use trunkline_proto::{Certified, ENROL_PATH, EnrolReason, EnrolRefusal, EnrolRequest, Slot};
use trunkline_runtime::{Tasks, full};

/// An agent that enrols by hand.
#[derive(Debug)]
pub struct Enrolling {
    /// The cluster's key.
    pub key: ClusterKey,
    /// What is asked for: the certificate of slot 0, for a new key, without a token.
    pub request: EnrolRequest,
    /// The key of the slot that the request is for.
    pub slot_key: SlotKey,
    door: SocketAddr,
    from: [u8; 4],
    tls: Arc<ClientConfig>,
}

impl Enrolling {
    /// One with a new cluster key that trusts a gateway by its pin.
    pub fn new(door: SocketAddr, pin: KeyPin, cluster: &str) -> Self {
        Self::with_key(door, pin, cluster, ClusterKey::generate().unwrap())
    }

    /// One with a cluster key that there is already.
    pub fn with_key(door: SocketAddr, pin: KeyPin, cluster: &str, key: ClusterKey) -> Self {
        let tls = enrol_link_tls(&key, &Anchor::Pin(pin)).unwrap();
        let slot_key = SlotKey::generate().unwrap();
        let request = EnrolRequest {
            cluster: cluster.parse().unwrap(),
            slot: Slot(0),
            token: None,
            csr: slot_key.csr_pem(),
            software: "by hand".into(),
            now: 0,
        };
        Self { key, request, slot_key, door, from: [127, 0, 0, 1], tls }
    }

    /// Brings a token.
    #[must_use]
    pub fn token(mut self, token: &str) -> Self {
        self.request.token = Some(token.to_owned());
        self
    }

    /// Asks for another slot.
    #[must_use]
    pub fn slot(mut self, slot: u16) -> Self {
        self.request.slot = Slot(slot);
        self
    }

    /// Its clock says this, in seconds since 1970.
    #[must_use]
    pub fn clock(mut self, now: i64) -> Self {
        self.request.now = now;
        self
    }

    /// Finds this wrong with the gateway's certificate, and says so by TLS's alert.
    #[must_use]
    pub fn doubting(mut self, why: CertificateError) -> Self {
        let mut tls = ClientConfig::clone(&self.tls);
        tls.dangerous().set_certificate_verifier(Arc::new(Doubting(why)));
        self.tls = Arc::new(tls);
        self
    }

    /// Shows no certificate and says nothing of what it wants to speak, as somebody who knows nothing of agents.
    #[must_use]
    pub fn showing_nothing(mut self) -> Self {
        let mut tls = ClientConfig::clone(&self.tls);
        tls.alpn_protocols.clear();
        tls.client_auth_cert_resolver = Arc::new(Nothing);
        self.tls = Arc::new(tls);
        self
    }

    /// Sends another signing request.
    #[must_use]
    pub fn csr(mut self, csr: impl Into<String>) -> Self {
        self.request.csr = csr.into();
        self
    }

    /// Comes from another address of this machine: doors count by network.
    #[must_use]
    pub fn from(mut self, from: [u8; 4]) -> Self {
        self.from = from;
        self
    }

    /// A link whose handshake is done, on which nothing was said.
    pub async fn link(&self) -> io::Result<TlsStream<TcpStream>> {
        let socket = TcpSocket::new_v4()?;
        socket.bind((self.from, 0).into())?;
        let tcp = socket.connect(self.door).await?;
        let name = ServerName::try_from("localhost").map_err(io::Error::other)?;
        TlsConnector::from(self.tls.clone()).connect(name, tcp).await
    }

    /// Asks on a link of its own.
    pub async fn ask(&self, tasks: &Tasks) -> Result<Certified, EnrolRefusal> {
        let link = self.link().await.unwrap();
        self.ask_on(link, tasks).await.unwrap()
    }

    /// Asks, and says why there was no certificate.
    ///
    /// # Panics
    /// When there was one.
    pub async fn refused(&self, tasks: &Tasks) -> EnrolReason {
        self.ask(tasks).await.expect_err("no certificate").reason
    }

    /// Asks on this link. An error when the link brings no answer.
    pub async fn ask_on(
        &self,
        link: TlsStream<TcpStream>,
        tasks: &Tasks,
    ) -> io::Result<Result<Certified, EnrolRefusal>> {
        let text = serde_json::to_vec(&self.request)?;
        let (status, body) = post(link, ENROL_PATH, text, tasks).await?;
        match status {
            StatusCode::OK => Ok(Ok(serde_json::from_slice(&body)?)),
            _ => Ok(Err(serde_json::from_slice(&body)?)),
        }
    }
}

/// Shows no certificate.
#[derive(Debug)]
struct Nothing;

impl ResolvesClientCert for Nothing {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}

/// Takes no certificate.
#[derive(Debug)]
struct Doubting(CertificateError);

impl ServerCertVerifier for Doubting {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Err(rustls::Error::InvalidCertificate(self.0.clone()))
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(rustls::Error::InvalidCertificate(self.0.clone()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verify_tls12_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![
            SignatureScheme::ECDSA_NISTP256_SHA256,
            SignatureScheme::ECDSA_NISTP384_SHA384,
            SignatureScheme::ED25519,
        ]
    }
}

/// Posts something on a link for enrolment.
pub async fn post(
    link: TlsStream<TcpStream>,
    path: &str,
    body: Vec<u8>,
    tasks: &Tasks,
) -> io::Result<(StatusCode, Vec<u8>)> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(link)).await.map_err(io::Error::other)?;
    tasks.spawn_until_stopped(async move {
        let _ = connection.await;
    });
    let request = Request::post(path)
        .header(header::HOST, "trunkline")
        .header(header::CONTENT_TYPE, "application/json")
        .body(full(body))
        .map_err(io::Error::other)?;
    let (head, body) = sender.send_request(request).await.map_err(io::Error::other)?.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    Ok((head.status, body.to_vec()))
}
