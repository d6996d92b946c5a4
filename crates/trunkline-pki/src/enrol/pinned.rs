//! How an agent verifies a gateway of whose root it knows the key and nothing else.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::{CertificateError, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use crate::{KeyPin, crypto_provider, identity};

/// The longest name of an issuer that is repeated, in characters.
const MAX_ISSUER: usize = 120;

/// The gateway showed no root with the pinned key. Who issued what it showed is for people to read: nothing proves it.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("its certificate was issued by {issuer:?}")]
pub(super) struct NotPinned {
    issuer: String,
}

impl NotPinned {
    fn of(certificate: &CertificateDer<'_>) -> Self {
        let named = identity::parse(certificate).map(|parsed| parsed.issuer().to_string());
        let issuer = named.unwrap_or_default().chars().take(MAX_ISSUER).collect();
        Self { issuer }
    }
}

/// Finds the root with the pinned key in the chain that the gateway shows, and verifies the chain with that root as its
/// only anchor, as if the root had been there before.
#[derive(Debug)]
pub(super) struct PinVerifier {
    pin: KeyPin,
    algorithms: WebPkiSupportedAlgorithms,
}

impl PinVerifier {
    pub(super) fn new(pin: KeyPin) -> Self {
        Self { pin, algorithms: crypto_provider().signature_verification_algorithms }
    }

    /// The CA certificate of the pinned key among those that came with the gateway's own.
    fn root<'a>(&self, chain: &'a [CertificateDer<'a>]) -> Option<&'a CertificateDer<'a>> {
        chain.iter().find(|certificate| {
            identity::parse(certificate)
                .is_ok_and(|parsed| parsed.is_ca() && KeyPin::of_key(parsed.public_key().raw) == self.pin)
        })
    }
}

impl ServerCertVerifier for PinVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let not_pinned = || CertificateError::Other(OtherError(Arc::new(NotPinned::of(end_entity))));
        let root = self.root(intermediates).ok_or_else(not_pinned)?;
        let mut anchor = RootCertStore::empty();
        anchor.add(root.clone())?;
        WebPkiServerVerifier::builder_with_provider(Arc::new(anchor), crypto_provider())
            .build()
            .map_err(|error| Error::General(error.to_string()))?
            .verify_server_cert(end_entity, intermediates, name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
