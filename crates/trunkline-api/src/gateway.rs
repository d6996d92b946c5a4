//! What a gateway says of itself.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::API_VERSION;

/// What the cluster is that somebody asks in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ClusterType {
    /// It runs a gateway with managed clusters.
    Management,
    /// It runs an agent.
    Managed,
    /// It runs a gateway with no managed cluster yet.
    Standalone,
}

impl ClusterType {
    /// The type as it is written everywhere.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Management => "management",
            Self::Managed => "managed",
            Self::Standalone => "standalone",
        }
    }
}

/// What a gateway says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct GatewayStatus {
    /// Always `trunkline.dev/v1`.
    pub api_version: String,
    /// Always `GatewayStatus`.
    pub kind: String,
    /// What the gateway's cluster is.
    pub cluster_type: ClusterType,
    /// The gateway's version.
    pub version: String,
    /// Who asks, as the gateway sees it.
    pub user: String,
    /// The groups of who asks.
    pub groups: Vec<String>,
    /// Where clients come in, as a URL.
    pub front: String,
    /// Clusters are also reached as `<id>.<suffix>`.
    pub host_suffix: Option<String>,
    /// PEM of the roots under which the front door's certificate stands, where the gateway knows them.
    pub front_roots: Option<String>,
    /// Where agents come in, `host:port`.
    pub tunnel: Vec<String>,
    /// What a joining agent pins, `sha256:<hex>`; null for a gateway that issues no certificates.
    pub pin: Option<String>,
    /// Whether the management cluster is served.
    pub management: bool,
    /// How many managed clusters there are.
    pub clusters: u64,
    /// How many of them are connected.
    pub connected: u64,
}

impl GatewayStatus {
    /// The version of the shape.
    pub const API_VERSION: &'static str = API_VERSION;
    /// The kind of the shape.
    pub const KIND: &'static str = "GatewayStatus";
}
