//! How far the rotation of the tunnel's root has come.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::API_VERSION;

/// How far the rotation of the tunnel's root has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RotationStatus {
    /// Always `trunkline.dev/v1`.
    #[serde(default)]
    #[schema(required = true)]
    pub api_version: String,
    /// Always `RotationStatus`.
    #[serde(default)]
    #[schema(required = true)]
    pub kind: String,
    /// Whether a rotation is under way: two roots are trusted.
    pub rotating: bool,
    /// The roots that are trusted, oldest first.
    pub roots: Vec<Root>,
    /// How far each registered cluster is.
    pub clusters: Vec<RotationCluster>,
}

impl RotationStatus {
    /// A rotation that is under way exactly when two roots are trusted.
    pub fn new(roots: Vec<Root>, clusters: Vec<RotationCluster>) -> Self {
        let (api_version, kind) = (API_VERSION.into(), "RotationStatus".into());
        Self { api_version, kind, rotating: roots.len() > 1, roots, clusters }
    }
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
