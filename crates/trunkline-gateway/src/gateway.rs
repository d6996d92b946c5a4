//! Bind, serve, drain: the only place where a gateway's parts meet.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use trunkline_api::{AuditEvent, AuditGateway};
use trunkline_intake::Intake;
use trunkline_proto::{ClusterId, ClusterUid, Epoch, Slot};
use trunkline_runtime::{
    Admin, BindError, Door, Gate, Metrics as Registry, Readiness, Tasks, open_files_limit, reload_for_ever,
};
use trunkline_upstream::Upstream;

use crate::arrivals::Known;
use crate::audited::Audited;
use crate::authn::{Authn, AuthnParts, FirstRun};
use crate::authz::Confirmations;
use crate::config::{GatewayConfig, GatewayConfigError, LogParts};
use crate::enrolment::Enrolment;
use crate::fair::Fair;
use crate::fleet::{Fleet, FleetHandle};
use crate::front::{Balancers, Front, Live};
use crate::guard::Guard;
use crate::logs::{Logs, ship_own};
use crate::metrics::Metrics;
use crate::proxy::Proxy;
use crate::rest::{Rest, RestParts};
use crate::tickets::Tickets;
use crate::tunnel_door::TunnelDoor;
use crate::tunnels::Tunnels;
use crate::under_way::{Review, UnderWay};

