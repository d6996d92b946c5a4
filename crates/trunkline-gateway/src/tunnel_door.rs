//! Where agents arrive: mTLS, hello, and from then on a session in [`Tunnels`].
//!
//! The accept loop only accepts; handshake and hello happen in the link's own task, under their own deadline. The
//! cluster is the one in the verified certificate; a hello that says another is rejected in words, and so is every
//! other no, so that both logs hold the reason.

mod desk;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, mpsc};
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::rustls::Error as Tls;
use tokio_rustls::rustls::server::Acceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};
use trunkline_api::JoinStall;
use trunkline_pki::{AgentIdentity, KeyPin, TunnelDoorTls};
use trunkline_proto::{
    ALPN, Capability, CloseReason, ControlCall, Drain, ENROL_ALPN, Hello, Lane, Limits, PROTOCOL, Rejection,
    RejectionReason, Welcome,
};
use trunkline_runtime::{Door, Tasks, chain};
use trunkline_tunnel::{Role, Session, call, serve};

use crate::arrivals::{Arrival, Arrivals, Known};
use crate::enrolment::{Enrolment, SentAway};
use crate::fleet::{Fleet, Standing};
use crate::guard::Guard;
use crate::joining::{of_handshake, of_hello};
use crate::logs::Logs;
use crate::metrics::{Metrics, Reason};
use crate::tunnels::{Arrived, Live, Tunnels, finish};
use desk::Desk;

/// How long the TLS handshake may take.
const TLS_DEADLINE: Duration = Duration::from_secs(5);
/// How long the hello may take after the handshake.
const HELLO_DEADLINE: Duration = Duration::from_secs(5);
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
    pub(crate) guard: Guard,
    pub(crate) enrolment: Enrolment,
    pub(crate) logs: Option<Logs>,
    pub(crate) tasks: Tasks,
    pub(crate) metrics: Metrics,
    pub(crate) links: Arc<Semaphore>,
    pub(crate) known: Known,
    pub(crate) draining: CancellationToken,
    /// Cancelled when no client waits for a tunnel any more.
    pub(crate) front_done: CancellationToken,
}

impl TunnelDoor {
    /// Accepts links until the tasks are told to stop.
    pub(crate) async fn serve(self, door: Door) {
        let arrivals = Arrivals::new(self.known.clone());
        loop {
            let (tcp, from) = tokio::select! {
                () = self.draining.cancelled() => return,
                accepted = door.accept() => accepted,
            };
            let Some((arrival, pushed)) = arrivals.enter(from.ip()).await else { return };
            self.metrics.strangers_pushed_out.inc_by(pushed.into());
            let this = self.clone();
            self.tasks.spawn_until_stopped(async move {
                this.welcome(tcp, from, arrival).await;
            });
        }
    }

    /// An enrolling agent is met with other questions than one that has a certificate.
    async fn shake_hands(&self, tcp: TcpStream, arrival: &Arrival) -> io::Result<TlsStream<TcpStream>> {
        let start = LazyConfigAcceptor::new(Acceptor::default(), tcp).await?;
        arrival.got_on();
        let enrols =
            start.client_hello().alpn().is_some_and(|mut offered| offered.any(|one| one == ENROL_ALPN));
        let config = match self.tls.enrol() {
            Some(config) if enrols => config,
            _ => self.tls.current(),
        };
        let tls = start.into_stream(config).await?;
        arrival.got_on();
        Ok(tls)
    }

