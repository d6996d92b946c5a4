//! Bind, serve, drain: the only place where a tail's parts meet.

use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};
use trunkline_runtime::{Admin, BindError, Gate, Metrics as Registry, Readiness, Tasks, chain};

use crate::checkpoint::Checkpoint;
use crate::config::{TailConfig, TailConfigError};
use crate::deliver::Delivery;
use crate::follow::{Follow, Settings};
use crate::metrics::Metrics;

/// What the process waits for at its start.
const GATE: &str = "log intake";
/// How often is looked which files there are.
const LOOK: Duration = Duration::from_secs(1);
/// How often is looked for what was written, when there was nothing.
const IDLE: Duration = Duration::from_millis(250);
/// How often a checkpoint is written at the most.
const KEEP: Duration = Duration::from_secs(1);

/// How long the last checkpoint may take.
const LAST_WRITE: Duration = Duration::from_secs(5);

/// Why a tail cannot start.
#[derive(Debug, thiserror::Error)]
pub enum TailError {
    /// The configuration is not usable.
    #[error(transparent)]
    Config(#[from] TailConfigError),
    /// The admin port is taken.
    #[error(transparent)]
    Admin(#[from] BindError),
    /// The checkpoint cannot be used.
    #[error("checkpoint: cannot use {0}; does its folder exist, and may this process write there?")]
    Checkpoint(PathBuf, #[source] std::io::Error),
}

/// A tail that holds its port and has read its files, but does nothing yet.
#[derive(Debug)]
pub struct Tail {
    admin: Option<Admin>,
    gate: Gate,
    readiness: Readiness,
    tasks: Tasks,
    work: Work,
    grace: Duration,
}

/// A tail at work: owns every task it started.
#[derive(Debug)]
pub struct Running {
    tasks: Tasks,
    work: JoinHandle<()>,
    stop: CancellationToken,
    readiness: Readiness,
    admin: Option<SocketAddr>,
    grace: Duration,
}

/// Reading and handing in, in turns.
#[derive(Debug)]
struct Work {
    /// There but while it is at work on a thread for the disk.
    follow: Option<Follow>,
    delivery: Arc<Delivery>,
    checkpoint: PathBuf,
    looked: Option<Instant>,
    kept: Instant,
    /// Whether more is known than is on the disk.
    is_ahead: bool,
    stop: CancellationToken,
    grace: Duration,
}

impl Tail {
    /// Reads all files and binds the admin port.
    ///
    /// # Errors
    /// When the configuration, the checkpoint or the port is not usable.
    pub async fn bind(config: TailConfig) -> Result<Self, TailError> {
        let tasks = Tasks::new();
        let registry = Registry::new();
        let metrics = Metrics::default();
        registry.register(|registry| metrics.register(registry));
        let settings: Settings = config.settings()?;
        let delivery = Delivery::new(&config.intake, &tasks, metrics.clone())?;
        let unusable = |error| TailError::Checkpoint(config.checkpoint.clone(), error);
        let checkpoint = Checkpoint::read(&config.checkpoint).map_err(unusable)?;
        checkpoint.write(&config.checkpoint).map_err(unusable)?;
        info!(node = settings.node, files = checkpoint.files.len(), "tail starts");
        let now = Instant::now();
        let grace = Duration::from_secs(config.drain_seconds);
        let stop = CancellationToken::new();
        let work = Work {
            follow: Some(Follow::new(settings, metrics, checkpoint, now)),
            delivery: Arc::new(delivery),
            checkpoint: config.checkpoint,
            looked: None,
            kept: now,
            is_ahead: false,
            stop,
            grace,
        };
        let readiness = Readiness::new();
        let gate = readiness.gate(GATE);
        let admin = match config.admin {
            Some(address) => Some(Admin::bind(address, readiness.clone(), registry).await?),
            None => None,
        };
        Ok(Self { admin, gate, readiness, tasks, work, grace })
    }

    /// Starts the tasks.
    pub fn serve(self) -> Running {
        let Self { admin, gate, readiness, tasks, work, grace } = self;
        let address = admin.as_ref().and_then(|admin| admin.address().ok());
        if let Some(admin) = admin {
            admin.serve(&tasks);
        }
        let stop = work.stop.clone();
        let work = tasks.spawn(work.run(gate, readiness.clone()));
        Running { tasks, work, stop, readiness, admin: address, grace }
    }
}

impl Running {
    /// The admin port's address.
    pub fn admin(&self) -> Option<SocketAddr> {
        self.admin
    }

    /// Waits until the work has ended by itself, which it does by a panic only.
    pub async fn ended(&mut self) {
        let _ = (&mut self.work).await;
    }

    /// Lets the request under way be answered, writes down how far files are read, and stops.
    pub async fn drain(self) {
        self.readiness.shut("draining");
        self.stop.cancel();
        if tokio::time::timeout(self.grace + LAST_WRITE, self.work).await.is_err() {
            warn!(
                "the last checkpoint was not written in time; what was handed in since the one before is handed in again"
            );
        }
        self.tasks.shut_down().await;
    }
}

impl Work {
    async fn run(mut self, gate: Gate, readiness: Readiness) {
        let (delivery, stop, grace) = (self.delivery.clone(), self.stop.clone(), self.grace);
        let there = delivery.until_there(|why| readiness.explain(GATE, why));
        if !self.meanwhile(there, Duration::ZERO).await {
            return;
        }
        gate.open();
        while !stop.is_cancelled() {
            self.look().await;
            let Some(batch) = self.with(|follow| follow.gather(Instant::now())).await else {
                self.keep_in_time().await;
                tokio::select! { () = stop.cancelled() => {} () = tokio::time::sleep(IDLE) => {} }
                continue;
            };
            while self.must_be_kept() && !self.keep().await {
                tokio::time::sleep(KEEP).await;
            }
            if !self.meanwhile(delivery.hand_in(&batch), grace).await {
                break;
            }
            self.with(move |follow| follow.settle(batch)).await;
            self.is_ahead = true;
            self.keep_in_time().await;
        }
        if self.is_ahead {
            self.keep().await;
        }
    }

    /// Goes on looking around until something is done; says whether it was, or we are to stop and `grace` is over.
    async fn meanwhile(&mut self, done: impl Future<Output = ()>, grace: Duration) -> bool {
        let stop = self.stop.clone();
        let over = async {
            stop.cancelled().await;
            tokio::time::sleep(grace).await;
        };
        tokio::pin!(done, over);
        loop {
            tokio::select! {
                biased;
                () = &mut done => return true,
                () = &mut over => return false,
                () = tokio::time::sleep(LOOK) => self.look().await,
            }
        }
    }

    /// Looks around, if that is due.
    async fn look(&mut self) {
        if self.looked.is_none_or(|looked| looked.elapsed() >= LOOK) {
            self.with(|follow| follow.scan(Instant::now())).await;
            self.looked = Some(Instant::now());
        }
    }

    fn must_be_kept(&self) -> bool {
        self.follow.as_ref().is_some_and(|follow| follow.must_be_kept)
    }

    async fn keep_in_time(&mut self) {
        if (self.is_ahead || self.must_be_kept()) && self.kept.elapsed() >= KEEP {
            self.keep().await;
        }
    }

    /// Writes down how far files are read. Says whether that is on the disk.
    async fn keep(&mut self) -> bool {
        let path = self.checkpoint.clone();
        let written = self.with(move |follow| follow.checkpoint().write(&path)).await;
        self.kept = Instant::now();
        match written {
            Ok(()) => {
                self.is_ahead = false;
                if let Some(follow) = &mut self.follow {
                    follow.must_be_kept = false;
                }
                true
            }
            Err(error) => {
                error!(error = chain(&error), "the checkpoint cannot be written");
                false
            }
        }
    }

    /// Works with files, on a thread that may wait for the disk.
    async fn with<T: Send + 'static>(&mut self, work: impl FnOnce(&mut Follow) -> T + Send + 'static) -> T {
        let mut follow = self.follow.take();
        let worked = tokio::task::spawn_blocking(move || {
            let done = follow.as_mut().map(work);
            (follow, done)
        });
        match worked.await {
            Ok((follow, Some(done))) => {
                self.follow = follow;
                done
            }
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            // The runtime ends.
            Ok((_, None)) | Err(_) => std::future::pending().await,
        }
    }
}
