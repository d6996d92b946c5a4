//! The fleet as those who watch it are shown it, computed once for all of them.
//!
//! While anybody watches, one task hears of every change and looks at the cluster concerned again; what differs from
//! what is shown is put up in its place, and its name told. Every [`LOOK_AGAIN`] it looks at all, for what changes
//! by itself: round trips, tokens that end. When nobody watches, there is no task and nothing is kept.
//!
//! Invariant: what is shown of a cluster is replaced as a whole, so that whoever kept an older one can compare.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, watch};
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use trunkline_api::{Cluster, Metadata};
use trunkline_proto::ClusterId;
use trunkline_runtime::Tasks;

use super::view::View;
use crate::authz::Access;

/// How often all clusters are looked at again. A round trip that changes is told no more often than this.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// How many clusters are looked at in one go; what has just changed comes in between.
const SLICE: usize = 64;
/// How many changes are kept for who watches; who is further behind compares all.
const CHANGES: usize = 1024;
/// Round trips that differ by less, in milliseconds or as a part of the older one, are the same.
const SAME_MS: f64 = 2.0;
const SAME_PART: f64 = 0.25;

/// What is shown of a cluster.
#[derive(Debug)]
pub(super) struct Shown {
    pub(super) cluster: Cluster,
    /// The same as JSON.
    pub(super) json: Bytes,
    /// No two that one board has shown have the same.
    pub(super) version: u64,
    /// The cluster's metadata, for who keeps it beyond what is shown: the same for as long as it does not change.
    pub(super) metadata: Arc<Metadata>,
    since: Instant,
}

impl Shown {
    /// Whether people would want to know of what is newer. When a cluster was last seen is no change of its own; round
    /// trips are, when they are quite different and what is shown is old enough.
    fn differs(&self, newest: &Cluster) -> bool {
        let figures = self.since.elapsed() >= LOOK_AGAIN && figures_differ(&self.cluster, newest);
        figures || self.cluster.metadata != newest.metadata || self.cluster.spec != newest.spec || {
            let old = &self.cluster.status;
            let mut same = newest.status.clone();
            (same.last_seen, same.rtt_ms) = (old.last_seen, old.rtt_ms);
            for (slot, shown) in same.slots.iter_mut().zip(&old.slots) {
                slot.rtt_ms = shown.rtt_ms;
            }
            if let (Some(joining), Some(shown)) = (&mut same.joining, &old.joining) {
                for (step, shown) in joining.steps.iter_mut().zip(&shown.steps) {
                    step.ms = shown.ms;
                }
            }
            same != *old
        }
    }
}

/// The fleet as it is shown. Clones share it.
#[derive(Clone)]
pub(super) struct Board {
    shared: Arc<Shared>,
}

struct Shared {
    view: View,
    tasks: Tasks,
    up: Mutex<Up>,
    changes: broadcast::Sender<ClusterId>,
}

#[derive(Default)]
struct Up {
    shown: BTreeMap<ClusterId, Arc<Shown>>,
    /// How many times something was put up.
    version: u64,
    /// While the task goes on: whether it has looked at all clusters.
    whole: Option<watch::Receiver<bool>>,
}

impl Board {
    pub(super) fn new(view: View, tasks: Tasks) -> Self {
        let shared = Shared { view, tasks, up: Mutex::default(), changes: broadcast::Sender::new(CHANGES) };
        Self { shared: Arc::new(shared) }
    }

    /// The access rules, which say who sees what of it.
    pub(super) fn access(&self) -> Access {
        self.shared.view.fleet.access.clone()
    }

    /// All that is shown, and the names of what changes from there on.
    pub(super) async fn join(&self) -> (Vec<Arc<Shown>>, broadcast::Receiver<ClusterId>) {
        let (early, mut whole) = self.enter();
        // The task ends only with the gateway as long as somebody listens.
        let _ = whole.wait_for(|whole| *whole).await;
        let changes = early.resubscribe();
        (self.all(), changes)
    }

    /// Counts as somebody who watches from here on.
    fn enter(&self) -> (broadcast::Receiver<ClusterId>, watch::Receiver<bool>) {
        let mut up = self.up();
        let changes = self.shared.changes.subscribe();
        if let Some(whole) = &up.whole {
            return (changes, whole.clone());
        }
        let (done, whole) = watch::channel(false);
        up.whole = Some(whole.clone());
        let this = self.clone();
        self.shared.tasks.spawn_until_stopped(async move { this.keep(done).await });
        (changes, whole)
    }

