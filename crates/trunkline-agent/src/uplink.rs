//! Keeps links up: dial, hello, serve, and again with a pause when it ends.
//!
//! The first link is for ever. Further ones come when the gateway wishes for them (a bulk stream is under way) and
//! end when idle. "Open elsewhere first": a gateway that drains is left only after the next link is up.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};
use trunkline_proto::{
    Capability, CloseReason, ClusterId, ControlCall, Drain, Epoch, Hello, Lane, Limits, PROTOCOL, Rejection,
    StatusReport, Welcome,
};
use trunkline_runtime::{Tasks, chain};
use trunkline_tunnel::{Backoff, CallError, DialError, GatewayAddress, Role, Session, call, serve};
use trunkline_upstream::Upstream;

use crate::config::Uphill;
use crate::dispatch::Dispatch;
use crate::metrics::Metrics;

/// The most links of the `api` lane, whatever the gateway wishes for.
const MOST_LINKS: u16 = 4;
/// How long a further link is kept with nothing on it.
const IDLE: Duration = Duration::from_secs(60);
/// How long a session must have lived for its end to be retried at once.
const SETTLED: Duration = Duration::from_secs(10);

/// The agent's links. Clones are handles to the same ones.
#[derive(Clone)]
pub(crate) struct Uplink {
    shared: Arc<Shared>,
}

struct Shared {
    cluster: ClusterId,
    instance: u64,
    software: String,
    uphill: Uphill,
    upstream: Upstream,
    tasks: Tasks,
    metrics: Metrics,
    report: watch::Receiver<StatusReport>,
    wish: watch::Sender<u16>,
    further: AtomicU16,
    /// Which of the addresses the first link is with: it is that gateway who wishes for more.
    at: AtomicUsize,
    sessions: std::sync::Mutex<Vec<(Session, Epoch)>>,
    /// Told when the first link is up.
    up: watch::Sender<bool>,
    stopping: CancellationToken,
}

