//! A gateway's configuration, as people write it.

mod authn;
mod error;
mod limits;
mod logs;
mod made;
mod audit;

use std::collections::{BTreeMap, HashSet};
use std::net::SocketAddr;
use std::path::PathBuf;

use http::uri::Authority;
use ipnet::IpNet;
use serde::Deserialize;
use trunkline_api::NewAccessRule;
use trunkline_pki::{CertifiedFiles, Revocations, Serial};
use trunkline_proto::{ClusterId, ClusterUid, IdentityMode, MAX_SLOTS};
use trunkline_registry::check_audiences;
use trunkline_upstream::UpstreamConfig;

use crate::authn::Issuers;
use crate::authz::check_rules;
use crate::manifest::check_image;

pub use audit::AuditConfig;
pub use authn::{
    AuthnConfig, IssuerConfig, RolesConfig, ServiceAccountsConfig, SessionsConfig, SubjectsConfig,
};
pub use error::GatewayConfigError;
pub use limits::{ByteLimitsConfig, ClusterLimitsConfig, LimitsConfig, UserLimitsConfig};
pub(crate) use logs::LogParts;
pub use logs::{EmbeddedConfig, LogsConfig, StoreConfig};

/// The folder of the gateway's papers within its data folder.
const PAPERS: &str = "pki";

/// A gateway's configuration.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GatewayConfig {
    /// The folder in which the gateway keeps its registry and papers of its own (roots, door certificates), made at the
    /// first start. Without it nothing can be registered, and the doors' certificates must be named.
    #[serde(default)]
    pub data: Option<PathBuf>,
    /// Where clients come in.
    pub front: FrontConfig,
    /// Where agents come in.
    pub tunnel: TunnelConfig,
    /// Who may sign in, and how, beside client certificates.
    #[serde(default)]
    pub authn: AuthnConfig,
    /// How clusters join.
    #[serde(default)]
    pub enrolment: EnrolmentConfig,
    /// The clusters that may connect with certificates that were made elsewhere. Followed live when the file changes.
    #[serde(default)]
    pub clusters: Vec<ClusterConfig>,
    /// How the management cluster's own API server is reached; without it, `management` is not served.
    #[serde(default)]
    pub management: Option<UpstreamConfig>,
    /// Access rules that stand here and not in the registry. Followed live when the file changes.
    #[serde(default)]
    pub access: Vec<NewAccessRule>,
    /// How long and how much of the audit log is kept.
    #[serde(default)]
    pub audit: AuditConfig,
    /// Where the clusters' records are kept; nowhere by default.
    #[serde(default)]
    pub logs: Option<LogsConfig>,
    /// What one user, and one cluster, may have.
    #[serde(default)]
    pub limits: LimitsConfig,
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
    /// How clients reach it, `host` or `host:port`; 443 when no port is given. What listens, where not given.
    #[serde(default)]
    pub address: Option<String>,
    /// The front door's certificate and key; one of the gateway's own when not given.
    #[serde(default)]
    pub certificate: Option<CertifiedFiles>,
    /// PEM file with the root under which clients' certificates stand, beside the gateway's own.
    #[serde(default)]
    pub client_roots: Option<PathBuf>,
    /// Serials of client certificates that are turned away. Followed live.
    #[serde(default)]
    pub revoked: Vec<Serial>,
    /// Clusters are also reached as `<id>.<host_suffix>`; by path and header only when not given.
    #[serde(default)]
    pub host_suffix: Option<String>,
    /// Whether `nodes/NAME/proxy` is served: whoever may read there may run code on the node. No by default.
    #[serde(default)]
    pub allow_node_proxy: bool,
    /// Load balancers, as networks, whose connections begin with a header of the PROXY protocol, version 2: the address
    /// in it is then the client's. None by default.
    #[serde(default)]
    pub proxy_from: Vec<IpNet>,
    /// How many front connections there may be on which a good identity was shown. 10,000 by default; over it, 503
    /// `Overloaded`.
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
    /// How agents reach it, `host:port`, in the order in which they are to try. What listens, where not given.
    #[serde(default)]
    pub addresses: Vec<String>,
    /// The tunnel door's certificate and key; one of the gateway's own when not given.
    #[serde(default)]
    pub certificate: Option<CertifiedFiles>,
    /// PEM file with the root under which agents' certificates stand, beside the gateway's own.
    #[serde(default)]
    pub roots: Option<PathBuf>,
    /// Serials of agent certificates that are turned away. Followed live: live links are cut.
    #[serde(default)]
    pub revoked: Vec<Serial>,
    /// How many links there may be. 40,000 by default.
    #[serde(default = "forty_thousand")]
    pub max_links: usize,
}

/// How clusters join.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EnrolmentConfig {
    /// How long an agent's certificate lives, in seconds; it is renewed at half of it. 24 h by default, 4 s to 90 days.
    pub certificate_seconds: u64,
    /// How long a join token may be used, in minutes. 30 by default, a day at most.
    pub token_minutes: u64,
    /// For how many days without a sign of life an agent is believed by its key alone. 90 by default.
    pub away_days: u64,
    /// How many slots a cluster has: as many as its agent has pods. 2 by default, 16 at most.
    pub slots: u16,
    /// The image that registration manifests name.
    pub image: String,
}

