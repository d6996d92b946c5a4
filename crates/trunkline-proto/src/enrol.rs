//! Enrolment: how an agent exchanges its join token and the proof of a key for a certificate.
//!
//! The agent dials the tunnel door with ALPN [`ENROL_ALPN`] and shows a self-signed certificate of its **cluster key**:
//! TLS itself proves that it holds that key. What follows is one HTTP/1.1 exchange, `POST` [`ENROL_PATH`], with an
//! [`EnrolRequest`] for one slot. The first one for a cluster brings the join token and pins the cluster key; each
//! later one needs the key only, however long the agent was away, within the gateway's bound.
//!
//! A live agent renews over its tunnel instead: [`crate::ControlCall::Renew`].

use serde::{Deserialize, Serialize};

use crate::{ClusterId, ClusterUid, Slot};

/// What a link for enrolment speaks, by TLS's word for it.
pub const ENROL_ALPN: &[u8] = b"trunkline-enrol/1";
/// Where an [`EnrolRequest`] is posted.
pub const ENROL_PATH: &str = "/trunkline/v1/enrol";
/// The most slots a cluster's agent has.
pub const MAX_SLOTS: u16 = 16;

/// An agent asks for a slot's certificate.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnrolRequest {
    /// The cluster it belongs to.
    pub cluster: ClusterId,
    /// The slot the certificate is for.
    pub slot: Slot,
    /// The join token, where the agent has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// The certificate signing request (PEM) of the slot's key. Only its key counts; what it names is not read.
    pub csr: String,
    /// The agent's version, for people.
    pub software: String,
    /// The agent's clock, in seconds since 1970.
    pub now: i64,
}

impl std::fmt::Debug for EnrolRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EnrolRequest")
            .field("cluster", &self.cluster)
            .field("slot", &self.slot)
            .field("token", &self.token.as_ref().map(|_| "(hidden)"))
            .field("software", &self.software)
            .finish_non_exhaustive()
    }
}

/// A certificate was issued: the answer to an [`EnrolRequest`] and to a [`Renewal`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certified {
    /// The cluster's uid, as the certificate has it.
    pub uid: ClusterUid,
    /// The certificate (PEM).
    pub certificate: String,
    /// The roots of the tunnel (PEM) that the agent is to trust from here on, in place of those before.
    pub roots: String,
    /// When the certificate ends, in seconds since 1970.
    pub not_after: i64,
    /// The gateway's clock, in seconds since 1970.
    pub now: i64,
}

/// A live agent asks for its slot's next certificate; slot and cluster are those of its link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Renewal {
    /// The certificate signing request (PEM) of a new key.
    pub csr: String,
}

/// The gateway tells its live agents which roots to trust; they answer once they do, and renew at once if told so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trust {
    /// The roots of the tunnel (PEM), in place of those before.
    pub roots: String,
    /// Whether the agent is to renew its certificate now.
    pub renew: bool,
}

/// No certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{reason}: {message}")]
pub struct EnrolRefusal {
    /// Why, for programs.
    pub reason: EnrolReason,
    /// Why and what to do, for people.
    pub message: String,
}

/// Why there is no certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum EnrolReason {
    /// No such cluster is registered.
    ClusterUnknown,
    /// The cluster is locked.
    ClusterLocked,
    /// The key is not the one pinned for the cluster, and there is no token.
    KeyUnknown,
    /// No such token was handed out, or another has replaced it.
    TokenUnknown,
    /// The token was handed out for another cluster.
    TokenForOtherCluster,
    /// The token was used, by another key.
    TokenUsed,
    /// The token's time is over.
    TokenExpired,
    /// The agent was away for longer than its key alone is believed.
    AwayTooLong,
    /// The request for a certificate does not parse, is not signed by its key, or names an unusable key.
    BadRequest,
    /// The slot's number is too high.
    SlotTooHigh,
    /// The slot is held by another process and contended for.
    SlotContended,
    /// The gateway issues no certificates.
    NotIssuing,
    /// Too many attempts; try again later.
    TooMany,
    /// The gateway cannot now; try again.
    Unavailable,
    /// A reason that this build has no word for.
    #[serde(other)]
    Unknown,
}

impl EnrolReason {
    /// The reason as programs see it: in logs, metrics and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ClusterUnknown => "ClusterUnknown",
            Self::ClusterLocked => "ClusterLocked",
            Self::KeyUnknown => "KeyUnknown",
            Self::TokenUnknown => "TokenUnknown",
            Self::TokenForOtherCluster => "TokenForOtherCluster",
            Self::TokenUsed => "TokenUsed",
            Self::TokenExpired => "TokenExpired",
            Self::AwayTooLong => "AwayTooLong",
            Self::BadRequest => "BadRequest",
            Self::SlotTooHigh => "SlotTooHigh",
            Self::SlotContended => "SlotContended",
            Self::NotIssuing => "NotIssuing",
            Self::TooMany => "TooMany",
            Self::Unavailable => "Unavailable",
            Self::Unknown => "Unknown",
        }
    }
}

impl std::fmt::Display for EnrolReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
