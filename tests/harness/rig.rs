//! Gateways, agents and fakes, raised together.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use trunkline_agent::{Agent, AgentConfig, Credentials, ProxyConfig, WayConfig};
use trunkline_api::NewAccessRule;
use trunkline_gateway::{
    AuthnConfig, ClusterConfig, EnrolmentConfig, FrontConfig, Gateway, GatewayConfig, LimitsConfig,
    LogsConfig, TunnelConfig,
};
use trunkline_pki::CertifiedFiles;
use trunkline_proto::{ClusterId, ClusterUid, IdentityMode};
use trunkline_runtime::Tasks;
use trunkline_upstream::UpstreamConfig;

use crate::client::Client;
use crate::paper::Paper;
use crate::upstream::FakeUpstream;
use crate::wait::{eventually, within};

mod builder;
mod joining;
mod logs;

pub use builder::RigBuilder;
pub use joining::new_cluster;
pub use logs::intake_config;

/// How long a tunnel may take to come up.
const UP: Duration = Duration::from_secs(20);
/// The suffix of cluster hosts.
const SUFFIX: &str = "clusters.test";

/// A gateway (or more), agents and fakes at work.
#[derive(Debug)]
pub struct Rig {
    /// The certificates.
    pub paper: Paper,
    /// The fakes' tasks.
    pub tasks: Tasks,
    gateways: Vec<OneGateway>,
    /// The management cluster's API server, where it is served.
    management: Option<FakeUpstream>,
    clusters: BTreeMap<String, Cluster>,
    drain_seconds: u64,
    proxy: Option<ProxyConfig>,
    /// The access rules of the gateways' files.
    access: Vec<NewAccessRule>,
    limits: LimitsConfig,
    /// The clusters in pass-through mode, and the audience of the tokens that go through to each.
    pass_through: BTreeMap<String, String>,
    /// Whether agents join by token and key, or bring files.
    enrolling: bool,
    /// How the gateways keep logs, if they do.
    logs: Option<LogsConfig>,
}

#[derive(Debug)]
struct OneGateway {
    /// With the ports it was given, so that it comes back where it was.
    config: GatewayConfig,
    running: Option<trunkline_gateway::Running>,
}

/// A cluster of the rig.
#[derive(Debug)]
pub struct Cluster {
    /// Its id.
    pub id: ClusterId,
    /// Its uid.
    pub uid: ClusterUid,
    /// Its API server.
    pub upstream: FakeUpstream,
    /// Its agents, by slot.
    pods: BTreeMap<u16, trunkline_agent::Running>,
}

impl Rig {
    /// One gateway and the cluster `alpha` with its agent and a fake API server.
    pub async fn start() -> Self {
        RigBuilder::default().start().await
    }

    /// Something else than [`Rig::start`].
    pub fn builder() -> RigBuilder {
        RigBuilder::default()
    }

    /// The first gateway.
    pub fn gateway(&self) -> &trunkline_gateway::Running {
        self.gateway_at(0)
    }

    /// A gateway by its place.
    pub fn gateway_at(&self, at: usize) -> &trunkline_gateway::Running {
        self.gateways[at].running.as_ref().expect("a running gateway")
    }

    /// The first gateway's front door.
    pub fn front(&self) -> SocketAddr {
        self.gateway().front()
    }

    /// A gateway's tunnel door, whether it runs or not.
    pub fn tunnel_door(&self, at: usize) -> SocketAddr {
        self.gateways[at].config.tunnel.listen
    }

    /// The configuration that a gateway runs with, ports included.
    pub fn config_of(&self, at: usize) -> GatewayConfig {
        self.gateways[at].config.clone()
    }

    /// A cluster.
    pub fn cluster(&self, name: &str) -> &Cluster {
        &self.clusters[name]
    }

    /// A cluster's API server.
    pub fn upstream(&self, name: &str) -> &FakeUpstream {
        &self.clusters[name].upstream
    }

    /// The management cluster's API server.
    pub fn management(&self) -> &FakeUpstream {
        self.management.as_ref().expect("a rig with a management cluster")
    }

    /// A client called `jane`, in the groups `dev` and `ops`.
    pub fn client(&self) -> Client {
        self.client_as("jane", &["dev", "ops"])
    }

    /// A client by another name.
    pub fn client_as(&self, user: &str, groups: &[&str]) -> Client {
        let issued = self.paper.client(user, groups);
        Client::new(self.front(), self.paper.client_tls(Some(&issued)), &self.tasks)
    }

    /// A client with a certificate at hand, or without any.
    pub fn client_showing(&self, shown: Option<&trunkline_pki::Issued>) -> Client {
        Client::new(self.front(), self.paper.client_tls(shown), &self.tasks)
    }

