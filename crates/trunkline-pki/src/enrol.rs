//! The link on which an agent without a certificate asks for one.
//!
//! The agent shows a self-signed certificate of its cluster key: the handshake is the proof that it holds the key. Who
//! that is, and what it may have, is for the gateway to say from the key's pin. The agent in turn knows the gateway by the
//! pin of its root until it has been given the root itself.
//!
//! Invariants:
//! - the key is all the door takes from the certificate it is shown: no name, no date;
//! - the agent verifies the whole chain, its dates and the gateway's name in either way of knowing the root;
//! - TLS 1.3, no resumption: each link proves the key anew.

use std::sync::Arc;

use rcgen::{CertificateParams, DistinguishedName, ExtendedKeyUsagePurpose, KeyUsagePurpose};
use rustls::ClientConfig;
use rustls::client::Resumption;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls_pki_types::CertificateDer;

use crate::crypto::{TUNNEL_VERSIONS, crypto_provider};
use crate::{ClusterKey, KeyPin, TlsError, files, identity, keys};

mod door;
mod pinned;

pub(crate) use door::EnrolVerifier;
use pinned::PinVerifier;

/// The longest certificate that is looked at here, in bytes; ours have about 300.
const MAX_CERTIFICATE_BYTES: usize = 4 * 1024;

/// By what an agent knows the gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// The key of the gateway's root, which the gateway shows along with its certificate.
    Pin(KeyPin),
    /// The roots themselves (PEM).
    Roots(String),
}

/// Why a certificate shown at enrolment proves no cluster key.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum EnrollingKeyError {
    /// Longer than is looked at.
    #[error(
        "the certificate is longer than {MAX_CERTIFICATE_BYTES} bytes; show one of the cluster key alone"
    )]
    TooLarge,
    /// Not a certificate.
    #[error("not an X.509 certificate")]
    Malformed,
    /// Other certificates came with it.
    #[error("a chain came where a single self-signed certificate belongs; show one of the cluster key alone")]
    Chain,
    /// Another kind of key.
    #[error("the certificate's key is not ECDSA P-256; make such a key")]
    NotP256,
    /// Another key signed it.
    #[error(
        "the certificate is not signed by its own key; an agent that has a certificate dials for the tunnel"
    )]
    NotSelfSigned,
}

/// What an agent dials with to enrol: it shows the cluster key and trusts the gateway by `anchor` only.
///
/// # Errors
/// When the roots are not usable, or the key's certificate cannot be made.
pub fn enrol_link_tls(key: &ClusterKey, anchor: &Anchor) -> Result<Arc<ClientConfig>, TlsError> {
    let provider = crypto_provider();
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(TUNNEL_VERSIONS)
        .map_err(TlsError::Rustls)?;
    let builder = match anchor {
        Anchor::Pin(pin) => {
            builder.dangerous().with_custom_certificate_verifier(Arc::new(PinVerifier::new(*pin)))
        }
        Anchor::Roots(pem) => builder.with_root_certificates(files::given_roots(pem)?),
    };
    let shown = CertifiedKey::from_der(vec![self_signed(key)?], keys::der(key.pair()), &provider)
        .map_err(TlsError::Rustls)?;
    let mut config = builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(shown)));
    config.alpn_protocols = vec![trunkline_proto::ENROL_ALPN.to_vec()];
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}

/// The pin of the cluster key in the self-signed certificate that was shown at enrolment.
///
/// It says nothing of who holds the key: that was the handshake's part.
///
/// # Errors
/// When it is longer than 4 KiB, no certificate, not of a P-256 key, or not signed by its own key.
pub fn enrolling_key(certificate: &CertificateDer<'_>) -> Result<KeyPin, EnrollingKeyError> {
    if certificate.len() > MAX_CERTIFICATE_BYTES {
        return Err(EnrollingKeyError::TooLarge);
    }
    let certificate = identity::parse(certificate).map_err(|_| EnrollingKeyError::Malformed)?;
    let info = certificate.public_key().raw;
    if keys::p256(info).is_none() {
        return Err(EnrollingKeyError::NotP256);
    }
    certificate.verify_signature(None).map_err(|_| EnrollingKeyError::NotSelfSigned)?;
    Ok(KeyPin::of_key(info))
}

/// A certificate that says no more than the key.
fn self_signed(key: &ClusterKey) -> Result<CertificateDer<'static>, TlsError> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let certificate = params.self_signed(key.pair()).map_err(TlsError::SelfSigned)?;
    Ok(certificate.der().clone())
}

#[cfg(test)]
mod tests;
