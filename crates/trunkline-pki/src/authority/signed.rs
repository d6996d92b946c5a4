//! A certificate for a key that somebody else has.

use std::time::{Duration, SystemTime};

use rustls_pki_types::CertificateDer;

use super::{Authority, AuthorityError, Validity, agent_params, agent_uri, pem};
use crate::{AgentName, KeyPin, Serial, csr};

/// A certificate just issued for the key of a certificate signing request.
#[derive(Clone, Debug)]
pub struct Signed {
    /// The certificate as PEM.
    pub certificate_pem: String,
    /// The certificate.
    pub certificate_der: CertificateDer<'static>,
    /// The certificate's serial.
    pub serial: Serial,
    /// The pin of the key it is for.
    pub pin: KeyPin,
    /// The last second in which it is valid.
    pub not_after: SystemTime,
}

impl Authority {
    /// One slot of a cluster's agent, for the key of its certificate signing request. Of the request only the key is
    /// taken; the certificate names `agent` and nobody else.
    ///
    /// # Errors
    /// When the request is longer than 16 KiB, does not parse, is not signed by its own key or holds another key than
    /// P-256; when `agent` or `validity` cannot stand in a certificate.
    pub fn agent_from_csr(
        &self,
        csr_pem: &str,
        agent: &AgentName,
        validity: Validity,
    ) -> Result<Signed, AuthorityError> {
        let (key, pin) = csr::requested_key(csr_pem)?;
        let (certificate_der, serial) = self.sign(agent_params(&[agent_uri(agent)?], validity)?, &key)?;
        let ends = validity.not_after.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let not_after = SystemTime::UNIX_EPOCH + Duration::from_secs(ends.as_secs());
        Ok(Signed { certificate_pem: pem(&certificate_der), certificate_der, serial, pin, not_after })
    }
}
