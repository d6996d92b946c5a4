//! The clusters that should exist and the serials that are turned away, as they stand now.

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::sync::watch;
use trunkline_pki::Revocations;
use trunkline_proto::{ClusterId, ClusterUid};

use crate::config::{GatewayConfig, GatewayConfigError};

/// The clusters that should exist. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct Fleet {
    clusters: Arc<ArcSwap<BTreeMap<ClusterId, Option<ClusterUid>>>>,
    pub(crate) revoked_agents: Revocations,
    pub(crate) revoked_clients: Revocations,
    changed: watch::Sender<u64>,
}

/// Changes a running gateway's fleet.
#[derive(Clone, Debug)]
pub struct FleetHandle(Fleet);

impl FleetHandle {
    /// Takes clusters and revoked serials from a newer configuration. Links of clusters that are gone and of
    /// serials that are revoked are cut.
    ///
    /// # Errors
    /// When the list of clusters is not usable; the old one stays in force.
    pub fn follow(&self, config: &GatewayConfig) -> Result<(), GatewayConfigError> {
        let clusters = config.fleet()?;
        self.0.revoked_agents.replace(config.revoked_agents());
        self.0.revoked_clients.replace(config.revoked_clients());
        self.0.clusters.store(Arc::new(clusters));
        self.0.changed.send_modify(|version| *version += 1);
        Ok(())
    }
}

impl Fleet {
    pub(crate) fn new(config: &GatewayConfig) -> Result<Self, GatewayConfigError> {
        let fleet = Self {
            clusters: Arc::new(ArcSwap::from_pointee(config.fleet()?)),
            revoked_agents: Revocations::new(),
            revoked_clients: Revocations::new(),
            changed: watch::Sender::new(0),
        };
        fleet.revoked_agents.replace(config.revoked_agents());
        fleet.revoked_clients.replace(config.revoked_clients());
        Ok(fleet)
    }

    pub(crate) fn handle(&self) -> FleetHandle {
        FleetHandle(self.clone())
    }

    /// Whether there is such a cluster; inside, the uid it must have.
    pub(crate) fn find(&self, id: &ClusterId) -> Option<Option<ClusterUid>> {
        self.clusters.load().get(id).copied()
    }

    /// Tells of every change.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }
}
