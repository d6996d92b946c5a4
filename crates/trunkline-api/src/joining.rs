//! How far a cluster's joining is: each step, and where it stands still, why and what to do.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::API_VERSION;

/// What a gateway knows of a cluster's joining.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct JoinReport {
    /// Always `trunkline.dev/v1`.
    pub api_version: String,
    /// Always `JoinReport`.
    pub kind: String,
    /// The cluster.
    pub cluster: String,
    /// Its joining; null where it joined long ago and this gateway does not remember how.
    pub joining: Option<Joining>,
}

impl JoinReport {
    /// What is known of a cluster's joining.
    pub fn new(cluster: String, joining: Option<Joining>) -> Self {
        Self { api_version: API_VERSION.into(), kind: "JoinReport".into(), cluster, joining }
    }
}

/// How far a cluster's joining is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Joining {
    /// When it began: when the join token was handed out, or an agent came that needs another one.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// Whether every step is done.
    pub done: bool,
    /// The steps, in their order. The first that is not done is where it stands; none after it is looked at.
    pub steps: Vec<JoinStep>,
}

impl Joining {
    /// The step it stands at; none when all are done.
    pub fn stands_at(&self) -> Option<&JoinStep> {
        self.steps.iter().find(|step| step.state != JoinState::Done)
    }
}

/// One step of joining.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct JoinStep {
    /// Which.
    pub name: JoinStepName,
    /// How it stands.
    pub state: JoinState,
    /// Since when it is done, or is waited for; absent before its turn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub since: Option<Timestamp>,
    /// What was seen, for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// The round trip of a tunnel that is up, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ms: Option<f64>,
    /// Why it stands still, for programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<JoinStall>,
    /// Why it stands still, for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub cause: String,
    /// What to do about it: in words, or commands one to a line.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub fix: String,
}

/// The steps of joining.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum JoinStepName {
    /// The agent reaches the gateway.
    Contact,
    /// The two ends agree on TLS: the agent finds the root of its pin.
    Tls,
    /// The join token, or the cluster's key, is accepted.
    Token,
    /// A certificate is issued.
    Certificate,
    /// The tunnel is up.
    Tunnel,
    /// The API server answers the agent.
    ApiServer,
    /// The agent has the rights that it needs there.
    Rights,
    /// The first log record has come; only where logs are configured.
    Logs,
}

impl JoinStepName {
    /// The name as it is written everywhere.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Contact => "contact",
            Self::Tls => "tls",
            Self::Token => "token",
            Self::Certificate => "certificate",
            Self::Tunnel => "tunnel",
            Self::ApiServer => "api-server",
            Self::Rights => "rights",
            Self::Logs => "logs",
        }
    }
}

/// How a step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum JoinState {
    /// It is still to come.
    Waiting,
    /// It is done.
    Done,
    /// It should have come by now; it may still come by itself.
    Stalled,
    /// It was tried and refused: it takes somebody to do something.
    Failed,
}

/// Why joining stands still.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub enum JoinStall {
    /// Nothing has come from an agent.
    NoContact,
    /// Who came does not trust the gateway's certificate: another pin, or another certificate on the way.
    WrongPin,
    /// Who came brought no certificate and spoke no protocol of ours: something on the way ends TLS by itself.
    TlsIntercepted,
    /// The agent's clock is off.
    ClockOff,
    /// Who came says that it is a cluster which is not registered here.
    OtherName,
    /// The join token's time is over.
    TokenExpired,
    /// The join token was used by another key.
    TokenUsed,
    /// No such join token, or a newer one has replaced it.
    TokenUnknown,
    /// The join token of another cluster.
    TokenForOtherCluster,
    /// The agent has another key than the cluster's and no token.
    KeyUnknown,
    /// The agent was away for longer than its key alone is believed.
    AwayTooLong,
    /// The cluster is locked.
    ClusterLocked,
    /// The agent's version is too old, or too new.
    VersionSkew,
    /// The gateway said no for another reason.
    Refused,
    /// The agent has its certificate, and no tunnel has come up.
    NoTunnel,
    /// The tunnel came up and was lost.
    TunnelLost,
    /// The API server does not answer the agent.
    ApiServerDown,
    /// The agent lacks a right in its cluster.
    RightMissing,
    /// Whether the agent has its rights could not be found out.
    RightsUnknown,
    /// No record has come.
    NoRecords,
}

/// The last times that links of a cluster came up and went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LinkHistory {
    /// Always `trunkline.dev/v1`.
    pub api_version: String,
    /// Always `LinkHistory`.
    pub kind: String,
    /// The cluster.
    pub cluster: String,
    /// From when on nothing is missing in it.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// What happened, the newest first.
    pub items: Vec<LinkEvent>,
}

impl LinkHistory {
    /// What happened to a cluster's links.
    pub fn new(cluster: String, since: Timestamp, items: Vec<LinkEvent>) -> Self {
        Self { api_version: API_VERSION.into(), kind: "LinkHistory".into(), cluster, since, items }
    }
}

/// A link came up, or went, or was refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LinkEvent {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub when: Timestamp,
    /// What.
    pub what: LinkEventKind,
    /// The address it came from.
    pub from: String,
    /// The agent's place.
    pub slot: u16,
    /// What the link was for: `api` or `logs`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lane: Option<String>,
    /// The epoch of the agent process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<u64>,
    /// Why it went or was refused, for programs.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// The same for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// How often in a row, up to then: who is refused in the same way again and again stands here once.
    pub times: u32,
}

/// What happened to a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LinkEventKind {
    /// It came up.
    Connected,
    /// It went.
    Disconnected,
    /// An agent came and was sent away.
    Refused,
}