    /// All that is shown, by name.
    pub(super) fn all(&self) -> Vec<Arc<Shown>> {
        self.up().shown.values().cloned().collect()
    }

    /// What is shown of a cluster.
    pub(super) fn get(&self, id: &ClusterId) -> Option<Arc<Shown>> {
        self.up().shown.get(id).cloned()
    }

    /// Keeps what is shown true until nobody watches.
    async fn keep(self, whole: watch::Sender<bool>) {
        let view = &self.shared.view;
        let mut registered = view.fleet.registry.changes();
        let mut seen = view.tunnels.changes();
        let mut filed = view.fleet.changes();
        let mut again = interval_at(Instant::now() + LOOK_AGAIN, LOOK_AGAIN);
        again.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut due = self.everything();
        whole.send_replace(due.is_empty());
        loop {
            let changed = tokio::select! {
                biased;
                id = registered.recv() => id,
                id = seen.recv() => id,
                filed = filed.changed() => Err(filed.map_or(RecvError::Closed, |()| RecvError::Lagged(0))),
                _ = again.tick() => {
                    if self.leave() {
                        return;
                    }
                    Err(RecvError::Lagged(0))
                }
                () = tokio::task::yield_now(), if !due.is_empty() => {
                    for id in due.drain(..due.len().min(SLICE)) {
                        self.look_at(&id);
                    }
                    whole.send_if_modified(|whole| due.is_empty() && !std::mem::replace(whole, true));
                    continue;
                }
            };
            match changed {
                Ok(id) => self.look_at(&id),
                Err(RecvError::Lagged(_)) => {
                    // Goes on where it was: with ever more changes, it would never come to the last ones.
                    let next = due.pop_front();
                    due = self.everything();
                    let at = next.and_then(|next| due.iter().position(|id| *id == next));
                    due.rotate_left(at.unwrap_or(0));
                }
                Err(RecvError::Closed) => return,
            }
        }
    }

    /// Takes everything down if nobody watches.
    fn leave(&self) -> bool {
        let mut up = self.up();
        let nobody = self.shared.changes.receiver_count() == 0;
        if nobody {
            *up = Up::default();
        }
        nobody
    }

    /// Every cluster that is there or is shown; the management cluster first.
    fn everything(&self) -> VecDeque<ClusterId> {
        let there: VecDeque<ClusterId> =
            self.shared.view.all().iter().map(|source| source.id().clone()).collect();
        let known: BTreeSet<&ClusterId> = there.iter().collect();
        let gone: Vec<ClusterId> = self.up().shown.keys().filter(|id| !known.contains(id)).cloned().collect();
        there.into_iter().chain(gone).collect()
    }

    /// Puts up how a cluster is now, if that is something else than is shown.
    fn look_at(&self, id: &ClusterId) {
        let view = &self.shared.view;
        let now = Timestamp::now();
        let newest = view.find(id).map(|source| view.cluster(&source, now));
        let mut up = self.up();
        let changed = match newest {
            None => up.shown.remove(id).is_some(),
            Some(cluster) => {
                let before = up.shown.get(id);
                let differs = before.is_none_or(|shown| shown.differs(&cluster));
                if differs {
                    let metadata = match before {
                        Some(shown) if *shown.metadata == cluster.metadata => shown.metadata.clone(),
                        _ => Arc::new(cluster.metadata.clone()),
                    };
                    // A struct of strings, numbers and maps by string always serialises.
                    let json = serde_json::to_vec(&cluster).unwrap_or_default().into();
                    up.version += 1;
                    let (version, since) = (up.version, Instant::now());
                    let shown = Shown { cluster, json, version, metadata, since };
                    up.shown.insert(id.clone(), Arc::new(shown));
                }
                differs
            }
        };
        drop(up);
        if changed {
            // Nobody may be listening any more.
            let _ = self.shared.changes.send(id.clone());
        }
    }

    fn up(&self) -> MutexGuard<'_, Up> {
        self.shared.up.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether round trips are quite different.
fn figures_differ(shown: &Cluster, newest: &Cluster) -> bool {
    let (old, new) = (&shown.status, &newest.status);
    moved(old.rtt_ms, new.rtt_ms)
        || old.slots.iter().zip(&new.slots).any(|(old, new)| moved(old.rtt_ms, new.rtt_ms))
}

fn moved(one: Option<f64>, other: Option<f64>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => (one - other).abs() > SAME_MS.max(one * SAME_PART),
        (one, other) => one.is_some() != other.is_some(),
    }
}

#[cfg(test)]
mod tests;
