//! Where agents arrive: mTLS, hello, and from then on a session in [`Tunnels`].
//!
//! The accept loop only accepts; handshake and hello happen in the link's own task, under their own deadline. The
//! cluster is the one in the verified certificate; a hello that says another is rejected in words, and so is every
//! other no, so that both logs hold the reason.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};
use trunkline_pki::{AgentIdentity, TunnelDoorTls};
use trunkline_proto::{
    ALPN, Capability, CloseReason, ControlCall, Drain, Hello, Limits, PROTOCOL, Rejection, RejectionReason,
    StatusReport, StreamHead, Welcome,
};
use trunkline_runtime::{Body, Door, Tasks};
use trunkline_tunnel::{Role, Session, call, json, read_json, serve};

use crate::fleet::Fleet;
use crate::metrics::{Metrics, Reason};
use crate::tunnels::{Live, Tunnels};

/// How long the TLS handshake may take.
const TLS_DEADLINE: Duration = Duration::from_secs(5);
/// How long the hello may take after the handshake.
const HELLO_DEADLINE: Duration = Duration::from_secs(5);
/// How many links may be between accept and hello at once.
const ARRIVING: usize = 1024;
/// The longest pause before a reconnect that agents are told, in milliseconds.
const RECONNECT_CAP_MS: u64 = 4_000;

/// What welcoming agents takes. Clones share it.
#[derive(Clone)]
pub(crate) struct TunnelDoor {
    pub(crate) tls: Arc<TunnelDoorTls>,
    pub(crate) fleet: Fleet,
    pub(crate) tunnels: Tunnels,
    pub(crate) tasks: Tasks,
    pub(crate) metrics: Metrics,
    pub(crate) links: Arc<Semaphore>,
    pub(crate) draining: CancellationToken,
    /// Cancelled when no client waits for a tunnel any more.
    pub(crate) front_done: CancellationToken,
}

impl TunnelDoor {
    /// Accepts links until the tasks are told to stop.
    pub(crate) async fn serve(self, door: Door) {
        let arriving = Arc::new(Semaphore::new(ARRIVING));
        loop {
            // Without a place to arrive in, a link waits in the kernel's queue.
            let Ok(place) = arriving.clone().acquire_owned().await else { return };
            let (tcp, from) = tokio::select! {
                () = self.draining.cancelled() => return,
                accepted = door.accept() => accepted,
            };
            let this = self.clone();
            self.tasks.spawn_until_stopped(async move {
                this.welcome(tcp, from, place).await;
            });
        }
    }

    async fn welcome(&self, tcp: TcpStream, from: SocketAddr, place: tokio::sync::OwnedSemaphorePermit) {
        let Ok(_link) = self.links.clone().try_acquire_owned() else {
            return self.note_rejection(from, "TooManyLinks", "tunnel.max_links is reached");
        };
        let handshake = TlsAcceptor::from(self.tls.current()).accept(tcp);
        let tls = match tokio::time::timeout(TLS_DEADLINE, handshake).await {
            Ok(Ok(tls)) => tls,
            Ok(Err(error)) => return self.note_rejection(from, tls_reason(&error), &error.to_string()),
            Err(_) => {
                return self.note_rejection(from, "HandshakeTimeout", "the TLS handshake took too long");
            }
        };
        let (_, connection) = tls.get_ref();
        if connection.alpn_protocol() != Some(ALPN) {
            return self.note_rejection(from, "NotAnAgent", "the link does not speak the tunnel protocol");
        }
        let certificate = connection.peer_certificates().and_then(<[_]>::first);
        let identity = match certificate.map(AgentIdentity::from_certificate) {
            Some(Ok(identity)) => identity,
            Some(Err(error)) => return self.note_rejection(from, "NotAnAgent", &error.to_string()),
            None => return self.note_rejection(from, "NotAnAgent", "there is no certificate"),
        };
        let (session, inbound) = Session::start(tls, Role::Door, Limits::DEFAULT, &self.tasks);
        let (hello, mut hellos) = mpsc::channel(1);
        let desk = Desk { hello, live: Arc::new(OnceLock::new()), tunnels: self.tunnels.clone() };
        let place_at_desk = desk.live.clone();
        let answering = move |request| desk.clone().answer(request);
        self.tasks.spawn(serve(inbound, self.tasks.clone(), answering));
        let said = tokio::time::timeout(HELLO_DEADLINE, hellos.recv()).await;
        drop(place);
        let Ok(Some((hello, answer))) = said else {
            session.close(CloseReason::Protocol("no hello".into()));
            return self.note_rejection(from, "NoHello", "no hello came");
        };
        let judged = self.judge(&hello, &identity).and_then(|version| {
            let epoch = self.tunnels.epoch_for(&hello, &identity).ok_or_else(|| Rejection {
                reason: RejectionReason::Fenced,
                message: "a newer agent process holds this slot; do two run with the same certificate?"
                    .into(),
            })?;
            Ok((version, epoch))
        });
        match judged {
            Ok((version, epoch)) => {
                session.allow(hello.limits);
                let live = self.tunnels.enter(session, &hello, identity, epoch, from);
                let _ = place_at_desk.set(live.clone());
                let welcome = Welcome {
                    version,
                    software: env!("CARGO_PKG_VERSION").to_owned(),
                    epoch,
                    capabilities: vec![Capability::MoreLinks],
                    limits: Limits::DEFAULT,
                    reconnect_cap_ms: RECONNECT_CAP_MS,
                };
                let _ = answer.send(Ok(welcome));
                self.look_after(live, &hello).await;
            }
            Err(rejection) => {
                self.note_rejection(from, rejection.reason.as_str(), &rejection.message);
                let _ = answer.send(Err(rejection));
                // The agent reads the rejection and hangs up; should it not, we do.
                let _ = tokio::time::timeout(HELLO_DEADLINE, session.ended()).await;
                session.close(CloseReason::Revoked);
            }
        }
    }

