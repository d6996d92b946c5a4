//! A cluster: what people want of it, and what was seen of it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use trunkline_proto::{ClusterId, ClusterUid, IdentityMode, Slot};
use utoipa::ToSchema;

use crate::{API_VERSION, Joining, Labels, ManifestOptions};

/// A cluster of the fleet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Cluster {
    /// Always `trunkline.dev/v1`.
    pub api_version: String,
    /// Always `Cluster`.
    pub kind: String,
    /// Who it is.
    pub metadata: Metadata,
    /// What people want of it.
    pub spec: ClusterSpec,
    /// What was seen of it.
    pub status: ClusterStatus,
}

impl Cluster {
    /// A cluster of its parts.
    pub fn new(metadata: Metadata, spec: ClusterSpec, status: ClusterStatus) -> Self {
        Self { api_version: API_VERSION.into(), kind: "Cluster".into(), metadata, spec, status }
    }
}

/// Who a cluster is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Metadata {
    /// Its id: a DNS label, the routing key. Never changes.
    #[schema(value_type = String, example = "prod-eu")]
    pub name: ClusterId,
    /// Its identity. The same name registered again has another. Null for a cluster declared without one.
    #[schema(value_type = Option<String>)]
    pub uid: Option<ClusterUid>,
    /// For selectors.
    #[serde(default)]
    pub labels: Labels,
    /// When it was registered; null for one that is declared in the gateway's file.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub created: Option<Timestamp>,
    /// Who registered it.
    #[serde(default)]
    pub created_by: String,
    /// Grows with each change of labels and spec; send it back with a change to be told of a conflict.
    pub revision: u64,
}

/// What people want of a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClusterSpec {
    /// What people call it; may change at any time. Empty: its name.
    #[serde(default)]
    pub display_name: String,
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// For instance `production`; the Manager colours by it.
    #[serde(default)]
    pub environment: String,
    /// How carefully it is to be treated.
    #[serde(default)]
    pub protection: Protection,
    /// Closed to every client until it is unlocked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locked: Option<Lock>,
}

/// How carefully a cluster is to be treated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Protection {
    /// As any.
    #[default]
    None,
    /// Whoever changes something is asked first.
    Confirm,
    /// Nothing is to be changed.
    ReadOnly,
}

/// Who closed a cluster, when and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    /// Who.
    pub by: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// Why, as it is told to the clients that are cut.
    #[serde(default)]
    pub reason: String,
}

/// What a cluster is locked with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LockRequest {
    /// Why, as it is told to the clients that are cut.
    #[serde(default)]
    pub reason: String,
}

/// What was seen of a cluster.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClusterStatus {
    /// The state in one word.
    pub state: ClusterState,
    /// Why it is in that state, for people; empty when all is well.
    #[serde(default)]
    pub reason: String,
    /// When a link was last up; now, for one that is.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_seen: Option<Timestamp>,
    /// The newest round trip to the agent, in milliseconds.
    pub rtt_ms: Option<f64>,
    /// The agent's version.
    pub agent_version: Option<String>,
    /// The API server's version.
    pub kubernetes_version: Option<String>,
    /// How many nodes the cluster has, where the agent may count them.
    pub nodes: Option<u32>,
    /// How the agent tells the API server whose a request is; null before one came.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "pass-through")]
    pub identity: Option<IdentityMode>,
    /// Whom the tokens must be made for that go through to the cluster; empty where its agent impersonates.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pass_through: Vec<String>,
    /// The agent's places, by number.
    #[serde(default)]
    pub slots: Vec<SlotStatus>,
    /// When the first of the certificates in use ends.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub certificate_not_after: Option<Timestamp>,
    /// Where the cluster stands written.
    #[serde(default)]
    pub origin: Origin,
    /// Until when the join token that was handed out last may be used; null if there is none to use.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub join_expires: Option<Timestamp>,
    /// How far its joining is: until a minute after the last step was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joining: Option<Joining>,
}

/// The state of a cluster.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum ClusterState {
    /// Registered, and no agent has come yet.
    #[default]
    Joining,
    /// A tunnel is up and the API server answers.
    Connected,
    /// A tunnel is up and something is wrong behind it.
    Degraded,
    /// It was there, and no tunnel is up.
    Disconnected,
    /// Closed by somebody.
    Locked,
    /// Two agents contend for one slot.
    DuplicateIdentity,
}

impl ClusterState {
    /// The state as it is written everywhere.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Joining => "joining",
            Self::Connected => "connected",
            Self::Degraded => "degraded",
            Self::Disconnected => "disconnected",
            Self::Locked => "locked",
            Self::DuplicateIdentity => "duplicate-identity",
        }
    }
}

/// Where a cluster stands written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// In the registry.
    #[default]
    Registry,
    /// In the gateway's configuration file; it is changed there.
    File,
    /// The gateway's own cluster.
    Management,
}

/// One of the agent's places in a cluster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SlotStatus {
    /// Its number.
    #[schema(value_type = u16)]
    pub slot: Slot,
    /// How many links are up.
    pub links: u32,
    /// The address its newest link comes from.
    pub from: Option<String>,
    /// The epoch of the process in it.
    pub epoch: Option<u64>,
    /// The newest round trip, in milliseconds.
    pub rtt_ms: Option<f64>,
    /// The agent's version.
    pub agent_version: Option<String>,
    /// When its certificate ends.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub certificate_not_after: Option<Timestamp>,
    /// The root its certificate stands under, as `sha256:<hex>` of its key.
    pub root: Option<String>,
}

/// All clusters that were asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClusterList {
    /// Always `trunkline.dev/v1`.
    pub api_version: String,
    /// Always `ClusterList`.
    pub kind: String,
    /// The clusters, by name.
    pub items: Vec<Cluster>,
}

impl ClusterList {
    /// A list of clusters.
    pub fn new(items: Vec<Cluster>) -> Self {
        Self { api_version: API_VERSION.into(), kind: "ClusterList".into(), items }
    }
}

/// What a cluster is registered with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewCluster {
    /// Its id.
    #[schema(value_type = String, example = "prod-eu")]
    pub name: ClusterId,
    /// For selectors.
    #[serde(default)]
    pub labels: Labels,
    /// What people call it.
    #[serde(default)]
    pub display_name: String,
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// For instance `production`.
    #[serde(default)]
    pub environment: String,
    /// How carefully it is to be treated.
    #[serde(default)]
    pub protection: Protection,
    /// What the manifest is to hold.
    #[serde(default)]
    pub manifest: ManifestOptions,
}

impl NewCluster {
    /// A cluster with nothing but a name.
    pub fn named(name: ClusterId) -> Self {
        Self {
            name,
            labels: Labels::new(),
            display_name: String::new(),
            description: String::new(),
            environment: String::new(),
            protection: Protection::default(),
            manifest: ManifestOptions::default(),
        }
    }
}

/// What is to be changed of a cluster; what is not named stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClusterPatch {
    /// The revision that the change was made on; a conflict if there is a newer one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<u64>,
    /// Labels to set; null removes one.
    #[serde(default, skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    pub labels: std::collections::BTreeMap<String, Option<String>>,
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// For instance `production`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// How carefully it is to be treated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protection: Option<Protection>,
}
