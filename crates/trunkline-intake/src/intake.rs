//! The intake as an agent or a gateway has it: bind, serve, drain.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tracing::warn;
use trunkline_logs::Dataset;
use trunkline_pki::{ShownTls, TlsError};
use trunkline_runtime::{BindError, Door, Metrics as Registry, Tasks, reload_for_ever};
use trunkline_spool::{OpenError, Spool, Writer};

use crate::budget::Budget;
use crate::config::IntakeConfig;
use crate::door;
use crate::metrics::{Metrics, Of};
use crate::places::Places;
use crate::status::{Counts, Status, get};
use crate::tokens::Tokens;

/// How many bodies are read at once that are only understood as a whole: more wait.
const READERS: usize = 2;
/// How often the metrics are told how the spools are.
const TELL: Duration = Duration::from_secs(1);

/// What log shippers talk to. Clones share it.
#[derive(Clone)]
pub struct Intake {
    shared: Arc<Shared>,
    addresses: Arc<[SocketAddr]>,
    /// What was bound, until it is served, and the dataset of each door.
    doors: Arc<Mutex<Vec<(Door, usize)>>>,
    tasks: Tasks,
}

/// What serving takes.
pub(crate) struct Shared {
    pub(crate) datasets: Vec<Taker>,
    pub(crate) tokens: Tokens,
    pub(crate) tls: Option<ShownTls>,
    pub(crate) version: String,
    pub(crate) budget: Budget,
    pub(crate) connections: Places,
    pub(crate) requests: Places,
    /// Bodies that are being read as a whole, away from the runtime's workers.
    pub(crate) readers: Arc<Semaphore>,
    pub(crate) metrics: Metrics,
    pub(crate) draining: CancellationToken,
    /// When a token that was wrong was last told of, in milliseconds since 1970.
    pub(crate) warned: AtomicU64,
}

/// What takes the records of a dataset.
pub(crate) struct Taker {
    pub(crate) name: Dataset,
    spool: Spool,
    pub(crate) writer: Writer,
    pub(crate) counts: Counts,
    pub(crate) last_refusal: Mutex<Option<String>>,
}

