//! How an agent verifies the gateway: by its roots alone, which it names, so that a gateway with several certificates
//! shows the right one.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, Error, RootCertStore, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use crate::{TlsError, crypto_provider};

/// rustls's own verifier, and the names of its roots.
#[derive(Debug)]
pub(super) struct GatewayVerifier {
    chain: Arc<WebPkiServerVerifier>,
    roots: Vec<DistinguishedName>,
}

impl GatewayVerifier {
    pub(super) fn new(roots: Arc<RootCertStore>) -> Result<Self, TlsError> {
        let names = roots.subjects();
        let chain = WebPkiServerVerifier::builder_with_provider(roots, crypto_provider())
            .build()
            .map_err(TlsError::Verifier)?;
        Ok(Self { chain, roots: names })
    }
}

impl ServerCertVerifier for GatewayVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.chain.verify_server_cert(end_entity, intermediates, name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chain.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chain.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chain.supported_verify_schemes()
    }

    fn root_hint_subjects(&self) -> Option<&[DistinguishedName]> {
        Some(&self.roots)
    }
}
