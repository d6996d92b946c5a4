//! The clusters that should exist and the serials that are turned away, as they stand now.
//!
//! A cluster stands in the registry, where it was registered, or in the gateway's file, where it is declared. Declared
//! ones come first: a name stands in one of the two only.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use jiff::Timestamp;
use tokio::sync::watch;
use trunkline_api::{Labels, Lock, NewCluster};
use trunkline_audit::AuditLog;
use trunkline_pki::{AgentIdentity, Papers, Revocations};
use trunkline_proto::{CloseReason, ClusterId, ClusterUid};
use trunkline_registry::{JoinToken, Record, Registry, RegistryError, taken_by};

use crate::authz::{Access, Place};
use crate::config::{Declared, EnrolmentConfig, GatewayConfig, GatewayConfigError};

/// The clusters that should exist. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct Fleet {
    declared: Arc<ArcSwap<BTreeMap<ClusterId, Declared>>>,
    pub(crate) registry: Registry,
    /// Who may reach them.
    pub(crate) access: Access,
    /// The gateway's own papers; without them it issues nothing.
    pub(crate) papers: Option<Papers>,
    pub(crate) enrolment: Arc<EnrolmentConfig>,
    /// What is done to the fleet goes there.
    pub(crate) audit: AuditLog,
    pub(crate) revoked_agents: Revocations,
    pub(crate) revoked_clients: Revocations,
    changed: watch::Sender<u64>,
}

/// Changes a running gateway's fleet.
#[derive(Clone, Debug)]
pub struct FleetHandle(Fleet);

/// How a cluster stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Clients and agents may come. A declared cluster may be without a uid.
    Open(Option<ClusterUid>),
    /// Nobody may.
    Locked(Lock),
}

/// A cluster as it stands, for who decides on who may reach it.
#[derive(Clone, Debug)]
pub(crate) struct Ground {
    /// Where the file declares it: as what.
    declared: Option<Declared>,
    record: Option<Arc<Record>>,
}

impl Ground {
    /// It, as the rules see it. Of a cluster that nobody registered nothing is known but its id.
    pub(crate) fn place<'a>(&'a self, id: &'a ClusterId, confirmed: bool) -> Place<'a> {
        static NONE: Labels = Labels::new();
        let record = self.record.as_deref();
        Place {
            id,
            labels: record.map_or(&NONE, |record| &record.metadata.labels),
            protection: record.map(|record| record.spec.protection).unwrap_or_default(),
            confirmed,
            passes_through: !self.pass_through().is_empty(),
            groups: record.map(|record| record.manifest.groups.as_slice()),
        }
    }

    /// How it stands; none when there is no such cluster.
    pub(crate) fn standing(&self) -> Option<Standing> {
        if let Some(declared) = &self.declared {
            return Some(Standing::Open(declared.uid));
        }
        let record = self.record.as_ref()?;
        Some(match &record.spec.locked {
            Some(lock) => Standing::Locked(lock.clone()),
            None => Standing::Open(record.metadata.uid),
        })
    }

    /// Whom the tokens must be for that go through to it; its agent impersonates when this is empty.
    pub(crate) fn pass_through(&self) -> &[String] {
        match (&self.declared, &self.record) {
            (Some(declared), _) => &declared.pass_through,
            (None, Some(record)) => &record.manifest.pass_through,
            (None, None) => &[],
        }
    }

    /// Which registration of it that is; none where nobody registered it.
    pub(crate) fn uid(&self) -> Option<ClusterUid> {
        self.record.as_ref().and_then(|record| record.metadata.uid)
    }
}