/// How often a draining gateway looks whether all is finished.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Why a gateway cannot start.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// The configuration is not usable.
    #[error(transparent)]
    Config(#[from] GatewayConfigError),
    /// A port is taken.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// A bound port has no address.
    #[error("a bound port has no address")]
    Address(#[from] io::Error),
    /// The audit log takes no record.
    #[error(transparent)]
    Audit(#[from] trunkline_audit::NotWritten),
    /// The audit log has no room.
    #[error(transparent)]
    AuditFull(#[from] trunkline_audit::Refused),
}

/// A gateway that holds its ports and has read its files, but answers nothing yet.
pub struct Gateway {
    front_door: Door,
    tunnel_door: Door,
    admin: Option<Admin>,
    gates: [Gate; 2],
    readiness: Readiness,
    front: Front,
    tunnel: TunnelDoor,
    tasks: Tasks,
    draining: CancellationToken,
    fleet: Fleet,
    first_run: Option<FirstRun>,
    own_intake: Option<(ClusterUid, Intake)>,
    grace: Duration,
}

/// A gateway at work: owns every task it started.
pub struct Running {
    tasks: Tasks,
    draining: CancellationToken,
    front_done: CancellationToken,
    readiness: Readiness,
    tunnels: Tunnels,
    fleet: Fleet,
    metrics: Metrics,
    front: SocketAddr,
    tunnel: SocketAddr,
    admin: Option<SocketAddr>,
    intake: Option<Intake>,
    grace: Duration,
}

/// As many front connections as are configured, or as half of the process's files allow: links, the admin port and the
/// files themselves need theirs.
fn connections(configured: usize) -> usize {
    let files = open_files_limit();
    if configured <= files / 2 {
        return configured;
    }
    warn!(
        configured,
        files,
        "front.max_connections is more than half of the files that this process may have open; it is held to that half (raise \
         the limit: ulimit -n, LimitNOFILE)"
    );
    files / 2
}

impl Gateway {
    /// Reads all files and binds all ports.
    pub async fn bind(config: GatewayConfig) -> Result<Self, GatewayError> {
        config.check()?;
        let tasks = Tasks::new();
        let draining = CancellationToken::new();
        // The registry first: who does not get it makes no papers beside those of who has it.
        let registered = config.registry()?;
        let papers = config.papers()?;
        let audit_metrics = trunkline_audit::Metrics::default();
        let audit = config.audit_log(audit_metrics.clone())?;
        let fleet = Fleet::new(&config, registered, papers.clone(), audit.clone())?;
        let orphans = fleet.orphans();
        if orphans > 0 {
            warn!(
                clusters = orphans,
                "clusters hold certificates of roots that this gateway does not have; were its papers lost? Put the \
                 data folder's pki/ back, or let them join anew (trunkline clusters register NAME --renew)"
            );
        }
        let registry = Registry::new();
        let metrics = Metrics::default();
        registry.register(|registry| metrics.register(registry));
        registry.register(|registry| audit_metrics.register(registry));
        let front_tls = config.front_tls(papers.as_ref(), &fleet.revoked_clients)?;
        let tunnel_tls = config.tunnel_tls(papers.as_ref(), &fleet.revoked_agents)?;
        for warning in front_tls.warnings().iter().chain(&tunnel_tls.warnings()) {
            warn!("{warning}");
        }
        let management = match &config.management {
            Some(upstream) => {
                let upstream_metrics = trunkline_upstream::Metrics::default();
                registry.register(|registry| upstream_metrics.register(registry));
                Some(Upstream::new(upstream, &tasks, upstream_metrics).map_err(GatewayConfigError::from)?)
            }
            None => None,
        };
        let tunnels = Tunnels::new(metrics.clone(), &tasks);
        let (logs, own_intake) = match config.log_parts(&registry, &tasks).await? {
            Some(LogParts { store, own }) => {
                let uid = own.as_ref().map(|(uid, _)| *uid);
                let joinings = tunnels.joinings().clone();
                (Some(Logs::new(store, uid, joinings, metrics.clone(), &tasks)), own)
            }
            None => (None, None),
        };
        let front_door = Door::bind("front door", config.front.listen).await?;
        let tunnel_door = Door::bind("tunnel door", config.tunnel.listen).await?;
        let enrolment = Enrolment::new(fleet.clone(), tunnels.clone(), metrics.clone());
        let review = Review { under_way: UnderWay::default(), fleet: fleet.clone() };
        let (confirmations, tickets) = (Confirmations::default(), Tickets::default());
        let audited = Audited::new(audit.clone());
        let about = config.about(front_door.address()?, tunnel_door.address()?);
        let (authn, first_run) = Authn::new(AuthnParts {
            config: &config.authn,
            data: config.data.as_deref(),
            alone: config.front.client_roots.is_none() && config.authn.issuers.is_empty(),
            management: management.clone(),
            front: &about.front,
            metrics: metrics.clone(),
            tasks: &tasks,
        })?;
        let rest = Rest::new(RestParts {
            fleet: fleet.clone(),
            tunnels: tunnels.clone(),
            enrolment: enrolment.clone(),
            authn: authn.clone(),
            management: management.clone(),
            about,
            metrics: metrics.clone(),
            tasks: tasks.clone(),
            draining: draining.clone(),
            under_way: review.under_way.clone(),
            confirmations: confirmations.clone(),
            tickets: tickets.clone(),
            audited: audited.clone(),
            logs: logs.clone(),
        });
        let proxy =
            Proxy { audited: audited.clone(), tasks: tasks.clone(), tunnels: tunnels.clone(), management };
        let requests = Arc::new(Semaphore::new(config.front.max_requests));
        let fair = Fair::new(&config.limits, requests.clone(), config.front.max_requests, metrics.clone());
        let known = Known::default();
        let front = Front {
            tls: Arc::new(front_tls),
            fleet: fleet.clone(),
            proxy,
            rest,
            authn,
            metrics: metrics.clone(),
            tasks: tasks.clone(),
            draining: draining.clone(),
            connections: Arc::new(Semaphore::new(connections(config.front.max_connections))),
            requests,
            fair,
            balancers: Balancers::new(&config.front.proxy_from),
            known: known.clone(),
            host_suffix: config.front.host_suffix.as_deref().map(Into::into),
            allow_node_proxy: config.front.allow_node_proxy,
            review,
            audited: audited.clone(),
            confirmations,
            tickets,
            live: Live::default(),
        };
        let tunnel = TunnelDoor {
            tls: Arc::new(tunnel_tls),
            guard: Guard::new(fleet.clone(), tunnels.clone(), tasks.clone()),
            enrolment,
            logs,
            fleet: fleet.clone(),
            tunnels,
            tasks: tasks.clone(),
            metrics,
            links: Arc::new(Semaphore::new(config.tunnel.max_links)),
            known,
            draining: draining.clone(),
            front_done: CancellationToken::new(),
        };
        let readiness = Readiness::new();
        let gates = [readiness.gate("front door"), readiness.gate("tunnel door")];
        let admin = match config.admin {
            Some(address) => Some(Admin::bind(address, readiness.clone(), registry).await?),
            None => None,
        };
        audit.write(&AuditEvent::Start(this_gateway()))?.durable().await?;
        let grace = Duration::from_secs(config.drain_seconds);
        Ok(Self {
            front_door,
            tunnel_door,
            admin,
            gates,
            readiness,
            front,
            tunnel,
            tasks,
            draining,
            fleet,
            first_run,
            own_intake,
            grace,
        })
    }

    /// The code that makes the first local admin, at the one start that made it. It is for whoever started the gateway to
    /// see, once.
    pub fn first_run(&self) -> Option<&FirstRun> {
        self.first_run.as_ref()
    }

    /// Starts the tasks.
    ///
    /// # Errors
    /// When a bound port has no address.
    pub fn serve(self) -> Result<Running, GatewayError> {
        let tasks = self.tasks;
        let running = Running {
            front: self.front_door.address()?,
            tunnel: self.tunnel_door.address()?,
            admin: self.admin.as_ref().map(Admin::address).transpose()?,
            draining: self.draining,
            front_done: self.tunnel.front_done.clone(),
            readiness: self.readiness,
            tunnels: self.tunnel.tunnels.clone(),
            fleet: self.fleet,
            metrics: self.tunnel.metrics.clone(),
            intake: self.own_intake.as_ref().map(|(_, intake)| intake.clone()),
            grace: self.grace,
            tasks: tasks.clone(),
        };
        info!(front = %running.front, tunnel = %running.tunnel, "gateway starts");
        if let Some(admin) = self.admin {
            admin.serve(&tasks);
        }
        tasks.spawn_until_stopped(reload_for_ever("front", {
            let tls = self.front.tls.clone();
            move || tls.refresh()
        }));
        tasks.spawn_until_stopped(reload_for_ever("tunnel", {
            let tls = self.tunnel.tls.clone();
            move || tls.refresh()
        }));
        self.front.authn.follow(&tasks);
        if let (Some((uid, intake)), Some(logs)) = (self.own_intake, &self.tunnel.logs) {
            let spools = intake.spools().map(|(dataset, spool)| (dataset.clone(), spool.clone())).collect();
            ship_own(logs, uid, spools, &tasks);
            intake.serve();
        }
        tasks.spawn_until_stopped(self.tunnel.guard.clone().stand());
        tasks.spawn_until_stopped(self.front.review.clone().stand());
        tasks.spawn_until_stopped(self.front.serve(self.front_door));
        tasks.spawn_until_stopped(self.tunnel.serve(self.tunnel_door));
        for gate in self.gates {
            gate.open();
        }
        Ok(running)
    }
}

impl Running {
    /// The front door's address.
    pub fn front(&self) -> SocketAddr {
        self.front
    }

    /// The tunnel door's address.
    pub fn tunnel(&self) -> SocketAddr {
        self.tunnel
    }

    /// The admin port's address.
    pub fn admin(&self) -> Option<SocketAddr> {
        self.admin
    }

    /// Where log shippers of the management cluster come in; empty when they do not.
    pub fn intake(&self) -> &[SocketAddr] {
        self.intake.as_ref().map_or(&[], Intake::addresses)
    }

    /// The tasks, for signal handling.
    pub fn tasks(&self) -> &Tasks {
        &self.tasks
    }

    /// Changes clusters and revoked serials while running.
    pub fn fleet(&self) -> FleetHandle {
        self.fleet.handle()
    }

    /// How many links are up.
    pub fn links(&self) -> usize {
        self.tunnels.all().len()
    }

    /// Slot and epoch of each link of a cluster that may be given requests.
    pub fn epochs(&self, cluster: &ClusterId) -> Vec<(Slot, Epoch)> {
        self.tunnels.observe(cluster).links.iter().map(|link| (link.slot, link.epoch)).collect()
    }

    /// How many requests are under way.
    pub fn requests(&self) -> i64 {
        self.metrics.requests_open.get()
    }

    /// Says "not ready", tells agents to open elsewhere and clients to leave, lets what is in flight finish, then
    /// cuts.
    pub async fn drain(self) {
        self.readiness.shut("draining");
        self.draining.cancel();
        let intake = async {
            if let Some(intake) = &self.intake {
                intake.drain(self.grace).await;
            }
        };
        let finished = async {
            while self.requests() > 0 {
                tokio::time::sleep(LOOK_EVERY).await;
            }
            self.front_done.cancel();
            while self.links() > 0 {
                tokio::time::sleep(LOOK_EVERY).await;
            }
        };
        let (_, finished) = tokio::join!(intake, tokio::time::timeout(self.grace, finished));
        if finished.is_err() {
            warn!(requests = self.requests(), "the grace is over; cutting what is in flight");
        }
        self.tasks.shut_down().await;
        self.fleet.audit.note(&AuditEvent::Stop(this_gateway()));
    }

    /// Ends at once, as if killed.
    pub async fn cut(self) {
        self.tasks.shut_down().await;
    }
}

fn this_gateway() -> AuditGateway {
    AuditGateway { version: env!("CARGO_PKG_VERSION").into() }
}

impl std::fmt::Debug for Gateway {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gateway").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running")
            .field("front", &self.front)
            .field("tunnel", &self.tunnel)
            .finish_non_exhaustive()
    }
}
