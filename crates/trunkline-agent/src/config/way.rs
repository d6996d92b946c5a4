//! The way to the gateway: addresses, a proxy, and the credentials shown there.

use std::path::PathBuf;
use std::sync::Arc;

use serde::Deserialize;
use trunkline_pki::{CertifiedFiles, upstream_tls};
use trunkline_tunnel::HttpProxy;

use super::{AgentConfigError, EnrolConfig};

/// The way to the gateway.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "WayFile")]
pub struct WayConfig {
    /// Tunnel doors, `host:port`, tried in this order.
    pub addresses: Vec<String>,
    /// How the agent proves who it is.
    pub credentials: Credentials,
    /// The name in the gateway's certificate, if it is not the address's host.
    pub server_name: Option<String>,
    /// An HTTP proxy on the way.
    pub proxy: Option<ProxyConfig>,
}

/// How the agent proves who it is.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// Files that somebody else issues and renews; they are followed.
    Files {
        /// The agent's certificate and key.
        certificate: CertifiedFiles,
        /// PEM file with the root of the tunnel.
        roots: PathBuf,
    },
    /// Certificates that the gateway issues, and that the agent renews by itself.
    Enrol(EnrolConfig),
}

/// Why the fields of a [`WayConfig`] do not go together.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum InvalidWay {
    /// Half of the files.
    #[error("missing field `{0}`: give certificate and roots, or enrol in place of both")]
    Missing(&'static str),
    /// Both ways at once.
    #[error("{0} goes without enrol: give certificate and roots, or enrol in place of both")]
    Both(&'static str),
}

/// A [`WayConfig`] as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WayFile {
    addresses: Vec<String>,
    #[serde(default)]
    roots: Option<PathBuf>,
    #[serde(default)]
    certificate: Option<CertifiedFiles>,
    #[serde(default)]
    enrol: Option<EnrolConfig>,
    #[serde(default)]
    server_name: Option<String>,
    #[serde(default)]
    proxy: Option<ProxyConfig>,
}

impl TryFrom<WayFile> for WayConfig {
    type Error = InvalidWay;

    fn try_from(file: WayFile) -> Result<Self, InvalidWay> {
        let credentials = match (file.certificate, file.roots, file.enrol) {
            (Some(certificate), Some(roots), None) => Credentials::Files { certificate, roots },
            (None, None, Some(enrol)) => Credentials::Enrol(enrol),
            (Some(_), _, Some(_)) => return Err(InvalidWay::Both("certificate")),
            (None, Some(_), Some(_)) => return Err(InvalidWay::Both("roots")),
            (None, _, None) => return Err(InvalidWay::Missing("certificate")),
            (Some(_), None, None) => return Err(InvalidWay::Missing("roots")),
        };
        let WayFile { addresses, server_name, proxy, .. } = file;
        Ok(Self { addresses, credentials, server_name, proxy })
    }
}

/// An HTTP proxy on the way to the gateway.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProxyConfig {
    /// `http://[user:password@]host:port` or `https://...`. Give it here or in `url_file`.
    #[serde(default)]
    pub url: Option<String>,
    /// A file that holds the URL, for one with a password.
    #[serde(default)]
    pub url_file: Option<PathBuf>,
    /// Hosts, domains and CIDRs that are dialled straight, separated by commas.
    #[serde(default)]
    pub no_proxy: String,
    /// PEM file with the root of an https proxy's certificate.
    #[serde(default)]
    pub ca: Option<PathBuf>,
}

impl std::fmt::Debug for ProxyConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The URL may hold a password.
        f.debug_struct("ProxyConfig")
            .field("url", &self.url.as_ref().map(|_| "(hidden)"))
            .field("url_file", &self.url_file)
            .field("no_proxy", &self.no_proxy)
            .field("ca", &self.ca)
            .finish()
    }
}

impl ProxyConfig {
    pub(super) fn read(&self) -> Result<HttpProxy, AgentConfigError> {
        let url = match (&self.url, &self.url_file) {
            (Some(url), None) => url.clone(),
            (None, Some(path)) => {
                let text = std::fs::read_to_string(path)
                    .map_err(|source| AgentConfigError::Read(path.clone(), source))?;
                text.trim().to_owned()
            }
            _ => return Err(AgentConfigError::ProxyUrl),
        };
        let tls = match &self.ca {
            Some(path) => {
                let pem =
                    std::fs::read(path).map_err(|source| AgentConfigError::Read(path.clone(), source))?;
                Some(Arc::new(upstream_tls(Some(&pem), None, &[b"http/1.1"])?))
            }
            None => None,
        };
        Ok(HttpProxy::new(&url, &self.no_proxy, tls)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<WayConfig, String> {
        serde_saphyr::from_str(text).map_err(|error| error.to_string())
    }

    const FILES: &str = "addresses: ['gw:1']\nroots: r\ncertificate: {certificate: c, key: k}\n";
    const ENROL: &str = "addresses: ['gw:1']\nenrol:\n  pin: sha256:PIN\n  identity: {folder: /var/lib/x}\n";

    fn enrol() -> String {
        ENROL.replace("PIN", &"0a".repeat(32))
    }

    #[test]
    fn credentials_are_files_or_an_enrolment() {
        assert!(matches!(read(FILES).unwrap().credentials, Credentials::Files { .. }));
        assert!(matches!(read(&enrol()).unwrap().credentials, Credentials::Enrol(_)));
    }

    #[test]
    fn half_of_the_files_or_both_ways_at_once_are_named() {
        let none = "addresses: ['gw:1']\n".to_owned();
        let both = enrol() + "roots: r\n";
        for (text, says) in [
            (FILES.replace("roots: r\n", ""), "missing field `roots`"),
            (FILES.replace("certificate: {certificate: c, key: k}\n", ""), "missing field `certificate`"),
            (none, "or enrol in place of both"),
            (both, "roots goes without enrol"),
            (enrol() + "certificate: {certificate: c, key: k}\n", "certificate goes without enrol"),
            (FILES.replace("roots", "rots"), "unknown field `rots`"),
        ] {
            let error = read(&text).unwrap_err();
            assert!(error.contains(says), "{text}: {error}");
        }
    }
}
