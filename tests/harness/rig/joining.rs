//! Clusters that join by token and key: registered at the rig's gateway, with an identity in a folder of their own.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use trunkline_agent::{Agent, AgentConfig, Credentials, EnrolConfig, IdentityConfig, SlotSource, WayConfig};
use trunkline_api::NewCluster;
use trunkline_gateway::GatewayConfig;
use trunkline_pki::{ClusterKey, KeyPin, PaperNames, Papers};
use trunkline_proto::{ClusterUid, Epoch, Slot};
use trunkline_registry::Registry;

use super::{Cluster, Rig, UP};
use crate::client::Client;
use crate::upstream::{FakeUpstream, Wire};
use crate::wait::within;

/// How long a join token may be used.
const TOKEN_LIFE: Duration = Duration::from_secs(1800);

impl Rig {
    /// An enrolling gateway and one cluster that has joined.
    pub async fn registered(name: &str) -> Self {
        Self::builder().cluster(name).enrolling().start().await
    }

    /// The first gateway's registry.
    pub fn registry(&self) -> Registry {
        self.gateway().fleet().registry().clone()
    }

    /// Slot and epoch of each link of a cluster that the first gateway gives requests.
    pub fn epochs(&self, name: &str) -> Vec<(Slot, Epoch)> {
        self.gateway().epochs(&self.clusters[name].id)
    }

    /// A client who may change clusters.
    pub fn admin(&self) -> Client {
        self.client_as("root", &["trunkline:admins"])
    }

    /// The folder of a gateway's registry and papers.
    pub fn data(&self, at: usize) -> PathBuf {
        self.paper.path(&format!("data-{at}"))
    }

    /// The first gateway's own papers, read from its folder. What its doors show does not follow these.
    pub fn papers(&self) -> Papers {
        let names = PaperNames { front: Vec::new(), tunnel: Vec::new() };
        Papers::open(&self.data(0).join("pki"), &names).unwrap()
    }

    /// The pin that a joining agent is given.
    pub fn pin(&self) -> KeyPin {
        self.papers().pin()
    }

    /// Registers a cluster, with an API server of its own if there is none yet. The token is in its file, where its
    /// agents find it.
    pub async fn register(&mut self, name: &str) -> String {
        let (registry, mut new) = (self.registry(), new_cluster(name));
        new.manifest.pass_through = self.pass_through.get(name).cloned().into_iter().collect();
        let (record, token) = registry.register(&new, "test", Timestamp::now(), TOKEN_LIFE).await.unwrap();
        self.adopt(name, record.metadata.uid.unwrap()).await;
        self.give_token(name, token.reveal());
        token.reveal().to_owned()
    }

    /// Takes a cluster in that was registered by other means, with an API server of its own if there is none yet.
    pub async fn adopt(&mut self, name: &str, uid: ClusterUid) {
        if let Some(cluster) = self.clusters.get_mut(name) {
            cluster.uid = uid;
            return;
        }
        let upstream = FakeUpstream::start(&self.paper, Wire::Tls, &self.tasks).await;
        let cluster = Cluster { id: name.parse().unwrap(), uid, upstream, pods: BTreeMap::new() };
        self.clusters.insert(name.to_owned(), cluster);
    }

    /// A new join token for a cluster, in its file. The old one ends.
    pub async fn renew_token(&self, name: &str) -> String {
        let id = &self.clusters[name].id;
        let (_, token) = self.registry().renew_token(id, "test", Timestamp::now(), TOKEN_LIFE).await.unwrap();
        self.give_token(name, token.reveal());
        token.reveal().to_owned()
    }

    /// Puts a token where the agents of a cluster look for it.
    pub fn give_token(&self, name: &str, token: &str) {
        self.paper.write(&format!("token-{name}"), token);
    }

    /// Takes a cluster's token file away, as a Secret that was deleted.
    pub fn take_token_away(&self, name: &str) {
        std::fs::remove_file(self.token_file(name)).unwrap();
    }

