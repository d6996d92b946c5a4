//! The live map from [`ClusterId`] to sessions.
//!
//! A session enters when its hello is accepted and leaves when it ends; in between, any number of requests may be
//! given it.
//!
//! Invariants:
//! - this module never opens a link: agents dial us, never the reverse;
//! - an entry is observed state; what *should* exist is the fleet's business;
//! - in one slot only the newest agent process (the highest epoch) has sessions here; older ones are fenced;
//! - a session of an earlier registration of a cluster's id is given no request.

mod bulk;
mod claims;
mod history;
mod observed;
mod place;
mod streams;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use tokio::sync::{Semaphore, broadcast, watch};
use tokio::time::Instant;
use tracing::info;
use trunkline_pki::{AgentIdentity, KeyPin};
use trunkline_proto::{
    Capability, CloseReason, ClusterId, ClusterUid, Epoch, Hello, IdentityMode, Lane, Slot, StatusReport,
};
use trunkline_runtime::Tasks;
use trunkline_tunnel::Session;

use crate::fair::Turns;
use crate::joining::{Event, Joinings};
use crate::metrics::{Metrics, Reason};
use crate::refusal::Refusal;
pub(crate) use bulk::Bulk;
use history::History;
use place::Place;

/// How long after its last link was lost a cluster is waited for.
const RECENT: Duration = Duration::from_secs(30);
/// How long a request waits for a cluster that was there a moment ago.
const WAIT: Duration = Duration::from_secs(5);
/// How many requests may wait in all; a further one fails at once.
const WAITERS: usize = 4096;
/// The most links that one tunnel is asked to have.
const MOST_LINKS: u16 = 4;
/// The most links that one slot may have: what it is asked for, twice, since a link that is lost may linger.
const LINKS_PER_SLOT: usize = 2 * MOST_LINKS as usize;
/// How many changes are kept for those who hear of them; who is further behind looks at all.
const CHANGES: usize = 4096;

/// All tunnels. Clones share them.
#[derive(Clone)]
pub(crate) struct Tunnels {
    shared: Arc<Shared>,
}

struct Shared {
    map: Mutex<HashMap<ClusterId, Tunnel>>,
    changed: watch::Sender<u64>,
    changes: broadcast::Sender<ClusterId>,
    joinings: Joinings,
    history: Mutex<History>,
    waiters: Semaphore,
    turns: Turns,
    born: Instant,
    next_epoch: Mutex<u64>,
    metrics: Metrics,
    tasks: Tasks,
}

#[derive(Default)]
struct Tunnel {
    live: Vec<Arc<Live>>,
    places: HashMap<Slot, Place>,
    /// Which registration of the id it is.
    uid: Option<ClusterUid>,
    last_seen: Option<(Instant, SystemTime)>,
    status: StatusReport,
    /// When the agent was last asked for a further link.
    wished: Option<Instant>,
}

/// A session with what is known of it.
pub(crate) struct Live {
    pub(crate) session: Session,
    pub(crate) cluster: ClusterId,
    pub(crate) identity: AgentIdentity,
    pub(crate) epoch: Epoch,
    pub(crate) from: SocketAddr,
    /// The agent's version.
    pub(crate) software: String,
    /// How the agent tells its API server whose a request is.
    pub(crate) mode: IdentityMode,
    /// The pin of the registered cluster's key by which it came in.
    pub(crate) cluster_key: Option<String>,
    /// The root of ours that the agent's certificate stands under.
    pub(crate) root: Option<KeyPin>,
    instance: u64,
    lane: Lane,
    /// Whether the agent opens further links when asked.
    more_links: bool,
    /// Exchanges that have carried bulk for a while.
    bulk: AtomicUsize,
}

/// Who arrived at the tunnel door, and with which certificate.
pub(crate) struct Arrived {
    pub(crate) identity: AgentIdentity,
    pub(crate) from: SocketAddr,
    /// The key of the certificate.
    pub(crate) key: Option<KeyPin>,
    /// The pin of the registered cluster's key by which it was asked for, once that is known.
    pub(crate) cluster_key: Option<String>,
    pub(crate) root: Option<KeyPin>,
}

