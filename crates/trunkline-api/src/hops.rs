//! The way to a cluster, hop by hop.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{API_VERSION, LogStanding};

/// What each hop on the way to a cluster's API server says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HopReport {
    /// Always `trunkline.dev/v1`.
    #[serde(default)]
    #[schema(required = true)]
    pub api_version: String,
    /// Always `HopReport`.
    #[serde(default)]
    #[schema(required = true)]
    pub kind: String,
    /// The cluster.
    pub cluster: String,
    /// The hops, from the gateway on, in the order of the way; none after the first that fails.
    pub hops: Vec<Hop>,
    /// How its log records get on, by dataset; nothing where none came.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub logs: Vec<LogStanding>,
}

impl HopReport {
    /// What the hops on the way to a cluster say.
    pub fn new(cluster: String, hops: Vec<Hop>) -> Self {
        Self { api_version: API_VERSION.into(), kind: "HopReport".into(), cluster, hops, logs: Vec::new() }
    }
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
