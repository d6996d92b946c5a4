//! Access rules: who may reach which clusters, and how.
//!
//! A rule allows; nothing forbids. Who is named by no rule reaches nothing.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use trunkline_proto::ClusterId;
use utoipa::ToSchema;

use crate::{API_VERSION, Labels};

/// An access rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccessRule {
    /// Always `trunkline.dev/v1`.
    pub api_version: String,
    /// Always `AccessRule`.
    pub kind: String,
    /// Which rule it is.
    pub metadata: RuleMetadata,
    /// What it allows.
    pub spec: AccessSpec,
}

impl AccessRule {
    /// The kind of the shape.
    pub const KIND: &'static str = "AccessRule";

    /// A rule of its parts.
    pub fn new(metadata: RuleMetadata, spec: AccessSpec) -> Self {
        Self { api_version: API_VERSION.into(), kind: Self::KIND.into(), metadata, spec }
    }
}

/// Which rule it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RuleMetadata {
    /// Its name: a DNS label.
    #[schema(value_type = String, example = "team-a-dev")]
    pub name: RuleName,
    /// When it was made; null for one that stands in the gateway's file or is built in.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub created: Option<Timestamp>,
    /// Who made it.
    #[serde(default)]
    pub created_by: String,
    /// Grows with each change; send it back with a change to be told of a conflict.
    #[serde(default)]
    pub revision: u64,
    /// Where it stands.
    #[serde(default)]
    pub origin: RuleOrigin,
}

/// Where a rule stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RuleOrigin {
    /// In the registry.
    #[default]
    Registry,
    /// In the gateway's configuration file; it is changed there.
    File,
    /// In every gateway: what membership of the three groups `trunkline:...` allows.
    BuiltIn,
}

/// What a rule allows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AccessSpec {
    /// What it is for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Whom it allows something.
    pub subjects: Subjects,
    /// Where.
    #[serde(default)]
    pub clusters: RuleClusters,
    /// Only in these namespaces; everywhere when empty. What a cluster tells everybody (discovery) stays allowed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub namespaces: Vec<String>,
    /// What may be done there.
    #[serde(default)]
    pub role: Role,
    /// With the role `custom`: Kubernetes verbs (`get`, `list`, ...), `create` for everything that is upgraded, or `*`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub verbs: Vec<String>,
    /// With the role `custom`: resources as RBAC names them (`pods`, `pods/exec`, `deployments.apps`), all when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<String>,
    /// As whom requests go on; as who asks, when nothing is named.
    #[serde(default, skip_serializing_if = "RuleIdentity::is_own")]
    pub identity: RuleIdentity,
    /// As whom who is allowed may ask to act (kubectl's `--as`).
    #[serde(default, skip_serializing_if = "MayActAs::is_nobody")]
    pub act_as: MayActAs,
    /// Whether interactive sessions (exec, attach) are recorded.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub record: bool,
    /// What may be done with the fleet itself: its clusters, rules, sessions.
    #[serde(default, skip_serializing_if = "FleetRole::is_none")]
    pub fleet: FleetRole,
}

/// Whom a rule allows something: any of these.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Subjects {
    /// Users by name; `*` is everybody who is signed in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<String>,
    /// Groups by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
}

/// Which clusters a rule is for: those that are named and those that are selected.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RuleClusters {
    /// Clusters by id. `*` is every managed cluster; `management` is in it only by its name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// Managed clusters by their labels, as kubectl's `-l`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<String>,
}

/// What a rule lets somebody do in a cluster, before the cluster's own RBAC is asked.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// The verbs and resources that the rule names.
    Custom,
    /// Reading. Goes on with the group `trunkline:viewers`.
    #[default]
    Viewer,
    /// Reading and changing, exec and port-forward; not who may do what in the cluster, nor what governs its API. Goes on
    /// with the group `trunkline:operators`.
    Operator,
    /// Everything. Goes on with the group `trunkline:admins`.
    Admin,
}

impl Role {
    /// The role as it is written everywhere.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Custom => "custom",
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }

    /// The group that goes on with it, to which the agent's manifest binds rights in the cluster.
    pub fn group(self) -> Option<&'static str> {
        match self {
            Self::Custom => None,
            Self::Viewer => Some("trunkline:viewers"),
            Self::Operator => Some("trunkline:operators"),
            Self::Admin => Some("trunkline:admins"),
        }
    }
}

/// What a rule lets somebody do with the fleet itself.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum FleetRole {
    /// Nothing beyond seeing the clusters that one may reach.
    #[default]
    None,
    /// Seeing all of it.
    Viewer,
    /// Changing it.
    Admin,
}

