//! Claims to slots: asks a slot's process whether it lives, and lets [`super::place`] decide.

use std::net::SocketAddr;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::time::Instant;
use tracing::warn;
use trunkline_pki::AgentIdentity;
use trunkline_proto::{CloseReason, ClusterId, ControlCall, Epoch, Hello, Rejection, RejectionReason, Slot};
use trunkline_tunnel::call;

use super::place::{Claim, Contention, Granted};
use super::{Live, Tunnel, Tunnels};

/// How long a process whose slot is claimed by another has to answer whether it lives.
const ALIVE_DEADLINE: Duration = Duration::from_secs(2);

impl Tunnels {
    /// Whether a process has an open session in a slot that came in by this key of the cluster's.
    pub(crate) fn holds(&self, identity: &AgentIdentity, instance: u64, key: Option<&str>) -> bool {
        self.map().get(&identity.cluster).is_some_and(|tunnel| {
            tunnel.live.iter().any(|live| {
                (live.identity.slot, live.identity.uid, live.instance)
                    == (identity.slot, identity.uid, instance)
                    && live.cluster_key.as_deref() == key
                    && live.session.is_open()
            })
        })
    }

    /// Whether a slot is in quarantine, and somebody is in it.
    pub(crate) fn is_kept(&self, cluster: &ClusterId, slot: Slot) -> bool {
        let map = self.map();
        let Some(tunnel) = map.get(cluster) else { return false };
        let quarantined = tunnel.places.get(&slot).is_some_and(|place| place.is_quarantined(Instant::now()));
        quarantined && tunnel.live.iter().any(|live| live.identity.slot == slot && live.session.is_open())
    }

    /// Another key is the cluster's: whose slots were whose, and who contended for them, counts no more, but where an
    /// agent with that key is in already.
    pub(crate) fn forget_places(&self, cluster: &ClusterId, key: Option<&str>) {
        let mut map = self.map();
        let Some(tunnel) = map.get_mut(cluster) else { return };
        let Tunnel { live, places, .. } = tunnel;
        places.retain(|slot, _| {
            let mut keys = live
                .iter()
                .filter(|live| live.identity.slot == *slot)
                .map(|live| live.cluster_key.as_deref());
            keys.clone().all(|of_live| of_live == key) || keys.any(|of_live| of_live == key)
        });
    }

    /// The epoch of the agent process that says this hello. A process that is new to its slot gets a new one, and
    /// whatever the slot had before is fenced.
    ///
    /// # Errors
    /// When the process was fenced already, or the slot is in quarantine.
    pub(crate) async fn claim(
        &self,
        hello: &Hello,
        identity: &AgentIdentity,
        from: SocketAddr,
    ) -> Result<Epoch, Rejection> {
        let incumbent = self.incumbent(identity, hello.instance);
        let answered = match &incumbent {
            Some(live) => {
                let ping = call::<_, ()>(&live.session, ControlCall::Ping, live.epoch, &());
                tokio::time::timeout(ALIVE_DEADLINE, ping).await.is_ok_and(|answer| answer.is_ok())
            }
            None => false,
        };
        let mut map = self.map();
        let tunnel = map.entry(hello.cluster.clone()).or_default();
        if tunnel.uid.is_some_and(|uid| uid != identity.uid) {
            // Another registration of this id: nothing of the earlier one counts.
            tunnel.become_another(Some(identity.uid));
        }
        tunnel.uid = Some(identity.uid);
        let of_slot = |live: &&Arc<Live>| live.identity.slot == identity.slot;
        let others = |live: &&Arc<Live>| live.instance != hello.instance;
        let open =
            tunnel.live.iter().filter(of_slot).filter(others).find(|live| live.session.is_open()).cloned();
        let claim = Claim {
            instance: hello.instance,
            from,
            incumbent: open.as_ref().map(|live| live.from),
            answered: answered
                && open.as_ref().zip(incumbent.as_ref()).is_some_and(|(a, b)| a.instance == b.instance),
        };
        let place = tunnel.places.entry(identity.slot).or_default();
        let now = (Instant::now(), SystemTime::now());
        let granted = place.claim(claim, now, || {
            let mut next = self.shared.next_epoch.lock().unwrap_or_else(PoisonError::into_inner);
            *next += 1;
            Epoch(*next)
        });
        let contended = place.contention(now.0).filter(|found| found.other == from).cloned();
        if let Granted::Now(_) = granted {
            for live in tunnel.live.iter().filter(of_slot).filter(others) {
                live.session.close(CloseReason::Fenced);
            }
        }
        drop(map);
        if let Some(contention) = contended {
            self.tell_of_contention(identity, &contention, granted);
        }
        match granted {
            Granted::Already(epoch) | Granted::Now(epoch) => Ok(epoch),
            Granted::Fenced => Err(Rejection {
                reason: RejectionReason::Fenced,
                message: "a newer agent process holds this slot; do two run with the same identity?".into(),
            }),
            Granted::Quarantined => Err(Rejection {
                reason: RejectionReason::DuplicateIdentity,
                message: "agents contend for this slot; the one that is in it stays for some minutes. If one of them \
                          is not yours, give the cluster another key: docs/how-to/duplicate-identity.md"
                    .into(),
            }),
        }
    }

    /// An open session of another process in the same slot.
    fn incumbent(&self, identity: &AgentIdentity, instance: u64) -> Option<Arc<Live>> {
        let map = self.map();
        let live = &map.get(&identity.cluster)?.live;
        let other = |live: &&Arc<Live>| {
            live.identity.slot == identity.slot && live.instance != instance && live.session.is_open()
        };
        live.iter().find(other).cloned()
    }

    fn tell_of_contention(&self, identity: &AgentIdentity, contention: &Contention, granted: Granted) {
        self.shared.metrics.duplicate_identities.inc();
        let Contention { one, other, .. } = contention;
        warn!(target: "audit", cluster = %identity.cluster, slot = %identity.slot, %one, %other, ?granted,
              "two agents contend for one slot: is the cluster's key in two places?");
        self.tell_of(&identity.cluster);
    }
}
