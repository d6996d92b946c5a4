//! What is to be raised, and raising it.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::{Request, Response};
use hyper::body::Incoming;
use trunkline_agent::ProxyConfig;
use trunkline_api::NewAccessRule;
use trunkline_gateway::{AuthnConfig, LimitsConfig, LogsConfig};
use trunkline_proto::ClusterUid;
use trunkline_runtime::{Body, Tasks};

use super::{Cluster, OneGateway, Rig};
use crate::paper::Paper;
use crate::upstream::{Answering, FakeUpstream, Wire};

/// The rule by which everybody may do everything as themselves.
fn everything() -> NewAccessRule {
    serde_json::from_value(serde_json::json!({
        "name": "everything",
        "spec": {
            "subjects": {"users": ["*"]},
            "clusters": {"names": ["*", "management"]},
            "role": "custom",
            "verbs": ["*"],
        },
    }))
    .unwrap()
}

/// Most tests are one user, who begins more requests than one user would.
fn unhurried() -> LimitsConfig {
    let (mut limits, many) = (LimitsConfig::default(), 1_000_000);
    (limits.user.opens_per_second, limits.user.opens_burst) = (many, many);
    (limits.cluster.opens_per_second, limits.cluster.opens_burst) = (many, many);
    limits
}

/// What is to be raised.
#[derive(Clone)]
pub struct RigBuilder {
    clusters: Vec<String>,
    wire: Wire,
    gateways: usize,
    agents: bool,
    drain_seconds: u64,
    proxy: Option<ProxyConfig>,
    allow_node_proxy: bool,
    max_requests: usize,
    max_connections: usize,
    enrolling: bool,
    certificate_seconds: u64,
    slots: u16,
    access: Vec<NewAccessRule>,
    authn: AuthnConfig,
    management: Option<Answering>,
    limits: LimitsConfig,
    proxy_from: Vec<String>,
    pub(super) logs: Option<LogsConfig>,
    pass_through: BTreeMap<String, String>,
}

impl std::fmt::Debug for RigBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RigBuilder").field("clusters", &self.clusters).finish_non_exhaustive()
    }
}

impl Default for RigBuilder {
    fn default() -> Self {
        Self {
            clusters: Vec::new(),
            wire: Wire::Tls,
            gateways: 1,
            agents: true,
            drain_seconds: 5,
            proxy: None,
            allow_node_proxy: false,
            max_requests: 20_000,
            max_connections: 10_000,
            enrolling: false,
            certificate_seconds: 24 * 3600,
            slots: 2,
            access: vec![everything()],
            authn: AuthnConfig::default(),
            management: None,
            limits: unhurried(),
            proxy_from: Vec::new(),
            logs: None,
            pass_through: BTreeMap::new(),
        }
    }
}

impl RigBuilder {
    /// Adds a cluster; without any there is one called `alpha`.
    #[must_use]
    pub fn cluster(mut self, id: &str) -> Self {
        self.clusters.push(id.to_owned());
        self
    }

    /// What is spoken with the fakes.
    #[must_use]
    pub fn wire(mut self, wire: Wire) -> Self {
        self.wire = wire;
        self
    }

    /// How many gateways there are; agents know them all, in their order.
    #[must_use]
    pub fn gateways(mut self, count: usize) -> Self {
        self.gateways = count;
        self
    }

    /// Starts no agents; see [`Rig::start_agent`].
    #[must_use]
    pub fn without_agents(mut self) -> Self {
        self.agents = false;
        self
    }

    /// The grace of gateways and agents.
    #[must_use]
    pub fn drain_seconds(mut self, seconds: u64) -> Self {
        self.drain_seconds = seconds;
        self
    }

    /// The proxy that agents go through.
    #[must_use]
    pub fn proxy(mut self, proxy: ProxyConfig) -> Self {
        self.proxy = Some(proxy);
        self
    }

    /// Serves `nodes/NAME/proxy`.
    #[must_use]
    pub fn allow_node_proxy(mut self) -> Self {
        self.allow_node_proxy = true;
        self
    }

    /// How many requests a gateway has under way at the most.
    #[must_use]
    pub fn max_requests(mut self, most: usize) -> Self {
        self.max_requests = most;
        self
    }

    /// How many connections on which a good identity was shown a gateway has at the most.
    #[must_use]
    pub fn max_connections(mut self, most: usize) -> Self {
        self.max_connections = most;
        self
    }

