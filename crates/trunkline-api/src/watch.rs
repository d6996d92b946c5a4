//! Watching: server-sent events, each with one of these as its data.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Cluster;

/// A change of the fleet. A watch begins with every cluster as `added`, then one `synced`, then what changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClusterEvent {
    /// What happened.
    #[serde(rename = "type")]
    pub kind: EventKind,
    /// The cluster as it is now; none with `synced`. With `removed` only its `metadata` counts, as it was told last: `spec`
    /// and `status` are empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<Box<Cluster>>,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EventKind {
    /// It is there.
    Added,
    /// It changed.
    Modified,
    /// It is gone.
    Removed,
    /// All that was there at the beginning has been told; what is not among it is not there.
    Synced,
}
