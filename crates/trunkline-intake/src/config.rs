//! The intake's configuration, as people write it in an agent's or a gateway's.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use trunkline_logs::{Dataset, MAX_DATASETS};
use trunkline_pki::CertifiedFiles;
use trunkline_spool::{Full, Settings};

use crate::intake::IntakeError;

/// Where a spool's queue ends: what one request brings always fits, whatever its records look like.
const QUEUE_BYTES: usize = 32 * 1024 * 1024;
/// The most addresses to listen on, datasets' own included.
const MAX_ADDRESSES: usize = 32;
/// What a spool must be able to hold: a request may bring a quarter of it.
const MIN_CAP: u64 = 16 * 1024 * 1024;

/// What log shippers talk to.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IntakeConfig {
    /// Where shippers come in. What comes by no dataset's own path or port goes to the first dataset.
    pub listen: Vec<SocketAddr>,
    /// The certificate to show; without one the door speaks plain HTTP.
    #[serde(default)]
    pub tls: Option<CertifiedFiles>,
    /// Files with a token in each, of which a shipper must show one. Without any, everybody may hand in.
    #[serde(default)]
    pub token_files: Vec<PathBuf>,
    /// The kinds of records, 16 at the most; one of the name `logs` unless given.
    #[serde(default = "one_dataset")]
    pub datasets: Vec<DatasetConfig>,
    /// Where records are kept until they are handed on.
    pub spool: SpoolConfig,
    /// The version of Elasticsearch that shippers are told. `8.19.0` by default.
    #[serde(default = "version")]
    pub pretends: String,
    /// How much at once.
    #[serde(default)]
    pub limits: IntakeLimits,
}

/// A kind of records.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatasetConfig {
    /// Its name, also in its path: `/datasets/NAME/`.
    pub name: Dataset,
    /// An address of its own, for shippers that can have no path.
    #[serde(default)]
    pub listen: Option<SocketAddr>,
}

/// Where and how records are kept.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpoolConfig {
    /// The folder; each dataset has one of its name in there.
    pub folder: PathBuf,
    /// How many MiB each dataset may take. 2048 by default, 16 at least.
    #[serde(default = "two_gib")]
    pub max_mib: u64,
    /// How many hours a record may wait; for ever unless given.
    #[serde(default)]
    pub max_age_hours: Option<u64>,
    /// What happens when a dataset has taken all it may.
    #[serde(default)]
    pub when_full: WhenFull,
}

/// What happens when a spool is full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhenFull {
    /// Shippers are told to wait, and keep what they have.
    #[default]
    Refuse,
    /// The oldest records go, and are counted as lost.
    DropOldest,
}

/// How much at once, over all datasets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct IntakeLimits {
    /// Open connections; more are closed at once. 256 by default.
    pub connections: usize,
    /// Requests under way; more wait for 5 s, and are told to try again. 64 by default.
    pub requests: usize,
    /// MiB of all requests' records, of which a single one may take up to 28. 96 by default, 64 at least.
    pub memory_mib: usize,
}

impl Default for IntakeLimits {
    fn default() -> Self {
        Self { connections: 256, requests: 64, memory_mib: 96 }
    }
}