impl Default for EnrolmentConfig {
    fn default() -> Self {
        Self {
            certificate_seconds: 24 * 3600,
            token_minutes: 30,
            away_days: 90,
            slots: 2,
            image: concat!("ghcr.io/trunkline/trunkline:", env!("CARGO_PKG_VERSION")).into(),
        }
    }
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
    /// Whom the tokens must be made for that go through to it; its agent impersonates when this is empty.
    #[serde(default)]
    pub pass_through: Vec<String>,
}

/// What is said of a declared cluster beside its id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Declared {
    pub(crate) uid: Option<ClusterUid>,
    pub(crate) pass_through: Vec<String>,
}

impl GatewayConfig {
    /// Checks what needs no file.
    pub fn check(&self) -> Result<(), GatewayConfigError> {
        self.fleet()?;
        check_rules(&self.access)?;
        if self.management.as_ref().is_some_and(|upstream| upstream.identity == IdentityMode::PassThrough) {
            return Err(GatewayConfigError::ManagementPassThrough);
        }
        self.authn.check(self.management.is_some(), self.data.is_some())?;
        for (limit, name) in [
            (self.front.max_connections, "front.max_connections"),
            (self.front.max_requests, "front.max_requests"),
            (self.tunnel.max_links, "tunnel.max_links"),
        ] {
            if limit == 0 {
                return Err(GatewayConfigError::Zero(name));
            }
        }
        self.limits.check()?;
        let enrolment = &self.enrolment;
        for (field, value, least, most) in [
            ("certificate_seconds", enrolment.certificate_seconds, 4, 90 * 24 * 3600),
            ("token_minutes", enrolment.token_minutes, 1, 24 * 60),
            ("away_days", enrolment.away_days, 1, 3650),
            ("slots", enrolment.slots.into(), 1, MAX_SLOTS.into()),
        ] {
            if !(least..=most).contains(&value) {
                return Err(GatewayConfigError::Range { field, value, least, most });
            }
        }
        self.audit.check()?;
        self.logs.as_ref().map_or(Ok(()), |logs| logs.check(self.data.as_deref()))?;
        check_image(&enrolment.image).map_err(|_| GatewayConfigError::Image(enrolment.image.clone()))?;
        for address in &self.tunnel.addresses {
            check_address("tunnel.addresses", address, true)?;
        }
        if let Some(address) = &self.front.address {
            check_address("front.address", address, false)?;
        }
        if self.data.is_none() {
            for (there, field) in [
                (self.front.certificate.is_some(), "front.certificate"),
                (self.front.client_roots.is_some(), "front.client_roots"),
                (self.tunnel.certificate.is_some(), "tunnel.certificate"),
                (self.tunnel.roots.is_some(), "tunnel.roots"),
            ] {
                if !there {
                    return Err(GatewayConfigError::NoPapers(field));
                }
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
        // Looking must not make a folder: what a first start would make needs no check.
        let papers = match &self.data {
            Some(data) if data.join(PAPERS).exists() => Some(self.open_papers(data)?),
            _ => None,
        };
        if papers.is_some() || self.data.is_none() {
            self.front_tls(papers.as_ref(), &revocations)?;
            self.tunnel_tls(papers.as_ref(), &revocations)?;
        }
        if let Some(management) = &self.management {
            management.check()?;
        }
        Issuers::check(&self.authn)?;
        Ok(())
    }

    /// The clusters by id.
    pub(crate) fn fleet(&self) -> Result<BTreeMap<ClusterId, Declared>, GatewayConfigError> {
        let mut fleet = BTreeMap::new();
        let own = self.authn.own_audiences();
        let mut audiences: BTreeMap<&str, &ClusterId> = BTreeMap::new();
        for cluster in &self.clusters {
            if cluster.id.is_management() {
                return Err(GatewayConfigError::Reserved);
            }
            let declared = Declared { uid: cluster.uid, pass_through: cluster.pass_through.clone() };
            if fleet.insert(cluster.id.clone(), declared).is_some() {
                return Err(GatewayConfigError::Twice(cluster.id.clone()));
            }
            let wrong = |why| GatewayConfigError::Audience { cluster: cluster.id.clone(), why };
            check_audiences(&cluster.pass_through).map_err(wrong)?;
            for audience in &cluster.pass_through {
                let other = audiences.insert(audience, &cluster.id).filter(|other| **other != cluster.id);
                if let Some(other) = other {
                    return Err(wrong(format!("names {audience:?}, which is {other}'s as well")));
                }
                if own.contains(audience) {
                    return Err(wrong(format!(
                        "names {audience:?}, for which tokens are that sign in at this gateway"
                    )));
                }
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

/// Whether `address` is `host:port`, or `host` where no port is needed.
fn check_address(field: &'static str, address: &str, port: bool) -> Result<(), GatewayConfigError> {
    let parsed = Authority::try_from(address).ok();
    let good = parsed.is_some_and(|authority| {
        !authority.as_str().contains('@')
            && rustls_pki_types::ServerName::try_from(host(address)).is_ok()
            && (authority.port_u16().is_some_and(|port| port > 0) || (!port && authority.port().is_none()))
    });
    if good {
        return Ok(());
    }
    Err(GatewayConfigError::Address { field, address: address.chars().take(80).collect() })
}

/// The host of an address, without the brackets of IPv6.
pub(crate) fn host(address: &str) -> String {
    let host = Authority::try_from(address).map(|authority| authority.host().to_owned()).unwrap_or_default();
    host.trim_start_matches('[').trim_end_matches(']').to_owned()
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
