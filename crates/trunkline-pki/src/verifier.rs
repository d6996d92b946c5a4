//! What a door asks of a certificate beyond a valid chain: that it names someone, and that it is not revoked.
//!
//! The chain, dates, usage and signatures are checked by rustls's own verifier. This one asks it first, so that
//! nothing is read from a certificate that does not stand under the door's root.

use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, OtherError, RootCertStore, SignatureScheme,
};
use rustls_pki_types::{CertificateDer, UnixTime};

use crate::{AgentIdentity, ClientIdentity, IdentityError, Revocations, Serial, TlsError, crypto_provider};

/// Which door a certificate is shown at.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Door {
    /// Agents; each shows a certificate.
    Tunnel,
    /// Clients; a certificate is one of several ways to say who one is.
    Front,
}

/// Verifies the certificates shown at one door.
#[derive(Debug)]
pub(crate) struct DoorVerifier {
    door: Door,
    chain: Arc<dyn ClientCertVerifier>,
    revocations: Revocations,
}

impl DoorVerifier {
    /// A verifier that trusts `roots` and turns away what `revocations` holds at the time of each handshake.
    pub(crate) fn new(
        door: Door,
        roots: Arc<RootCertStore>,
        revocations: Revocations,
    ) -> Result<Self, TlsError> {
        let builder = WebPkiClientVerifier::builder_with_provider(roots, crypto_provider());
        let builder = match door {
            Door::Tunnel => builder,
            Door::Front => builder.allow_unauthenticated(),
        };
        let chain = builder.build().map_err(TlsError::Verifier)?;
        Ok(Self { door, chain, revocations })
    }

    /// The serial of a certificate that names someone who may come to this door.
    fn identified(&self, certificate: &CertificateDer<'_>) -> Result<Serial, IdentityError> {
        match self.door {
            Door::Tunnel => AgentIdentity::from_certificate(certificate).map(|agent| agent.serial),
            Door::Front => ClientIdentity::from_certificate(certificate).map(|client| client.serial),
        }
    }
}

impl ClientCertVerifier for DoorVerifier {
    fn offer_client_auth(&self) -> bool {
        self.chain.offer_client_auth()
    }

    fn client_auth_mandatory(&self) -> bool {
        self.chain.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.chain.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        let verified = self.chain.verify_client_cert(end_entity, intermediates, now)?;
        let serial = self
            .identified(end_entity)
            .map_err(|error| CertificateError::Other(OtherError(Arc::new(error))))?;
        if self.revocations.contains(&serial) {
            return Err(CertificateError::Revoked.into());
        }
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.chain.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.chain.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chain.supported_verify_schemes()
    }
}
