//! An agent's configuration, as people write it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use rustls_pki_types::ServerName;
use serde::Deserialize;
use trunkline_pki::{CertifiedFiles, LinkSettings, LinkTls, TlsError, upstream_tls};
use trunkline_proto::ClusterId;
use trunkline_tunnel::{Dialler, GatewayAddress, HttpProxy, InvalidAddress, InvalidProxy};
use trunkline_upstream::{UpstreamConfig, UpstreamConfigError};

/// An agent's configuration.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentConfig {
    /// The cluster this agent stands in; its certificate must say the same.
    pub cluster: ClusterId,
    /// The way to the gateway.
    pub gateway: WayConfig,
    /// The way to the cluster's API server.
    pub upstream: UpstreamConfig,
    /// Address of the admin port (`/livez`, `/readyz`, `/metrics`); none by default.
    #[serde(default)]
    pub admin: Option<SocketAddr>,
    /// How long what is in flight has when the agent is asked to stop, in seconds. 30 by default.
    #[serde(default = "thirty")]
    pub drain_seconds: u64,
}

/// The way to the gateway.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WayConfig {
    /// Tunnel doors, `host:port`, tried in this order.
    pub addresses: Vec<String>,
    /// PEM file with the root of the tunnel.
    pub roots: PathBuf,
    /// The agent's certificate and key.
    pub certificate: CertifiedFiles,
    /// The name in the gateway's certificate, if it is not the address's host.
    #[serde(default)]
    pub server_name: Option<String>,
    /// An HTTP proxy on the way.
    #[serde(default)]
    pub proxy: Option<ProxyConfig>,
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

/// Why an [`AgentConfig`] is not usable.
#[derive(Debug, thiserror::Error)]
pub enum AgentConfigError {
    /// There is no gateway.
    #[error("gateway.addresses is empty: name at least one tunnel door, host:port")]
    NoGateway,
    /// An address does not parse.
    #[error("gateway.addresses")]
    Address(#[from] InvalidAddress),
    /// The reserved id.
    #[error(
        "the id management belongs to the management cluster, which needs no agent: use the id it was registered with"
    )]
    Reserved,
    /// The certificate is for another cluster.
    #[error(
        "the certificate {path} is for the cluster {certified}, but this agent is configured for {configured}; one of the two is wrong"
    )]
    OtherCluster {
        /// The certificate's file.
        path: PathBuf,
        /// The cluster it names.
        certified: ClusterId,
        /// The cluster in the configuration.
        configured: ClusterId,
    },
    /// The TLS files are not usable.
    #[error("gateway.certificate or gateway.roots")]
    Tls(#[from] TlsError),
    /// The expected name is no name.
    #[error("gateway.server_name {0:?} is no name that a certificate can hold")]
    ServerName(String),
    /// The proxy is not usable.
    #[error("gateway.proxy")]
    Proxy(#[from] InvalidProxy),
    /// The proxy's URL is given twice or not at all.
    #[error("gateway.proxy: give exactly one of url and url_file")]
    ProxyUrl,
    /// A file cannot be read.
    #[error("cannot read {0}; does it exist, and may this process read it?")]
    Read(PathBuf, #[source] std::io::Error),
    /// The upstream is not usable.
    #[error("upstream")]
    Upstream(#[from] UpstreamConfigError),
}

/// What the uplink needs, all read and checked.
#[derive(Debug)]
pub(crate) struct Uphill {
    pub(crate) addresses: Vec<GatewayAddress>,
    pub(crate) dialler: Dialler,
    pub(crate) tls: Arc<LinkTls>,
}

impl AgentConfig {
    /// Reads and checks what the way to the gateway needs. That the certificate is for another cluster is left to
    /// the gateway to judge; it is only reported by [`AgentConfig::check_certificate`].
    pub(crate) fn uphill(&self) -> Result<Uphill, AgentConfigError> {
        if self.cluster.is_management() {
            return Err(AgentConfigError::Reserved);
        }
        if self.gateway.addresses.is_empty() {
            return Err(AgentConfigError::NoGateway);
        }
        let addresses = self
            .gateway
            .addresses
            .iter()
            .map(|address| address.parse())
            .collect::<Result<Vec<GatewayAddress>, _>>()?;
        let server_name = match &self.gateway.server_name {
            Some(name) => Some(
                ServerName::try_from(name.clone()).map_err(|_| AgentConfigError::ServerName(name.clone()))?,
            ),
            None => None,
        };
        let tls = LinkTls::new(LinkSettings {
            files: self.gateway.certificate.clone(),
            roots: self.gateway.roots.clone(),
        })?;
        let proxy = match &self.gateway.proxy {
            Some(proxy) => Some(proxy.read()?),
            None => None,
        };
        Ok(Uphill { addresses, dialler: Dialler { proxy, server_name }, tls: Arc::new(tls) })
    }

    /// Whether the agent's certificate names the configured cluster.
    ///
    /// # Errors
    /// When it names another, or the files are not usable.
    pub fn check_certificate(&self) -> Result<(), AgentConfigError> {
        let certified = self.uphill()?.tls.identity().cluster;
        if certified == self.cluster {
            return Ok(());
        }
        Err(AgentConfigError::OtherCluster {
            path: self.gateway.certificate.certificate.clone(),
            certified,
            configured: self.cluster.clone(),
        })
    }
}

impl ProxyConfig {
    fn read(&self) -> Result<HttpProxy, AgentConfigError> {
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

fn thirty() -> u64 {
    30
}