    /// Whether an agent may have a tunnel, and in which version.
    fn judge(
        &self,
        hello: &Hello,
        identity: &AgentIdentity,
    ) -> Result<trunkline_proto::ProtocolVersion, Rejection> {
        let no = |reason, message: String| Err(Rejection { reason, message });
        if self.draining.is_cancelled() {
            return no(RejectionReason::Draining, "this gateway is stopping; dial another".into());
        }
        if identity.cluster != hello.cluster {
            let message = format!(
                "the agent is configured for cluster {} but its certificate is for {}; one of the two is wrong",
                hello.cluster, identity.cluster
            );
            return no(RejectionReason::IdentityMismatch, message);
        }
        // The verifier asked this at the handshake; a list that changed since is asked again.
        if self.fleet.revoked_agents.contains(&identity.serial) {
            return no(RejectionReason::CertificateRevoked, format!("serial {} is revoked", identity.serial));
        }
        match self.fleet.find(&identity.cluster) {
            None => {
                let message = format!("cluster {} is not registered at this gateway", identity.cluster);
                return no(RejectionReason::ClusterUnknown, message);
            }
            Some(Some(uid)) if uid != identity.uid => {
                let message = format!(
                    "cluster {} is registered with uid {uid}, the certificate says {}; was it registered anew?",
                    identity.cluster, identity.uid
                );
                return no(RejectionReason::UidMismatch, message);
            }
            Some(_) => {}
        }
        PROTOCOL
            .meet(hello.version, hello.oldest_version)
            .map_err(|skew| Rejection { reason: RejectionReason::VersionSkew, message: skew.to_string() })
    }

    /// Watches one session to its end: heartbeat, expiry, revocation, drain.
    async fn look_after(&self, live: Arc<Live>, hello: &Hello) {
        let session = &live.session;
        info!(cluster = %live.cluster, slot = %live.identity.slot, epoch = %live.epoch, from = %live.from,
              ordinal = hello.ordinal, agent = hello.software, "link is up");
        tokio::select! {
            biased;
            () = session.keep_alive(live.epoch) => {}
            () = self.while_welcome(&live.identity) => session.close(CloseReason::Revoked),
            () = until(live.identity.not_after) => session.close(CloseReason::Expired),
            () = self.drain(&live) => {}
        }
        let reason = session.ended().await;
        self.tunnels.leave(&live, &reason);
        info!(cluster = %live.cluster, epoch = %live.epoch, from = %live.from, %reason, "link is down");
    }

