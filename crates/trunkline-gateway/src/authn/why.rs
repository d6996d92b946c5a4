//! Why somebody is not let in: one word for metrics, and words for people that say what to do.
//!
//! Invariant: nothing of a token, a password or a code is in them; of claims only what is nobody's secret.

use std::time::Duration;

use trunkline_proto::InvalidClusterToken;

/// Why somebody is not let in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Why {
    #[error("Authorization is not of the kind Bearer, the only one that is read here")]
    NotBearer,
    #[error("the token is longer than 16 KiB")]
    TooLong,
    #[error("the token is none that is known here; sign in again (trunkline login)")]
    Unknown,
    #[error("the token is malformed: {0}")]
    Malformed(&'static str),
    #[error("the token for the cluster is not usable: {0}")]
    ClusterToken(InvalidClusterToken),
    #[error(
        "the token for the cluster is the very one that signs you in here, which goes to no cluster; get one that was made for it"
    )]
    SameToken,
    #[error("a token for a cluster goes to a cluster's paths only; leave it out here")]
    NotHere,
    #[error("the token is signed with an algorithm that is not accepted of its issuer")]
    Algorithm,
    #[error("the token is of an issuer that this gateway does not know ({0:?})")]
    Issuer(String),
    #[error("the issuer {0} has no key by the name that the token gives; sign in again (trunkline login)")]
    Key(String),
    #[error("the token's signature is not its issuer's")]
    Signature,
    #[error("the token is for somebody else: its audience is not this gateway's client")]
    Audience,
    #[error("your sign-in ended at {at} ({ago} ago by this gateway's clock); run trunkline login", ago = span(*ago))]
    Ended { at: jiff::Timestamp, ago: Duration },
    #[error(
        "the token {claim} {ahead} ahead of this gateway's clock; one of the two clocks is wrong: set it (NTP)",
        ahead = span(*ahead)
    )]
    Clock { claim: &'static str, ahead: Duration },
    #[error("the token's claim {claim} {what}")]
    Claim { claim: String, what: &'static str },
    #[error("the {what} is not accepted: {why}")]
    Name { what: &'static str, why: &'static str },
    #[error(
        "the management cluster does not know the token, or it has ended; get a new one (kubectl create token)"
    )]
    NotAuthenticated,
    #[error("the token is not a service account's, and no other of the management cluster's users is taken")]
    NotServiceAccount,
    #[error("your session ended or is not known; sign in again")]
    Session,
    #[error(
        "the field x-trunkline-csrf, of a WebSocket the protocol trunkline.csrf.<token>, is missing or not this session's; read the \
         token from /trunkline/v1/auth/session"
    )]
    Csrf,
    #[error("with a session, the request must say which page it comes from (Origin or Sec-Fetch-Site)")]
    NoOrigin,
    #[error("the name or the password is wrong")]
    Password,
    #[error("the code is wrong, was used, or has ended; the gateway's log says how to get another")]
    Code,
    #[error("the sign-in was not begun in this browser, or took longer than 10 minutes; begin again")]
    State,
}

impl Why {
    /// One word, for metrics.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::NotBearer => "NotBearer",
            Self::TooLong => "TooLong",
            Self::Unknown => "Unknown",
            Self::Malformed(_) => "Malformed",
            Self::ClusterToken(_) | Self::SameToken | Self::NotHere => "ClusterToken",
            Self::Algorithm => "Algorithm",
            Self::Issuer(_) => "Issuer",
            Self::Key(_) => "Key",
            Self::Signature => "Signature",
            Self::Audience => "Audience",
            Self::Ended { .. } => "Ended",
            Self::Clock { .. } => "Clock",
            Self::Claim { .. } => "Claim",
            Self::Name { .. } => "Name",
            Self::NotAuthenticated => "NotAuthenticated",
            Self::NotServiceAccount => "NotServiceAccount",
            Self::Session => "Session",
            Self::Csrf => "Csrf",
            Self::NoOrigin => "NoOrigin",
            Self::Password => "Password",
            Self::Code => "Code",
            Self::State => "State",
        }
    }
}

/// A span in its largest unit.
fn span(span: Duration) -> String {
    match span.as_secs() {
        seconds @ ..120 => format!("{seconds} s"),
        seconds @ 120..7200 => format!("{} min", seconds / 60),
        seconds @ 7200..172_800 => format!("{} h", seconds / 3600),
        seconds => format!("{} days", seconds / 86_400),
    }
}

/// Why no principal came of a credential.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Denied {
    /// It is not good.
    #[error(transparent)]
    Refused(#[from] Why),
    /// Who has to judge it is away.
    #[error("{0}")]
    Unavailable(String),
}
