//! What the agent says of itself at its admin port, `/status`.

use serde::{Deserialize, Serialize};
use trunkline_proto::{ClusterId, ClusterUid, Slot};

/// How an agent is. Holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AgentStatus {
    /// What its cluster is: always `managed`.
    pub cluster_type: String,
    /// Its cluster.
    pub cluster: ClusterId,
    /// Which registration of it, once there is a certificate.
    pub uid: Option<ClusterUid>,
    /// Which slot of the cluster it is.
    pub slot: Slot,
    /// The gateways it dials.
    pub gateways: Vec<String>,
    /// Links that are up.
    pub links: usize,
    /// When its certificate ends, as RFC 3339; once there is one.
    pub certificate_not_after: Option<String>,
    /// Whether it gets its certificates by itself, or is given them as files.
    pub renews: bool,
    /// Why there is no tunnel, for people; null while there is one.
    pub last_error: Option<String>,
    /// Its version.
    pub software: String,
}
