//! What every scenario plays on: clusters, a gateway, an agent for each cluster, and users with their kubeconfigs.
//!
//! Invariant: [`Stage::clear`] ends everything that was started here and nothing else, however far it had come.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use tempfile::TempDir;
use trunkline_runtime::Tasks;

use crate::callers::{self, Way};
use crate::command::{Call, Process, until};
use crate::papers::{Flaw, Papers, User};
use crate::parts::{Cluster, Parts, scripts};
use crate::wire::Door;

/// How long a started gateway or agent may take until requests get through.
pub(crate) const SERVES_AGAIN: Duration = Duration::from_secs(5);
/// How long a process of ours may take to end when asked to, its drain of 10 s included.
pub(crate) const ENDS: Duration = Duration::from_secs(13);

/// Everything that runs, and where.
pub(crate) struct Stage {
    folder: TempDir,
    pub(crate) parts: Parts,
    pub(crate) papers: Papers,
    pub(crate) tasks: Tasks,
    program: PathBuf,
    clusters: BTreeMap<String, Cluster>,
    pub(crate) gateway: Option<Process>,
    pub(crate) agents: BTreeMap<String, Agent>,
}

/// A running agent.
pub(crate) struct Agent {
    pub(crate) process: Process,
    pub(crate) admin: u16,
    config: PathBuf,
}

