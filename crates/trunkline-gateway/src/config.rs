//! A gateway's configuration, as people write it.

use std::collections::{BTreeMap, HashSet};
use std::net::SocketAddr;
use std::path::PathBuf;

use serde::Deserialize;
use trunkline_pki::{
    CertifiedFiles, DoorSettings, DoorSource, FrontDoorTls, Revocations, Serial, TlsError, TunnelDoorTls,
};
use trunkline_proto::{ClusterId, ClusterUid};
use trunkline_upstream::{UpstreamConfig, UpstreamConfigError};

/// A gateway's configuration.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GatewayConfig {
    /// Where clients come in.
    pub front: FrontConfig,
    /// Where agents come in.
    pub tunnel: TunnelConfig,
    /// The clusters that may connect. Followed live when the file changes.
    #[serde(default)]
    pub clusters: Vec<ClusterConfig>,
    /// How the management cluster's own API server is reached; without it, `management` is not served.
    #[serde(default)]
    pub management: Option<UpstreamConfig>,
    /// Address of the admin port (`/livez`, `/readyz`, `/metrics`); none by default.
    #[serde(default)]
    pub admin: Option<SocketAddr>,
    /// How long what is in flight has when the gateway is asked to stop, in seconds. 30 by default.
    #[serde(default = "thirty")]
    pub drain_seconds: u64,
}

/// Where clients come in.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrontConfig {
    /// Address of the front door.
    pub listen: SocketAddr,
    /// The front door's certificate and key.
    pub certificate: CertifiedFiles,
    /// PEM file with the root under which clients' certificates stand.
    pub client_roots: PathBuf,
    /// Serials of client certificates that are turned away. Followed live.
    #[serde(default)]
    pub revoked: Vec<Serial>,
    /// Clusters are also reached as `<id>.<host_suffix>`; by path and header only when not given.
    #[serde(default)]
    pub host_suffix: Option<String>,
    /// Whether `nodes/NAME/proxy` is served: whoever may read there may run code on the node. No by default.
    #[serde(default)]
    pub allow_node_proxy: bool,
    /// How many front connections there may be. 10,000 by default.
    #[serde(default = "ten_thousand")]
    pub max_connections: usize,
    /// How many requests may be under way. 20,000 by default; over it, 503 `Overloaded`.
    #[serde(default = "twenty_thousand")]
    pub max_requests: usize,
}

/// Where agents come in.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TunnelConfig {
    /// Address of the tunnel door.
    pub listen: SocketAddr,
    /// The tunnel door's certificate and key.
    pub certificate: CertifiedFiles,
    /// PEM file with the root under which agents' certificates stand.
    pub roots: PathBuf,
    /// Serials of agent certificates that are turned away. Followed live: live links are cut.
    #[serde(default)]
    pub revoked: Vec<Serial>,
    /// How many links there may be. 40,000 by default.
    #[serde(default = "forty_thousand")]
    pub max_links: usize,
}

/// A cluster that may connect.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClusterConfig {
    /// Its id.
    pub id: ClusterId,
    /// Its uid; when given, an agent's certificate must hold the same.
    #[serde(default)]
    pub uid: Option<ClusterUid>,
}

/// Why a [`GatewayConfig`] is not usable.
#[derive(Debug, thiserror::Error)]
pub enum GatewayConfigError {
    /// The reserved id.
    #[error(
        "clusters: the id management belongs to the management cluster; give its upstream under management instead"
    )]
    Reserved,
    /// A cluster twice.
    #[error("clusters: {0} stands there twice")]
    Twice(ClusterId),
    /// The suffix is no domain.
    #[error(
        "front.host_suffix {0:?} is not a domain name: write for instance clusters.example.com, without a dot in front"
    )]
    HostSuffix(String),
    /// A limit of nothing.
    #[error("{0} is 0: nothing could be served")]
    Zero(&'static str),
    /// The front door's TLS files are not usable.
    #[error("front")]
    Front(#[source] TlsError),
    /// The tunnel door's TLS files are not usable.
    #[error("tunnel")]
    Tunnel(#[source] TlsError),
    /// The management cluster's upstream is not usable.
    #[error("management")]
    Management(#[from] UpstreamConfigError),
}

impl GatewayConfig {
    /// Checks what needs no file.
    pub fn check(&self) -> Result<(), GatewayConfigError> {
        self.fleet()?;
        for (limit, name) in [
            (self.front.max_connections, "front.max_connections"),
            (self.front.max_requests, "front.max_requests"),
            (self.tunnel.max_links, "tunnel.max_links"),
        ] {
            if limit == 0 {
                return Err(GatewayConfigError::Zero(name));
            }
        }
        match &self.front.host_suffix {
            Some(suffix) if !is_domain(suffix) => {
                Err(GatewayConfigError::HostSuffix(suffix.chars().take(80).collect()))
            }
            _ => Ok(()),
        }
    }

    /// Checks all, the files it names included, and opens nothing.
    ///
    /// # Errors
    /// When something is not usable; the error names it and what to do.
    pub fn check_with_files(&self) -> Result<(), GatewayConfigError> {
        self.check()?;
        let revocations = Revocations::new();
        self.front_tls(&revocations)?;
        self.tunnel_tls(&revocations)?;
        if let Some(management) = &self.management {
            management.check()?;
        }
        Ok(())
    }

    pub(crate) fn front_tls(&self, revocations: &Revocations) -> Result<FrontDoorTls, GatewayConfigError> {
        FrontDoorTls::new(DoorSettings {
            source: DoorSource::of_files(self.front.certificate.clone(), self.front.client_roots.clone()),
            revocations: revocations.clone(),
        })
        .map_err(GatewayConfigError::Front)
    }

    pub(crate) fn tunnel_tls(&self, revocations: &Revocations) -> Result<TunnelDoorTls, GatewayConfigError> {
        TunnelDoorTls::new(DoorSettings {
            source: DoorSource::of_files(self.tunnel.certificate.clone(), self.tunnel.roots.clone()),
            revocations: revocations.clone(),
        })
        .map_err(GatewayConfigError::Tunnel)
    }

    /// The clusters by id.
    pub(crate) fn fleet(&self) -> Result<BTreeMap<ClusterId, Option<ClusterUid>>, GatewayConfigError> {
        let mut fleet = BTreeMap::new();
        for cluster in &self.clusters {
            if cluster.id.is_management() {
                return Err(GatewayConfigError::Reserved);
            }
            if fleet.insert(cluster.id.clone(), cluster.uid).is_some() {
                return Err(GatewayConfigError::Twice(cluster.id.clone()));
            }
        }
        Ok(fleet)
    }

    pub(crate) fn revoked_agents(&self) -> HashSet<Serial> {
        self.tunnel.revoked.iter().cloned().collect()
    }

    pub(crate) fn revoked_clients(&self) -> HashSet<Serial> {
        self.front.revoked.iter().cloned().collect()
    }
}

/// Whether `text` is a domain of DNS labels, longer ones than 253 bytes aside.
fn is_domain(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(|label| label.parse::<ClusterId>().is_ok())
}

fn thirty() -> u64 {
    30
}
fn ten_thousand() -> usize {
    10_000
}
fn twenty_thousand() -> usize {
    20_000
}
fn forty_thousand() -> usize {
    40_000
}