impl FleetHandle {
    /// Takes declared clusters, access rules and revoked serials from a newer configuration. Links of clusters that are gone and of
    /// serials that are revoked are cut.
    ///
    /// # Errors
    /// When a list is not usable; the old ones stay in force.
    pub fn follow(&self, config: &GatewayConfig) -> Result<(), GatewayConfigError> {
        let clusters = Arc::new(config.fleet()?);
        self.0.check_declared(&clusters)?;
        // Who registers looks here once the name is in the registry, and the registry is looked at once the name is here:
        // of two at the same time one at least sees the other.
        let before = self.0.declared.swap(clusters.clone());
        if let Err(error) = self.0.check_declared(&clusters) {
            self.0.declared.store(before);
            return Err(error);
        }
        if let Err(error) = self.0.access.follow(&config.access) {
            self.0.declared.store(before);
            return Err(error);
        }
        self.0.revoked_agents.replace(config.revoked_agents());
        self.0.revoked_clients.replace(config.revoked_clients());
        self.0.tell();
        Ok(())
    }

    /// The gateway's own papers; none without a data folder.
    pub fn papers(&self) -> Option<&Papers> {
        self.0.papers.as_ref()
    }

    /// Registers a cluster with nothing but its name, for who runs gateway and agents in one process.
    pub async fn register(&self, id: &ClusterId, by: &str) -> Result<JoinToken, RegistryError> {
        let new = NewCluster::named(id.clone());
        let (_, token) = self.0.registry.register(&new, by, Timestamp::now(), self.0.token_life()).await?;
        Ok(token)
    }

    /// The registry.
    pub fn registry(&self) -> &Registry {
        &self.0.registry
    }
}

impl Fleet {
    pub(crate) fn new(
        config: &GatewayConfig,
        registry: Registry,
        papers: Option<Papers>,
        audit: AuditLog,
    ) -> Result<Self, GatewayConfigError> {
        let clusters = config.fleet()?;
        let access = Access::new(registry.clone(), &config.access)?;
        let fleet = Self {
            declared: Arc::default(),
            registry,
            access,
            papers,
            enrolment: Arc::new(config.enrolment.clone()),
            audit,
            revoked_agents: Revocations::new(),
            revoked_clients: Revocations::new(),
            changed: watch::Sender::new(0),
        };
        fleet.check_declared(&clusters)?;
        fleet.declared.store(Arc::new(clusters));
        fleet.revoked_agents.replace(config.revoked_agents());
        fleet.revoked_clients.replace(config.revoked_clients());
        Ok(fleet)
    }

    pub(crate) fn handle(&self) -> FleetHandle {
        FleetHandle(self.clone())
    }

    /// Registers a cluster and hands out its join token; none if the file declares it, also if only since a moment ago.
    pub(crate) async fn register(
        &self,
        new: &NewCluster,
        by: &str,
    ) -> Result<Option<(Arc<Record>, JoinToken)>, RegistryError> {
        let registered = self.registry.register(new, by, Timestamp::now(), self.token_life()).await?;
        if self.is_declared(&new.name) {
            self.registry.remove(&new.name).await?;
            return Ok(None);
        }
        if let Err(taken) = self.check_undeclared(&new.manifest.pass_through) {
            self.registry.remove(&new.name).await?;
            return Err(taken);
        }
        Ok(Some(registered))
    }

    /// A name that stands in the registry cannot be declared as well, nor an audience.
    fn check_declared(&self, clusters: &BTreeMap<ClusterId, Declared>) -> Result<(), GatewayConfigError> {
        if let Some(id) = clusters.keys().find(|id| self.registry.get(id).is_some()) {
            return Err(GatewayConfigError::Registered(id.clone()));
        }
        if clusters.values().all(|declared| declared.pass_through.is_empty()) {
            return Ok(());
        }
        let registered = self.registry.list();
        let holder = |audience: &String| {
            registered.iter().find(|record| record.manifest.pass_through.contains(audience))
        };
        for (id, declared) in clusters {
            for audience in &declared.pass_through {
                if let Some(record) = holder(audience) {
                    let why = format!(
                        "names {audience:?}, which is {}'s, that is registered",
                        record.metadata.name
                    );
                    return Err(GatewayConfigError::Audience { cluster: id.clone(), why });
                }
            }
        }
        Ok(())
    }

