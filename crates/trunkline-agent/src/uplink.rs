//! Keeps links up: dial, hello, serve, and again with a pause when it ends.
//!
//! The first link is for ever. Further ones come when the gateway wishes for them (a bulk stream is under way) and
//! end when idle. "Open elsewhere first": a gateway that drains is left only after the next link is up, and so are
//! links whose certificate was renewed.

mod attempt;
mod further;
mod logs_lane;

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU16, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};
use trunkline_proto::{CloseReason, ClusterId, ControlCall, Drain, Epoch, Lane, StatusReport};
use trunkline_runtime::{Tasks, chain};
use trunkline_tunnel::{Backoff, GatewayAddress, Session, call};
use trunkline_upstream::Upstream;

use crate::config::Uphill;
use crate::metrics::Metrics;
use crate::pass::Pass;
use crate::status::AgentStatus;
use crate::trouble::Trouble;
use attempt::{Live, Outlook};
pub(crate) use logs_lane::{LogsLane, NoLane};

/// How long a session must have lived for its end to be retried at once.
const SETTLED: Duration = Duration::from_secs(10);
/// How long a no that stays until a person does something is left alone.
const LEFT_ALONE: Duration = Duration::from_secs(30);
/// How often a new join token is looked for meanwhile.
const TOKEN_LOOK: Duration = Duration::from_secs(1);

/// The agent's links. Clones are handles to the same ones.
#[derive(Clone)]
pub(crate) struct Uplink {
    shared: Arc<Shared>,
}

/// What links are made of.
pub(crate) struct Parts {
    pub(crate) cluster: ClusterId,
    pub(crate) software: String,
    pub(crate) uphill: Uphill,
    pub(crate) pass: Pass,
    pub(crate) upstream: Upstream,
    pub(crate) metrics: Metrics,
    pub(crate) report: watch::Receiver<StatusReport>,
    pub(crate) trouble: Trouble,
}

struct Shared {
    parts: Parts,
    instance: u64,
    tasks: Tasks,
    wish: watch::Sender<u16>,
    further: AtomicU16,
    /// Which of the addresses the first link is with: it is that gateway who wishes for more.
    at: AtomicUsize,
    sessions: std::sync::Mutex<Vec<Up>>,
    /// Links in a row that were closed without a word.
    hung_up: AtomicU8,
    /// Told when the first link is up.
    up: watch::Sender<bool>,
    /// Changes when links are to be made anew.
    swaps: watch::Sender<u64>,
    stopping: CancellationToken,
}

/// A session whose hello was accepted.
#[derive(Clone)]
struct Up {
    session: Session,
    epoch: Epoch,
    lane: Lane,
}

/// Why the first link is held no longer.
enum Left {
    /// It ended.
    Lost,
    /// Its gateway asks to open elsewhere.
    MoveOn,
    /// There is a new certificate.
    Swap,
}