impl Stage {
    /// A stage with nothing on it.
    pub(crate) fn new(parts: Parts, program: PathBuf) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("trunkline-cluster-").tempdir()?;
        let papers = Papers::new(folder.path(), &["alpha", "beta", "delta"])?;
        let tasks = Tasks::new();
        let (clusters, agents) = (BTreeMap::new(), BTreeMap::new());
        Ok(Self { folder, parts, papers, tasks, program, clusters, gateway: None, agents })
    }

    /// Puts two clusters with a node each on it, behind a gateway, with a pod to talk to.
    pub(crate) async fn set(&mut self) -> Result<()> {
        for name in ["alpha", "beta"] {
            let cluster = Cluster::start(name, true, "", self.folder.path())?;
            self.clusters.insert(name.to_owned(), cluster);
        }
        self.start_gateway()?;
        for name in ["alpha", "beta"] {
            self.join(name).await?;
            let demo = scripts().join("demo-pod.yaml");
            self.kubectl(User::Jane, name, Way::Direct).args(["apply", "-f"]).arg(demo).bytes().await?;
        }
        for name in ["alpha", "beta"] {
            let wait = ["wait", "--for=condition=Ready", "pod/demo", "--timeout=25s"];
            self.kubectl(User::Jane, name, Way::Direct).args(wait).bytes().await?;
        }
        Ok(())
    }

    /// Adds a cluster without a node, unless it is there. `extra` are flags for its API server.
    pub(crate) async fn add(&mut self, name: &str, extra: &str) -> Result<()> {
        let cluster = Cluster::start(name, false, extra, self.folder.path())?;
        self.clusters.insert(name.to_owned(), cluster);
        self.join(name).await
    }

    /// Adds clusters with a node each and nothing of ours in them, where they are not there.
    pub(crate) async fn add_bare(&mut self, names: &[&str]) -> Result<()> {
        self.add_bare_with(names, "").await
    }

    /// The same with flags for their API servers.
    pub(crate) async fn add_bare_with(&mut self, names: &[&str], extra: &str) -> Result<()> {
        let names: Vec<_> = names.iter().filter(|name| !self.clusters.contains_key(**name)).collect();
        for name in &names {
            let cluster = Cluster::start(name, true, extra, self.folder.path())?;
            self.clusters.insert((**name).to_owned(), cluster);
        }
        for name in names {
            self.clusters.get_mut(*name).context("no such cluster")?.came_up().await?;
        }
        Ok(())
    }

    /// Waits for a cluster, starts its agent and waits until requests get through.
    async fn join(&mut self, name: &str) -> Result<()> {
        let cluster = self.clusters.get_mut(name).context("no such cluster")?;
        cluster.up().await?;
        for user in User::ALL {
            for way in Way::ALL {
                callers::write_kubeconfig(&self.papers, self.cluster(name)?, user, way)?;
            }
        }
        self.issue_agent(name)?;
        self.serves(name, SERVES_AGAIN).await.map(|_| ())
    }

    /// Starts a cluster's agent with a certificate of its own, in the place of the one before.
    pub(crate) fn issue_agent(&mut self, name: &str) -> Result<()> {
        let cluster = self.clusters.get(name).context("no such cluster")?;
        let (config, admin) = self.papers.agent(cluster)?;
        let process = self.start_agent(&config, &format!("agent-{name}"))?;
        self.agents.insert(name.to_owned(), Agent { process, admin, config });
        Ok(())
    }

    /// Ends everything.
    pub(crate) async fn clear(&mut self) -> Result<()> {
        let mut first_error = Ok(());
        for (_, agent) in std::mem::take(&mut self.agents) {
            first_error = first_error.and(agent.process.kill().await);
        }
        if let Some(gateway) = self.gateway.take() {
            first_error = first_error.and(gateway.kill().await);
        }
        for (_, cluster) in std::mem::take(&mut self.clusters) {
            first_error = first_error.and(cluster.down().await);
        }
        first_error
    }

    /// Leaves the folder, for reading, and says where it is.
    pub(crate) fn keep(&mut self) -> &Path {
        self.folder.disable_cleanup(true);
        self.folder.path()
    }

    /// The binary under test.
    pub(crate) fn trunkline(&self) -> &Path {
        &self.program
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn cluster(&self, name: &str) -> Result<&Cluster> {
        self.clusters.get(name).with_context(|| format!("no cluster {name}"))
    }

    pub(crate) fn agent(&mut self, name: &str) -> Result<&mut Agent> {
        self.agents.get_mut(name).with_context(|| format!("no agent of {name}"))
    }

    pub(crate) fn gateway(&mut self) -> Result<&mut Process> {
        self.gateway.as_mut().context("there is no gateway")
    }

    /// Starts the gateway, or starts it again.
    pub(crate) fn start_gateway(&mut self) -> Result<()> {
        let config = self.papers.gateway_config();
        let call = Call::new(&self.program).args(["gateway", "--config"]).arg(config);
        self.gateway = Some(call.start(self.folder.path(), "gateway")?);
        Ok(())
    }

    /// Starts an agent that is not among the stage's own.
    pub(crate) fn start_agent(&self, config: &Path, name: &str) -> Result<Process> {
        Call::new(&self.program).args(["agent", "--config"]).arg(config).start(self.folder.path(), name)
    }

    /// Starts a cluster's agent again.
    pub(crate) fn restart_agent(&mut self, name: &str) -> Result<()> {
        let config = self.agent(name)?.config.clone();
        self.agent(name)?.process = self.start_agent(&config, &format!("agent-{name}"))?;
        Ok(())
    }

    /// A certificate of an agent with something wrong in it, in a configuration.
    pub(crate) fn flawed_agent(&mut self, cluster: &str, flaw: Flaw) -> Result<PathBuf> {
        let cluster = self.clusters.get(cluster).context("no such cluster")?;
        Ok(self.papers.flawed_agent(cluster, flaw)?.0)
    }

    /// Waits until requests for a cluster get through the gateway, and says how long that took.
    pub(crate) async fn serves(&self, name: &str, limit: Duration) -> Result<Duration> {
        let began = std::time::Instant::now();
        let door = Door::gateway(self, User::Jane, true)?;
        let path = format!("/clusters/{name}/version");
        let what = format!("cluster {name} answers through the gateway");
        until(&what, limit, async || {
            let answer = match door.connect(&self.tasks).await {
                Ok(mut connection) => connection.get(&path).await,
                Err(error) => Err(error),
            };
            Ok(answer.ok().filter(|answer| answer.status == 200))
        })
        .await?;
        Ok(began.elapsed())
    }

    /// A metric of a process of ours, summed over its labels.
    pub(crate) async fn metric(&self, admin: u16, name: &str) -> Result<f64> {
        let text = Call::new("curl")
            .args(["-sf", "--max-time", "5"])
            .arg(format!("http://127.0.0.1:{admin}/metrics"));
        let text = text.text().await?;
        let values = text.lines().filter_map(|line| {
            let (sample, value) = line.rsplit_once(' ')?;
            (sample.split('{').next() == Some(name)).then(|| value.parse::<f64>().ok())?
        });
        Ok(values.sum())
    }

    /// The ends of our processes' logs.
    pub(crate) fn log_tails(&self) -> String {
        let mut text = String::new();
        let processes = self.gateway.iter().map(|process| ("gateway", process));
        let agents = self.agents.iter().map(|(name, agent)| (name.as_str(), &agent.process));
        for (name, process) in processes.chain(agents) {
            let log = process.log();
            // One who reads of a failure wants to know what happened to the processes; requests are in the file.
            let lines: Vec<&str> = log.lines().filter(|line| !line.contains("INFO access:")).collect();
            text += &format!("--- end of the log of {name}\n");
            text += &lines[lines.len().saturating_sub(25)..].join("\n");
            text.push('\n');
        }
        text
    }
}