    /// Whether no declared cluster has one of these audiences.
    ///
    /// # Errors
    /// Which one has which.
    pub(crate) fn check_undeclared(&self, audiences: &[String]) -> Result<(), RegistryError> {
        for (id, declared) in self.declared.load().iter() {
            if let Some(taken) = audiences.iter().find(|audience| declared.pass_through.contains(audience)) {
                return Err(taken_by(taken, id));
            }
        }
        Ok(())
    }

    /// How a cluster stands; none when there is no such cluster.
    pub(crate) fn standing(&self, id: &ClusterId) -> Option<Standing> {
        self.ground(id).standing()
    }

    /// A cluster as it stands at this moment, for whoever needs more of it than one thing.
    pub(crate) fn ground(&self, id: &ClusterId) -> Ground {
        let declared = self.declared.load().get(id).cloned();
        let registered = declared.is_none() && !id.is_management();
        Ground { declared, record: registered.then(|| self.registry.get(id)).flatten() }
    }

    /// Why an agent that came in, by a key of its cluster's or without one, is to go, if it is.
    pub(crate) fn turned_away(&self, agent: &AgentIdentity, key: Option<&str>) -> Option<CloseReason> {
        if self.revoked_agents.contains(&agent.serial) {
            return Some(CloseReason::Revoked);
        }
        match self.standing(&agent.cluster) {
            None => Some(CloseReason::Removed),
            Some(Standing::Locked(_)) => Some(CloseReason::Locked),
            Some(Standing::Open(uid)) => {
                if uid.is_some_and(|uid| uid != agent.uid) {
                    return Some(CloseReason::Removed);
                }
                // A newer join token brought another key: what came in by the old one goes.
                let record = self.registry.get(&agent.cluster)?;
                let now = record.key.as_ref().map(|key| key.pin.as_str());
                (now != key).then_some(CloseReason::Revoked)
            }
        }
    }

    /// Whether a cluster is declared in the file.
    pub(crate) fn is_declared(&self, id: &ClusterId) -> bool {
        self.declared.load().contains_key(id)
    }

    /// The clusters that are declared in the file.
    pub(crate) fn list_declared(&self) -> Arc<BTreeMap<ClusterId, Declared>> {
        self.declared.load_full()
    }

    /// How many managed clusters there are.
    pub(crate) fn len(&self) -> usize {
        self.declared.load().len() + self.registry.list().len()
    }

    /// For how long a join token may be used.
    pub(crate) fn token_life(&self) -> Duration {
        Duration::from_secs(self.enrolment.token_minutes * 60)
    }

    /// For how long an agent without a sign of life is believed by its key alone.
    pub(crate) fn away(&self) -> Duration {
        Duration::from_secs(self.enrolment.away_days * 24 * 3600)
    }

    /// Tells of every change of the file and of the papers. The registry tells of its own.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    pub(crate) fn tell(&self) {
        self.changed.send_modify(|version| *version += 1);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn config(clusters: &[&str]) -> GatewayConfig {
        let clusters: Vec<_> = clusters.iter().map(|id| json!({"id": id})).collect();
        let listen = json!({"listen": "127.0.0.1:0"});
        serde_json::from_value(json!({"front": listen, "tunnel": listen, "clusters": clusters})).unwrap()
    }

    #[tokio::test]
    async fn a_name_stands_in_the_registry_or_in_the_file_and_never_in_both() {
        let (registry, audit) = (Registry::in_memory().unwrap(), AuditLog::without_folder());
        let fleet = Fleet::new(&config(&["alpha"]), registry, None, audit).unwrap();
        let new = |name: &str| NewCluster::named(name.parse().unwrap());
        // As if it had been declared since somebody looked.
        assert!(fleet.register(&new("alpha"), "root").await.unwrap().is_none());
        assert!(fleet.registry.list().is_empty());
        assert!(fleet.register(&new("beta"), "root").await.unwrap().is_some());
        let refused = fleet.handle().follow(&config(&["alpha", "beta"])).unwrap_err();
        assert!(matches!(refused, GatewayConfigError::Registered(_)), "{refused}");
        assert_eq!(fleet.list_declared().len(), 1, "the list before stays in force");
    }
}
