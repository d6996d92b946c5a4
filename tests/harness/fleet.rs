//! The product as processes: a gateway, and the agents of some clusters, each with an intake.
//!
//! ```text
//! a shipper ── intake ─ agent ══ [a way of the test's] ══ gateway ── store
//!                                  the management cluster's ── intake ─┘
//! ```
//!
//! Ports are fixed for the fleet's life, so that whoever is killed is found again where he was. Nobody answers as the
//! clusters' API servers: records need none.

mod ask;
mod paper;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use crate::real_parts::free_port;
use crate::{Client, Paper, Process};
use serde_json::{Value, json};
use trunkline_proto::ClusterUid;
use trunkline_runtime::Tasks;

pub use ask::login_field;

/// The kinds of records that intakes take unless a plan says otherwise.
const DATASETS: [&str; 4] = ["logs", "audit", "prod", "eu"];
/// What shippers show where intakes want it.
pub const LOGIN: (&str, &str) = ("shipper", "of-the-test-and-of-nobody-else");
/// Whose records come in at the gateway.
pub const MANAGEMENT: &str = "management";

/// What a gateway is told to have an OpenSearch as its store.
pub fn store_at(url: &str) -> Value {
    json!({"elasticsearch": {"urls": [url], "refresh_seconds": 1, "bulk": {"gzip": false}}})
}

/// A process is killed when the thread that started it is no more.
const TIED: [&str; 4] = ["setpriv", "--pdeathsig", "KILL", "--"];

/// What is to be raised.
#[derive(Debug)]
pub struct Plan {
    clusters: Vec<&'static str>,
    store: Value,
    datasets: Vec<&'static str>,
    wants_login: bool,
    max_mib: u64,
}

/// A gateway and agents. Dropping it kills them.
#[derive(Debug)]
pub struct Fleet {
    /// Its certificates, configurations, data and logs.
    pub paper: Paper,
    /// Of the test's own side.
    pub tasks: Tasks,
    plan: Plan,
    doors: Doors,
    client: Client,
    gateway: Option<Process>,
    clusters: BTreeMap<&'static str, Cluster>,
}

#[derive(Debug)]
struct Doors {
    front: SocketAddr,
    tunnel: SocketAddr,
    admin: SocketAddr,
    intake: SocketAddr,
}

#[derive(Debug)]
struct Cluster {
    uid: ClusterUid,
    intake: SocketAddr,
    admin: SocketAddr,
    /// Where its agent looks for the gateway.
    way: SocketAddr,
    agent: Option<Process>,
}

