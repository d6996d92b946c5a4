//! Bind, serve, drain: the only place where an agent's parts meet.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::sync::watch;
use tracing::{info, warn};
use trunkline_proto::StatusReport;
use trunkline_runtime::{Admin, BindError, Gate, Metrics as Registry, Readiness, Tasks, reload_for_ever};
use trunkline_upstream::Upstream;

use crate::config::{AgentConfig, AgentConfigError};
use crate::metrics::Metrics;
use crate::report::probe_for_ever;
use crate::uplink::Uplink;

/// Why an agent cannot start.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// The configuration is not usable.
    #[error(transparent)]
    Config(#[from] AgentConfigError),
    /// The admin port is taken.
    #[error(transparent)]
    Admin(#[from] BindError),
}

/// An agent that holds its ports and has read its files, but does nothing yet.
#[derive(Debug)]
pub struct Agent {
    config: AgentConfig,
    admin: Option<Admin>,
    gate: Gate,
    readiness: Readiness,
    tasks: Tasks,
    uphill: crate::config::Uphill,
    upstream: Upstream,
    metrics: Metrics,
}

/// An agent at work: owns every task it started.
pub struct Running {
    tasks: Tasks,
    uplink: Uplink,
    readiness: Readiness,
    admin: Option<SocketAddr>,
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
        for warning in uphill.tls.warnings() {
            warn!("{warning}");
        }
        let upstream =
            Upstream::new(&config.upstream, &tasks, upstream_metrics).map_err(AgentConfigError::from)?;
        let readiness = Readiness::new();
        let gate = readiness.gate("tunnel");
        let admin = match config.admin {
            Some(address) => Some(Admin::bind(address, readiness.clone(), registry).await?),
            None => None,
        };
        Ok(Self { config, admin, gate, readiness, tasks, uphill, upstream, metrics })
    }

    /// Starts the tasks.
    pub fn serve(self) -> Running {
        let Self { config, admin, gate, readiness, tasks, uphill, upstream, metrics } = self;
        let admin_address = admin.as_ref().and_then(|admin| admin.address().ok());
        if let Some(admin) = admin {
            admin.serve(&tasks);
        }
        info!(cluster = %config.cluster, upstream = upstream.target(), "agent starts");
        let (report, reports) = watch::channel(StatusReport::default());
        let tls = uphill.tls.clone();
        let software = env!("CARGO_PKG_VERSION").to_owned();
        let uplink =
            Uplink::new(config.cluster, software, uphill, upstream.clone(), &tasks, metrics, reports);
        let mut up = uplink.up();
        tasks.spawn_until_stopped(async move {
            if up.wait_for(|up| *up).await.is_ok() {
                gate.open();
            }
        });
        tasks.spawn_until_stopped(probe_for_ever(upstream, report));
        tasks.spawn_until_stopped(uplink.clone().run());
        tasks.spawn_until_stopped(reload_for_ever("links", move || tls.refresh()));
        let grace = Duration::from_secs(config.drain_seconds);
        Running { tasks, uplink, readiness, admin: admin_address, grace }
    }
}

impl Running {
    /// The admin port's address.
    pub fn admin(&self) -> Option<SocketAddr> {
        self.admin
    }

    /// The tasks, for signal handling.
    pub fn tasks(&self) -> &Tasks {
        &self.tasks
    }

    /// Waits until a tunnel is up.
    pub async fn up(&self) {
        let _ = self.uplink.up().wait_for(|up| *up).await;
    }

    /// Tells the gateway to open elsewhere, lets what is in flight finish, then cuts.
    pub async fn drain(self) {
        self.readiness.shut("draining");
        self.uplink.drain(self.grace).await;
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