    /// Where the agents of a cluster look for their token.
    pub fn token_file(&self, name: &str) -> PathBuf {
        self.paper.path(&format!("token-{name}"))
    }

    /// Where the agents of a cluster keep its identity.
    pub fn identity(&self, name: &str) -> PathBuf {
        self.paper.path(&format!("identity-{name}"))
    }

    /// The key of a cluster whose agent has made one.
    pub fn cluster_key(&self, name: &str) -> ClusterKey {
        let pem = std::fs::read_to_string(self.identity(name).join("cluster.key")).unwrap();
        ClusterKey::from_pem(&pem).unwrap()
    }

    /// A configuration for one of a cluster's agents that joins.
    pub fn pod_config(&self, name: &str, slot: u16) -> AgentConfig {
        let cluster = &self.clusters[name];
        let enrol = EnrolConfig {
            pin: self.pin(),
            token_file: Some(self.token_file(name)),
            identity: IdentityConfig::Folder(self.identity(name)),
            slot: SlotSource::Is(Slot(slot)),
        };
        AgentConfig {
            cluster: cluster.id.clone(),
            gateway: WayConfig {
                addresses: self.gateways.iter().map(|one| one.config.tunnel.listen.to_string()).collect(),
                credentials: Credentials::Enrol(enrol),
                server_name: None,
                proxy: self.proxy.clone(),
            },
            upstream: self.upstream_config_of(name),
            logs: self.intake_config(name, slot),
            admin: None,
            drain_seconds: self.drain_seconds,
        }
    }

    /// Starts one of a cluster's agents (again) and waits until its tunnel is up.
    pub async fn start_pod(&mut self, name: &str, slot: u16) {
        self.begin_pod(name, slot).await;
        let running = &self.clusters[name].pods[&slot];
        within("the tunnel is up", UP, running.up()).await;
    }

    /// Starts one of a cluster's agents and waits for nothing.
    pub async fn begin_pod(&mut self, name: &str, slot: u16) {
        let config = self.pod_config(name, slot);
        self.begin_pod_with(name, slot, config).await;
    }

    /// Starts one of a cluster's agents with a configuration of its own and waits for nothing.
    pub async fn begin_pod_with(&mut self, name: &str, slot: u16, config: AgentConfig) {
        let running = Agent::bind(config).await.unwrap().serve();
        self.keep_pod(name, slot, running);
    }

    /// Ends one of a cluster's agents at once, as if killed.
    pub async fn cut_pod(&mut self, name: &str, slot: u16) {
        if let Some(pod) = self.take_pod(name, slot) {
            pod.cut().await;
        }
    }

    /// Hands one of a cluster's agents over.
    pub fn take_pod(&mut self, name: &str, slot: u16) -> Option<trunkline_agent::Running> {
        self.clusters.get_mut(name).and_then(|cluster| cluster.pods.remove(&slot))
    }

    pub(super) fn keep_pod(&mut self, name: &str, slot: u16, running: trunkline_agent::Running) {
        if let Some(cluster) = self.clusters.get_mut(name) {
            cluster.pods.insert(slot, running);
        }
    }

    /// Makes of a configuration one of a gateway that issues certificates. Its front door stays as it was, so that
    /// clients find what they know.
    pub(super) fn make_enrolling(&self, config: &mut GatewayConfig, at: usize) {
        config.data = Some(self.data(at));
        config.tunnel.certificate = None;
        config.tunnel.roots = None;
        config.clusters.clear();
    }
}

/// What a cluster is registered with when nothing matters but its name.
pub fn new_cluster(name: &str) -> NewCluster {
    NewCluster {
        name: name.parse().unwrap(),
        labels: Default::default(),
        display_name: String::new(),
        description: String::new(),
        environment: String::new(),
        protection: Default::default(),
        manifest: Default::default(),
    }
}