impl Tunnel {
    /// From here on it is another registration of the id. The sessions of the earlier one end and leave by themselves;
    /// nothing else of it counts.
    fn become_another(&mut self, uid: Option<ClusterUid>) {
        let live = std::mem::take(&mut self.live);
        for old in &live {
            old.session.close(CloseReason::Removed);
        }
        *self = Self { live, uid, ..Self::default() };
    }
}

impl Live {
    /// What its session is for.
    pub(crate) fn lane(&self) -> Lane {
        self.lane
    }
}

impl Tunnels {
    pub(crate) fn new(metrics: Metrics, tasks: &Tasks) -> Self {
        // Epochs grow across restarts of the gateway: seconds since 1970 leave room for a new one each.
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let changes = broadcast::Sender::new(CHANGES);
        let shared = Shared {
            map: Mutex::default(),
            changed: watch::Sender::new(0),
            joinings: Joinings::new(changes.clone()),
            changes,
            history: Mutex::new(History::new(Timestamp::now())),
            waiters: Semaphore::new(WAITERS),
            turns: Turns::default(),
            born: Instant::now(),
            next_epoch: Mutex::new(since_1970.as_secs() << 16),
            metrics,
            tasks: tasks.clone(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// A session whose hello was accepted may be given requests from now on, until it ends.
    pub(crate) fn enter(&self, session: Session, hello: &Hello, arrived: Arrived, epoch: Epoch) -> Arc<Live> {
        let Arrived { identity, from, key: _, cluster_key, root } = arrived;
        let live = Arc::new(Live {
            session,
            cluster: hello.cluster.clone(),
            identity,
            epoch,
            from,
            software: hello.software.chars().take(64).collect(),
            mode: hello.identity_mode(),
            cluster_key,
            root,
            instance: hello.instance,
            lane: hello.lane,
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
        let newest = tunnel.places.get(&live.identity.slot).and_then(Place::epoch);
        let of_slot = |other: &&Arc<Live>| other.identity.slot == live.identity.slot;
        if newest != Some(epoch) {
            live.session.close(CloseReason::Fenced);
        } else if tunnel.live.iter().filter(of_slot).count() > LINKS_PER_SLOT {
            // Several may have been judged while there was room for one.
            live.session.close(CloseReason::Protocol("more links than a slot may have".into()));
        }
        drop(map);
        self.shared.metrics.links_open.inc();
        self.note_up(&live);
        self.tell();
        self.tell_of(&live.cluster);
        live
    }

    /// The session has ended. True if it was the tunnel's last.
    pub(crate) fn leave(&self, live: &Arc<Live>, reason: &CloseReason) -> bool {
        let mut map = self.map();
        let (mut last, mut unreachable) = (false, false);
        if let Some(tunnel) = map.get_mut(&live.cluster) {
            let before = tunnel.live.len();
            tunnel.live.retain(|other| !Arc::ptr_eq(other, live));
            if tunnel.uid == Some(live.identity.uid) {
                tunnel.last_seen = Some((Instant::now(), SystemTime::now()));
            }
            last = tunnel.live.is_empty() && before > 0;
            unreachable = !tunnel.live.iter().any(|live| live.lane == Lane::Api);
            if last {
                tunnel.wished = None;
                self.shared.metrics.clusters_connected.dec();
                if tunnel.uid.is_none() {
                    map.remove(&live.cluster);
                }
            }
        }
        drop(map);
        self.shared.metrics.links_open.dec();
        self.shared.metrics.links_closed.get_or_create(&Reason { reason: reason.as_str() }).inc();
        self.note_down(live, reason, unreachable);
        self.tell();
        self.tell_of(&live.cluster);
        last
    }

    /// Whether a slot has as many links as it may.
    pub(crate) fn is_full(&self, identity: &AgentIdentity) -> bool {
        let map = self.map();
        let of_slot = |live: &&Arc<Live>| live.identity.slot == identity.slot;
        map.get(&identity.cluster)
            .is_some_and(|tunnel| tunnel.live.iter().filter(of_slot).count() >= LINKS_PER_SLOT)
    }

    /// The agent's newest report of how its cluster is.
    pub(crate) fn report(&self, cluster: &ClusterId, mut report: StatusReport) {
        // Texts of a cluster are kept and shown: as long as people need them.
        report.message.truncate(report.message.floor_char_boundary(1024));
        if let Some(version) = &mut report.kubernetes {
            version.truncate(version.floor_char_boundary(64));
        }
        self.shared.joinings.note(cluster, Event::Reported(Box::new(report.clone())));
        report.rights = None;
        let mut changed = false;
        if let Some(tunnel) = self.map().get_mut(cluster) {
            changed = tunnel.status != report;
            if tunnel.status.upstream != report.upstream {
                info!(%cluster, upstream = ?report.upstream, version = report.kubernetes, why = report.message,
                      "the cluster's API server changed its state");
            }
            tunnel.status = report;
        }
        if changed {
            self.tell_of(cluster);
        }
    }

    /// A live session of a cluster; waits a little for one that was there a moment ago.
    pub(crate) async fn pick(
        &self,
        cluster: &ClusterId,
        uid: Option<ClusterUid>,
    ) -> Result<Arc<Live>, Refusal> {
        if let Some(live) = self.pick_now(cluster, uid) {
            return Ok(live);
        }
        let disconnected = || self.disconnected(cluster);
        if !self.was_here_recently(cluster) {
            return Err(disconnected());
        }
        let _place = self.shared.waiters.try_acquire().map_err(|_| disconnected())?;
        let mut changes = self.shared.changed.subscribe();
        let waiting = async {
            loop {
                if let Some(live) = self.pick_now(cluster, uid) {
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
    fn pick_now(&self, cluster: &ClusterId, uid: Option<ClusterUid>) -> Option<Arc<Live>> {
        let map = self.map();
        let this = |live: &&Arc<Live>| {
            live.lane == Lane::Api && uid.is_none_or(|uid| uid == live.identity.uid) && live.session.is_open()
        };
        let open = map.get(cluster)?.live.iter().filter(this);
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

    fn disconnected(&self, cluster: &ClusterId) -> Refusal {
        Refusal::ClusterDisconnected { cluster: cluster.clone(), last_seen: self.last_seen(cluster) }
    }

    fn last_seen(&self, cluster: &ClusterId) -> String {
        match self.map().get(cluster).and_then(|tunnel| tunnel.last_seen) {
            Some((when, _)) => format!("last seen {} s ago", when.elapsed().as_secs()),
            None => "not seen since this gateway started".into(),
        }
    }

    /// Ends a drained session once nothing is in flight on it.
    pub(crate) fn finish_later(&self, session: Session) {
        self.shared.tasks.spawn_until_stopped(async move { finish(&session).await });
    }

    /// The live sessions of a cluster.
    pub(crate) fn of(&self, cluster: &ClusterId) -> Vec<Arc<Live>> {
        self.map().get(cluster).map(|tunnel| tunnel.live.clone()).unwrap_or_default()
    }

    /// The clusters of which something is known.
    pub(crate) fn known(&self) -> Vec<ClusterId> {
        self.map().keys().cloned().collect()
    }

    /// Forgets what was seen of other registrations of an id than this one.
    pub(crate) fn forget_others(&self, cluster: &ClusterId, uid: Option<ClusterUid>) {
        let mut map = self.map();
        let Some(tunnel) = map.get_mut(cluster) else { return };
        if tunnel.uid == uid && uid.is_some() {
            return;
        }
        tunnel.become_another(uid);
        if tunnel.live.is_empty() {
            map.remove(cluster);
        }
    }

    /// Tells of every cluster of which something else is seen than before.
    pub(crate) fn changes(&self) -> broadcast::Receiver<ClusterId> {
        self.shared.changes.subscribe()
    }

    pub(crate) fn tell_of(&self, cluster: &ClusterId) {
        // Nobody may be listening.
        let _ = self.shared.changes.send(cluster.clone());
    }

    /// All live sessions.
    pub(crate) fn all(&self) -> Vec<Arc<Live>> {
        self.map().values().flat_map(|tunnel| tunnel.live.iter().cloned()).collect()
    }

    /// How the clusters' joining goes.
    pub(crate) fn joinings(&self) -> &Joinings {
        &self.shared.joinings
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
