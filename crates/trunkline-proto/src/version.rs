//! Versions of the tunnel protocol and what an end can do.
//!
//! Both ends name the newest version they speak and the oldest they still accept; the session runs on the
//! newest that both know. A release accepts the two minor versions before its own.

use serde::{Deserialize, Serialize};

/// A version of the tunnel protocol; the ALPN name holds the major version, this is the minor one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ProtocolVersion(pub u16);

/// The version this build speaks.
pub const PROTOCOL: ProtocolVersion = ProtocolVersion(1);

/// How many minor versions back the other end may be.
const SKEW: u16 = 2;

/// Why two ends cannot talk.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "protocol versions do not meet: this end speaks {ours_oldest} to {ours}, the other {theirs_oldest} to \
     {theirs}; upgrade the older one"
)]
pub struct VersionSkew {
    /// Newest version of this end.
    pub ours: u16,
    /// Oldest version this end accepts.
    pub ours_oldest: u16,
    /// Newest version of the other end.
    pub theirs: u16,
    /// Oldest version the other end accepts.
    pub theirs_oldest: u16,
}

impl ProtocolVersion {
    /// The oldest version that an end of version `self` accepts.
    pub fn oldest_accepted(self) -> Self {
        Self(self.0.saturating_sub(SKEW).max(1))
    }

    /// The version a session runs on: the newest that both ends know.
    pub fn meet(self, theirs: Self, theirs_oldest: Self) -> Result<Self, VersionSkew> {
        let agreed = self.min(theirs);
        if agreed >= self.oldest_accepted() && agreed >= theirs_oldest {
            return Ok(agreed);
        }
        Err(VersionSkew {
            ours: self.0,
            ours_oldest: self.oldest_accepted().0,
            theirs: theirs.0,
            theirs_oldest: theirs_oldest.0,
        })
    }
}

/// Something an end can do beyond the protocol version's minimum. Unknown ones are ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Capability {
    /// The agent opens more links when the gateway asks for them.
    MoreLinks,
    /// The gateway takes batches of records.
    Logs,
    /// The agent impersonates nobody: it passes on the token that was made for its cluster, and serves no request without one.
    PassThrough,
    /// What a newer end can do and this one has no word for.
    #[serde(other)]
    Unknown,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t43_two_minor_versions_of_skew_are_served_and_three_are_not() {
        let v = ProtocolVersion;
        assert_eq!(v(5).meet(v(3), v(1)), Ok(v(3)));
        assert_eq!(v(5).meet(v(7), v(5)), Ok(v(5)));
        assert!(v(5).meet(v(2), v(1)).is_err());
        assert!(v(5).meet(v(8), v(6)).is_err());
    }
}
