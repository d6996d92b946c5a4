//! The typed head that every request on a stream carries: what it is for and who asks.
//!
//! Identity never travels as an ordinary header: the same hole was found again and again where it did
//! (CVE-2021-31999: a client's `Connection: Impersonate-User` made a library strip what the proxy had added).
//! The gateway alone writes a head, from values it verified; the agent turns it into `Impersonate-*` as its
//! last step, after its own allow-list said yes. Where the agent impersonates nobody, a head holds the token that was made
//! for its cluster instead, and the agent writes `Authorization` of it.
//!
//! On the wire a head is one header, [`HEAD_HEADER`]: base64url of JSON. Neither end forwards it.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, HeaderValue};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{ClusterToken, Epoch, LogBatch, RequestId};

/// The header that carries a head.
pub const HEAD_HEADER: &str = "x-trunkline-head";

/// The longest encoded head that is accepted, in bytes; room for about 500 groups of 60 bytes.
pub const MAX_HEAD_BYTES: usize = 48 * 1024;

/// What a request on a stream is for and who asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamHead {
    /// The id that logs on both ends share.
    pub request: RequestId,
    /// The epoch the opener believes to be in force.
    pub epoch: Epoch,
    /// What the request is for.
    pub purpose: Purpose,
}

/// What a request on a stream is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// A Kubernetes request on behalf of this identity.
    Kubernetes(Identity),
    /// A Kubernetes request with the token that its client brought for the cluster: for an agent that passes through.
    PassThrough(ClusterToken),
    /// A word between the two ends themselves.
    Control,
    /// A batch of records that an agent hands in.
    Logs(LogBatch),
}

/// Who a Kubernetes request is made for, as Kubernetes names a user.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// User name.
    pub user: String,
    /// Unique id of the user, if the authenticator knows one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
    /// Groups.
    #[serde(default)]
    pub groups: Vec<String>,
    /// Extra attributes: lower-case key to values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub extra: BTreeMap<String, Vec<String>>,
}

/// Why a request on a stream has no usable head.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum InvalidHead {
    /// There is none.
    #[error("the request carries no stream head")]
    Missing,
    /// There is more than one.
    #[error("the request carries {0} stream heads")]
    Repeated(usize),
    /// It is longer than [`MAX_HEAD_BYTES`].
    #[error(
        "the stream head is {0} bytes long, more than {MAX_HEAD_BYTES}; does the user have too many groups?"
    )]
    TooLong(usize),
    /// It is not base64url of the expected JSON.
    #[error("the stream head does not parse")]
    Malformed,
}

impl StreamHead {
    /// The head of a control call.
    pub fn control(epoch: Epoch) -> Self {
        Self { request: RequestId::random(), epoch, purpose: Purpose::Control }
    }

    /// The head of a batch of records.
    pub fn logs(epoch: Epoch, batch: LogBatch) -> Self {
        Self { request: RequestId::random(), epoch, purpose: Purpose::Logs(batch) }
    }

    /// Encodes the head as a header value, which no `Debug` shows.
    pub fn encode(&self) -> Result<HeaderValue, InvalidHead> {
        let json = Zeroizing::new(serde_json::to_vec(self).map_err(|_| InvalidHead::Malformed)?);
        let text = Zeroizing::new(URL_SAFE_NO_PAD.encode(&json));
        if text.len() > MAX_HEAD_BYTES {
            return Err(InvalidHead::TooLong(text.len()));
        }
        let mut value = HeaderValue::try_from(text.as_str()).map_err(|_| InvalidHead::Malformed)?;
        value.set_sensitive(true);
        Ok(value)
    }

    /// Takes the head out of a request's headers.
    pub fn take(headers: &mut HeaderMap) -> Result<Self, InvalidHead> {
        let count = headers.get_all(HEAD_HEADER).iter().count();
        let value = headers.remove(HEAD_HEADER).ok_or(InvalidHead::Missing)?;
        if count > 1 {
            return Err(InvalidHead::Repeated(count));
        }
        if value.len() > MAX_HEAD_BYTES {
            return Err(InvalidHead::TooLong(value.len()));
        }
        let json = URL_SAFE_NO_PAD.decode(value.as_bytes()).map_err(|_| InvalidHead::Malformed)?;
        let json = Zeroizing::new(json);
        serde_json::from_slice(&json).map_err(|_| InvalidHead::Malformed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(groups: usize) -> StreamHead {
        let groups = (0..groups).map(|n| format!("group-{n:054}")).collect();
        let identity = Identity { user: "jane\u{e9}".into(), groups, ..Identity::default() };
        StreamHead { request: RequestId::random(), epoch: Epoch(3), purpose: Purpose::Kubernetes(identity) }
    }

    #[test]
    fn a_head_survives_the_wire_and_is_taken_off_the_request() {
        let sent = head(500);
        let mut headers = HeaderMap::new();
        headers.insert(HEAD_HEADER, sent.encode().unwrap());
        assert_eq!(StreamHead::take(&mut headers), Ok(sent));
        assert_eq!(StreamHead::take(&mut headers), Err(InvalidHead::Missing));
    }

    #[test]
    fn a_head_carries_a_cluster_token_and_shows_it_to_nobody() {
        let token = ClusterToken::parse(&format!("aa.bb.{}", "c".repeat(16_000))).unwrap();
        let sent = StreamHead {
            request: RequestId::random(),
            epoch: Epoch(3),
            purpose: Purpose::PassThrough(token.clone()),
        };
        let value = sent.encode().unwrap();
        assert!(!format!("{value:?} {sent:?}").contains("ccc"));
        let mut headers = HeaderMap::new();
        headers.insert(HEAD_HEADER, value);
        assert_eq!(StreamHead::take(&mut headers).unwrap().purpose, Purpose::PassThrough(token));
        // A token that no client could have brought is no token here either.
        let forged =
            serde_json::json!({"request": sent.request, "epoch": 3, "purpose": {"pass-through": "a b"}});
        headers.insert(HEAD_HEADER, URL_SAFE_NO_PAD.encode(forged.to_string()).parse().unwrap());
        assert_eq!(StreamHead::take(&mut headers), Err(InvalidHead::Malformed));
    }

    #[test]
    fn two_heads_are_none() {
        let mut headers = HeaderMap::new();
        headers.append(HEAD_HEADER, head(1).encode().unwrap());
        headers.append(HEAD_HEADER, head(1).encode().unwrap());
        assert_eq!(StreamHead::take(&mut headers), Err(InvalidHead::Repeated(2)));
    }

    #[test]
    fn too_many_groups_are_refused_by_the_writer() {
        assert!(matches!(head(5000).encode(), Err(InvalidHead::TooLong(_))));
    }
}
