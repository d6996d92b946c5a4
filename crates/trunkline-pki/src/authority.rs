//! The thing that signs: a root of ours, and the kinds of certificate it issues.
//!
//! Each profile fixes what its certificates can be used for, so that a caller says who and for how long and
//! nothing else. Keys are ECDSA P-256, serials 128 random bits.
//!
//! Invariants:
//! - a root signs leaves only (path length 0) and holds no name constraints: rustls's verifier knows none for
//!   URIs, so one would promise what nobody checks;
//! - an authority's key is a signer's key and never a door's.

use std::fmt;
use std::io;
use std::path::Path;
use std::time::SystemTime;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PublicKeyData, SanType,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use zeroize::Zeroizing;

mod fields;
mod signed;

pub use fields::Validity;
use fields::{checked, host, name, new_key, params, random_serial};
pub use signed::Signed;

use crate::{AgentName, CertifiedFiles, KeyPin, RequestError, Serial, identity, keys, subject, write};

/// A root certificate with its key.
pub struct Authority {
    certificate: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate just issued, with its private key.
pub struct Issued {
    /// The certificate as PEM.
    pub certificate_pem: String,
    /// The private key as PEM (PKCS#8), wiped from memory when dropped.
    pub key_pem: Zeroizing<String>,
    /// The certificate.
    pub certificate_der: CertificateDer<'static>,
    /// The private key.
    pub key_der: PrivateKeyDer<'static>,
    /// The certificate's serial.
    pub serial: Serial,
}

/// Why a certificate could not be issued.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// The life ends before it begins, or is absurdly long or early.
    #[error(
        "a certificate cannot live from {not_before:?} to {not_after:?}; give a later end, at most 100 years on"
    )]
    Validity {
        /// The first moment asked for.
        not_before: SystemTime,
        /// The last moment asked for.
        not_after: SystemTime,
    },
    /// A door has a name.
    #[error("a door's certificate needs at least one name; give the DNS names or addresses it is reached by")]
    NoNames,
    /// Not a name a door may have.
    #[error("{name:?} is neither a DNS name nor an IP address; correct it")]
    InvalidName {
        /// The name.
        name: String,
    },
    /// Not a subject a client may have.
    #[error(
        "{name:?} cannot stand as user or group in a certificate; use 1 to 256 bytes without control characters"
    )]
    InvalidSubject {
        /// The user or group.
        name: String,
    },
    /// Not an agent's name.
    #[error("{name} is not an agent's name; use another trust domain or cluster id")]
    InvalidAgent {
        /// The name as a URI.
        name: String,
    },
    /// The CA's files do not hold a CA and its key.
    #[error("these are not a CA's certificate and its P-256 key; give the pair that belongs together")]
    NotAPair,
    /// Random bytes or a signature could not be had.
    #[error("the operating system gave no random bytes; try again")]
    NoRandomness,
    /// What asks for a certificate is not in order.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// rcgen cannot write it.
    #[error("the certificate could not be made")]
    Issue(#[source] rcgen::Error),
}

impl Authority {
    /// A root of its own, with a key that was never anywhere else.
    pub fn new(common_name: &str, validity: Validity) -> Result<Self, AuthorityError> {
        let mut params = params(validity)?;
        params.distinguished_name = name(DnType::CommonName, common_name)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.serial_number = Some(random_serial()?);
        let key = new_key()?;
        let certificate = params.self_signed(&key).map_err(AuthorityError::Issue)?.der().clone();
        Ok(Self { certificate, issuer: Issuer::new(params, key) })
    }

    /// The root that was once written as these two PEM texts.
    pub fn from_pem(certificate_pem: &str, key_pem: &str) -> Result<Self, AuthorityError> {
        use rustls_pki_types::pem::PemObject;

        let certificate = CertificateDer::from_pem_slice(certificate_pem.as_bytes());
        let key = PrivateKeyDer::from_pem_slice(key_pem.as_bytes());
        match (certificate, key) {
            (Ok(certificate), Ok(key)) => Self::from_der(certificate, &key),
            _ => Err(AuthorityError::NotAPair),
        }
    }

    /// The root of this certificate and key.
    pub(crate) fn from_der(
        certificate: CertificateDer<'static>,
        key: &PrivateKeyDer<'_>,
    ) -> Result<Self, AuthorityError> {
        let key = KeyPair::from_der_and_sign_algo(key, &PKCS_ECDSA_P256_SHA256)
            .map_err(|_| AuthorityError::NotAPair)?;
        let parsed = identity::parse(&certificate).map_err(|_| AuthorityError::NotAPair)?;
        if !parsed.is_ca() || parsed.public_key().subject_public_key.data != key.public_key_raw() {
            return Err(AuthorityError::NotAPair);
        }
        let issuer = Issuer::from_ca_cert_der(&certificate, key).map_err(|_| AuthorityError::NotAPair)?;
        Ok(Self { certificate, issuer })
    }