    /// A configuration for a gateway with all clusters of the rig, on ports of the kernel's choice.
    pub fn gateway_config(&self) -> GatewayConfig {
        let anywhere: SocketAddr = ([127, 0, 0, 1], 0).into();
        GatewayConfig {
            audit: Default::default(),
            data: None,
            logs: None,
            authn: AuthnConfig::default(),
            enrolment: EnrolmentConfig::default(),
            front: FrontConfig {
                listen: anywhere,
                address: None,
                certificate: Some(self.paper.files("front")),
                client_roots: Some(self.paper.path("front-ca.pem")),
                revoked: Vec::new(),
                host_suffix: Some(SUFFIX.into()),
                allow_node_proxy: false,
                max_connections: 10_000,
                max_requests: 20_000,
                proxy_from: Vec::new(),
            },
            tunnel: TunnelConfig {
                listen: anywhere,
                addresses: Vec::new(),
                certificate: Some(self.paper.files("tunnel")),
                roots: Some(self.paper.path("tunnel-ca.pem")),
                revoked: Vec::new(),
                max_links: 40_000,
            },
            clusters: self
                .clusters
                .values()
                .map(|cluster| ClusterConfig {
                    id: cluster.id.clone(),
                    uid: Some(cluster.uid),
                    pass_through: self.pass_through.get(cluster.id.as_str()).cloned().into_iter().collect(),
                })
                .collect(),
            management: None,
            access: self.access.clone(),
            limits: self.limits.clone(),
            admin: Some(anywhere),
            drain_seconds: self.drain_seconds,
        }
    }

    /// A configuration for an agent of a cluster that knows all gateways, in slot 0. Issues a certificate for it where
    /// agents bring files.
    pub fn agent_config(&self, name: &str) -> AgentConfig {
        if self.enrolling {
            return self.pod_config(name, 0);
        }
        let cluster = &self.clusters[name];
        let (_, certificate) = self.paper.agent(&format!("agent-{name}"), &cluster.id, cluster.uid, 0);
        AgentConfig {
            cluster: cluster.id.clone(),
            gateway: WayConfig {
                addresses: self.gateways.iter().map(|one| one.config.tunnel.listen.to_string()).collect(),
                credentials: self.showing(certificate),
                server_name: Some("localhost".into()),
                proxy: self.proxy.clone(),
            },
            upstream: self.upstream_config_of(name),
            logs: self.intake_config(name, 0),
            admin: None,
            drain_seconds: self.drain_seconds,
        }
    }

    /// Credentials of an agent that brings files.
    pub fn showing(&self, certificate: CertifiedFiles) -> Credentials {
        Credentials::Files { certificate, roots: self.paper.path("tunnel-ca.pem") }
    }

    /// What a gateway counts, as its admin port shows it.
    pub async fn metrics(&self, at: usize) -> String {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let admin = self.gateway_at(at).admin().expect("an admin port");
        let mut tcp = tokio::net::TcpStream::connect(admin).await.unwrap();
        tcp.write_all(b"GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
        let mut heard = String::new();
        tcp.read_to_string(&mut heard).await.unwrap();
        heard
    }

    /// Starts a gateway (again), on the ports it had.
    pub async fn start_gateway(&mut self, at: usize) {
        let one = &mut self.gateways[at];
        let running = Gateway::bind(one.config.clone()).await.unwrap().serve().unwrap();
        one.config.front.listen = running.front();
        one.config.tunnel.listen = running.tunnel();
        one.config.admin = running.admin();
        one.running = Some(running);
    }

    /// Starts a cluster's agent (again) and waits until its tunnel is up.
    pub async fn start_agent(&mut self, name: &str) {
        let config = self.agent_config(name);
        self.start_agent_with(name, config).await;
    }

    /// Starts a cluster's agent with a configuration of its own and waits until its tunnel is up.
    pub async fn start_agent_with(&mut self, name: &str, config: AgentConfig) {
        let running = Agent::bind(config).await.unwrap().serve();
        within("the tunnel is up", UP, running.up()).await;
        self.keep_pod(name, 0, running);
    }

    /// Replaces a cluster's API server for agents started from here on.
    pub fn upstream_config_of(&self, name: &str) -> UpstreamConfig {
        let identity = match self.pass_through.contains_key(name) {
            true => IdentityMode::PassThrough,
            false => IdentityMode::Impersonate,
        };
        UpstreamConfig { identity, ..self.clusters[name].upstream.config(&self.paper) }
    }

    /// Ends a cluster's agent at once, as if killed.
    pub async fn cut_agent(&mut self, name: &str) {
        if let Some(agent) = self.take_agent(name) {
            agent.cut().await;
        }
    }

    /// Hands a cluster's agent over, e.g. to drain it.
    pub fn take_agent(&mut self, name: &str) -> Option<trunkline_agent::Running> {
        self.take_pod(name, 0)
    }

    /// Ends a gateway at once, as if killed.
    pub async fn cut_gateway(&mut self, at: usize) {
        if let Some(gateway) = self.take_gateway(at) {
            gateway.cut().await;
        }
    }

    /// Hands a gateway over, e.g. to drain it.
    pub fn take_gateway(&mut self, at: usize) -> Option<trunkline_gateway::Running> {
        self.gateways[at].running.take()
    }

    /// Waits until the first gateway has so many links.
    pub async fn wait_for_links(&self, links: usize) {
        eventually("links", UP, || self.gateway().links() == links).await;
    }

    /// Ends everything at once.
    pub async fn cut(mut self) {
        for cluster in self.clusters.values_mut() {
            for pod in std::mem::take(&mut cluster.pods).into_values() {
                pod.cut().await;
            }
        }
        for at in 0..self.gateways.len() {
            self.cut_gateway(at).await;
        }
        self.tasks.shut_down().await;
    }
}
