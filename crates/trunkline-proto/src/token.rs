//! A token that was made for one cluster and goes through to it, beside what signs its bearer in at the gateway.
//!
//! ```text
//! Authorization: Bearer FIRST~SECOND      who asks ~ what goes through to the cluster
//! Authorization: Bearer ~SECOND           who asks is said by the connection's certificate
//! ```
//!
//! Clients such as kubectl can show one bearer token and no field of their own, so both travel in it. Neither a JWT nor a token of
//! the gateway's own holds a `~`, so that there is one way to read it; RFC 6750 allows it.
//!
//! Invariants:
//! - a [`ClusterToken`] has the shape of a JWT and is shown by nothing but [`ClusterToken::reveal`]: no `Display`, and a
//!   `Debug` that tells nothing;
//! - its bytes are wiped when it is dropped.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

/// What stands between the two tokens.
pub const BESIDE: char = '~';
/// The longest cluster token, in bytes.
pub const MAX_CLUSTER_TOKEN: usize = 16 * 1024;

/// A token that was made for one cluster. It is a secret, and not verified: the cluster's API server does that.
#[derive(Clone, PartialEq, Eq)]
pub struct ClusterToken(Zeroizing<String>);

/// Why a text is no cluster token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidClusterToken {
    /// There is too much of it.
    #[error("it is longer than {MAX_CLUSTER_TOKEN} bytes")]
    TooLong,
    /// It is not `a.b.c` in base64url.
    #[error("it is no JWT: three parts in base64url, with dots between them")]
    Shape,
    /// There is more than one.
    #[error("a {BESIDE} stands twice in it")]
    Twice,
}

impl ClusterToken {
    /// A token of a text that has its shape.
    ///
    /// # Errors
    /// When it has not.
    pub fn parse(text: &str) -> Result<Self, InvalidClusterToken> {
        if text.len() > MAX_CLUSTER_TOKEN {
            return Err(InvalidClusterToken::TooLong);
        }
        let part = |part: &str| {
            !part.is_empty()
                && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        };
        if text.split('.').count() != 3 || !text.split('.').all(part) {
            return Err(InvalidClusterToken::Shape);
        }
        Ok(Self(Zeroizing::new(text.to_owned())))
    }

    /// The token itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The one bearer token that shows both; `first` is empty where a certificate says who asks.
    pub fn beside(&self, first: &str) -> Zeroizing<String> {
        let mut both = Zeroizing::new(String::with_capacity(first.len() + 1 + self.0.len()));
        both.push_str(first);
        both.push(BESIDE);
        both.push_str(&self.0);
        both
    }
}

/// What a bearer token shows: the first, empty where there is none, and the second, if it holds one.
///
/// # Errors
/// When what stands behind the `~` cannot be a cluster token.
pub fn split_bearer(token: &str) -> Result<(&str, Option<ClusterToken>), InvalidClusterToken> {
    match token.split_once(BESIDE) {
        None => Ok((token, None)),
        Some((_, second)) if second.contains(BESIDE) => Err(InvalidClusterToken::Twice),
        Some((first, second)) => ClusterToken::parse(second).map(|second| (first, Some(second))),
    }
}

impl fmt::Debug for ClusterToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClusterToken(hidden)")
    }
}

impl Serialize for ClusterToken {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ClusterToken {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_tokens_in_one_are_told_apart_as_they_were_put_together() {
        let second = ClusterToken::parse("aa.bb.cc").unwrap();
        for first in ["", "x.y.z", "tls_abc-_"] {
            let both = second.beside(first);
            assert_eq!(split_bearer(&both), Ok((first, Some(second.clone()))), "{first}");
        }
        assert_eq!(split_bearer("x.y.z"), Ok(("x.y.z", None)));
        assert_eq!(split_bearer(""), Ok(("", None)));
    }

    #[test]
    fn what_is_no_token_for_a_cluster_is_refused_and_never_left_out() {
        for (bad, why) in [
            ("x~", InvalidClusterToken::Shape),
            ("~", InvalidClusterToken::Shape),
            ("x~a.b", InvalidClusterToken::Shape),
            ("x~a.b.c.d", InvalidClusterToken::Shape),
            ("x~a..c", InvalidClusterToken::Shape),
            ("x~a.b.", InvalidClusterToken::Shape),
            ("x~a.b.c=", InvalidClusterToken::Shape),
            ("x~a.b.c d", InvalidClusterToken::Shape),
            ("x~a.b.c\r\nd", InvalidClusterToken::Shape),
            ("x~a.b.\u{e9}", InvalidClusterToken::Shape),
            ("x~a.b.c~", InvalidClusterToken::Twice),
            ("x~~a.b.c", InvalidClusterToken::Twice),
            ("~a.b.c~d.e.f", InvalidClusterToken::Twice),
        ] {
            assert_eq!(split_bearer(bad), Err(why), "{bad}");
        }
        let long = format!("a.b.{}", "c".repeat(MAX_CLUSTER_TOKEN - 4));
        assert!(ClusterToken::parse(&long).is_ok());
        assert_eq!(ClusterToken::parse(&format!("{long}c")), Err(InvalidClusterToken::TooLong));
    }

    #[test]
    fn t37_a_cluster_token_is_shown_by_nothing_that_is_logged() {
        let token = ClusterToken::parse("secret.secret.secret").unwrap();
        assert!(!format!("{token:?}").contains("secret"));
        let wrong = serde_json::from_str::<ClusterToken>("\"secret secret\"").unwrap_err();
        assert!(!wrong.to_string().contains("secret"), "{wrong}");
    }
}
