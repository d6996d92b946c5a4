//! A tail's configuration, as people write it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use glob::Pattern;
use http::Uri;
use serde::Deserialize;
use trunkline_logs::Dataset;

use crate::follow::{Settings, Where};
use crate::lines::Format;

/// The fewest open files.
const MIN_OPEN: usize = 16;

/// A tail's configuration.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TailConfig {
    /// Where records are handed in.
    pub intake: IntakeAddress,
    /// Globs of container log files. `/var/log/containers/*.log` by default.
    #[serde(default = "containers")]
    pub containers: Vec<String>,
    /// Globs of further files, whose lines are taken as they are. None by default.
    #[serde(default)]
    pub files: Vec<String>,
    /// Globs of files that are left out. None by default.
    #[serde(default)]
    pub exclude: Vec<String>,
    /// Folders out of which no link leads. `/var/log` by default.
    #[serde(default = "var_log")]
    pub within: Vec<PathBuf>,
    /// The file that says how far each file is read; its folder must be there.
    pub checkpoint: PathBuf,
    /// The node's name; this, or `node_from`.
    #[serde(default)]
    pub node: Option<String>,
    /// The environment variable with the node's name.
    #[serde(default)]
    pub node_from: Option<String>,
    /// How much at once.
    #[serde(default)]
    pub limits: TailLimits,
    /// Address of the admin port (`/livez`, `/readyz`, `/metrics`); none by default.
    #[serde(default)]
    pub admin: Option<SocketAddr>,
    /// How long the request under way has when the tail is asked to stop, in seconds. 10 by default.
    #[serde(default = "ten")]
    pub drain_seconds: u64,
}

/// Where records are handed in.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IntakeAddress {
    /// The intake's URL, without a path.
    pub url: String,
    /// The dataset; the intake's first unless given.
    #[serde(default)]
    pub dataset: Option<Dataset>,
    /// A file with the token to show; read for every request.
    #[serde(default)]
    pub token_file: Option<PathBuf>,
    /// PEM file: the roots of the intake's certificate; the web's unless given.
    #[serde(default)]
    pub ca: Option<PathBuf>,
    /// Whether the token may go over plain HTTP.
    #[serde(default)]
    pub token_in_the_clear: bool,
}

/// How much at once.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TailLimits {
    /// Files that are open; one that was read to its end makes room. 512 by default, 16 at least.
    pub open_files: usize,
    /// For how many minutes a deleted file is held that is not read to its end. 60 by default.
    pub hold_deleted_minutes: u64,
}

impl Default for TailLimits {
    fn default() -> Self {
        Self { open_files: 512, hold_deleted_minutes: 60 }
    }
}

