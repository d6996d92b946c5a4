//! Signing in: which ways there are, and what is sent and given for it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Which ways there are to sign in at a gateway, beside client certificates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SignInMethods {
    /// OpenID providers.
    pub issuers: Vec<SignInIssuer>,
    /// Whether there are local users, with passwords.
    pub local: bool,
    /// Whether the first-run code is waited for, which makes the first local user.
    pub setup: bool,
    /// Whether service accounts of the management cluster are taken.
    pub service_accounts: bool,
}

/// An OpenID provider to sign in at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SignInIssuer {
    /// What the gateway calls it.
    pub name: String,
    /// Its URL.
    pub url: String,
    /// The command line's client there.
    pub client_id: String,
    /// What is asked for.
    pub scopes: Vec<String>,
    /// PEM of the roots of its certificate; public ones when null.
    pub roots: Option<String>,
}

/// A text that is shown to nobody: its `Debug` hides it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct Hidden(pub String);

impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(hidden)")
    }
}

/// A local user signs in.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LocalSignIn {
    /// The user.
    pub user: String,
    /// The password.
    #[schema(value_type = String)]
    pub password: Hidden,
    /// Whether a bearer token is wanted in place of a browser's session.
    #[serde(default)]
    pub token: bool,
}

/// The first local user is made, an admin.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetUp {
    /// The first-run code, which the gateway printed once.
    #[schema(value_type = String)]
    pub code: Hidden,
    /// What the user is to be called.
    pub user: String,
    /// The user's password: 12 to 256 bytes.
    #[schema(value_type = String)]
    pub password: Hidden,
    /// Whether a bearer token is wanted in place of a browser's session.
    #[serde(default)]
    pub token: bool,
}

/// Who signed in, as the gateway sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SignedIn {
    /// The user.
    pub user: String,
    /// The user's groups.
    pub groups: Vec<String>,
    /// By which proof: `certificate`, `oidc:NAME`, `serviceaccount`, `web` or `local`.
    pub how: String,
    /// Names the sign-in, in logs and audit.
    pub session: String,
    /// When it ends.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires: Option<Timestamp>,
    /// What a browser sends as `x-trunkline-csrf` with what changes anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub csrf: Option<String>,
    /// The bearer token, where one was asked for. Shown once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub token: Option<Hidden>,
}

/// A ticket to be had, for a terminal.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewTicket {
    /// Path and query of an exec or attach as the cluster's API server has it, byte for byte as it will be opened.
    pub path: String,
}

/// A ticket: good once, for the sign-in that got it and for what it was got for.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Ticket {
    /// The ticket; goes among the protocols of the WebSocket, behind `trunkline.ticket.`.
    #[schema(value_type = String)]
    pub ticket: Hidden,
    /// Until when it is good.
    #[schema(value_type = String, format = DateTime)]
    pub expires: Timestamp,
}

/// A local user to make.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewLocalUser {
    /// What the user is to be called.
    pub name: String,
    /// The user's groups.
    #[serde(default)]
    pub groups: Vec<String>,
    /// The user's password: 12 to 256 bytes.
    #[schema(value_type = String)]
    pub password: Hidden,
}

/// A local user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LocalUser {
    /// What the user is called.
    pub name: String,
    /// The user's groups.
    pub groups: Vec<String>,
    /// Since when there is that user.
    #[schema(value_type = String, format = DateTime)]
    pub created: Timestamp,
}

/// All local users.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LocalUserList {
    /// They.
    pub items: Vec<LocalUser>,
}