    /// The root's certificate.
    pub fn certificate_der(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// The root's certificate as PEM.
    pub fn certificate_pem(&self) -> String {
        pem(&self.certificate)
    }

    /// When the root ends.
    pub(crate) fn not_after(&self) -> SystemTime {
        identity::parse(&self.certificate)
            .map_or(SystemTime::UNIX_EPOCH, |certificate| identity::not_after(&certificate))
    }

    /// By what agents know the root before they have its certificate.
    pub fn pin(&self) -> KeyPin {
        keys::pin(self.issuer.key())
    }

    /// The root's private key as PEM. Whoever has it is the authority.
    pub fn key_pem(&self) -> Zeroizing<String> {
        Zeroizing::new(self.issuer.key().serialize_pem())
    }

    /// Writes the root's certificate, and not its key, where doors and links are told to find their roots.
    pub fn write_certificate(&self, path: &Path) -> io::Result<()> {
        write::public(path, self.certificate_pem().as_bytes())
    }

    /// The gateway's face at the front door. Names are DNS names, `*.` before them allowed, or IP addresses.
    pub fn front_server(
        &self,
        names: &[impl AsRef<str>],
        validity: Validity,
    ) -> Result<Issued, AuthorityError> {
        self.server("trunkline front door", names, validity)
    }

    /// The gateway's face at the tunnel door.
    pub fn tunnel_server(
        &self,
        names: &[impl AsRef<str>],
        validity: Validity,
    ) -> Result<Issued, AuthorityError> {
        self.server("trunkline tunnel door", names, validity)
    }

    /// A client: user and groups as Kubernetes reads them.
    pub fn client(
        &self,
        user: &str,
        groups: &[impl AsRef<str>],
        validity: Validity,
    ) -> Result<Issued, AuthorityError> {
        let mut params = params(validity)?;
        params.distinguished_name = name(DnType::CommonName, user)?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let groups: Vec<&str> =
            groups.iter().map(|group| checked(group.as_ref())).collect::<Result<_, _>>()?;
        self.issue(params, |certificate| {
            subject::replace(certificate, user, &groups, self.issuer.key()).map_err(AuthorityError::Issue)
        })
    }

    /// One slot of a cluster's agent. The certificate has no common name, so that nobody takes it for a user's.
    pub fn agent(&self, agent: &AgentName, validity: Validity) -> Result<Issued, AuthorityError> {
        self.issue(agent_params(&[agent_uri(agent)?], validity)?, Ok)
    }

    /// A certificate for agents with any URIs.
    #[cfg(test)]
    pub(crate) fn agent_with_uris(
        &self,
        uris: &[String],
        validity: Validity,
    ) -> Result<Issued, AuthorityError> {
        self.issue(agent_params(uris, validity)?, Ok)
    }

    fn server(
        &self,
        common_name: &str,
        names: &[impl AsRef<str>],
        validity: Validity,
    ) -> Result<Issued, AuthorityError> {
        if names.is_empty() {
            return Err(AuthorityError::NoNames);
        }
        let mut params = params(validity)?;
        params.distinguished_name = name(DnType::CommonName, common_name)?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.subject_alt_names = names.iter().map(|name| host(name.as_ref())).collect::<Result<_, _>>()?;
        self.issue(params, Ok)
    }

    /// Issues a leaf with a key of its own; `finish` may write the certificate anew.
    fn issue(
        &self,
        params: CertificateParams,
        finish: impl FnOnce(CertificateDer<'static>) -> Result<CertificateDer<'static>, AuthorityError>,
    ) -> Result<Issued, AuthorityError> {
        let key = new_key()?;
        let (certificate, serial) = self.sign(params, &key)?;
        let certificate_der = finish(certificate)?;
        Ok(Issued {
            certificate_pem: pem(&certificate_der),
            key_pem: Zeroizing::new(key.serialize_pem()),
            certificate_der,
            key_der: keys::der(&key),
            serial,
        })
    }

    /// Signs a leaf for a key.
    fn sign(
        &self,
        mut params: CertificateParams,
        key: &impl PublicKeyData,
    ) -> Result<(CertificateDer<'static>, Serial), AuthorityError> {
        let serial = random_serial()?;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.is_ca = IsCa::ExplicitNoCa;
        params.use_authority_key_identifier_extension = true;
        params.serial_number = Some(serial.clone());
        let certificate = params.signed_by(key, &self.issuer).map_err(AuthorityError::Issue)?;
        Ok((certificate.der().clone(), Serial::from_bytes(serial.as_ref())))
    }
}

/// An agent's name as it stands in its certificate.
fn agent_uri(agent: &AgentName) -> Result<String, AuthorityError> {
    let uri = agent.san();
    if uri.parse::<AgentName>().as_ref() == Ok(agent) {
        Ok(uri)
    } else {
        Err(AuthorityError::InvalidAgent { name: uri })
    }
}

/// What an agent's certificate holds beside its key.
fn agent_params(uris: &[String], validity: Validity) -> Result<CertificateParams, AuthorityError> {
    let mut params = params(validity)?;
    params.distinguished_name = name(DnType::OrganizationalUnitName, "trunkline agent")?;
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    for uri in uris {
        let uri = uri.as_str().try_into().map_err(AuthorityError::Issue)?;
        params.subject_alt_names.push(SanType::URI(uri));
    }
    Ok(params)
}

impl Issued {
    /// Writes `<name>.pem` and `<name>.key` into a folder, the key for its owner only.
    pub fn write_to(&self, dir: &Path, name: &str) -> io::Result<CertifiedFiles> {
        let path = |ending| dir.join(format!("{name}.{ending}"));
        let files = CertifiedFiles { certificate: path("pem"), key: path("key") };
        write::secret(&files.key, self.key_pem.as_bytes())?;
        write::public(&files.certificate, self.certificate_pem.as_bytes())?;
        Ok(files)
    }
}

fn pem(certificate: &CertificateDer<'_>) -> String {
    subject::pem("CERTIFICATE", certificate)
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").finish_non_exhaustive()
    }
}

impl fmt::Debug for Issued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issued").field("serial", &self.serial).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
