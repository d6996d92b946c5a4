//! A gateway as a process of its own, with agents and API servers in the test's: for what is counted of a process.

use std::net::SocketAddr;

use trunkline_agent::{Agent, AgentConfig, Credentials, Running, WayConfig};
use trunkline_proto::ClusterUid;
use trunkline_runtime::Tasks;
use trunkline_tests::{Client, FakeUpstream, Paper, Process, Wire, within};

use super::SOON;

/// A log of what is wrong, and of where the doors are.
pub(super) const QUIET: &str = "error,trunkline_gateway::gateway=info";

/// The cluster of this name is in pass-through mode.
pub(super) const PASSING: &str = "passing";
/// Whom the tokens are for that go through to it.
pub(super) const AUDIENCE: &str = "urn:passing";

/// The gateway's process and what is around it.
pub(super) struct Scene {
    pub(super) paper: Paper,
    pub(super) tasks: Tasks,
    pub(super) gateway: Process,
    pub(super) front: SocketAddr,
    pub(super) tunnel: SocketAddr,
    pub(super) admin: SocketAddr,
    uids: Vec<(String, ClusterUid)>,
}

impl Scene {
    /// A gateway that knows these clusters, none of which has an agent yet. `files` limits its file descriptors.
    pub(super) async fn raise(clusters: &[&str], log: &str, files: Option<u32>) -> Self {
        let (paper, tasks) = (Paper::new(), Tasks::new());
        let uids: Vec<(String, ClusterUid)> =
            clusters.iter().map(|name| ((*name).to_owned(), ClusterUid::random())).collect();
        let audiences = |id: &str| if id == PASSING { AUDIENCE } else { "" };
        let declared: String = uids
            .iter()
            .map(|(id, uid)| format!("  - {{id: {id}, uid: {uid}, pass_through: [{}]}}\n", audiences(id)))
            .collect();
        // A port that was free a moment ago: the admin port is told nowhere.
        let admin = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
        let path = |name: &str| paper.path(name).display().to_string();
        let config = format!(
            "front:\n  listen: 127.0.0.1:0\n  certificate: {{certificate: {}, key: {}}}\n  client_roots: {}\n\
             tunnel:\n  listen: 127.0.0.1:0\n  certificate: {{certificate: {}, key: {}}}\n  roots: {}\n\
             admin: {admin}\nclusters:\n{declared}\
             access: [{{name: everything, spec: {{subjects: {{users: ['*']}}, clusters: {{names: ['*']}}, role: custom, verbs: ['*']}}}}]\n",
            path("front.pem"),
            path("front.key"),
            path("front-ca.pem"),
            path("tunnel.pem"),
            path("tunnel.key"),
            path("tunnel-ca.pem"),
        );
        let config = paper.write("gateway.yaml", config);
        let arguments = ["gateway", "--log", log, "--config", config.to_str().unwrap()];
        let to = paper.path("gateway.log");
        let mut gateway = match files {
            Some(files) => Process::start_with_files(files, &arguments, &to),
            None => Process::start(&arguments, &to),
        };
        let (front, tunnel) = gateway.doors().await;
        Self { paper, tasks, gateway, front, tunnel, admin, uids }
    }

    pub(super) fn client(&self) -> Client {
        let issued = self.paper.client("jane", &["dev"]);
        Client::new(self.front, self.paper.client_tls(Some(&issued)), &self.tasks)
    }

    pub(super) fn stranger(&self) -> Client {
        Client::new(self.front, self.paper.client_tls(None), &self.tasks)
    }

    /// How an agent of a cluster with an API server of its own is configured.
    pub(super) async fn agent_config(&self, name: &str) -> AgentConfig {
        let upstream = FakeUpstream::start(&self.paper, Wire::Tls, &self.tasks).await;
        let cluster = name.parse().unwrap();
        let (_, certificate) = self.paper.agent(&format!("agent-{name}"), &cluster, self.uid(name), 0);
        AgentConfig {
            cluster,
            gateway: WayConfig {
                addresses: vec![self.tunnel.to_string()],
                credentials: Credentials::Files { certificate, roots: self.paper.path("tunnel-ca.pem") },
                server_name: Some("localhost".into()),
                proxy: None,
            },
            upstream: upstream.config(&self.paper),
            logs: None,
            admin: None,
            drain_seconds: 1,
        }
    }

    /// The uid that a cluster is declared with.
    pub(super) fn uid(&self, name: &str) -> ClusterUid {
        self.uids.iter().find(|(id, _)| id == name).unwrap().1
    }

    /// The same configuration as a file, for an agent that is a process too and dials `door`.
    pub(super) async fn agent_file(&self, name: &str, door: SocketAddr) -> std::path::PathBuf {
        self.agent_file_before(name, door, &FakeUpstream::start(&self.paper, Wire::Tls, &self.tasks).await)
    }

    /// The same, in front of an API server at hand.
    pub(super) fn agent_file_before(
        &self,
        name: &str,
        door: SocketAddr,
        upstream: &FakeUpstream,
    ) -> std::path::PathBuf {
        let (_, files) =
            self.paper.agent(&format!("agent-{name}"), &name.parse().unwrap(), self.uid(name), 0);
        let path = |name: &str| self.paper.path(name).display().to_string();
        let config = format!(
            "cluster: {name}\ngateway:\n  addresses: ['{door}']\n  server_name: localhost\n  certificate: {{certificate: {}, \
             key: {}}}\n  roots: {}\nupstream:\n  server: https://{}\n  ca: {}\n  token_file: {}\n  identity: {}\n",
            files.certificate.display(),
            files.key.display(),
            path("tunnel-ca.pem"),
            upstream.address(),
            path("upstream-ca.pem"),
            path("token"),
            if name == PASSING { "pass-through" } else { "impersonate" },
        );
        self.paper.write(&format!("agent-{name}.yaml"), config)
    }

    /// Starts the agent of a cluster and waits until its tunnel is up.
    pub(super) async fn start_agent(&self, name: &str) -> Running {
        let running = Agent::bind(self.agent_config(name).await).await.unwrap().serve();
        within("the tunnel is up", SOON, running.up()).await;
        running
    }

    /// A number that the gateway counts; 0 when it is not there.
    pub(super) async fn metric(&self, name: &str) -> f64 {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let mut tcp = tokio::net::TcpStream::connect(self.admin).await.unwrap();
        tcp.write_all(b"GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
        let mut heard = String::new();
        tcp.read_to_string(&mut heard).await.unwrap();
        let value = heard.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
        value.unwrap_or_default()
    }
}
