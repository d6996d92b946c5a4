//! Cuts what is no longer welcome, and moves agents to a new root.
//!
//! One task hears of every change of the registry, the file and the papers, and looks at the links concerned. A link
//! that enters while something changes is looked at again after it entered: between the two nothing slips through.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::broadcast::error::RecvError;
use tracing::{debug, info, warn};
use trunkline_pki::KeyPin;
use trunkline_proto::{ClusterId, ControlCall, Trust};
use trunkline_runtime::{Tasks, chain};
use trunkline_tunnel::call;

use crate::fleet::Fleet;
use crate::tunnels::{Live, Tunnels};

/// How often it is looked whether a rotation may end.
const LOOK_WHO_MOVED: Duration = Duration::from_secs(1);

/// Looks after the live links. Clones share what was announced.
#[derive(Clone)]
pub(crate) struct Guard {
    pub(crate) fleet: Fleet,
    pub(crate) tunnels: Tunnels,
    pub(crate) tasks: Tasks,
    /// The roots that were announced last to the links that are up.
    announced: Arc<Mutex<Vec<KeyPin>>>,
}

impl Guard {
    pub(crate) fn new(fleet: Fleet, tunnels: Tunnels, tasks: Tasks) -> Self {
        let announced = Arc::new(Mutex::new(trusted(&fleet)));
        Self { fleet, tunnels, tasks, announced }
    }

    /// Hears of changes until it is dropped.
    pub(crate) async fn stand(self) {
        let mut registered = self.fleet.registry.changes();
        let mut changed = self.fleet.changes();
        let mut moved = tokio::time::interval(LOOK_WHO_MOVED);
        loop {
            tokio::select! {
                biased;
                id = registered.recv() => match id {
                    Ok(id) => {
                        self.look_at(&id);
                        continue;
                    }
                    Err(RecvError::Lagged(_)) => self.look_at_all(),
                    Err(RecvError::Closed) => return,
                },
                changed = changed.changed() => match changed {
                    Ok(()) => self.look_at_all(),
                    Err(_) => return,
                },
                // Not with each change: the whole fleet is looked at, and a rotation makes many of them.
                _ = moved.tick() => self.fleet.finish_rotation_if_moved(),
            }
            self.announce();
        }
    }

    /// Looks at a link that has just entered.
    pub(crate) fn look_at_live(&self, live: &Arc<Live>) {
        if let Some(reason) = self.fleet.turned_away(&live.identity, live.cluster_key.as_deref()) {
            live.session.close(reason);
        } else if live.root.is_some() {
            // Which roots it trusts is not known: it may have got them before the last change and come after it.
            self.tell(live.clone());
        }
    }

    fn look_at(&self, id: &ClusterId) {
        for live in self.tunnels.of(id) {
            if let Some(reason) = self.fleet.turned_away(&live.identity, live.cluster_key.as_deref()) {
                live.session.close(reason);
            }
        }
        let record = self.fleet.registry.get(id);
        if let Some(record) = &record {
            self.tunnels.forget_places(id, record.key.as_ref().map(|key| key.pin.as_str()));
        }
        self.tunnels.forget_others(id, record.and_then(|record| record.metadata.uid));
        self.tunnels.tell_of(id);
    }

    fn look_at_all(&self) {
        let mut reasons = HashMap::new();
        for live in self.tunnels.all() {
            if let Some(reason) = self.fleet.turned_away(&live.identity, live.cluster_key.as_deref()) {
                *reasons.entry(reason.as_str()).or_insert(0u64) += 1;
                live.session.close(reason);
            }
        }
        if !reasons.is_empty() {
            info!(?reasons, "links are cut");
        }
        for id in self.tunnels.known() {
            let uid = self.fleet.registry.get(&id).and_then(|record| record.metadata.uid);
            if !self.fleet.is_declared(&id) {
                self.tunnels.forget_others(&id, uid);
            }
            self.tunnels.tell_of(&id);
        }
    }

    /// Tells every live agent which roots to trust, when those have changed.
    fn announce(&self) {
        let now = trusted(&self.fleet);
        let before = {
            let mut announced = self.announced.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *announced, now.clone())
        };
        if before == now {
            return;
        }
        info!(roots = now.len(), "the tunnel's roots have changed; telling the agents");
        for live in self.tunnels.all() {
            // What stands under roots of others is not ours to move.
            if live.root.is_some() {
                self.tell(live);
            }
        }
    }

    /// Tells an agent which roots to trust. What overtakes this on the way is told after it again.
    fn tell(&self, live: Arc<Live>) {
        let Some(papers) = self.fleet.papers.clone() else { return };
        let fleet = self.fleet.clone();
        self.tasks.spawn_until_stopped(async move {
            loop {
                let renew = fleet.is_behind(live.root.as_ref());
                let trust = Trust { roots: papers.roots_pem(), renew };
                let told = call::<_, ()>(&live.session, ControlCall::Trust, live.epoch, &trust).await;
                if let Err(error) = told {
                    warn!(cluster = %live.cluster, slot = %live.identity.slot, why = chain(&error),
                          "the agent was not told of the roots; it is told when it comes again");
                    return;
                }
                debug!(cluster = %live.cluster, slot = %live.identity.slot, "the agent trusts the roots");
                if papers.roots_pem() == trust.roots {
                    return;
                }
            }
        });
    }
}

fn trusted(fleet: &Fleet) -> Vec<KeyPin> {
    let roots = fleet.papers.as_ref().map(trunkline_pki::Papers::roots).unwrap_or_default();
    roots.into_iter().map(|root| root.pin).collect()
}
