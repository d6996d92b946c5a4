//! How an Elasticsearch or OpenSearch is reached and used, as people write it.

use std::path::PathBuf;

use serde::Deserialize;

use super::credential::CredentialError;

/// The most URLs.
const MAX_URLS: usize = 16;

/// An Elasticsearch (7.10 to 9) or OpenSearch (2, 3) as the log store.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ElasticConfig {
    /// Where its nodes are reached, e.g. `https://search-0.example:9200`; a path behind the host is kept. They take turns, and
    /// one that cannot be reached is left out for 10 s.
    pub urls: Vec<String>,
    /// PEM file with the roots of its certificates; the public ones by default.
    pub ca: Option<PathBuf>,
    /// The user's name, for Basic authentication.
    pub user: Option<String>,
    /// File with the user's password; like every file of a credential it is read again at least once a minute.
    pub password_file: Option<PathBuf>,
    /// File with an API key, in the encoded form, instead of a user.
    pub api_key_file: Option<PathBuf>,
    /// File with a bearer token instead of a user.
    pub token_file: Option<PathBuf>,
    /// Whether a credential may be sent over `http://` to another machine.
    pub credential_in_the_clear: bool,
    /// Which documents share an index.
    pub indices: Layout,
    /// Shards of a new index: 1 to 64.
    pub shards: u32,
    /// Further copies of each shard: 0 to 8.
    pub replicas: u32,
    /// How long after they are stored documents are found, in seconds: 1 to 300.
    pub refresh_seconds: u32,
    /// How many days documents are kept, by the day on which they were spooled: 1 to 3650.
    pub retention_days: u32,
    /// How documents are handed in.
    pub bulk: BulkConfig,
    /// How long a search may take, in seconds: 1 to 120.
    pub search_seconds: u64,
}

/// How documents are handed in.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BulkConfig {
    /// The longest request, in bytes: 1 MiB to 64 MiB.
    pub bytes: usize,
    /// The most documents of a request: 1 to 10,000.
    pub documents: usize,
    /// How many requests of one dataset are under way at once: 1 to 64.
    pub at_once: usize,
    /// Whether requests are compressed.
    pub gzip: bool,
    /// How long a request may take, in seconds: 1 to 300.
    pub seconds: u64,
}

/// Which documents share an index. What lies in the one layout is not found with the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// Those of all clusters: `trunkline-logs.<dataset>.<day>`.
    #[default]
    Shared,
    /// Those of one cluster: `trunkline-logs.<uid>.<dataset>.<day>`. For those who grant rights in the store itself; a thousand
    /// clusters make a thousand shards a day.
    PerCluster,
}

/// Why an [`ElasticConfig`] is not usable.
#[derive(Debug, thiserror::Error)]
pub enum ElasticConfigError {
    /// There is no URL, or there are too many.
    #[error("give 1 to {MAX_URLS} urls of the log store; there are {0}")]
    Urls(usize),
    /// A URL is none.
    #[error(
        "{0:?} is no URL of a log store: use http://HOST:PORT or https://HOST:PORT, without user, query or fragment"
    )]
    Url(String),
    /// A password would be read on the way.
    #[error(
        "{0} would carry the credential in the clear: use https://, or allow it with credential_in_the_clear"
    )]
    InTheClear(String),
    /// A number is out of its range.
    #[error("{0} is {1}: give {2} to {3}")]
    Range(&'static str, u64, u64, u64),
    /// Several credentials, or half of one.
    #[error("give one of user with password_file, api_key_file and token_file, or none of them")]
    OneCredential,
    /// The credential cannot be had.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// The roots cannot be used.
    #[error("TLS towards the log store cannot be set up")]
    Tls(#[from] trunkline_pki::TlsError),
}

impl Default for ElasticConfig {
    fn default() -> Self {
        Self {
            urls: Vec::new(),
            ca: None,
            user: None,
            password_file: None,
            api_key_file: None,
            token_file: None,
            credential_in_the_clear: false,
            indices: Layout::Shared,
            shards: 1,
            replicas: 1,
            refresh_seconds: 5,
            retention_days: 30,
            bulk: BulkConfig::default(),
            search_seconds: 10,
        }
    }
}

impl Default for BulkConfig {
    fn default() -> Self {
        Self { bytes: 5 << 20, documents: 1000, at_once: 4, gzip: false, seconds: 30 }
    }
}

impl ElasticConfig {
    /// Looks at everything but the files.
    pub fn check(&self) -> Result<(), ElasticConfigError> {
        if !(1..=MAX_URLS).contains(&self.urls.len()) {
            return Err(ElasticConfigError::Urls(self.urls.len()));
        }
        let bulk = &self.bulk;
        let ranges = [
            ("shards", u64::from(self.shards), 1, 64),
            ("replicas", u64::from(self.replicas), 0, 8),
            ("refresh_seconds", u64::from(self.refresh_seconds), 1, 300),
            ("retention_days", u64::from(self.retention_days), 1, 3650),
            ("bulk.bytes", bulk.bytes as u64, 1 << 20, 64 << 20),
            ("bulk.documents", bulk.documents as u64, 1, 10_000),
            ("bulk.at_once", bulk.at_once as u64, 1, 64),
            ("bulk.seconds", bulk.seconds, 1, 300),
            ("search_seconds", self.search_seconds, 1, 120),
        ];
        for (name, value, least, most) in ranges {
            if !(least..=most).contains(&value) {
                return Err(ElasticConfigError::Range(name, value, least, most));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_written_is_read_and_what_is_not_known_is_an_error() {
        let read = |value| serde_json::from_value::<ElasticConfig>(value);
        let config = read(json!({
            "urls": ["https://search:9200"], "indices": "per_cluster", "bulk": { "gzip": true },
        }))
        .unwrap();
        assert!(config.check().is_ok() && config.bulk.gzip);
        assert_eq!(
            (config.indices, config.retention_days, config.bulk.documents),
            (Layout::PerCluster, 30, 1000)
        );
        for unknown in [json!({ "url": "x" }), json!({ "bulk": { "size": 1 } }), json!({ "password": "x" })] {
            assert!(read(unknown).is_err());
        }
    }

    #[test]
    fn every_number_has_a_range() {
        let good = ElasticConfig { urls: vec!["http://localhost".into()], ..ElasticConfig::default() };
        assert!(good.check().is_ok());
        type Change = fn(&mut ElasticConfig);
        let wrong: [(&str, Change); 7] = [
            ("shards", |config| config.shards = 0),
            ("replicas", |config| config.replicas = 9),
            ("retention_days", |config| config.retention_days = 0),
            ("bulk.bytes", |config| config.bulk.bytes = 1000),
            ("bulk.at_once", |config| config.bulk.at_once = 65),
            ("bulk.seconds", |config| config.bulk.seconds = 0),
            ("search_seconds", |config| config.search_seconds = 121),
        ];
        for (name, change) in wrong {
            let mut config = good.clone();
            change(&mut config);
            let error = config.check().unwrap_err().to_string();
            assert!(error.starts_with(name), "{error}");
        }
        for urls in [0, MAX_URLS + 1] {
            let config = ElasticConfig { urls: vec!["http://localhost".into(); urls], ..good.clone() };
            assert!(matches!(config.check(), Err(ElasticConfigError::Urls(_))));
        }
    }
}