    /// The gateway has a data folder and papers of its own; clusters are registered there, and agents join.
    #[must_use]
    pub fn enrolling(mut self) -> Self {
        self.enrolling = true;
        self
    }

    /// How long the certificates live that the gateway issues.
    #[must_use]
    pub fn certificate_seconds(mut self, seconds: u64) -> Self {
        self.certificate_seconds = seconds;
        self
    }

    /// How many slots a cluster has.
    #[must_use]
    pub fn slots(mut self, slots: u16) -> Self {
        self.slots = slots;
        self
    }

    /// The access rules of the gateways' files, in place of one by which everybody may do everything as themselves.
    #[must_use]
    pub fn access(mut self, rules: &[serde_json::Value]) -> Self {
        self.access = rules.iter().map(|rule| serde_json::from_value(rule.clone()).unwrap()).collect();
        self
    }

    /// Who may sign in, and how.
    #[must_use]
    pub fn authn(mut self, authn: AuthnConfig) -> Self {
        self.authn = authn;
        self
    }

    /// Serves a management cluster, whose API server answers like this.
    #[must_use]
    pub fn management_answering<A, F>(mut self, answer: A) -> Self
    where
        A: Fn(Request<Incoming>) -> F + Send + Sync + 'static,
        F: Future<Output = Response<Body>> + Send + 'static,
    {
        self.management = Some(Arc::new(move |request| Box::pin(answer(request))));
        self
    }

    /// What users and clusters may have, in place of the defaults with no rate that a test would meet.
    #[must_use]
    pub fn limits(mut self, limits: LimitsConfig) -> Self {
        self.limits = limits;
        self
    }

    /// The load balancers, as networks, that say whom they speak for.
    #[must_use]
    pub fn proxy_from(mut self, network: &str) -> Self {
        self.proxy_from.push(network.to_owned());
        self
    }

    /// Adds a cluster in pass-through mode, for tokens of this audience.
    #[must_use]
    pub fn passing_through(mut self, id: &str, audience: &str) -> Self {
        self.pass_through.insert(id.to_owned(), audience.to_owned());
        self.cluster(id)
    }

    /// Raises it, tunnels included.
    pub async fn start(self) -> Rig {
        let (paper, tasks) = (Paper::new(), Tasks::new());
        let names = if self.clusters.is_empty() { vec!["alpha".to_owned()] } else { self.clusters.clone() };
        let mut clusters = BTreeMap::new();
        for name in names {
            let upstream = FakeUpstream::start(&paper, self.wire, &tasks).await;
            let (id, uid) = (name.parse().unwrap(), ClusterUid::random());
            let cluster = Cluster { id, uid, upstream, pods: BTreeMap::new() };
            clusters.insert(name, cluster);
        }
        let management = match self.management.clone() {
            Some(answering) => {
                Some(FakeUpstream::start_with(&paper, Wire::Tls, &tasks, Some(answering)).await)
            }
            None => None,
        };
        let mut rig = Rig {
            management,
            paper,
            tasks,
            gateways: Vec::new(),
            clusters,
            drain_seconds: self.drain_seconds,
            proxy: self.proxy,
            access: self.access,
            limits: self.limits,
            pass_through: self.pass_through,
            enrolling: self.enrolling,
            logs: self.logs,
        };
        for at in 0..self.gateways {
            let mut config = rig.gateway_config();
            if self.enrolling {
                rig.make_enrolling(&mut config, at);
                config.enrolment.certificate_seconds = self.certificate_seconds;
                config.enrolment.slots = self.slots;
            }
            if rig.logs.is_some() {
                config.logs = rig.logs.clone();
                config.data = Some(rig.data(at));
            }
            config.authn = self.authn.clone();
            config.management = rig.management.as_ref().map(|upstream| upstream.config(&rig.paper));
            config.front.allow_node_proxy = self.allow_node_proxy;
            config.front.max_requests = self.max_requests;
            config.front.max_connections = self.max_connections;
            config.front.proxy_from = self.proxy_from.iter().map(|net| net.parse().unwrap()).collect();
            rig.gateways.push(OneGateway { config, running: None });
            rig.start_gateway(rig.gateways.len() - 1).await;
        }
        if self.enrolling {
            for name in rig.clusters.keys().cloned().collect::<Vec<_>>() {
                rig.register(&name).await;
            }
        }
        if self.agents {
            for name in rig.clusters.keys().cloned().collect::<Vec<_>>() {
                rig.start_agent(&name).await;
            }
        }
        rig
    }
}