    async fn welcome(&self, tcp: TcpStream, from: SocketAddr, arrival: Arrival) {
        let Ok(_link) = self.links.clone().try_acquire_owned() else {
            return self.note_rejection(from, "TooManyLinks", "tunnel.max_links is reached");
        };
        let pushed_out = arrival.pushed_out();
        let shaken = tokio::select! {
            biased;
            () = pushed_out => return debug!(%from, "a newcomer got the place of a link in its handshake"),
            shaken = tokio::time::timeout(TLS_DEADLINE, self.shake_hands(tcp, &arrival)) => shaken,
        };
        let tls = match shaken {
            Ok(Ok(tls)) => tls,
            Ok(Err(error)) => {
                if let Some(stall) = tls_error(&error).and_then(of_handshake) {
                    self.tunnels.joinings().note_stranger(from, stall, &error.to_string());
                }
                return self.note_rejection(from, tls_reason(&error), &error.to_string());
            }
            Err(_) => {
                return self.note_rejection(from, "HandshakeTimeout", "the TLS handshake took too long");
            }
        };
        let (_, connection) = tls.get_ref();
        let certificate = connection.peer_certificates().and_then(<[_]>::first);
        let Some(certificate) = certificate.map(|certificate| certificate.clone().into_owned()) else {
            return self.note_rejection(from, "NotAnAgent", "there is no certificate");
        };
        match connection.alpn_protocol() {
            Some(ALPN) => {}
            Some(ENROL_ALPN) => return self.enrolment.serve(tls, &certificate, from, arrival).await,
            _ => {
                let what = "the link does not speak the tunnel protocol";
                self.tunnels.joinings().note_stranger(from, JoinStall::TlsIntercepted, what);
                return self.note_rejection(from, "NotAnAgent", what);
            }
        }
        let identity = match AgentIdentity::from_certificate(&certificate) {
            Ok(identity) => identity,
            Err(error) => return self.note_rejection(from, "NotAnAgent", &error.to_string()),
        };
        let mut arrived = Arrived {
            key: KeyPin::of_certificate(&certificate).ok(),
            root: self.fleet.papers.as_ref().and_then(|papers| papers.root_of(&certificate)),
            cluster_key: None,
            identity,
            from,
        };
        let (session, inbound) = Session::start(tls, Role::Door, AGENT_STREAMS, &self.tasks);
        let (hello, mut hellos) = mpsc::channel(1);
        let desk = Desk {
            hello,
            live: Arc::new(OnceLock::new()),
            tunnels: self.tunnels.clone(),
            enrolment: self.enrolment.clone(),
            logs: self.logs.clone(),
        };
        let place_at_desk = desk.live.clone();
        let answering = move |request| desk.clone().answer(request);
        self.tasks.spawn(serve(inbound, answering));
        let said = tokio::select! {
            biased;
            () = arrival.pushed_out() => None,
            said = tokio::time::timeout(HELLO_DEADLINE, hellos.recv()) => said.ok().flatten(),
        };
        let Some((hello, answer)) = said else {
            session.close(CloseReason::Protocol("no hello".into()));
            return self.note_rejection(from, "NoHello", "no hello came");
        };
        let judged = match self.judge(&hello, &mut arrived) {
            Ok(version) => {
                self.tunnels.claim(&hello, &arrived.identity, from).await.map(|epoch| (version, epoch))
            }
            Err(rejection) => Err(rejection),
        };
        match judged {
            Ok((version, epoch)) => {
                arrival.become_known();
                let _address = self.known.hold(from.ip());
                session.allow(hello.limits);
                if hello.lane == Lane::Logs {
                    session.step_aside();
                }
                let live = self.tunnels.enter(session, &hello, arrived, epoch);
                let _ = place_at_desk.set(live.clone());
                let welcome = Welcome {
                    version,
                    software: env!("CARGO_PKG_VERSION").to_owned(),
                    epoch,
                    capabilities: self.capabilities(),
                    limits: AGENT_STREAMS,
                    reconnect_cap_ms: RECONNECT_CAP_MS,
                };
                let _ = answer.send(Ok(welcome));
                self.guard.look_at_live(&live);
                self.look_after(live, &hello).await;
            }
            Err(rejection) => {
                self.note_rejection(from, rejection.reason.as_str(), &rejection.message);
                let (reason, at) = (rejection.reason.as_str(), of_hello(rejection.reason));
                let no = SentAway { reason, why: &rejection.message, at };
                let AgentIdentity { cluster, slot, .. } = &arrived.identity;
                self.enrolment.remember(cluster, (from, *slot), no);
                let _ = answer.send(Err(rejection));
                // The agent reads the rejection and hangs up; should it not, we do.
                let _ = tokio::time::timeout(HELLO_DEADLINE, session.ended()).await;
                session.close(CloseReason::Revoked);
            }
        }
    }

    fn capabilities(&self) -> Vec<Capability> {
        let logs = self.logs.as_ref().map(|_| Capability::Logs);
        [Capability::MoreLinks].into_iter().chain(logs).collect()
    }

