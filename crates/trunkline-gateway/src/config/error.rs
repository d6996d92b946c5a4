//! Why a gateway's configuration is not usable, in words that say what to change.

use trunkline_api::RuleName;
use trunkline_pki::{PapersError, TlsError};
use trunkline_proto::ClusterId;
use trunkline_registry::RegistryError;
use trunkline_upstream::UpstreamConfigError;

use crate::authn::LocalFileError;

/// Why a [`GatewayConfig`](super::GatewayConfig) is not usable.
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
    /// A declared cluster's audience cannot be.
    #[error("clusters: pass_through of {cluster} {why}")]
    Audience {
        /// The cluster.
        cluster: ClusterId,
        /// What is wrong with it.
        why: String,
    },
    /// The management cluster in pass-through mode.
    #[error(
        "management.identity: the management cluster is served by impersonation only; tokens go through to clusters with an agent"
    )]
    ManagementPassThrough,
    /// A declared cluster is registered as well.
    #[error(
        "clusters: {0} is registered already; remove it there first (trunkline clusters remove {0}), or leave it out here"
    )]
    Registered(ClusterId),
    /// The suffix is no domain.
    #[error(
        "front.host_suffix {0:?} is not a domain name: write for instance clusters.example.com, without a dot in front"
    )]
    HostSuffix(String),
    /// There is no certificate, and no folder to keep one of the gateway's own in.
    #[error(
        "{0} is missing: name a certificate and roots, or a data folder in which the gateway keeps its own"
    )]
    NoPapers(&'static str),
    /// An address does not parse.
    #[error("{field}: {address:?} is no address: write a host name or an IP address, and :port")]
    Address {
        /// The field.
        field: &'static str,
        /// What stands there.
        address: String,
    },
    /// A number of the log store is out of range.
    #[error("logs.store.embedded.{field} is {value}: give 1 to {most}")]
    LogsRange {
        /// The field.
        field: &'static str,
        /// What stands there.
        value: u64,
        /// The highest it may be.
        most: u64,
    },
    /// Logs need a folder.
    #[error(
        "logs: the embedded store and the management cluster's own intake need the gateway's data folder; give data"
    )]
    LogsFolder,
    /// The embedded store cannot be opened.
    #[error("logs.store.embedded")]
    Embedded(#[from] trunkline_logstore::embedded::OpenError),
    /// The Elasticsearch cannot be used.
    #[error("logs.store.elasticsearch")]
    Elastic(#[from] trunkline_logstore::elastic::ElasticConfigError),
    /// The management cluster's own intake cannot be opened.
    #[error("logs.intake")]
    Intake(#[from] trunkline_intake::IntakeError),
    /// The file with the management cluster's uid is not usable.
    #[error("cannot use {path}, which holds the uid of the management cluster's records")]
    ManagementUid {
        /// The file.
        path: std::path::PathBuf,
        /// What is wrong.
        source: std::io::Error,
    },
    /// A time is out of range.
    #[error("enrolment.{field} is {value}: give {least} to {most}")]
    Range {
        /// The field.
        field: &'static str,
        /// What stands there.
        value: u64,
        /// The least it may be.
        least: u64,
        /// The most it may be.
        most: u64,
    },
    /// A number of the audit log is out of range.
    #[error("audit.{field} is {value}: give {least} to {most}")]
    AuditRange {
        /// The field.
        field: &'static str,
        /// What stands there.
        value: u64,
        /// The least it may be.
        least: u64,
        /// The most it may be.
        most: u64,
    },
    /// The audit log is not usable.
    #[error("data")]
    Audit(#[from] trunkline_audit::OpenError),
    /// An image that no manifest can name.
    #[error("enrolment.image: {0:?} is no reference to an image")]
    Image(String),
    /// Something of signing in.
    #[error("authn.{field}: {why}")]
    Authn {
        /// What.
        field: String,
        /// What is wrong with it.
        why: String,
    },
    /// The local users are not usable.
    #[error("data")]
    LocalUsers(#[from] LocalFileError),
    /// The gateway's own papers are not usable.
    #[error("data")]
    Papers(#[from] PapersError),
    /// The registry is not usable.
    #[error("data")]
    Registry(#[from] RegistryError),
    /// An access rule cannot be.
    #[error("access: rule {name}: {why}")]
    Access {
        /// Its name.
        name: RuleName,
        /// What is wrong with it.
        why: String,
    },
    /// A limit of nothing.
    #[error("{0} is 0: nothing could be served")]
    Zero(&'static str),
    /// A limit so low that nothing could be done with it.
    #[error("{field} is {value}: give {least} at least, or leave it out")]
    TooLittle {
        /// The field.
        field: &'static str,
        /// What stands there.
        value: u64,
        /// The least it may be.
        least: u64,
    },
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