/// Why there is no intake.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// The configuration cannot be meant so.
    #[error("the intake is not configured right: {0}")]
    Config(&'static str),
    /// An address is not to be had.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The system does not say what was bound.
    #[error("an address of the intake cannot be told")]
    Address(#[source] io::Error),
    /// The certificate is not usable.
    #[error("the intake's certificate")]
    Tls(#[from] TlsError),
    /// A token is not usable.
    #[error("the token in {path} is not usable")]
    TokenFile {
        /// Its file.
        path: PathBuf,
        /// What is wrong.
        source: io::Error,
    },
    /// A spool is not to be had.
    #[error("the spool of the dataset {dataset}")]
    Spool {
        /// Whose it is.
        dataset: Dataset,
        /// What is wrong.
        source: OpenError,
    },
}

impl Intake {
    /// Opens the spools and holds every port; answers nothing yet. The spools close with `tasks`.
    ///
    /// # Errors
    /// Says what is wrong with the configuration, a file, a folder or a port.
    pub async fn bind(
        config: &IntakeConfig,
        registry: &Registry,
        tasks: &Tasks,
    ) -> Result<Self, IntakeError> {
        config.check()?;
        let tokens = Tokens::read(&config.token_files)?;
        let tls = config.tls.clone().map(ShownTls::new).transpose()?;
        for warning in tls.iter().flat_map(ShownTls::warnings) {
            warn!("the intake's certificate: {warning}");
        }
        let mut doors = Vec::new();
        for address in &config.listen {
            doors.push((Door::bind("intake", *address).await?, 0));
        }
        for (at, dataset) in config.datasets.iter().enumerate() {
            if let Some(address) = dataset.listen {
                doors.push((Door::bind("intake", address).await?, at));
            }
        }
        let addresses: Result<Vec<_>, _> = doors.iter().map(|(door, _)| door.address()).collect();
        let mut datasets = Vec::new();
        for dataset in &config.datasets {
            datasets.push(Taker::open(&dataset.name, config, tasks)?);
        }
        let metrics = Metrics::default();
        registry.register(|registry| metrics.register(registry));
        let shared = Shared {
            datasets,
            tokens,
            tls,
            version: config.pretends.clone(),
            budget: Budget::new(config.limits.memory_mib * 1024 * 1024),
            connections: Places::new(config.limits.connections, 1),
            requests: Places::new(config.limits.requests, 1),
            readers: Arc::new(Semaphore::new(READERS)),
            metrics,
            draining: tasks.token().child_token(),
            warned: AtomicU64::new(0),
        };
        Ok(Self {
            shared: Arc::new(shared),
            addresses: addresses.map_err(IntakeError::Address)?.into(),
            doors: Arc::new(Mutex::new(doors)),
            tasks: tasks.clone(),
        })
    }

    /// What was bound: the addresses of `listen`, then those of datasets.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// The spool of each dataset, for who hands its records on.
    pub fn spools(&self) -> impl Iterator<Item = (&Dataset, &Spool)> {
        self.shared.datasets.iter().map(|taker| (&taker.name, &taker.spool))
    }

    /// What each dataset took.
    pub fn status(&self) -> Vec<Status> {
        self.shared.datasets.iter().map(Taker::status).collect()
    }

    /// Takes what shippers bring, until it drains or the tasks are told to stop.
    pub fn serve(&self) {
        let doors = std::mem::take(&mut *self.doors.lock().unwrap_or_else(PoisonError::into_inner));
        for (at, dataset) in doors {
            self.tasks.spawn_until_stopped(door::serve(self.shared.clone(), at, dataset, self.tasks.clone()));
        }
        let shared = self.shared.clone();
        self.tasks.spawn_until_stopped(async move { shared.tokens.follow().await });
        let shared = self.shared.clone();
        self.tasks.spawn_until_stopped(async move {
            loop {
                for taker in &shared.datasets {
                    shared.metrics.tell(&Of { dataset: taker.name.to_string() }, &taker.spool.status());
                }
                tokio::time::sleep(TELL).await;
            }
        });
        if self.shared.tls.is_some() {
            let shared = self.shared.clone();
            self.tasks.spawn_until_stopped(async move {
                let refresh = || shared.tls.as_ref().map_or(Ok(false), ShownTls::refresh);
                reload_for_ever("intake", refresh).await;
            });
        }
    }

    /// Closes the ports and waits, so long at the most, until what is under way is answered. True if all of it was.
    pub async fn drain(&self, grace: Duration) -> bool {
        self.doors.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.shared.draining.cancel();
        tokio::time::timeout(grace, self.shared.connections.all_free()).await.is_ok()
    }
}

impl Taker {
    fn open(name: &Dataset, config: &IntakeConfig, tasks: &Tasks) -> Result<Self, IntakeError> {
        let folder = config.spool.folder.join(name.as_str());
        let spool = Spool::open(&folder, config.spool.settings(), tasks)
            .map_err(|source| IntakeError::Spool { dataset: name.clone(), source })?;
        let writer = spool.writer();
        Ok(Self {
            name: name.clone(),
            spool,
            writer,
            counts: Counts::default(),
            last_refusal: Mutex::default(),
        })
    }

    fn status(&self) -> Status {
        Status {
            dataset: self.name.clone(),
            requests: get(&self.counts.requests),
            requests_refused: get(&self.counts.requests_refused),
            records: get(&self.counts.records),
            records_refused: get(&self.counts.records_refused),
            bytes: get(&self.counts.bytes),
            last_refusal: self.last_refusal.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            spool: self.spool.status(),
        }
    }
}

impl std::fmt::Debug for Intake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Intake").field("addresses", &self.addresses).finish_non_exhaustive()
    }
}
