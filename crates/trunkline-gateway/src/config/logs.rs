//! Where the clusters' records are kept, and the management cluster's own come in.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use trunkline_intake::{Intake, IntakeConfig};
use trunkline_logstore::Store;
use trunkline_logstore::elastic::{ElasticConfig, Served};
use trunkline_logstore::embedded::{Embedded, Settings};
use trunkline_proto::ClusterUid;
use trunkline_runtime::{Metrics as Registry, Tasks};

use super::{GatewayConfig, GatewayConfigError};

/// The folder of the embedded store within the data folder.
const FOLDER: &str = "logs";
/// The file with the uid of the management cluster's records within the data folder.
const MANAGEMENT: &str = "management-uid";
const GIB: u64 = 1024 * 1024 * 1024;

/// Where the clusters' records are kept, and the management cluster's own come in.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogsConfig {
    /// The store; the embedded one by default.
    pub store: StoreConfig,
    /// Where log shippers of the management cluster come in; nowhere by default.
    pub intake: Option<IntakeConfig>,
}

/// The store.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StoreConfig {
    /// In the gateway's data folder.
    Embedded(EmbeddedConfig),
    /// An Elasticsearch or OpenSearch.
    Elasticsearch(Box<ElasticConfig>),
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self::Embedded(EmbeddedConfig::default())
    }
}

/// How long and how much the embedded store keeps.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EmbeddedConfig {
    /// For how many days. 14 by default, 1 to 3,650.
    pub days: u32,
    /// How many GiB of the disk; then the oldest days go. 50 by default.
    pub max_gib: u64,
}

impl Default for EmbeddedConfig {
    fn default() -> Self {
        Self { days: 14, max_gib: 50 }
    }
}

/// What keeping logs takes.
pub(crate) struct LogParts {
    pub(crate) store: Store,
    /// The management cluster's uid and intake, where it has one.
    pub(crate) own: Option<(ClusterUid, Intake)>,
}

impl LogsConfig {
    pub(super) fn check(&self, data: Option<&Path>) -> Result<(), GatewayConfigError> {
        if let StoreConfig::Embedded(EmbeddedConfig { days, max_gib }) = self.store {
            for (field, value, most) in [("days", u64::from(days), 3_650), ("max_gib", max_gib, 1 << 20)] {
                if !(1..=most).contains(&value) {
                    return Err(GatewayConfigError::LogsRange { field, value, most });
                }
            }
        }
        let needs_data = matches!(self.store, StoreConfig::Embedded(_)) || self.intake.is_some();
        if needs_data && data.is_none() {
            return Err(GatewayConfigError::LogsFolder);
        }
        if let StoreConfig::Elasticsearch(config) = &self.store {
            config.check()?;
        }
        self.intake.as_ref().map_or(Ok(()), IntakeConfig::check).map_err(Into::into)
    }
}

impl GatewayConfig {
    /// Opens the store, and the management cluster's own intake. None when no logs are kept.
    pub(crate) async fn log_parts(
        &self,
        registry: &Registry,
        tasks: &Tasks,
    ) -> Result<Option<LogParts>, GatewayConfigError> {
        let Some(config) = &self.logs else { return Ok(None) };
        let store: Store = match &config.store {
            StoreConfig::Embedded(EmbeddedConfig { days, max_gib }) => {
                let folder = self.data.as_deref().ok_or(GatewayConfigError::LogsFolder)?.join(FOLDER);
                let settings = Settings {
                    retention_days: *days,
                    cap_bytes: max_gib.saturating_mul(GIB),
                    ..Settings::default()
                };
                Arc::new(Embedded::open(&folder, settings, &tasks.aside())?)
            }
            StoreConfig::Elasticsearch(config) => Arc::new(Served::start(config, tasks)?),
        };
        let own = match &config.intake {
            Some(intake) => {
                let data = self.data.as_deref().ok_or(GatewayConfigError::LogsFolder)?;
                let uid = management_uid(data)?;
                Some((uid, Intake::bind(intake, registry, tasks).await?))
            }
            None => None,
        };
        Ok(Some(LogParts { store, own }))
    }
}

/// The uid of the management cluster's records: made once, so that another gateway's in the same store are not its own.
fn management_uid(data: &Path) -> Result<ClusterUid, GatewayConfigError> {
    let path = data.join(MANAGEMENT);
    let failed = |source| GatewayConfigError::ManagementUid { path: path.clone(), source };
    match std::fs::read_to_string(&path) {
        Ok(text) => text.trim().parse().map_err(|error| failed(std::io::Error::other(error))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let uid = ClusterUid::random();
            write(&path, &uid.to_string()).map_err(failed)?;
            Ok(uid)
        }
        Err(error) => Err(failed(error)),
    }
}

/// Whole or not at all, and durable before a record stands under it.
fn write(path: &PathBuf, text: &str) -> std::io::Result<()> {
    let half = path.with_extension("new");
    let file = std::fs::File::create(&half)?;
    std::io::Write::write_all(&mut &file, text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&half, path)?;
    path.parent().map_or(Ok(()), |folder| std::fs::File::open(folder)?.sync_all())
}