impl Plan {
    /// A gateway with this store, and these clusters.
    pub fn new(store: Value, clusters: &[&'static str]) -> Self {
        Self {
            clusters: clusters.to_vec(),
            store,
            datasets: DATASETS.to_vec(),
            wants_login: false,
            max_mib: 256,
        }
    }

    /// The kinds of records that every intake takes.
    pub fn datasets(mut self, datasets: &[&'static str]) -> Self {
        self.datasets = datasets.to_vec();
        self
    }

    /// Intakes take records from those only who show the token.
    pub fn wants_login(mut self) -> Self {
        self.wants_login = true;
        self
    }

    /// How much each spool may hold.
    pub fn max_mib(mut self, max_mib: u64) -> Self {
        self.max_mib = max_mib;
        self
    }

    /// Nothing runs yet.
    pub fn make(self) -> Fleet {
        let (paper, tasks) = (Paper::new(), Tasks::new());
        let doors = Doors { front: address(), tunnel: address(), admin: address(), intake: address() };
        let mut clusters = BTreeMap::new();
        for name in &self.clusters {
            let way = doors.tunnel;
            let uid = ClusterUid::random();
            clusters.insert(*name, Cluster { uid, intake: address(), admin: address(), way, agent: None });
        }
        let issued = paper.client("jane", &["dev"]);
        issued.write_to(paper.folder(), "jane").unwrap();
        let client = Client::new(doors.front, paper.client_tls(Some(&issued)), &tasks);
        paper.write("token", "of-no-api-server");
        paper.write("shippers", LOGIN.1);
        Fleet { paper, tasks, plan: self, doors, client, gateway: None, clusters }
    }

    /// All of it runs.
    pub async fn raise(self) -> Fleet {
        let mut fleet = self.make();
        fleet.start_gateway().await;
        for name in fleet.plan.clusters.clone() {
            fleet.start_agent(name);
            fleet.connected(name).await;
        }
        fleet
    }
}

impl Fleet {
    /// Starts the gateway, and waits until it listens.
    pub async fn start_gateway(&mut self) {
        self.begin_gateway();
        self.listens().await;
    }

    /// Starts the gateway and looks no further.
    pub fn begin_gateway(&mut self) {
        let config = self.gateway_file();
        let log = self.paper.path("gateway.log");
        let arguments = ["gateway", "--log", "info", "--config", config.to_str().unwrap()];
        self.gateway = Some(Process::start_within(&TIED, &arguments, &log));
    }

    /// Waits until a gateway that was begun listens.
    pub async fn listens(&mut self) {
        self.gateway.as_mut().unwrap().doors().await;
    }

    /// `kill -9`.
    pub fn kill_gateway(&mut self) {
        self.gateway.take().unwrap().kill();
    }

    /// Starts a cluster's agent and looks no further.
    pub fn start_agent(&mut self, name: &'static str) {
        self.start_agent_within(&[], name);
    }

    /// Starts a cluster's agent by a program that becomes it.
    pub fn start_agent_within(&mut self, program: &[&str], name: &'static str) {
        let config = self.agent_file(name);
        let log = self.paper.path(&format!("{name}.log"));
        let arguments = ["agent", "--log", "info", "--config", config.to_str().unwrap()];
        self.clusters.get_mut(name).unwrap().agent =
            Some(Process::start_within(&[&TIED, program].concat(), &arguments, &log));
    }

    /// Waits until an agent's tunnel is up.
    pub async fn connected(&mut self, name: &str) {
        self.agent(name).says(&["tunnel is up"]).await;
    }

    /// `kill -9`.
    pub fn kill_agent(&mut self, name: &str) {
        self.clusters.get_mut(name).unwrap().agent.take().unwrap().kill();
    }

    /// A cluster's agent, which runs.
    pub fn agent(&mut self, name: &str) -> &mut Process {
        self.clusters.get_mut(name).unwrap().agent.as_mut().unwrap()
    }

    /// From its next start on a cluster's agent goes another way to the gateway.
    pub fn lead(&mut self, name: &str, way: SocketAddr) {
        self.clusters.get_mut(name).unwrap().way = way;
    }

    /// The cluster goes, and another takes its name.
    pub async fn register_anew(&mut self, name: &'static str) {
        self.kill_agent(name);
        self.kill_gateway();
        self.clusters.get_mut(name).unwrap().uid = ClusterUid::random();
        self.start_gateway().await;
        self.start_agent(name);
        self.connected(name).await;
    }

    /// Which cluster goes by a name now.
    pub fn uid(&self, name: &str) -> ClusterUid {
        self.clusters[name].uid
    }

    /// The gateway, which runs.
    pub fn gateway(&mut self) -> &mut Process {
        self.gateway.as_mut().unwrap()
    }

    /// Where agents come in.
    pub fn tunnel(&self) -> SocketAddr {
        self.doors.tunnel
    }

    /// Where a cluster's shippers come in, or the management cluster's.
    pub fn intake(&self, name: &str) -> SocketAddr {
        self.clusters.get(name).map_or(self.doors.intake, |cluster| cluster.intake)
    }

    /// Where a cluster's records wait.
    pub fn spool(&self, name: &str) -> PathBuf {
        self.paper.path(&format!("spool-{name}"))
    }
}

/// An address that no other fleet of this process has.
fn address() -> SocketAddr {
    static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        let port = free_port().unwrap();
        if given.insert(port) {
            return ([127, 0, 0, 1], port).into();
        }
    }
}
