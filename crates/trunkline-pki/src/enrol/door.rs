//! What the tunnel door asks of who comes to enrol: a key, and nothing else.

use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, OtherError, SignatureScheme,
};
use rustls_pki_types::{CertificateDer, UnixTime};

use super::{EnrollingKeyError, enrolling_key};
use crate::crypto_provider;

/// Takes any self-signed certificate of a P-256 key. That who shows it holds the key is what the handshake's own
/// signature proves.
#[derive(Debug)]
pub(crate) struct EnrolVerifier(WebPkiSupportedAlgorithms);

impl EnrolVerifier {
    pub(crate) fn new() -> Self {
        Self(crypto_provider().signature_verification_algorithms)
    }
}

impl ClientCertVerifier for EnrolVerifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let refuse = |error: EnrollingKeyError| CertificateError::Other(OtherError(Arc::new(error)));
        if !intermediates.is_empty() {
            return Err(refuse(EnrollingKeyError::Chain).into());
        }
        enrolling_key(end_entity).map_err(refuse)?;
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ECDSA_NISTP256_SHA256]
    }
}
