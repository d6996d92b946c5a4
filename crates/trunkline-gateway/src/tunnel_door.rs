//! Where agents arrive: mTLS, hello, and from then on a session in [`Tunnels`].
//!
//! The accept loop only accepts; handshake and hello happen in the link's own task, under their own deadline. The
//! cluster is the one in the verified certificate; a hello that says another is rejected in words, and so is every
//! other no, so that both logs hold the reason.

mod desk;

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use tokio::net::TcpStream;
use tokio::sync::{Semaphore, mpsc};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};
use trunkline_pki::{AgentIdentity, TunnelDoorTls};
use trunkline_proto::{
    ALPN, Capability, CloseReason, ControlCall, Drain, Hello, Limits, PROTOCOL, Rejection, RejectionReason,
    Welcome,
};
use trunkline_runtime::{Door, Tasks};
use trunkline_tunnel::{Role, Session, call, serve};

use crate::arrivals::{Arrival, Arrivals};
use crate::fleet::Fleet;
use crate::metrics::{Metrics, Reason};
use crate::tunnels::{Live, Tunnels, finish};
use desk::Desk;

/// How long the TLS handshake may take.
const TLS_DEADLINE: Duration = Duration::from_secs(5);
/// How long the hello may take after the handshake.
const HELLO_DEADLINE: Duration = Duration::from_secs(5);
/// Links from one network (/24, /56) that may be between accept and hello at once; many clusters may share one.
const ARRIVING_PER_NETWORK: usize = 512;
/// Streams that an agent may open in a session: control calls, one after another.
const AGENT_STREAMS: Limits = Limits { streams: 16 };
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
        let arrivals = Arrivals::new(ARRIVING_PER_NETWORK);
        loop {
            let (tcp, from) = tokio::select! {
                () = self.draining.cancelled() => return,
                accepted = door.accept() => accepted,
            };
            // Closed, not queued: behind strangers who say nothing, agents would wait in the kernel for ever.
            let Some(arrival) = arrivals.enter(from.ip()) else {
                self.note_rejection(from, "TooManyArriving", "too many from there are not past their hello");
                continue;
            };
            let this = self.clone();
            self.tasks.spawn_until_stopped(async move {
                this.welcome(tcp, from, arrival).await;
            });
        }
    }

    async fn welcome(&self, tcp: TcpStream, from: SocketAddr, arrival: Arrival) {
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
        let (session, inbound) = Session::start(tls, Role::Door, AGENT_STREAMS, &self.tasks);
        let (hello, mut hellos) = mpsc::channel(1);
        let desk = Desk { hello, live: Arc::new(OnceLock::new()), tunnels: self.tunnels.clone() };
        let place_at_desk = desk.live.clone();
        let answering = move |request| desk.clone().answer(request);
        self.tasks.spawn(serve(inbound, self.tasks.clone(), answering));
        let said = tokio::time::timeout(HELLO_DEADLINE, hellos.recv()).await;
        drop(arrival);
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
                    limits: AGENT_STREAMS,
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
        if self.tunnels.is_full(identity) {
            let message = "this agent has as many links as it may; old ones are noticed within 10 s".into();
            return no(RejectionReason::TooManyLinks, message);
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
