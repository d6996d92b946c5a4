//! Who is asking: the client certificate as Kubernetes reads it (CN = user, O = groups).

mod principal;

use rustls_pki_types::CertificateDer;
use trunkline_pki::ClientIdentity;

use crate::refusal::Refusal;

pub(crate) use principal::{How, Principal};

/// Reads the identity out of a certificate that TLS verified.
pub(crate) fn identity(
    certificates: Option<&[CertificateDer<'_>]>,
) -> Result<Option<ClientIdentity>, Refusal> {
    match certificates.and_then(<[_]>::first) {
        None => Ok(None),
        Some(certificate) => ClientIdentity::from_certificate(certificate)
            .map(Some)
            .map_err(|error| Refusal::Unauthenticated { why: error.to_string() }),
    }
}

/// The principal of a connection's identity.
pub(crate) fn principal(identity: Option<&ClientIdentity>) -> Result<Principal, Refusal> {
    let identity = identity.ok_or_else(|| Refusal::Unauthenticated {
        why: "the connection shows no client certificate; give kubectl client-certificate and client-key, or curl \
              --cert and --key"
            .into(),
    })?;
    Ok(Principal::of_certificate(identity))
}
