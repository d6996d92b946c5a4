//! The first words on a link: who the agent says it is, and what the gateway grants.
//!
//! The cluster named in a [`Hello`] is never believed: the gateway takes it from the verified certificate and
//! rejects the link when the two differ, so that a mixed-up agent learns of it in words.

use serde::{Deserialize, Serialize};

use crate::{Capability, ClusterId, Epoch, ProtocolVersion};

/// What a session is for. Log batches never share a link with API streams.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lane {
    /// Kubernetes requests.
    #[default]
    Api,
    /// Log batches.
    Logs,
}

/// The agent's first message on a link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// Newest protocol version the agent speaks.
    pub version: ProtocolVersion,
    /// Oldest protocol version the agent accepts.
    pub oldest_version: ProtocolVersion,
    /// The agent's software version, for people.
    pub software: String,
    /// The cluster the agent is configured for; compared with its certificate.
    pub cluster: ClusterId,
    /// A random number of this agent process: links of one process belong together.
    pub instance: u64,
    /// What the session is for.
    #[serde(default)]
    pub lane: Lane,
    /// Place of this link among the process's links of that lane, 0 for the first.
    #[serde(default)]
    pub ordinal: u16,
    /// What the agent can do.
    #[serde(default)]
    pub capabilities: Vec<Capability>,
    /// What the agent lets the gateway open.
    pub limits: Limits,
}

/// How an API server is told whose a request is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IdentityMode {
    /// By impersonation, under the agent's own credential.
    #[default]
    Impersonate,
    /// By a token that the client brought and that was made for this cluster; the agent has no right of its own.
    PassThrough,
}

impl IdentityMode {
    /// The mode as it is written everywhere.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Impersonate => "impersonate",
            Self::PassThrough => "pass-through",
        }
    }
}

impl std::fmt::Display for IdentityMode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Hello {
    /// How the agent tells its API server whose a request is. An agent that has no word for it impersonates.
    pub fn identity_mode(&self) -> IdentityMode {
        match self.capabilities.contains(&Capability::PassThrough) {
            true => IdentityMode::PassThrough,
            false => IdentityMode::Impersonate,
        }
    }
}

/// How much one end lets the other open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Streams the other end may have open at once in one session.
    pub streams: u32,
}

impl Limits {
    /// What a session allows unless configured otherwise.
    pub const DEFAULT: Self = Self { streams: 1024 };
}

/// The gateway's answer to an accepted [`Hello`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// The version the session runs on.
    pub version: ProtocolVersion,
    /// The gateway's software version, for people.
    pub software: String,
    /// The epoch of this agent process.
    pub epoch: Epoch,
    /// What the gateway can do.
    #[serde(default)]
    pub capabilities: Vec<Capability>,
    /// What the gateway lets the agent open.
    pub limits: Limits,
    /// The longest pause before a reconnect, in milliseconds; a loaded gateway raises it.
    pub reconnect_cap_ms: u64,
}

/// The gateway's answer to a [`Hello`] it does not accept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{reason}: {message}")]
pub struct Rejection {
    /// Why, for programs.
    pub reason: RejectionReason,
    /// Why and what to do, for people.
    pub message: String,
}

/// Why a hello is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum RejectionReason {
    /// The certificate names another cluster than the hello.
    IdentityMismatch,
    /// No such cluster is registered at this gateway.
    ClusterUnknown,
    /// The cluster is registered with another uid.
    UidMismatch,
    /// The certificate is on the revocation list.
    CertificateRevoked,
    /// A newer agent process holds the slot.
    Fenced,
    /// The cluster is locked.
    ClusterLocked,
    /// The slot's certificate was replaced by a newer one.
    CertificateSuperseded,
    /// Two processes contend for the slot; the one that was there is kept for a while.
    DuplicateIdentity,
    /// The protocol versions do not meet.
    VersionSkew,
    /// The gateway has as many links as it may.
    TooManyLinks,
    /// The gateway is draining.
    Draining,
    /// A reason that this build has no word for.
    #[serde(other)]
    Unknown,
}

impl RejectionReason {
    /// The reason as programs see it: in logs, metrics and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::IdentityMismatch => "IdentityMismatch",
            Self::ClusterUnknown => "ClusterUnknown",
            Self::UidMismatch => "UidMismatch",
            Self::CertificateRevoked => "CertificateRevoked",
            Self::Fenced => "Fenced",
            Self::ClusterLocked => "ClusterLocked",
            Self::CertificateSuperseded => "CertificateSuperseded",
            Self::DuplicateIdentity => "DuplicateIdentity",
            Self::VersionSkew => "VersionSkew",
            Self::TooManyLinks => "TooManyLinks",
            Self::Draining => "Draining",
            Self::Unknown => "Unknown",
        }
    }
}

impl std::fmt::Display for RejectionReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t43_a_hello_from_a_newer_agent_with_unknown_words_is_understood() {
        let text = r#"{"version":3,"oldest_version":1,"software":"9.9","cluster":"alpha","instance":7,
            "capabilities":["more-links","teleport"],"limits":{"streams":9,"bytes":1},"colour":"blue"}"#;
        let hello: Hello = serde_json::from_str(text).unwrap();
        assert_eq!(hello.capabilities, [Capability::MoreLinks, Capability::Unknown]);
        assert_eq!(hello.lane, Lane::Api);
        assert_eq!(hello.identity_mode(), IdentityMode::Impersonate);
    }

    #[test]
    fn a_hello_with_an_impossible_cluster_is_refused() {
        let text = r#"{"version":1,"oldest_version":1,"software":"1","cluster":"a/b","instance":7,
            "limits":{"streams":9}}"#;
        assert!(serde_json::from_str::<Hello>(text).is_err());
    }
}