/// Why an attempt to bring a link up failed.
#[derive(Debug, thiserror::Error)]
enum AttemptError {
    #[error(transparent)]
    Dial(#[from] DialError),
    #[error("the gateway at {0} refused this agent: {1}")]
    Rejected(GatewayAddress, Rejection),
    #[error("the gateway at {0} closed the link during the hello: {1}")]
    Closed(GatewayAddress, CloseReason),
    #[error("the gateway at {0} did not answer the hello")]
    Hello(GatewayAddress, #[source] CallError),
}

/// A link that is up.
struct Live {
    session: Session,
    epoch: Epoch,
    move_on: CancellationToken,
    reconnect_cap: Duration,
}

impl Uplink {
    pub(crate) fn new(
        cluster: ClusterId,
        software: String,
        uphill: Uphill,
        upstream: Upstream,
        tasks: &Tasks,
        metrics: Metrics,
        report: watch::Receiver<StatusReport>,
    ) -> Self {
        let shared = Shared {
            cluster,
            instance: rand::random(),
            software,
            uphill,
            upstream,
            tasks: tasks.clone(),
            metrics,
            report,
            wish: watch::Sender::new(1),
            further: AtomicU16::new(0),
            at: AtomicUsize::new(0),
            sessions: std::sync::Mutex::default(),
            up: watch::Sender::new(false),
            stopping: CancellationToken::new(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Becomes true when the first link is up.
    pub(crate) fn up(&self) -> watch::Receiver<bool> {
        self.shared.up.subscribe()
    }

    /// Keeps links up until the tasks are told to stop.
    pub(crate) async fn run(self) {
        tokio::join!(self.keep_first_link(), self.grant_wishes());
    }

    /// Tells every gateway to open elsewhere, and waits until nothing is in flight, at most `grace`.
    pub(crate) async fn drain(&self, grace: Duration) {
        self.shared.stopping.cancel();
        let sessions = self.sessions().clone();
        let message = Drain {
            grace_ms: u64::try_from(grace.as_millis()).unwrap_or(u64::MAX),
            message: "the agent is stopping".into(),
        };
        for (session, epoch) in &sessions {
            tell(session, ControlCall::Drain, *epoch, message.clone()).await;
        }
        // The gateway ends a session once nothing is in flight on it.
        let ended = async {
            for (session, _) in &sessions {
                session.ended().await;
            }
        };
        if tokio::time::timeout(grace, ended).await.is_err() {
            warn!("the grace is over; cutting what is in flight");
        }
        for (session, _) in &sessions {
            session.close(CloseReason::Shutdown);
        }
    }

    async fn keep_first_link(&self) {
        let shared = &self.shared;
        let mut backoff = Backoff::default();
        let mut at = 0;
        while !shared.stopping.is_cancelled() {
            let address = &shared.uphill.addresses[at % shared.uphill.addresses.len()];
            match self.bring_up(address, 0).await {
                Ok(live) => {
                    info!(gateway = %address, epoch = %live.epoch, "tunnel is up");
                    shared.at.store(at, Ordering::Relaxed);
                    shared.up.send_replace(true);
                    backoff.set_cap(live.reconnect_cap);
                    let began = tokio::time::Instant::now();
                    tokio::select! {
                        reason = live.session.ended() => {
                            if !shared.stopping.is_cancelled() {
                                warn!(gateway = %address, %reason, "tunnel lost; dialling again");
                            }
                        }
                        () = live.move_on.cancelled() => {
                            // The old session goes on in its own tasks until the gateway ends it.
                            live.session.drain();
                            at += 1;
                        }
                    }
                    if began.elapsed() >= SETTLED {
                        backoff.reset();
                    }
                }
                Err(error) => {
                    warn!(gateway = %address, error = %chain(&error), "no tunnel");
                    at += 1;
                }
            }
            tokio::select! {
                () = shared.stopping.cancelled() => return,
                () = tokio::time::sleep(backoff.pause()) => {}
            }
        }
        shared.stopping.cancelled().await;
    }

    /// Brings further links up while the gateway wishes for more than there are.
    async fn grant_wishes(&self) {
        let shared = &self.shared;
        let mut wishes = shared.wish.subscribe();
        while wishes.changed().await.is_ok() {
            let wanted = (*wishes.borrow_and_update()).min(MOST_LINKS);
            let there = 1 + shared.further.load(Ordering::Relaxed);
            for ordinal in there..wanted {
                shared.further.fetch_add(1, Ordering::Relaxed);
                let uplink = self.clone();
                shared.tasks.spawn_until_stopped(async move {
                    uplink.run_further_link(ordinal).await;
                    uplink.shared.further.fetch_sub(1, Ordering::Relaxed);
                });
            }
        }
    }

    async fn run_further_link(&self, ordinal: u16) {
        let addresses = &self.shared.uphill.addresses;
        let address = &addresses[self.shared.at.load(Ordering::Relaxed) % addresses.len()];
        let live = match self.bring_up(address, ordinal).await {
            Ok(live) => live,
            Err(error) => return debug!(ordinal, error = %chain(&error), "no further link"),
        };
        debug!(ordinal, "further link is up");
        let mut last = live.session.traffic();
        loop {
            tokio::select! {
                _ = live.session.ended() => return,
                () = live.move_on.cancelled() => {}
                () = tokio::time::sleep(IDLE) => {}
            }
            let now = live.session.traffic();
            // Pings alone are a few hundred bytes a minute.
            let idle = now.received - last.received < 32 * 1024 && now.sent - last.sent < 32 * 1024;
            if idle || live.move_on.is_cancelled() {
                let drain = Drain { grace_ms: 0, message: "an idle further link".into() };
                tell(&live.session, ControlCall::Drain, live.epoch, drain).await;
                live.session.ended().await;
                return;
            }
            last = now;
        }
    }

    async fn bring_up(&self, address: &GatewayAddress, ordinal: u16) -> Result<Live, AttemptError> {
        let shared = &self.shared;
        shared.metrics.dials.inc();
        let brought = self.attempt(address, ordinal).await;
        if brought.is_err() {
            shared.metrics.dials_failed.inc();
        }
        brought
    }

    async fn attempt(&self, address: &GatewayAddress, ordinal: u16) -> Result<Live, AttemptError> {
        let shared = &self.shared;
        let link = shared.uphill.dialler.dial(address, shared.uphill.tls.current()).await?;
        let (session, inbound) = Session::start(link, Role::Dialler, Limits::DEFAULT, &shared.tasks);
        let (epoch, granted) = watch::channel(None);
        let move_on = CancellationToken::new();
        let dispatch = Dispatch {
            cluster: shared.cluster.clone(),
            upstream: shared.upstream.clone(),
            tasks: shared.tasks.clone(),
            metrics: shared.metrics.clone(),
            epoch: granted,
            move_on: move_on.clone(),
            wish: shared.wish.clone(),
        };
        shared
            .tasks
            .spawn(serve(inbound, shared.tasks.clone(), move |request| dispatch.clone().answer(request)));
        let welcome = self.say_hello(&session, address, ordinal).await.inspect_err(|_| {
            session.close(CloseReason::Shutdown);
        })?;
        session.allow(welcome.limits);
        epoch.send_replace(Some(welcome.epoch));
        self.look_after(session.clone(), welcome.epoch, ordinal == 0);
        let reconnect_cap = Duration::from_millis(welcome.reconnect_cap_ms);
        Ok(Live { session, epoch: welcome.epoch, move_on, reconnect_cap })
    }

    async fn say_hello(
        &self,
        session: &Session,
        address: &GatewayAddress,
        ordinal: u16,
    ) -> Result<Welcome, AttemptError> {
        let shared = &self.shared;
        let hello = Hello {
            version: PROTOCOL,
            oldest_version: PROTOCOL.oldest_accepted(),
            software: shared.software.clone(),
            cluster: shared.cluster.clone(),
            instance: shared.instance,
            lane: Lane::Api,
            ordinal,
            capabilities: vec![Capability::MoreLinks],
            limits: Limits::DEFAULT,
        };
        match call(session, ControlCall::Hello, Epoch::default(), &hello).await {
            Ok(welcome) => Ok(welcome),
            Err(CallError::Refused(_, body)) => {
                Err(AttemptError::Rejected(address.clone(), serde_json_rejection(&body)))
            }
            // With TLS 1.3 the gateway's no to our certificate comes after our side of the handshake is done.
            Err(CallError::Exchange(_)) => {
                let reason = tokio::time::timeout(Duration::from_secs(1), session.ended()).await;
                let reason = reason.unwrap_or(CloseReason::LinkLost("no reason was given".into()));
                Err(AttemptError::Closed(address.clone(), reason))
            }
            Err(error) => Err(AttemptError::Hello(address.clone(), error)),
        }
    }

    /// Heartbeat, status reports and bookkeeping of one session, until it ends.
    fn look_after(&self, session: Session, epoch: Epoch, reports: bool) {
        let shared = self.shared.clone();
        shared.metrics.links_open.inc();
        self.sessions().push((session.clone(), epoch));
        let uplink = self.clone();
        self.shared.tasks.spawn(async move {
            tokio::join!(session.keep_alive(epoch), async {
                if reports {
                    uplink.send_reports(&session, epoch).await;
                }
            });
            uplink.sessions().retain(|(other, _)| !other.is_ended());
            shared.metrics.links_open.dec();
            shared.metrics.link_closed(session.ended().await.as_str());
        });
    }

    async fn send_reports(&self, session: &Session, epoch: Epoch) {
        let mut report = self.shared.report.clone();
        report.mark_changed();
        loop {
            tokio::select! {
                _ = session.ended() => return,
                changed = report.changed() => if changed.is_err() { return },
            }
            let newest = report.borrow_and_update().clone();
            if let Err(error) = call::<_, ()>(session, ControlCall::Status, epoch, &newest).await {
                debug!(%error, "status report not delivered");
            }
        }
    }

    fn sessions(&self) -> std::sync::MutexGuard<'_, Vec<(Session, Epoch)>> {
        self.shared.sessions.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// A control call whose answer changes nothing here.
async fn tell<Q: serde::Serialize + Send + Sync + 'static>(
    session: &Session,
    what: ControlCall,
    epoch: Epoch,
    message: Q,
) {
    if let Err(error) = call::<Q, ()>(session, what, epoch, &message).await {
        debug!(call = what.path(), %error, "control call not delivered");
    }
}

fn serde_json_rejection(body: &[u8]) -> Rejection {
    serde_json::from_slice(body).unwrap_or_else(|_| Rejection {
        reason: trunkline_proto::RejectionReason::Unknown,
        message: "its answer does not parse; is this address a tunnel door?".into(),
    })
}