impl FleetRole {
    /// Whether it is nothing.
    pub fn is_none(&self) -> bool {
        *self == Self::None
    }
}

/// As whom requests go on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RuleIdentity {
    /// The user; who asks, when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// These groups and no others, not the role's either; who asks's and the role's, when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<Vec<String>>,
}

impl RuleIdentity {
    /// Whether it is the identity of who asks.
    pub fn is_own(&self) -> bool {
        self.user.is_none() && self.groups.is_none()
    }
}

/// As whom somebody may ask to act. `*` is everybody but Kubernetes' and this gateway's own names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MayActAs {
    /// Users.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<String>,
    /// Groups.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
}

impl MayActAs {
    /// Whether it is nobody.
    pub fn is_nobody(&self) -> bool {
        self.users.is_empty() && self.groups.is_empty()
    }
}

/// The name of a rule: a DNS label.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct RuleName(String);

/// Why something is no name of a rule.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "{0:?} is no name of a rule: 1 to 63 of a-z, 0-9 and '-', beginning and ending with a letter or digit"
)]
pub struct InvalidRuleName(pub String);

impl RuleName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RuleName {
    type Err = InvalidRuleName;

    fn from_str(text: &str) -> Result<Self, InvalidRuleName> {
        // The grammar is that of a cluster's id.
        match text.parse::<ClusterId>() {
            Ok(_) => Ok(Self(text.to_owned())),
            Err(_) => Err(InvalidRuleName(text.chars().take(80).collect())),
        }
    }
}

impl fmt::Display for RuleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for RuleName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// What a rule is made or replaced with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewAccessRule {
    /// Its name.
    #[schema(value_type = String, example = "team-a-dev")]
    pub name: RuleName,
    /// The revision that the change was made on; a conflict if there is a newer one. 0: it must not be there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<u64>,
    /// What it allows.
    pub spec: AccessSpec,
}

/// All rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccessRuleList {
    /// Always `trunkline.dev/v1`.
    pub api_version: String,
    /// Always `AccessRuleList`.
    pub kind: String,
    /// The rules, by name.
    pub items: Vec<AccessRule>,
}

impl AccessRuleList {
    /// A list of rules.
    pub fn new(items: Vec<AccessRule>) -> Self {
        Self { api_version: API_VERSION.into(), kind: "AccessRuleList".into(), items }
    }
}

/// What is asked: may this user do that there?
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AccessQuestion {
    /// The user.
    pub user: String,
    /// The user's groups, as they are at sign-in.
    #[serde(default)]
    pub groups: Vec<String>,
    /// The cluster.
    pub cluster: String,
    /// The Kubernetes verb.
    pub verb: String,
    /// The resource as RBAC names it: `pods`, `pods/exec`, `deployments.apps`; or a path that begins with `/`.
    pub resource: String,
    /// The namespace, if it is asked for one.
    #[serde(default)]
    pub namespace: String,
    /// The object's name, if it is asked for one.
    #[serde(default)]
    pub name: String,
    /// Act as this user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub act_as_user: Option<String>,
    /// Act as in these groups.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub act_as_groups: Vec<String>,
}

/// The answer, and which rule decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccessAnswer {
    /// Whether the gateway lets it through. The cluster's own RBAC is asked after that.
    pub allowed: bool,
    /// Why, for people.
    pub why: String,
    /// The rule that allows it.
    pub rule: Option<String>,
    /// The role that rule gives.
    pub role: Option<Role>,
    /// As whom it goes on: the user; null where one's token for the cluster says that.
    pub user: Option<String>,
    /// As whom it goes on: the groups.
    #[serde(default)]
    pub groups: Vec<String>,
    /// Whether it is recorded.
    #[serde(default)]
    pub recorded: bool,
    /// Each rule that names the user or one of the groups, and why it does or does not allow this.
    #[serde(default)]
    pub considered: Vec<ConsideredRule>,
}

/// A rule that names somebody, and what it says to a question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConsideredRule {
    /// Its name.
    pub rule: String,
    /// Whether it allows what was asked.
    pub allows: bool,
    /// Why not; empty when it does.
    #[serde(default)]
    pub why: String,
}

impl RuleClusters {
    /// Whether a managed cluster is named or selected. `selector` is this one's, parsed.
    pub fn has(&self, id: &ClusterId, labels: &Labels, selector: Option<&crate::Selector>) -> bool {
        let named = self.names.iter().any(|name| name == id.as_str() || (name == "*" && !id.is_management()));
        named || (!id.is_management() && selector.is_some_and(|selector| selector.matches(labels)))
    }
}
