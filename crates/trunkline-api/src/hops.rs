//! The way to a cluster, hop by hop.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What each hop on the way to a cluster's API server says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HopReport {
    /// The cluster.
    pub cluster: String,
    /// The hops, from the gateway on, in the order of the way; none after the first that fails.
    pub hops: Vec<Hop>,
}

/// One hop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Hop {
    /// `gateway`, `registry`, `tunnel`, `agent` or `api-server`.
    pub name: String,
    /// Whether it works.
    pub ok: bool,
    /// What was found, for people.
    pub detail: String,
    /// What to do, where something is wrong.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hint: String,
    /// How long it took, in milliseconds.
    pub ms: Option<f64>,
}
