//! The live map from [`ClusterId`] to sessions.
//!
//! A session enters when its hello is accepted and leaves when it ends; in between, any number of requests may be
//! given it.
//!
//! Invariants:
//! - this module never opens a link: agents dial us, never the reverse;
//! - an entry is observed state; what *should* exist is the fleet's business;
//! - in one slot only the newest agent process (the highest epoch) has sessions here; older ones are fenced.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::{Semaphore, watch};
use tokio::time::Instant;
use tracing::{debug, info};
use trunkline_pki::AgentIdentity;
use trunkline_proto::{
    Capability, CloseReason, ClusterId, ControlCall, Epoch, Hello, LinkWish, Slot, StatusReport,
};
use trunkline_runtime::Tasks;
use trunkline_tunnel::{Session, call};

use crate::metrics::{Metrics, Reason};
use crate::refusal::Refusal;

/// How long after its last link was lost a cluster is waited for.
const RECENT: Duration = Duration::from_secs(30);
/// How long a request waits for a cluster that was there a moment ago.
const WAIT: Duration = Duration::from_secs(5);
/// How many fenced agent processes of a slot are remembered.
const FENCED_KEPT: usize = 8;
/// How many requests may wait in all; a further one fails at once.
const WAITERS: usize = 4096;
/// The most links that one tunnel is asked to have.
const MOST_LINKS: u16 = 4;

/// The most links that one slot may have: what it is asked for, twice, since a link that is lost may linger.
const LINKS_PER_SLOT: usize = 2 * MOST_LINKS as usize;
/// How long an agent that was asked for a further link is not asked again.
const ASK_EVERY: Duration = Duration::from_secs(5);

/// All tunnels. Clones share them.
#[derive(Clone)]
pub(crate) struct Tunnels {
    shared: Arc<Shared>,
}

struct Shared {
    map: Mutex<HashMap<ClusterId, Tunnel>>,
    changed: watch::Sender<u64>,
    waiters: Semaphore,
    born: Instant,
    next_epoch: Mutex<u64>,
    metrics: Metrics,
    tasks: Tasks,
}

#[derive(Default)]
struct Tunnel {
    live: Vec<Arc<Live>>,
    /// The newest agent process of each slot.
    newest: HashMap<Slot, Newest>,
    last_seen: Option<(Instant, SystemTime)>,
    status: StatusReport,
    /// When the agent was last asked for a further link.
    wished: Option<Instant>,
}

/// The newest agent process of a slot.
struct Newest {
    instance: u64,
    epoch: Epoch,
    /// The processes it fenced, oldest first. They stay out while it lives, or the two would fence each other for ever.
    fenced: Vec<u64>,
}

/// A session with what is known of it.
pub(crate) struct Live {
    pub(crate) session: Session,
    pub(crate) cluster: ClusterId,
    pub(crate) identity: AgentIdentity,
    pub(crate) epoch: Epoch,
    pub(crate) from: SocketAddr,
    instance: u64,
    /// Whether the agent opens further links when asked.
    more_links: bool,
    /// Exchanges that have carried bulk for a while.
    bulk: AtomicUsize,
}

/// A bulk exchange under way on a session.
pub(crate) struct Bulk(Arc<Live>);

