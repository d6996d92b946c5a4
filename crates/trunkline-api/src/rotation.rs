//! How far the rotation of the tunnel's root has come.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How far the rotation of the tunnel's root has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RotationStatus {
    /// Whether a rotation is under way: two roots are trusted.
    pub rotating: bool,
    /// The roots that are trusted, oldest first.
    pub roots: Vec<Root>,
    /// How far each registered cluster is.
    pub clusters: Vec<RotationCluster>,
}

/// A root of the tunnel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Root {
    /// `sha256:<hex>` of its key: the pin.
    pub pin: String,
    /// When it ends.
    #[schema(value_type = String, format = DateTime)]
    pub not_after: Timestamp,
    /// What it is for.
    pub role: RootRole,
}

/// What a root is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RootRole {
    /// Certificates are issued under it.
    Issuing,
    /// It is trusted until the last agent has moved.
    Retiring,
}

/// How far a cluster is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RotationCluster {
    /// The cluster.
    pub name: String,
    /// Whether its agents trust the new root and hold certificates under it.
    pub moved: bool,
    /// What is waited for, for people.
    #[serde(default)]
    pub detail: String,
}
