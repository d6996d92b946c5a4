//! Who is asking, by which proof, and in which sign-in.
//!
//! Invariants:
//! - nothing in a [`Principal`] is a secret: all of it may stand in logs, audit and answers;
//! - a [`UserSessionId`] is the same for every request of one sign-in, and another sign-in's is another.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use sha2::{Digest as _, Sha256};
use trunkline_pki::ClientIdentity;

/// The authenticated identity of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Principal {
    pub(crate) user: String,
    pub(crate) groups: Vec<String>,
    /// By which proof.
    pub(crate) how: How,
    /// The sign-in that the request is of.
    pub(crate) session: UserSessionId,
    /// When the proof ends; what is under way ends with it.
    pub(crate) expires: Option<SystemTime>,
}

/// By which proof somebody is who they say. Its `Display` is one word for logs and audit, and stays as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// A client certificate.
    Certificate,
    /// An ID token of an issuer, by the name it has here.
    Oidc { issuer: Arc<str> },
    /// The token of a service account of the management cluster.
    ServiceAccount,
    /// A browser's session.
    Web,
    /// A local user's session on the command line.
    Local,
}

impl fmt::Display for How {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Certificate => f.write_str("certificate"),
            Self::Oidc { issuer } => write!(f, "oidc:{issuer}"),
            Self::ServiceAccount => f.write_str("serviceaccount"),
            Self::Web => f.write_str("web"),
            Self::Local => f.write_str("local"),
        }
    }
}

/// Names one sign-in of one user: printable, at most 64 bytes, and no secret.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct UserSessionId(Arc<str>);

/// The longest serial that stands in an id as it is, in hexadecimal digits: RFC 5280 allows no longer one.
const MAX_SERIAL: usize = 40;

impl UserSessionId {
    /// The sign-in that is a certificate: as long as that is used.
    pub(crate) fn of_certificate(identity: &ClientIdentity) -> Self {
        let serial = identity.serial.to_string();
        if serial.len() <= MAX_SERIAL {
            return Self(format!("cert-{serial}").into());
        }
        Self::hashed("cert", &[serial.as_bytes()])
    }

    /// The sign-in of which an issuer's token is: what of the token names it, and by which claim.
    pub(super) fn of_token(issuer: &str, subject: &str, claim: &str, value: &str) -> Self {
        Self::hashed("oidc", &[issuer, subject, claim, value].map(str::as_bytes))
    }

    /// The sign-in that is a service account's token.
    pub(super) fn of_service_account(token: &str) -> Self {
        Self::hashed("sa", &[token.as_bytes()])
    }

    /// A new sign-in that the gateway itself keeps.
    pub(super) fn random(prefix: &str) -> Self {
        Self(format!("{prefix}-{}", uuid::Uuid::new_v4().simple()).into())
    }

    /// A sign-in that is named by a hash of what is its own: `prefix` and 128 bits.
    fn hashed(prefix: &str, parts: &[&[u8]]) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            // Each part's length stands before it, so that no two lists of parts are the same bytes.
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        let hex: String = hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        Self(format!("{prefix}-{hex}").into())
    }

    /// The id as text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserSessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Principal {
    /// Whether the proof has ended by `now`.
    pub(crate) fn has_ended(&self, now: SystemTime) -> bool {
        self.expires.is_some_and(|ends| ends <= now)
    }

    /// Who a verified client certificate says its holder is.
    pub(crate) fn of_certificate(identity: &ClientIdentity) -> Self {
        Self {
            user: identity.user.clone(),
            groups: identity.groups.clone(),
            how: How::Certificate,
            session: UserSessionId::of_certificate(identity),
            expires: Some(identity.not_after),
        }
    }
}

#[cfg(test)]
impl Principal {
    /// Somebody with a certificate, for tests.
    pub(crate) fn for_test(user: &str, groups: &[&str]) -> Self {
        Self {
            user: user.into(),
            groups: groups.iter().map(|group| (*group).into()).collect(),
            how: How::Certificate,
            session: UserSessionId("cert-1".into()),
            expires: None,
        }
    }

    /// Somebody in this session, for tests.
    pub(crate) fn for_session(session: &str) -> Self {
        Self { session: UserSessionId(session.into()), ..Self::for_test("jane", &[]) }
    }
}

#[cfg(test)]
mod tests {
    use trunkline_pki::Serial;

    use super::*;

    #[test]
    fn a_sign_in_by_certificate_is_named_by_its_serial_and_is_never_too_long() {
        let identity = |serial: &[u8]| ClientIdentity {
            user: "jane".into(),
            groups: vec![],
            serial: Serial::from_bytes(serial),
            not_after: SystemTime::UNIX_EPOCH,
        };
        assert_eq!(UserSessionId::of_certificate(&identity(&[0x0a, 0xff])).as_str(), "cert-aff");
        for length in [20, 21, 64] {
            let id = UserSessionId::of_certificate(&identity(&vec![0xff; length]));
            assert!(id.as_str().len() <= 64, "{id}");
        }
        let principal = Principal::of_certificate(&identity(&[1]));
        assert_eq!(principal.how.to_string(), "certificate");
        assert_eq!(principal.expires, Some(SystemTime::UNIX_EPOCH));
    }
}
