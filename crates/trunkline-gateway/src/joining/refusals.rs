//! At which step of joining an agent was that was sent away for a reason, and what that means for people. No IO, no clock.

use tokio_rustls::rustls::{AlertDescription as Alert, Error as Tls};
use trunkline_api::{JoinStall as Stall, JoinStepName as Step};
use trunkline_proto::{EnrolReason, RejectionReason};

/// A no to an agent that asks for a certificate; none for one that says nothing of a registered cluster.
pub(crate) fn of_enrolment(reason: EnrolReason) -> Option<(Step, Stall)> {
    Some(match reason {
        EnrolReason::ClusterUnknown => return None,
        EnrolReason::ClusterLocked => (Step::Token, Stall::ClusterLocked),
        EnrolReason::KeyUnknown => (Step::Token, Stall::KeyUnknown),
        EnrolReason::TokenUnknown => (Step::Token, Stall::TokenUnknown),
        EnrolReason::TokenForOtherCluster => (Step::Token, Stall::TokenForOtherCluster),
        EnrolReason::TokenUsed => (Step::Token, Stall::TokenUsed),
        EnrolReason::TokenExpired => (Step::Token, Stall::TokenExpired),
        EnrolReason::AwayTooLong => (Step::Token, Stall::AwayTooLong),
        EnrolReason::BadRequest
        | EnrolReason::SlotTooHigh
        | EnrolReason::SlotContended
        | EnrolReason::NotIssuing
        | EnrolReason::TooMany
        | EnrolReason::Unavailable
        | EnrolReason::Unknown => (Step::Certificate, Stall::Refused),
    })
}

/// A no to an agent's hello; none for one that it asks again after by itself.
pub(crate) fn of_hello(reason: RejectionReason) -> Option<(Step, Stall)> {
    match reason {
        RejectionReason::ClusterUnknown | RejectionReason::Draining => None,
        RejectionReason::ClusterLocked => Some((Step::Tunnel, Stall::ClusterLocked)),
        RejectionReason::VersionSkew => Some((Step::Tunnel, Stall::VersionSkew)),
        RejectionReason::IdentityMismatch
        | RejectionReason::UidMismatch
        | RejectionReason::CertificateRevoked
        | RejectionReason::Fenced
        | RejectionReason::CertificateSuperseded
        | RejectionReason::DuplicateIdentity
        | RejectionReason::TooManyLinks
        | RejectionReason::Unknown => Some((Step::Tunnel, Stall::Refused)),
    }
}

/// What a failed handshake says of who came, where it says anything: an agent that does not take the gateway's certificate
/// tells why by a TLS alert (RFC 8446, section 6.2).
pub(crate) fn of_handshake(error: &Tls) -> Option<Stall> {
    match error {
        Tls::AlertReceived(
            Alert::BadCertificate
            | Alert::UnknownCA
            | Alert::CertificateUnknown
            | Alert::UnsupportedCertificate
            | Alert::DecryptError
            | Alert::AccessDenied,
        ) => Some(Stall::WrongPin),
        Tls::AlertReceived(Alert::CertificateExpired) => Some(Stall::ClockOff),
        Tls::NoCertificatesPresented => Some(Stall::TlsIntercepted),
        _ => None,
    }
}
