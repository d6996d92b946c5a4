//! What the two ends say to each other beside the bytes of requests.
//!
//! The mux below has words for "reset" and "go away" and none for a reason, so everything that needs words is an
//! HTTP exchange on a stream with [`crate::Purpose::Control`]: `POST` of JSON to a path under `/trunkline/v1/`.

use serde::{Deserialize, Serialize};

use crate::SpoolReport;

/// The calls there are, by either end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ControlCall {
    /// Agent to gateway, first on a link: [`crate::Hello`] → [`crate::Welcome`] or [`crate::Rejection`].
    Hello,
    /// Either way: nothing in, nothing out; the answer is a sign of life.
    Ping,
    /// Agent to gateway: [`StatusReport`].
    Status,
    /// Either way: [`Drain`]; the sender opens no more streams here and wants none.
    Drain,
    /// Gateway to agent: [`LinkWish`].
    Links,
    /// Agent to gateway: [`crate::Renewal`] → [`crate::Certified`] or [`crate::EnrolRefusal`].
    Renew,
    /// Gateway to agent: [`crate::Trust`].
    Trust,
}

impl ControlCall {
    /// The call's path.
    pub fn path(self) -> &'static str {
        match self {
            Self::Hello => "/trunkline/v1/hello",
            Self::Ping => "/trunkline/v1/ping",
            Self::Status => "/trunkline/v1/status",
            Self::Drain => "/trunkline/v1/drain",
            Self::Links => "/trunkline/v1/links",
            Self::Renew => "/trunkline/v1/renew",
            Self::Trust => "/trunkline/v1/trust",
        }
    }

    /// The call with this path, if there is one.
    pub fn from_path(path: &str) -> Option<Self> {
        [Self::Hello, Self::Ping, Self::Status, Self::Drain, Self::Links, Self::Renew, Self::Trust]
            .into_iter()
            .find(|call| call.path() == path)
    }
}

/// How the agent's cluster is doing; sent after the hello and whenever it changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusReport {
    /// Whether the API server answers.
    pub upstream: UpstreamState,
    /// The API server's version, once known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kubernetes: Option<String>,
    /// How many nodes the cluster has, where the agent may count them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nodes: Option<u32>,
    /// What is wrong, for people; empty when all is well.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// What of the rights that it needs the agent has; none before it was found out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rights: Option<RightsReport>,
    /// What waits in the agent's spools; of this agent alone, where the rest is the cluster's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub logs: Vec<SpoolReport>,
}

/// The most rights that an agent asks its API server about.
pub const MAX_RIGHTS: usize = 64;

/// Which of its rights in its cluster an agent has, by the API server's word (`SelfSubjectAccessReview`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RightsReport {
    /// How many were asked about.
    pub asked: u16,
    /// Those it has not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<Right>,
    /// Why they could not be asked about; empty if they were.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub fault: String,
}

/// A right in Kubernetes' words, of the core API group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Right {
    /// The verb.
    pub verb: String,
    /// The resource.
    pub resource: String,
    /// The one object it is about; empty for all.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Whether no request can be served without it.
    pub needed: bool,
}

impl std::fmt::Display for Right {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.verb, self.resource)?;
        if self.name.is_empty() { Ok(()) } else { write!(f, " {:?}", self.name) }
    }
}

/// Whether the API server answers the agent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UpstreamState {
    /// It answers.
    Up,
    /// It does not.
    Down,
    /// Not asked yet.
    #[default]
    #[serde(other)]
    Unknown,
}

/// "Open elsewhere first": the sender is going away; what is in flight may finish.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drain {
    /// How long what is in flight has, in milliseconds.
    pub grace_ms: u64,
    /// Why, for people.
    pub message: String,
}

/// How many links of the `api` lane the gateway would like to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkWish {
    /// Wanted links, the first one included.
    pub api: u16,
}
