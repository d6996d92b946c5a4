//! Names and numbers that identify things: clusters, slots, epochs, requests.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The id of the management cluster. Reserved: no agent may hold it.
pub const MANAGEMENT: &str = "management";

/// A cluster's stable name: a DNS label (RFC 1123, lower case), so it is safe in a path, a SAN and a metric.
///
/// 1 to 63 bytes of `[a-z0-9-]`, neither first nor last a `-`. Never decoded, trimmed or folded: what is not
/// already an id is refused.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ClusterId(Arc<str>);

/// Why a text is not a [`ClusterId`].
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0:?} is not a cluster id: use 1 to 63 of a-z, 0-9 and '-', not beginning or ending with '-'")]
pub struct InvalidClusterId(pub String);

impl ClusterId {
    /// Whether this is the reserved id of the management cluster.
    pub fn is_management(&self) -> bool {
        &*self.0 == MANAGEMENT
    }

    /// The id's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether `text` is a lower-case DNS label.
fn is_dns_label(text: &str) -> bool {
    let bytes = text.as_bytes();
    let inner = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-';
    (1..=63).contains(&bytes.len())
        && bytes.iter().all(inner)
        && bytes.first() != Some(&b'-')
        && bytes.last() != Some(&b'-')
}

impl FromStr for ClusterId {
    type Err = InvalidClusterId;

    fn from_str(text: &str) -> Result<Self, InvalidClusterId> {
        if is_dns_label(text) { Ok(Self(text.into())) } else { Err(InvalidClusterId(clip(text))) }
    }
}

impl TryFrom<String> for ClusterId {
    type Error = InvalidClusterId;

    fn try_from(text: String) -> Result<Self, InvalidClusterId> {
        text.parse()
    }
}

impl From<ClusterId> for String {
    fn from(id: ClusterId) -> Self {
        id.0.as_ref().into()
    }
}

impl fmt::Display for ClusterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ClusterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// A cluster's immutable identity, whatever it is called: a UUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ClusterUid(uuid::Uuid);

/// Why a text is not a [`ClusterUid`].
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0:?} is not a cluster uid: use a UUID such as 123e4567-e89b-42d3-a456-426614174000")]
pub struct InvalidClusterUid(pub String);

impl ClusterUid {
    /// A new random uid.
    pub fn random() -> Self {
        Self(uuid::Uuid::new_v4())
    }
}

impl FromStr for ClusterUid {
    type Err = InvalidClusterUid;

    fn from_str(text: &str) -> Result<Self, InvalidClusterUid> {
        uuid::Uuid::try_parse(text).map(Self).map_err(|_| InvalidClusterUid(clip(text)))
    }
}

impl TryFrom<String> for ClusterUid {
    type Error = InvalidClusterUid;

    fn try_from(text: String) -> Result<Self, InvalidClusterUid> {
        text.parse()
    }
}

impl From<ClusterUid> for String {
    fn from(uid: ClusterUid) -> Self {
        uid.to_string()
    }
}

impl fmt::Display for ClusterUid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.hyphenated())
    }
}

/// One agent pod's place in its cluster: the ordinal of the agent's StatefulSet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Slot(pub u16);

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// The number of a slot's newest agent process; a lower one is fenced: it may open and answer nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Epoch(pub u64);

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A request's id: what the access log, the audit log of the API server and an error message have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RequestId(uuid::Uuid);

impl RequestId {
    /// A new random request id.
    pub fn random() -> Self {
        Self(uuid::Uuid::new_v4())
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.hyphenated())
    }
}

/// The beginning of a text from outside, short enough to print in an error.
pub(crate) fn clip(text: &str) -> String {
    match text.char_indices().nth(80) {
        Some((at, _)) => format!("{}...", &text[..at]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dns_label_is_a_cluster_id() {
        for good in ["a", "prod-eu", "0", "x1", &"a".repeat(63)] {
            assert_eq!(good.parse::<ClusterId>().unwrap().as_str(), good);
        }
    }

    #[test]
    fn anything_else_is_refused_and_never_repaired() {
        for bad in ["", "-a", "a-", "A", "a_b", "a.b", "a/b", "a%62", "ä", " a", "a\0", &"a".repeat(64)] {
            assert!(bad.parse::<ClusterId>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_overlong_text_is_clipped_in_its_error() {
        let error = "é".repeat(5000).parse::<ClusterId>().unwrap_err();
        assert!(error.to_string().len() < 400);
    }
}
