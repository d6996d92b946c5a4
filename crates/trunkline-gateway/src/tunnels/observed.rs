//! What is seen of a cluster, for those who tell people.

use tokio::time::Instant;
use trunkline_proto::ClusterId;

use super::Tunnels;
use super::place::Contention;
use crate::standing::{Duplicate, Observed, ObservedLink};

impl Tunnels {
    /// What is seen of a cluster.
    pub(crate) fn observe(&self, cluster: &ClusterId) -> Observed {
        let map = self.map();
        let Some(tunnel) = map.get(cluster) else { return Observed::default() };
        let now = Instant::now();
        let links = tunnel.live.iter().filter(|live| live.session.is_open()).map(|live| ObservedLink {
            slot: live.identity.slot,
            from: live.from,
            epoch: live.epoch,
            rtt: live.session.rtt(),
            software: live.software.clone(),
            identity: live.mode,
            not_after: live.identity.not_after,
            root: live.root.as_ref().map(ToString::to_string),
        });
        let mut contended = tunnel.places.iter().filter_map(|(slot, place)| {
            let Contention { one, other, since } = place.contention(now)?.clone();
            Some(Duplicate { slot: *slot, one, other, since })
        });
        Observed {
            links: links.collect(),
            report: tunnel.status.clone(),
            last_seen: tunnel.last_seen.map(|(_, when)| when),
            duplicate: contended.next(),
        }
    }
}