    /// Whether an agent may have a tunnel, and in which version.
    fn judge(
        &self,
        hello: &Hello,
        arrived: &mut Arrived,
    ) -> Result<trunkline_proto::ProtocolVersion, Rejection> {
        let identity = &arrived.identity;
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
        match self.fleet.standing(&identity.cluster) {
            None => {
                let message = format!("cluster {} is not registered at this gateway", identity.cluster);
                return no(RejectionReason::ClusterUnknown, message);
            }
            Some(Standing::Locked(lock)) => {
                let message =
                    format!("cluster {} is locked by {}: {}", identity.cluster, lock.by, lock.reason);
                return no(RejectionReason::ClusterLocked, message);
            }
            Some(Standing::Open(Some(uid))) if uid != identity.uid => {
                let message = format!(
                    "cluster {} is registered with uid {uid}, the certificate says {}; was it registered anew?",
                    identity.cluster, identity.uid
                );
                return no(RejectionReason::UidMismatch, message);
            }
            Some(Standing::Open(_)) => {}
        }
        if self.fleet.is_declared(&identity.cluster) && arrived.root.is_some() {
            let message = format!(
                "cluster {} is declared in the gateway's file; the certificate is from when it was registered",
                identity.cluster
            );
            return no(RejectionReason::UidMismatch, message);
        }
        arrived.cluster_key = self.key_of(arrived, hello.instance)?;
        PROTOCOL
            .meet(hello.version, hello.oldest_version)
            .map_err(|skew| Rejection { reason: RejectionReason::VersionSkew, message: skew.to_string() })
    }

    /// The key of a registered cluster that the agent's certificate was asked for with: the newest certificate of its
    /// slot is welcome, and an older one of a process that holds the slot, since that asked for the newer one.
    fn key_of(&self, arrived: &Arrived, instance: u64) -> Result<Option<String>, Rejection> {
        let identity = &arrived.identity;
        let Some(record) = self.fleet.registry.get(&identity.cluster) else { return Ok(None) };
        let key = record.key.as_ref().map(|key| key.pin.clone());
        let newest = record.slots.get(&identity.slot).map(|slot| slot.key.as_str());
        let is_newest =
            newest.is_some() && newest == arrived.key.as_ref().map(ToString::to_string).as_deref();
        if is_newest || self.tunnels.holds(identity, instance, key.as_deref()) {
            return Ok(key);
        }
        Err(Rejection {
            reason: RejectionReason::CertificateSuperseded,
            message: "the slot has a newer certificate than this one; ask for another with the cluster's key"
                .into(),
        })
    }

    /// Watches one session to its end: heartbeat, expiry, drain. What else ends it is the guard's business.
    async fn look_after(&self, live: Arc<Live>, hello: &Hello) {
        let session = &live.session;
        info!(cluster = %live.cluster, slot = %live.identity.slot, epoch = %live.epoch, from = %live.from,
              ordinal = hello.ordinal, agent = live.software, "link is up");
        tokio::select! {
            biased;
            () = session.keep_alive(live.epoch) => {}
            () = until(live.identity.not_after) => session.close(CloseReason::Expired),
            () = self.drain(&live) => {}
        }
        let reason = session.ended().await;
        let last = self.tunnels.leave(&live, &reason);
        let of_slot = |other: &Arc<Live>| other.identity.slot == live.identity.slot;
        if let Some(logs) = &self.logs
            && !self.tunnels.of(&live.cluster).iter().any(of_slot)
        {
            logs.standing().forget_slot(live.identity.uid, live.identity.slot);
        }
        info!(cluster = %live.cluster, epoch = %live.epoch, from = %live.from, %reason, "link is down");
        if last && !self.fleet.is_declared(&live.cluster) {
            let seen = self.fleet.registry.note_seen(&live.cluster, live.identity.uid, Timestamp::now());
            if let Err(error) = seen.await {
                debug!(cluster = %live.cluster, why = chain(&error), "not noted when it was seen last");
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
fn tls_reason(error: &io::Error) -> &'static str {
    use tokio_rustls::rustls::CertificateError as Cert;
    match tls_error(error) {
        Some(Tls::InvalidCertificate(Cert::Revoked)) => "CertificateRevoked",
        Some(Tls::InvalidCertificate(Cert::Expired | Cert::ExpiredContext { .. })) => "CertificateExpired",
        Some(Tls::InvalidCertificate(Cert::UnknownIssuer | Cert::BadSignature)) => "CertificateUnknownRoot",
        Some(Tls::InvalidCertificate(_)) => "CertificateInvalid",
        Some(Tls::NoCertificatesPresented) => "NoCertificate",
        _ => "HandshakeFailed",
    }
}

fn tls_error(error: &io::Error) -> Option<&Tls> {
    error.get_ref().and_then(|inner| inner.downcast_ref())
}

/// Waits until a moment of the calendar. Looked at again each minute, since calendars are set.
async fn until(moment: SystemTime) {
    while let Ok(left) = moment.duration_since(SystemTime::now()) {
        tokio::time::sleep(left.min(Duration::from_secs(60))).await;
    }
}