impl Uplink {
    pub(crate) fn new(parts: Parts, tasks: &Tasks) -> Self {
        let shared = Shared {
            parts,
            instance: rand::random(),
            tasks: tasks.clone(),
            wish: watch::Sender::new(1),
            further: AtomicU16::new(0),
            at: AtomicUsize::new(0),
            sessions: std::sync::Mutex::default(),
            hung_up: AtomicU8::new(0),
            up: watch::Sender::new(false),
            swaps: watch::Sender::new(0),
            stopping: CancellationToken::new(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Becomes true when the first link is up.
    pub(crate) fn up(&self) -> watch::Receiver<bool> {
        self.shared.up.subscribe()
    }

    /// The cluster that is connected.
    pub(crate) fn cluster(&self) -> &ClusterId {
        &self.shared.parts.cluster
    }

    /// Why there is no tunnel, while there is none.
    #[cfg(test)]
    pub(crate) fn trouble(&self) -> watch::Receiver<Option<String>> {
        self.shared.parts.trouble.newest()
    }

    /// How the agent is.
    pub(crate) fn status(&self) -> AgentStatus {
        let parts = &self.shared.parts;
        let shown = parts.pass.shown();
        let not_after = shown.and_then(|shown| jiff::Timestamp::try_from(shown.not_after).ok());
        AgentStatus {
            cluster_type: "managed".into(),
            cluster: parts.cluster.clone(),
            uid: shown.map(|shown| shown.uid),
            slot: parts.pass.slot(),
            gateways: parts.uphill.addresses.iter().map(ToString::to_string).collect(),
            links: self.sessions().iter().filter(|up| !up.session.is_ended()).count(),
            certificate_not_after: not_after.map(|moment| moment.to_string()),
            renews: matches!(parts.pass, Pass::Issued(_)),
            last_error: parts.trouble.newest().borrow().clone(),
            software: parts.software.clone(),
        }
    }

    /// The newest link of the `api` lane that takes requests.
    pub(crate) fn newest(&self) -> Option<(Session, Epoch)> {
        let sessions = self.sessions();
        let newest = sessions.iter().rev().find(|up| up.lane == Lane::Api && up.session.is_open())?;
        Some((newest.session.clone(), newest.epoch))
    }

    /// The gateway that the first link is with, or was last.
    pub(crate) fn address(&self) -> &GatewayAddress {
        self.address_at(self.shared.at.load(Ordering::Relaxed))
    }

    /// Makes each link anew, and lets the old one go once that one is up.
    pub(crate) fn swap(&self) {
        self.shared.swaps.send_modify(|number| *number += 1);
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
        for Up { session, epoch, .. } in &sessions {
            tell(session, ControlCall::Drain, *epoch, message.clone()).await;
        }
        // The gateway ends a session once nothing is in flight on it.
        let ended = async {
            for up in &sessions {
                up.session.ended().await;
            }
        };
        if tokio::time::timeout(grace, ended).await.is_err() {
            warn!("the grace is over; cutting what is in flight");
        }
        for up in &sessions {
            up.session.close(CloseReason::Shutdown);
        }
    }

    async fn keep_first_link(&self) {
        let Shared { parts, stopping, .. } = &*self.shared;
        let mut swaps = self.shared.swaps.subscribe();
        let mut backoff = Backoff::default();
        let mut old: Option<Live> = None;
        let mut at = 0;
        while !stopping.is_cancelled() {
            let address = self.address_at(at);
            // A swap that comes from here on counts: the certificate dialled with may be the one before it.
            swaps.mark_unchanged();
            match self.bring_up(address, Lane::Api, 0).await {
                Ok(live) => {
                    info!(gateway = %address, epoch = %live.epoch, "tunnel is up");
                    self.shared.at.store(at, Ordering::Relaxed);
                    self.shared.up.send_replace(true);
                    parts.trouble.is_over();
                    if let Some(old) = old.take() {
                        self.let_go(&old);
                    }
                    backoff.set_cap(live.reconnect_cap);
                    let began = tokio::time::Instant::now();
                    let left = self.hold(&live, address, &mut swaps).await;
                    if began.elapsed() >= SETTLED {
                        backoff.reset();
                    }
                    match left {
                        Left::Lost => {}
                        Left::MoveOn => {
                            // The old session goes on in its own tasks until the gateway ends it.
                            live.session.drain();
                            at += 1;
                        }
                        Left::Swap => {
                            old = Some(live);
                            continue;
                        }
                    }
                }
                Err(error) => {
                    at += 1;
                    if stopping.is_cancelled() {
                        return;
                    }
                    parts.trouble.tell(address, &chain(&error));
                    match self.judge(&error) {
                        Outlook::Passing => {}
                        Outlook::Slow => backoff.set_cap(LEFT_ALONE),
                        Outlook::Lasting => {
                            self.leave_alone().await;
                            continue;
                        }
                    }
                }
            }
            tokio::select! {
                () = stopping.cancelled() => return,
                () = tokio::time::sleep(backoff.pause()) => {}
            }
        }
        stopping.cancelled().await;
    }

    /// Waits while the first link is good.
    async fn hold(&self, live: &Live, address: &GatewayAddress, swaps: &mut watch::Receiver<u64>) -> Left {
        tokio::select! {
            reason = live.session.ended() => {
                if !self.shared.stopping.is_cancelled() {
                    warn!(gateway = %address, %reason, "tunnel lost; dialling again");
                }
                Left::Lost
            }
            () = live.move_on.cancelled() => Left::MoveOn,
            _ = swaps.changed() => Left::Swap,
        }
    }

    /// Lets a link go whose place another has taken: the gateway gives it no more requests, and ends it when none is in
    /// flight on it.
    fn let_go(&self, live: &Live) {
        let (session, epoch) = (live.session.clone(), live.epoch);
        session.drain();
        self.shared.tasks.spawn_until_stopped(async move {
            let drain = Drain { grace_ms: 0, message: "another link has taken its place".into() };
            tell(&session, ControlCall::Drain, epoch, drain).await;
        });
    }

    /// Pauses after a no that stays until a person does something; a new join token is such a thing.
    async fn leave_alone(&self) {
        let another = async {
            loop {
                tokio::time::sleep(TOKEN_LOOK).await;
                if let Pass::Issued(issued) = &self.shared.parts.pass
                    && issued.has_another_token()
                {
                    return;
                }
            }
        };
        tokio::select! {
            () = self.shared.stopping.cancelled() => {}
            () = another => debug!("there is another join token"),
            // A little apart, so that the pods of one cluster do not knock together.
            () = tokio::time::sleep(LEFT_ALONE.mul_f64(rand::random_range(0.8..1.2))) => {}
        }
    }

    fn address_at(&self, at: usize) -> &GatewayAddress {
        let addresses = &self.shared.parts.uphill.addresses;
        &addresses[at % addresses.len()]
    }

    fn sessions(&self) -> std::sync::MutexGuard<'_, Vec<Up>> {
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
