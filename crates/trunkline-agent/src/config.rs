//! An agent's configuration, as people write it.

mod enrol;
mod way;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use rustls_pki_types::ServerName;
use serde::Deserialize;
use trunkline_intake::IntakeConfig;
use trunkline_pki::{CertifiedFiles, LinkSettings, LinkTls, TlsError};
use trunkline_proto::{ClusterId, MAX_SLOTS};
use trunkline_tunnel::{Dialler, GatewayAddress, InvalidAddress, InvalidProxy};
use trunkline_upstream::{UpstreamConfig, UpstreamConfigError};

pub use enrol::{EnrolConfig, IdentityConfig, SlotSource};
pub use way::{Credentials, InvalidWay, ProxyConfig, WayConfig};

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
    /// Where log shippers come in, and where their records are kept until the gateway's store has them; no logs by default.
    #[serde(default)]
    pub logs: Option<IntakeConfig>,
    /// Address of the admin port (`/livez`, `/readyz`, `/metrics`, `/status`); none by default.
    #[serde(default)]
    pub admin: Option<SocketAddr>,
    /// How long what is in flight has when the agent is asked to stop, in seconds. 30 by default.
    #[serde(default = "thirty")]
    pub drain_seconds: u64,
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
    /// The variable with the pod's name is not there.
    #[error(
        "gateway.enrol.slot_from names the environment variable {0}, which is not set: set it to the pod's name \
         (fieldRef metadata.name), or give gateway.enrol.slot"
    )]
    NoPodName(String),
    /// The pod's name holds no number.
    #[error(
        "{0:?} is not the name of a StatefulSet's pod, which ends with '-' and a number; give gateway.enrol.slot"
    )]
    PodName(String),
    /// More pods than a cluster may have.
    #[error("slot {0} is too high: an agent has {MAX_SLOTS} pods at the most; scale the StatefulSet down")]
    SlotTooHigh(u64),
    /// The Secret's name is none.
    #[error("gateway.enrol.identity.secret: {0:?} cannot be a name in Kubernetes; use a-z, 0-9, '-' and '.'")]
    SecretName(String),
    /// The upstream is not usable.
    #[error("upstream")]
    Upstream(#[from] UpstreamConfigError),
}

/// How a link is dialled, all read and checked.
#[derive(Clone, Debug)]
pub(crate) struct Uphill {
    pub(crate) addresses: Vec<GatewayAddress>,
    pub(crate) dialler: Dialler,
}

impl AgentConfig {
    /// Reads and checks what dialling takes, but for the credentials.
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
        let proxy = match &self.gateway.proxy {
            Some(proxy) => Some(proxy.read()?),
            None => None,
        };
        Ok(Uphill { addresses, dialler: Dialler { proxy, server_name } })
    }

    /// Whether the credentials are usable, and of the configured cluster. What a gateway has still to issue is not
    /// asked for here.
    ///
    /// # Errors
    /// When the certificate names another cluster, files are not usable, or the slot cannot be told.
    pub fn check_certificate(&self) -> Result<(), AgentConfigError> {
        self.uphill()?;
        let (certificate, roots) = match &self.gateway.credentials {
            Credentials::Files { certificate, roots } => (certificate, roots),
            Credentials::Enrol(enrol) => return enrol.check().map(|_| ()),
        };
        let certified = link_tls(certificate, roots)?.identity().cluster;
        if certified == self.cluster {
            return Ok(());
        }
        Err(AgentConfigError::OtherCluster {
            path: certificate.certificate.clone(),
            certified,
            configured: self.cluster.clone(),
        })
    }
}

/// An agent's end of a link, made of files. That they are of another cluster is left to the gateway to judge; it is only
/// reported by [`AgentConfig::check_certificate`].
pub(crate) fn link_tls(certificate: &CertifiedFiles, roots: &Path) -> Result<LinkTls, AgentConfigError> {
    let settings = LinkSettings { files: certificate.clone(), roots: roots.to_owned() };
    Ok(LinkTls::new(settings)?)
}

fn thirty() -> u64 {
    30
}