    /// Returns when the fleet no longer holds the identity.
    async fn while_welcome(&self, identity: &AgentIdentity) {
        let mut changes = self.fleet.changes();
        loop {
            let registered = match self.fleet.find(&identity.cluster) {
                None => false,
                Some(uid) => uid.is_none_or(|uid| uid == identity.uid),
            };
            if !registered || self.fleet.revoked_agents.contains(&identity.serial) {
                return;
            }
            if changes.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// When the gateway drains: tells the agent to open elsewhere, serves the clients that are still there, and returns
    /// when nothing is in flight.
    async fn drain(&self, live: &Live) {
        self.draining.cancelled().await;
        let message = Drain { grace_ms: 0, message: "the gateway is stopping".into() };
        if let Err(error) = call::<_, ()>(&live.session, ControlCall::Drain, live.epoch, &message).await {
            debug!(cluster = %live.cluster, %error, "the agent was not told of the drain");
        }
        self.front_done.cancelled().await;
        finish(&live.session).await;
    }

    fn note_rejection(&self, from: SocketAddr, reason: &'static str, detail: &str) {
        warn!(%from, reason, detail, "link refused");
        self.metrics.links_rejected.get_or_create(&Reason { reason }).inc();
    }
}

/// Gives a session no more requests and ends it when none is in flight.
async fn finish(session: &Session) {
    session.drain();
    while session.in_flight() > 0 && !session.is_ended() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    session.close(CloseReason::Drained);
}

/// What answers an agent's requests on one session.
#[derive(Clone)]
struct Desk {
    hello: mpsc::Sender<(Hello, oneshot::Sender<Result<Welcome, Rejection>>)>,
    /// Set once the hello was accepted; before, nothing else is answered.
    live: Arc<OnceLock<Arc<Live>>>,
    tunnels: Tunnels,
}

impl Desk {
    async fn answer(self, mut request: Request<Incoming>) -> Response<Body> {
        let call = ControlCall::from_path(request.uri().path());
        if StreamHead::take(request.headers_mut()).is_err() {
            return json(StatusCode::BAD_REQUEST, &"no stream head");
        }
        match (call, self.live.get().cloned()) {
            (Some(ControlCall::Hello), None) => self.hello(request).await,
            (Some(ControlCall::Ping), Some(_)) => json(StatusCode::OK, &()),
            (Some(ControlCall::Status), Some(live)) => {
                match read_json::<StatusReport>(request.into_body()).await {
                    Ok(report) => {
                        debug!(cluster = %live.cluster, upstream = ?report.upstream, why = report.message, "status");
                        self.tunnels.report(&live.cluster, report);
                        json(StatusCode::OK, &())
                    }
                    Err(_) => json(StatusCode::BAD_REQUEST, &"the report does not parse"),
                }
            }
            (Some(ControlCall::Drain), Some(live)) => {
                debug!(cluster = %live.cluster, epoch = %live.epoch, "the agent drains");
                let session = live.session.clone();
                session.drain();
                self.tunnels.finish_later(session);
                json(StatusCode::OK, &())
            }
            _ => json(StatusCode::NOT_FOUND, &"no such control call now"),
        }
    }

    async fn hello(&self, request: Request<Incoming>) -> Response<Body> {
        let Ok(hello) = read_json::<Hello>(request.into_body()).await else {
            return json(StatusCode::BAD_REQUEST, &"the hello does not parse");
        };
        let (answer, answered) = oneshot::channel();
        if self.hello.send((hello, answer)).await.is_err() {
            return json(StatusCode::CONFLICT, &"hello was said already");
        }
        match answered.await {
            Ok(Ok(welcome)) => json(StatusCode::OK, &welcome),
            Ok(Err(rejection)) => json(StatusCode::FORBIDDEN, &rejection),
            Err(_) => json(StatusCode::CONFLICT, &"hello was said already"),
        }
    }
}

impl Tunnels {
    /// Ends a drained session once nothing is in flight on it.
    fn finish_later(&self, session: Session) {
        self.tasks().spawn_until_stopped(async move { finish(&session).await });
    }
}

/// The reason word of a failed handshake.
fn tls_reason(error: &std::io::Error) -> &'static str {
    use tokio_rustls::rustls::{CertificateError as Cert, Error as Tls};
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Tls>()) {
        Some(Tls::InvalidCertificate(Cert::Revoked)) => "CertificateRevoked",
        Some(Tls::InvalidCertificate(Cert::Expired | Cert::ExpiredContext { .. })) => "CertificateExpired",
        Some(Tls::InvalidCertificate(Cert::UnknownIssuer | Cert::BadSignature)) => "CertificateUnknownRoot",
        Some(Tls::InvalidCertificate(_)) => "CertificateInvalid",
        Some(Tls::NoCertificatesPresented) => "NoCertificate",
        _ => "HandshakeFailed",
    }
}

/// Waits until a moment of the calendar. Looked at again each minute, since calendars are set.
async fn until(moment: SystemTime) {
    while let Ok(left) = moment.duration_since(SystemTime::now()) {
        tokio::time::sleep(left.min(Duration::from_secs(60))).await;
    }
}
