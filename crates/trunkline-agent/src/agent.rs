//! Bind, serve, drain: the only place where an agent's parts meet.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::watch;
use tracing::{info, warn};
use trunkline_intake::{Intake, IntakeError};
use trunkline_proto::StatusReport;
use trunkline_runtime::{Admin, BindError, Gate, Metrics as Registry, Readiness, Tasks, reload_for_ever};
use trunkline_upstream::Upstream;

use crate::config::{AgentConfig, AgentConfigError, Credentials, link_tls};
use crate::enrol::{Clock, Enroller};
use crate::identity::IdentityStore;
use crate::metrics::Metrics;
use crate::pass::{Issued, Pass, seconds};
use crate::renewal::renew_for_ever;
use crate::report::probe_for_ever;
use crate::ship::Shipping;
use crate::status::AgentStatus;
use crate::trouble::{GATE, Trouble};
use crate::uplink::{Parts, Uplink};

/// Why an agent cannot start.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// The configuration is not usable.
    #[error(transparent)]
    Config(#[from] AgentConfigError),
    /// The admin port is taken.
    #[error(transparent)]
    Admin(#[from] BindError),
    /// There is no log intake.
    #[error("logs")]
    Intake(#[from] IntakeError),
}

/// An agent that holds its ports and has read its files, but does nothing yet.
pub struct Agent {
    admin: Option<Admin>,
    gate: Gate,
    readiness: Readiness,
    tasks: Tasks,
    pass: Pass,
    uplink: Uplink,
    upstream: Upstream,
    report: watch::Sender<StatusReport>,
    metrics: Metrics,
    intake: Option<Intake>,
    grace: Duration,
}

/// An agent at work: owns every task it started.
pub struct Running {
    tasks: Tasks,
    uplink: Uplink,
    readiness: Readiness,
    admin: Option<SocketAddr>,
    intake: Option<Intake>,
    grace: Duration,
}

impl Agent {
    /// Reads all files and binds the admin port.
    pub async fn bind(config: AgentConfig) -> Result<Self, AgentError> {
        let tasks = Tasks::new();
        let registry = Registry::new();
        let metrics = Metrics::default();
        let upstream_metrics = trunkline_upstream::Metrics::default();
        registry.register(|registry| {
            metrics.register(registry);
            upstream_metrics.register(registry);
        });
        let uphill = config.uphill()?;
        let software = env!("CARGO_PKG_VERSION").to_owned();
        let upstream =
            Upstream::new(&config.upstream, &tasks, upstream_metrics).map_err(AgentConfigError::from)?;
        let pass = match &config.gateway.credentials {
            Credentials::Files { certificate, roots } => {
                let tls = link_tls(certificate, roots)?;
                for warning in tls.warnings() {
                    warn!("{warning}");
                }
                metrics.certificate_not_after.set(seconds(tls.not_after()));
                Pass::Files(Arc::new(tls))
            }
            Credentials::Enrol(enrol) => {
                let enroller = Enroller {
                    cluster: config.cluster.clone(),
                    slot: enrol.check()?,
                    software: software.clone(),
                    dialler: uphill.dialler.clone(),
                    pin: enrol.pin,
                    token_file: enrol.token_file.clone(),
                    store: IdentityStore::new(&enrol.identity, &upstream),
                    clock: Clock::default(),
                    shown: Mutex::default(),
                };
                Pass::Issued(Issued::new(enroller, metrics.clone()))
            }
        };
        let intake = match &config.logs {
            Some(logs) => Some(Intake::bind(logs, &registry, &tasks).await?),
            None => None,
        };
        let readiness = Readiness::new();
        let gate = readiness.gate(GATE);
        let (report, reports) = watch::channel(StatusReport::default());
        let parts = Parts {
            cluster: config.cluster.clone(),
            software,
            uphill,
            pass: pass.clone(),
            upstream: upstream.clone(),
            metrics: metrics.clone(),
            report: reports,
            trouble: Trouble::new(readiness.clone()),
        };
        let uplink = Uplink::new(parts, &tasks);
        let admin = match config.admin {
            Some(address) => {
                let uplink = uplink.clone();
                let status = move || serde_json::to_string(&uplink.status()).unwrap_or_default();
                let admin = Admin::bind(address, readiness.clone(), registry).await?;
                Some(admin.with_page("/status", status))
            }
            None => None,
        };
        let grace = Duration::from_secs(config.drain_seconds);
        Ok(Self { admin, gate, readiness, tasks, pass, uplink, upstream, report, metrics, intake, grace })
    }

    /// Starts the tasks.
    pub fn serve(self) -> Running {
        let Self { admin, gate, readiness, tasks, pass, uplink, upstream, report, metrics, intake, grace } =
            self;
        let admin_address = admin.as_ref().and_then(|admin| admin.address().ok());
        if let Some(admin) = admin {
            admin.serve(&tasks);
        }
        info!(cluster = %uplink.cluster(), upstream = upstream.target(), "agent starts");
        let mut up = uplink.up();
        tasks.spawn_until_stopped(async move {
            if up.wait_for(|up| *up).await.is_ok() {
                gate.open();
            }
        });
        if let Some(intake) = &intake {
            let spools = intake.spools().map(|(dataset, spool)| (dataset.clone(), spool.clone())).collect();
            Shipping::new(&uplink, metrics.clone()).start(spools, report.clone(), &tasks);
            intake.serve();
        }
        tasks.spawn_until_stopped(probe_for_ever(upstream, report));
        tasks.spawn_until_stopped(uplink.clone().run());
        match pass {
            Pass::Files(tls) => tasks.spawn_until_stopped(reload_for_ever("links", move || {
                let changed = tls.refresh();
                metrics.certificate_not_after.set(seconds(tls.not_after()));
                changed
            })),
            Pass::Issued(issued) => {
                tasks.spawn_until_stopped(renew_for_ever(issued, uplink.clone(), metrics))
            }
        };
        Running { tasks, uplink, readiness, admin: admin_address, intake, grace }
    }
}

impl std::fmt::Debug for Agent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Agent").field("cluster", self.uplink.cluster()).finish_non_exhaustive()
    }
}

impl Running {
    /// The admin port's address.
    pub fn admin(&self) -> Option<SocketAddr> {
        self.admin
    }

    /// Where log shippers come in; empty when they do not.
    pub fn intake(&self) -> &[SocketAddr] {
        self.intake.as_ref().map_or(&[], Intake::addresses)
    }

    /// The tasks, for signal handling.
    pub fn tasks(&self) -> &Tasks {
        &self.tasks
    }

    /// What the agent says of itself; the same as `/status` at its admin port.
    pub fn status(&self) -> AgentStatus {
        self.uplink.status()
    }

    /// Waits until a tunnel is up.
    pub async fn up(&self) {
        let _ = self.uplink.up().wait_for(|up| *up).await;
    }

    /// Tells the gateway to open elsewhere, lets what is in flight finish, then cuts.
    pub async fn drain(self) {
        self.readiness.shut("draining");
        // What shippers were answered is on the disk; what they were not is theirs to bring again. Both within one grace.
        let intake = async {
            if let Some(intake) = &self.intake {
                intake.drain(self.grace).await;
            }
        };
        tokio::join!(intake, self.uplink.drain(self.grace));
        self.tasks.shut_down().await;
    }

    /// Ends at once, as if killed.
    pub async fn cut(self) {
        self.tasks.shut_down().await;
    }
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running").field("admin", &self.admin).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
