//! What is handed out once, when a cluster is registered.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Cluster;

/// The answer to a registration.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Registered {
    /// The cluster.
    pub cluster: Cluster,
    /// How it joins.
    pub join: Join,
}

/// How a cluster joins. Holds the join token: shown once, kept nowhere.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Join {
    /// The manifest for `kubectl apply -f`, the token inside.
    pub manifest: String,
    /// The values for Helm's `-f`, the token inside; they make the same objects.
    pub values: String,
    /// Where Helm finds the chart on this gateway.
    pub chart: String,
    /// The namespace that everything goes to.
    pub namespace: String,
    /// Until when the token may be used.
    #[schema(value_type = String, format = DateTime)]
    pub expires: Timestamp,
    /// The pin of the gateway's root, `sha256:<hex>`.
    pub pin: String,
    /// What may keep an agent from coming here: addresses that are private, or not in the certificate.
    pub warnings: Vec<String>,
}

impl std::fmt::Debug for Registered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registered").field("cluster", &self.cluster.metadata.name).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Join {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Join").field("expires", &self.expires).finish_non_exhaustive()
    }
}

/// What the manifest is to hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ManifestOptions {
    /// The bindings to leave out.
    #[serde(default)]
    pub without_bindings: Vec<Binding>,
    /// The groups that may be impersonated: the three `trunkline:` ones when empty, any with `*` alone.
    #[serde(default)]
    pub groups: Vec<String>,
    /// In pass-through mode, whom the tokens must be made for that go through to the cluster, whose agent then has no right there. The
    /// agent impersonates when this is empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pass_through: Vec<String>,
    /// The storage class of the spool's volume; the cluster's default when null.
    #[serde(default)]
    pub storage_class: Option<String>,
    /// Keeps the spool in an `emptyDir`: what is not shipped is lost with the pod.
    #[serde(default)]
    pub ephemeral_spool: bool,
    /// Lets log shippers in at the service `trunkline-logs`, port 9200.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub logs: bool,
    /// Hands in the node's log files as well, by a DaemonSet of its own; takes `logs` with it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub log_tail: bool,
    /// The image to run; the gateway's own version by default.
    #[serde(default)]
    pub image: Option<String>,
}

/// What is to be changed of what the manifest holds; what is not named stays as it was registered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ManifestPatch {
    /// The bindings to leave out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub without_bindings: Option<Vec<Binding>>,
    /// The groups that may be impersonated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<Vec<String>>,
    /// Whom the tokens must be made for that go through to the cluster; empty, and the agent impersonates again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pass_through: Option<Vec<String>>,
    /// The storage class of the spool's volume.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage_class: Option<String>,
    /// Keeps the spool in an `emptyDir`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ephemeral_spool: Option<bool>,
    /// Lets log shippers in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logs: Option<bool>,
    /// Hands in the node's log files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_tail: Option<bool>,
    /// The image to run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
}

impl ManifestOptions {
    /// These options with a patch on top.
    #[must_use]
    pub fn patched(&self, patch: &ManifestPatch) -> Self {
        let ManifestPatch {
            without_bindings,
            groups,
            pass_through,
            storage_class,
            ephemeral_spool,
            logs,
            log_tail,
            image,
        } = patch.clone();
        Self {
            without_bindings: without_bindings.unwrap_or_else(|| self.without_bindings.clone()),
            groups: groups.unwrap_or_else(|| self.groups.clone()),
            pass_through: pass_through.unwrap_or_else(|| self.pass_through.clone()),
            storage_class: storage_class.or_else(|| self.storage_class.clone()),
            ephemeral_spool: ephemeral_spool.unwrap_or(self.ephemeral_spool),
            logs: logs.unwrap_or(self.logs),
            log_tail: log_tail.unwrap_or(self.log_tail),
            image: image.or_else(|| self.image.clone()),
        }
    }
}

/// A binding of one of Trunkline's groups to one of the cluster's roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Binding {
    /// `trunkline:viewers` to `view`.
    Viewers,
    /// `trunkline:operators` to `edit`.
    Operators,
    /// `trunkline:admins` to `cluster-admin`.
    Admins,
}
