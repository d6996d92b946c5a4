//! Why a session ended.

use std::fmt;

/// Why a session ended, as the end that ended it sees it; the other end sees the link close.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CloseReason {
    /// It was drained and nothing was in flight, or the grace was over.
    Drained,
    /// This end is shutting down.
    Shutdown,
    /// The other end said nothing, not even an answer to a ping.
    Silent,
    /// The link ended or broke.
    LinkLost(String),
    /// The other end broke the rules of the mux.
    Protocol(String),
    /// A newer agent process holds the slot.
    Fenced,
    /// The certificate was revoked.
    Revoked,
    /// The certificate's time is over.
    Expired,
    /// The cluster was locked.
    Locked,
    /// The cluster was removed from the fleet.
    Removed,
}

impl CloseReason {
    /// The reason's word, for metrics.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Drained => "drained",
            Self::Shutdown => "shutdown",
            Self::Silent => "silent",
            Self::LinkLost(_) => "link_lost",
            Self::Protocol(_) => "protocol",
            Self::Fenced => "fenced",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
            Self::Locked => "locked",
            Self::Removed => "removed",
        }
    }
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LinkLost(why) => write!(f, "the link was lost: {why}"),
            Self::Protocol(why) => write!(f, "the other end broke the protocol: {why}"),
            Self::Silent => f.write_str("the other end fell silent"),
            Self::Drained => f.write_str("drained"),
            Self::Shutdown => f.write_str("shutting down"),
            Self::Fenced => f.write_str("a newer agent holds the slot"),
            Self::Revoked => f.write_str("the certificate was revoked"),
            Self::Expired => f.write_str("the certificate expired"),
            Self::Locked => f.write_str("the cluster was locked"),
            Self::Removed => f.write_str("the cluster was removed"),
        }
    }
}
