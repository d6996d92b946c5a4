//! User sessions: one sign-in of one user, and what it has under way.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use trunkline_proto::ClusterId;
use utoipa::ToSchema;

use crate::API_VERSION;

/// One sign-in of one user, as long as it holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UserSession {
    /// Names it; no secret.
    pub id: String,
    /// Whose it is.
    pub user: String,
    /// The user's groups.
    pub groups: Vec<String>,
    /// By which proof: `certificate`, `oidc:NAME`, ...
    pub how: String,
    /// Its first request, as far as this gateway remembers.
    #[schema(value_type = String, format = DateTime)]
    pub first: Timestamp,
    /// Its newest request.
    #[schema(value_type = String, format = DateTime)]
    pub last: Timestamp,
    /// Where the newest request came from.
    pub from: String,
    /// When it ends by itself.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires: Option<Timestamp>,
    /// What it has under way.
    pub requests: Vec<LiveRequest>,
}

/// A request that is under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LiveRequest {
    /// The request's id, as in the logs.
    pub request: String,
    /// Where it goes; null for one to the gateway itself.
    #[schema(value_type = Option<String>)]
    pub cluster: Option<ClusterId>,
    /// `ordinary`, `watch`, `follow` or `upgrade`.
    pub kind: String,
    /// The Kubernetes verb.
    pub verb: String,
    /// On what: `pods/exec`, or a path.
    pub object: String,
    /// In which namespace.
    pub namespace: String,
    /// The object's name.
    pub name: String,
    /// The access rule that let it in.
    pub rule: String,
    /// As whom it goes on.
    pub acting_as: String,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
}

/// The user sessions that hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UserSessionList {
    /// Always `trunkline.dev/v1`.
    pub api_version: String,
    /// Always `UserSessionList`.
    pub kind: String,
    /// The sessions, the one that was used last first.
    pub items: Vec<UserSession>,
}

impl UserSessionList {
    /// A list of sessions.
    pub fn new(items: Vec<UserSession>) -> Self {
        Self { api_version: API_VERSION.into(), kind: "UserSessionList".into(), items }
    }
}

/// Why a session is ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EndSession {
    /// Why, as it is told to whoever is cut.
    #[serde(default)]
    pub reason: String,
}

/// What was ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SessionEnded {
    /// The session.
    pub id: String,
    /// Whose it was.
    pub user: String,
    /// How many requests were under way in it.
    pub requests: u64,
    /// Until when nobody comes in by it: as long as it would have held.
    #[schema(value_type = String, format = DateTime)]
    pub until: Timestamp,
}

/// A confirmation that a protected cluster is to be changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Confirmed {
    /// The cluster.
    #[schema(value_type = String)]
    pub cluster: ClusterId,
    /// Until when it holds, for who said it.
    #[schema(value_type = String, format = DateTime)]
    pub until: Timestamp,
}