impl IntakeConfig {
    /// Whether it can be meant so.
    ///
    /// # Errors
    /// Says what cannot.
    pub fn check(&self) -> Result<(), IntakeError> {
        let no = |why| Err(IntakeError::Config(why));
        let own = self.datasets.iter().filter_map(|dataset| dataset.listen);
        let addresses: Vec<_> = self.listen.iter().copied().chain(own).collect();
        let names: HashSet<_> = self.datasets.iter().map(|dataset| &dataset.name).collect();
        if addresses.is_empty() || addresses.len() > MAX_ADDRESSES {
            return no("listen: give 1 to 32 addresses, datasets' own included");
        }
        let fixed: Vec<_> = addresses.iter().filter(|address| address.port() != 0).collect();
        if fixed.iter().collect::<HashSet<_>>().len() < fixed.len() {
            return no("listen: an address is there twice");
        }
        if self.datasets.is_empty() || self.datasets.len() > MAX_DATASETS {
            return no("datasets: give 1 to 16, or leave it out");
        }
        if self.datasets.iter().any(|dataset| dataset.name.is_reserved()) {
            return no("datasets: dead_letters is the gateway's own");
        }
        if names.len() < self.datasets.len() {
            return no("datasets: a name is there twice");
        }
        let numbers: Vec<_> = self.pretends.split('.').collect();
        let number = |text: &&str| (1..=3).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        if numbers.len() != 3 || !numbers.iter().all(number) {
            return no("pretends: give a version of Elasticsearch, as 8.19.0");
        }
        if self.spool.max_mib.saturating_mul(1024 * 1024) < MIN_CAP {
            return no("spool.max_mib: give 16 or more");
        }
        if self.limits.connections == 0 || self.limits.requests == 0 {
            return no("limits: connections and requests must not be 0");
        }
        if !(64..=64 * 1024).contains(&self.limits.memory_mib) {
            return no("limits.memory_mib: give 64 to 65536");
        }
        Ok(())
    }
}

impl SpoolConfig {
    /// The same, as the spool has it.
    pub(crate) fn settings(&self) -> Settings {
        Settings {
            cap: self.max_mib.saturating_mul(1024 * 1024),
            full: match self.when_full {
                WhenFull::Refuse => Full::Refuse,
                WhenFull::DropOldest => Full::DropOldest,
            },
            max_age: self.max_age_hours.map(|hours| Duration::from_secs(hours.saturating_mul(3600))),
            queue_bytes: QUEUE_BYTES,
            ..Settings::default()
        }
    }
}

fn one_dataset() -> Vec<DatasetConfig> {
    vec![DatasetConfig { name: Dataset::unnamed(), listen: None }]
}

fn version() -> String {
    "8.19.0".into()
}

fn two_gib() -> u64 {
    2048
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(more: &Value) -> Result<IntakeConfig, String> {
        let mut config = json!({"listen": ["127.0.0.1:9200"], "spool": {"folder": "/var/spool"}});
        for (name, value) in more.as_object().unwrap() {
            config[name] = value.clone();
        }
        let config: IntakeConfig = serde_json::from_value(config).map_err(|error| error.to_string())?;
        config.check().map_err(|error| error.to_string())?;
        Ok(config)
    }

    #[test]
    fn an_address_and_a_folder_are_enough() {
        let config = read(&json!({})).unwrap();
        assert_eq!((config.datasets.len(), config.datasets[0].name.as_str()), (1, "logs"));
        assert_eq!((config.pretends.as_str(), config.limits.connections), ("8.19.0", 256));
        let settings = config.spool.settings();
        assert_eq!((settings.cap, settings.full, settings.max_age), (2 << 30, Full::Refuse, None));
    }

    #[test]
    fn what_cannot_be_meant_is_said_by_its_name() {
        let many: Vec<_> = (0..17).map(|n| json!({"name": format!("d{n}")})).collect();
        for (config, word) in [
            (json!({"listen": []}), "listen"),
            (json!({"listen": ["127.0.0.1:1", "127.0.0.1:1"]}), "twice"),
            (json!({"datasets": []}), "datasets"),
            (json!({"datasets": many}), "datasets"),
            (json!({"datasets": [{"name": "a"}, {"name": "a"}]}), "twice"),
            (json!({"datasets": [{"name": "a-b"}]}), "a-b"),
            (json!({"pretends": "8"}), "pretends"),
            (json!({"pretends": "8.x.1"}), "pretends"),
            (json!({"spool": {"folder": "/x", "max_mib": 1}}), "max_mib"),
            (json!({"limits": {"connections": 0}}), "connections"),
            (json!({"limits": {"memory_mib": 1}}), "memory_mib"),
            (json!({"tokens": ["x"]}), "tokens"),
        ] {
            let error = read(&config).unwrap_err();
            assert!(error.contains(word), "{config}: {error}");
        }
    }
}