/// Why a [`TailConfig`] is not usable.
#[derive(Debug, thiserror::Error)]
pub enum TailConfigError {
    /// The URL is none.
    #[error("intake.url {0:?} is no http or https URL with a host and no path, query or user")]
    Url(String),
    /// A token would be seen by everybody on the way.
    #[error(
        "intake.token_file would go over plain HTTP: use https, or say token_in_the_clear: true if nobody listens on the way"
    )]
    InTheClear,
    /// A pattern is none.
    #[error("{field}: {pattern:?} is no pattern of an absolute path")]
    Pattern {
        /// The field.
        field: &'static str,
        /// What it says.
        pattern: String,
    },
    /// There is nothing to follow.
    #[error("containers and files are both empty: there is nothing to follow")]
    Nothing,
    /// A folder cannot be looked into.
    #[error("within: cannot look into {0}; does it exist?")]
    Within(PathBuf, #[source] std::io::Error),
    /// The node has no name.
    #[error(
        "the node's name is not known: give node, or node_from with an environment variable that is set (fieldRef spec.nodeName)"
    )]
    Node,
    /// Too few.
    #[error("limits.open_files: give 16 or more")]
    OpenFiles,
    /// The roots cannot be used.
    #[error("intake.ca")]
    Tls(#[from] trunkline_pki::TlsError),
    /// The token cannot be used.
    #[error("intake.token_file: cannot use {0}: it must hold one line of visible ASCII")]
    Token(PathBuf, #[source] std::io::Error),
}

impl TailConfig {
    /// Whether it can be meant so, the environment and the files that it names included.
    ///
    /// # Errors
    /// Says what cannot.
    pub fn check(&self) -> Result<(), TailConfigError> {
        self.settings()?;
        crate::deliver::Delivery::new(&self.intake, &trunkline_runtime::Tasks::new(), Default::default())?;
        Ok(())
    }

    pub(crate) fn settings(&self) -> Result<Settings, TailConfigError> {
        let mut patterns = Vec::new();
        for (field, list, format) in
            [("containers", &self.containers, Format::Container), ("files", &self.files, Format::Plain)]
        {
            for text in list {
                pattern(field, text)?;
                patterns.push((text.clone(), format));
            }
        }
        if patterns.is_empty() {
            return Err(TailConfigError::Nothing);
        }
        if self.limits.open_files < MIN_OPEN {
            return Err(TailConfigError::OpenFiles);
        }
        let exclude = self.exclude.iter().map(|text| pattern("exclude", text)).collect::<Result<_, _>>()?;
        let real = |folder: &PathBuf| {
            folder.canonicalize().map_err(|error| TailConfigError::Within(folder.clone(), error))
        };
        let within = self.within.iter().map(real).collect::<Result<_, _>>()?;
        let node = match (&self.node, &self.node_from) {
            (Some(name), None) => Some(name.clone()),
            (None, Some(variable)) => std::env::var(variable).ok(),
            _ => None,
        };
        Ok(Settings {
            places: Where { patterns, exclude, within },
            node: node.filter(|name| !name.is_empty()).ok_or(TailConfigError::Node)?,
            open_files: self.limits.open_files,
            hold_deleted: Duration::from_secs(self.limits.hold_deleted_minutes.saturating_mul(60)),
        })
    }
}

impl IntakeAddress {
    /// Where `_bulk` is, and where it is asked whether the intake is there.
    pub(crate) fn targets(&self) -> Result<(Uri, Uri), TailConfigError> {
        let wrong = || {
            TailConfigError::Url(self.url.rsplit_once('@').map_or(&*self.url, |(_, host)| host).to_owned())
        };
        let uri: Uri = self.url.parse().map_err(|_| wrong())?;
        let authority =
            uri.authority().filter(|authority| !authority.as_str().contains('@')).ok_or_else(wrong)?;
        let is_plain = match uri.scheme_str() {
            Some("http") => true,
            Some("https") => false,
            _ => return Err(wrong()),
        };
        if uri.path() != "/" || uri.query().is_some() || self.url.contains('#') {
            return Err(wrong());
        }
        let host = authority.host().trim_matches(['[', ']']);
        let is_here =
            host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
        if is_plain && self.token_file.is_some() && !is_here && !self.token_in_the_clear {
            return Err(TailConfigError::InTheClear);
        }
        let base = self.url.trim_end_matches('/');
        let door = self.dataset.as_ref().map_or(String::new(), |dataset| format!("/datasets/{dataset}"));
        let at = |path: &str| format!("{base}{door}/{path}").parse().map_err(|_| wrong());
        Ok((at("_bulk")?, at("")?))
    }
}

fn pattern(field: &'static str, text: &str) -> Result<Pattern, TailConfigError> {
    let wrong = || TailConfigError::Pattern { field, pattern: text.to_owned() };
    let pattern = Pattern::new(text).map_err(|_| wrong())?;
    if text.starts_with('/') { Ok(pattern) } else { Err(wrong()) }
}

fn containers() -> Vec<String> {
    vec!["/var/log/containers/*.log".into()]
}

fn var_log() -> Vec<PathBuf> {
    vec!["/var/log".into()]
}

fn ten() -> u64 {
    10
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(url: &str) -> TailConfig {
        serde_json::from_value(serde_json::json!({
            "intake": {"url": url}, "checkpoint": "/tmp/x", "node": "n", "within": ["/tmp"],
        }))
        .unwrap()
    }

    #[test]
    fn an_address_is_a_url_without_a_path_and_a_token_needs_tls() {
        let mut good = config("https://trunkline-logs.trunkline:9200");
        assert_eq!(
            good.intake.targets().unwrap().0.to_string(),
            "https://trunkline-logs.trunkline:9200/_bulk"
        );
        good.intake.dataset = Some("audit".parse().unwrap());
        let (bulk, root) = good.intake.targets().unwrap();
        assert_eq!((bulk.path(), root.path()), ("/datasets/audit/_bulk", "/datasets/audit/"));
        good.check().unwrap();
        for url in
            ["", "intake:9200", "ftp://a", "https://a/b", "https://u:p@a", "https://a?b", "https://a#b"]
        {
            let error = config(url).check().unwrap_err().to_string();
            assert!(error.contains("intake.url") && !error.contains("u:p"), "{url}: {error}");
        }
        let mut clear = config("http://trunkline-logs.trunkline:9200");
        clear.intake.token_file = Some("/nowhere".into());
        assert!(matches!(clear.check(), Err(TailConfigError::InTheClear)));
        clear.intake.token_in_the_clear = true;
        assert!(matches!(clear.check(), Err(TailConfigError::Token(..))));
    }

    #[test]
    fn what_cannot_be_followed_is_said() {
        let says = |change: fn(&mut TailConfig)| {
            let mut config = config("http://localhost:1");
            change(&mut config);
            config.check().unwrap_err().to_string()
        };
        assert!(says(|c| c.files = vec!["log/*".into()]).contains("files: \"log/*\""));
        assert!(says(|c| c.exclude = vec!["/a/**b".into()]).contains("exclude"));
        assert!(says(|c| c.containers.clear()).contains("nothing to follow"));
        assert!(says(|c| c.node = None).contains("node_from"));
        assert!(says(|c| c.node_from = Some("X".into())).contains("node_from"), "both are given");
        assert!(says(|c| c.limits.open_files = 15).contains("open_files"));
        assert!(says(|c| c.within = vec!["/nowhere-at-all".into()]).contains("within"));
    }
}