impl Drop for Bulk {
    fn drop(&mut self) {
        self.0.bulk.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Tunnels {
    pub(crate) fn new(metrics: Metrics, tasks: &Tasks) -> Self {
        // Epochs grow across restarts of the gateway: seconds since 1970 leave room for a new one each.
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let shared = Shared {
            map: Mutex::default(),
            changed: watch::Sender::new(0),
            waiters: Semaphore::new(WAITERS),
            born: Instant::now(),
            next_epoch: Mutex::new(since_1970.as_secs() << 16),
            metrics,
            tasks: tasks.clone(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// The epoch of the agent process that says this hello. A process that is new to its slot gets a new one, and
    /// whatever the slot had before is fenced. None for a process that is fenced already.
    pub(crate) fn epoch_for(&self, hello: &Hello, identity: &AgentIdentity) -> Option<Epoch> {
        let mut map = self.map();
        let tunnel = map.entry(hello.cluster.clone()).or_default();
        let of_slot = |live: &&Arc<Live>| live.identity.slot == identity.slot;
        let mut fenced = Vec::new();
        if let Some(newest) = tunnel.newest.get_mut(&identity.slot) {
            if newest.instance == hello.instance {
                return Some(newest.epoch);
            }
            let lives = tunnel.live.iter().filter(of_slot).any(|live| live.session.is_open());
            if lives && newest.fenced.contains(&hello.instance) {
                return None;
            }
            fenced = std::mem::take(&mut newest.fenced);
            fenced.retain(|instance| *instance != hello.instance);
            fenced.push(newest.instance);
            if fenced.len() > FENCED_KEPT {
                fenced.remove(0);
            }
        }
        let epoch = {
            let mut next = self.shared.next_epoch.lock().unwrap_or_else(PoisonError::into_inner);
            *next += 1;
            Epoch(*next)
        };
        tunnel.newest.insert(identity.slot, Newest { instance: hello.instance, epoch, fenced });
        for live in tunnel.live.iter().filter(of_slot).filter(|live| live.instance != hello.instance) {
            live.session.close(CloseReason::Fenced);
        }
        Some(epoch)
    }

    /// A session whose hello was accepted may be given requests from now on, until it ends.
    pub(crate) fn enter(
        &self,
        session: Session,
        hello: &Hello,
        identity: AgentIdentity,
        epoch: Epoch,
        from: SocketAddr,
    ) -> Arc<Live> {
        let live = Arc::new(Live {
            session,
            cluster: hello.cluster.clone(),
            identity,
            epoch,
            from,
            instance: hello.instance,
            more_links: hello.capabilities.contains(&Capability::MoreLinks),
            bulk: AtomicUsize::new(0),
        });
        let mut map = self.map();
        let tunnel = map.entry(hello.cluster.clone()).or_default();
        if tunnel.live.is_empty() {
            self.shared.metrics.clusters_connected.inc();
        }
        tunnel.live.push(live.clone());
        // Between this one's hello and now a newer process may have come; it could not fence what was not here.
        if tunnel.newest.get(&live.identity.slot).is_some_and(|newest| newest.epoch != epoch) {
            live.session.close(CloseReason::Fenced);
        }
        drop(map);
        self.shared.metrics.links_open.inc();
        self.tell();
        live
    }

    /// The session has ended.
    pub(crate) fn leave(&self, live: &Arc<Live>, reason: &CloseReason) {
        let mut map = self.map();
        if let Some(tunnel) = map.get_mut(&live.cluster) {
            tunnel.live.retain(|other| !Arc::ptr_eq(other, live));
            tunnel.last_seen = Some((Instant::now(), SystemTime::now()));
            if tunnel.live.is_empty() {
                tunnel.wished = None;
                self.shared.metrics.clusters_connected.dec();
            }
        }
        drop(map);
        self.shared.metrics.links_open.dec();
        self.shared.metrics.links_closed.get_or_create(&Reason { reason: reason.as_str() }).inc();
        self.tell();
    }

    /// Whether a slot has as many links as it may.
    pub(crate) fn is_full(&self, identity: &AgentIdentity) -> bool {
        let map = self.map();
        let of_slot = |live: &&Arc<Live>| live.identity.slot == identity.slot;
        map.get(&identity.cluster)
            .is_some_and(|tunnel| tunnel.live.iter().filter(of_slot).count() >= LINKS_PER_SLOT)
    }

    /// The agent's newest report of how its cluster is.
    pub(crate) fn report(&self, cluster: &ClusterId, report: StatusReport) {
        if let Some(tunnel) = self.map().get_mut(cluster) {
            if tunnel.status.upstream != report.upstream {
                info!(%cluster, upstream = ?report.upstream, version = report.kubernetes, why = report.message,
                      "the cluster's API server changed its state");
            }
            tunnel.status = report;
        }
    }

    /// A live session of a cluster; waits a little for one that was there a moment ago.
    pub(crate) async fn pick(&self, cluster: &ClusterId) -> Result<Arc<Live>, Refusal> {
        if let Some(live) = self.pick_now(cluster) {
            return Ok(live);
        }
        let disconnected =
            || Refusal::ClusterDisconnected { cluster: cluster.clone(), last_seen: self.last_seen(cluster) };
        if !self.was_here_recently(cluster) {
            return Err(disconnected());
        }
        let _place = self.shared.waiters.try_acquire().map_err(|_| disconnected())?;
        let mut changes = self.shared.changed.subscribe();
        let waiting = async {
            loop {
                if let Some(live) = self.pick_now(cluster) {
                    return live;
                }
                if changes.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        };
        tokio::time::timeout(WAIT, waiting).await.map_err(|_| disconnected())
    }

    /// The session with the least bulk on it, then the least under way: an interactive request goes where no bulk
    /// stands before it.
    fn pick_now(&self, cluster: &ClusterId) -> Option<Arc<Live>> {
        let map = self.map();
        let open = map.get(cluster)?.live.iter().filter(|live| live.session.is_open());
        open.min_by_key(|live| {
            (!live.session.has_room(), live.bulk.load(Ordering::Relaxed), live.session.in_flight())
        })
        .cloned()
    }

    fn was_here_recently(&self, cluster: &ClusterId) -> bool {
        let map = self.map();
        match map.get(cluster) {
            Some(tunnel) if !tunnel.live.is_empty() => true,
            // Right after a start the agents are on their way back.
            Some(Tunnel { last_seen: None, .. }) | None => self.shared.born.elapsed() < RECENT,
            Some(Tunnel { last_seen: Some((when, _)), .. }) => when.elapsed() < RECENT,
        }
    }

    fn last_seen(&self, cluster: &ClusterId) -> String {
        match self.map().get(cluster).and_then(|tunnel| tunnel.last_seen) {
            Some((when, _)) => format!("last seen {} s ago", when.elapsed().as_secs()),
            None => "not seen since this gateway started".into(),
        }
    }

    /// An exchange has carried bulk for a while: others should not stand behind it. Asks the agent for a further
    /// link when all it has carry bulk.
    pub(crate) fn mark_bulk(&self, live: &Arc<Live>) -> Bulk {
        live.bulk.fetch_add(1, Ordering::Relaxed);
        let mut map = self.map();
        if let Some(tunnel) = map.get_mut(&live.cluster) {
            let open: Vec<_> = tunnel.live.iter().filter(|live| live.session.is_open()).collect();
            let all_bulk = open.iter().all(|live| live.bulk.load(Ordering::Relaxed) > 0);
            let wish = u16::try_from(open.len() + 1).unwrap_or(u16::MAX);
            let asked_just_now = tunnel.wished.is_some_and(|when| when.elapsed() < ASK_EVERY);
            if all_bulk && live.more_links && wish <= MOST_LINKS && !asked_just_now {
                tunnel.wished = Some(Instant::now());
                let asked = live.clone();
                self.shared.tasks.spawn_until_stopped(async move {
                    let wish = LinkWish { api: wish };
                    let asking = call::<_, ()>(&asked.session, ControlCall::Links, asked.epoch, &wish);
                    if let Err(error) = asking.await {
                        debug!(cluster = %asked.cluster, %error, "the agent was not asked for a further link");
                    }
                });
            }
        }
        Bulk(live.clone())
    }

    /// Ends a drained session once nothing is in flight on it.
    pub(crate) fn finish_later(&self, session: Session) {
        self.shared.tasks.spawn_until_stopped(async move { finish(&session).await });
    }

    /// All live sessions.
    pub(crate) fn all(&self) -> Vec<Arc<Live>> {
        self.map().values().flat_map(|tunnel| tunnel.live.iter().cloned()).collect()
    }

    pub(crate) fn tasks(&self) -> &Tasks {
        &self.shared.tasks
    }

    fn tell(&self) {
        self.shared.changed.send_modify(|version| *version += 1);
    }

    fn map(&self) -> MutexGuard<'_, HashMap<ClusterId, Tunnel>> {
        self.shared.map.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Gives a session no more requests and ends it when none is in flight.
pub(crate) async fn finish(session: &Session) {
    session.drain();
    while session.in_flight() > 0 && !session.is_ended() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    session.close(CloseReason::Drained);
}
