//! Certificates, keys and roots as they come from files, checked so that what is wrong is said by its name.
//!
//! Whatever a door or a link would fail with at its first handshake is an error here, when it starts. What only
//! weakens it is a [`Warning`].

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use jiff::Timestamp;
use rustls::RootCertStore;
use rustls::crypto::CryptoProvider;
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::{self, PemObject};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use serde::Deserialize;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use zeroize::Zeroizing;

use crate::{TlsError, identity};

/// The largest file that is read: the bundle of all public CAs has a quarter of it.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// The longest certificate or roots that are taken from elsewhere than files, in bytes of PEM.
pub(crate) const MAX_GIVEN_BYTES: usize = 64 * 1024;

/// Where a certificate and its private key are.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CertifiedFiles {
    /// PEM: the certificate, then any intermediate ones up to its root.
    pub certificate: PathBuf,
    /// PEM: the private key, not encrypted.
    pub key: PathBuf,
}

/// What weakens a configuration without stopping it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Warning {
    /// Every user of the machine can read the key.
    KeyReadableByAll {
        /// The key's file.
        path: PathBuf,
    },
    /// The certificate is not valid yet, or this machine's clock is behind.
    NotYetValid {
        /// The certificate's file.
        path: PathBuf,
        /// When it begins.
        not_before: Timestamp,
    },
    /// A trusted root has ended. Ours go on trusting it, as is usual for roots; others may not.
    RootExpired {
        /// The file of the roots.
        path: PathBuf,
        /// When it ended.
        not_after: Timestamp,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KeyReadableByAll { path } => {
                let path = path.display();
                write!(f, "every user can read the private key {path}; run chmod 600 {path}")
            }
            Self::NotYetValid { path, not_before } => {
                let path = path.display();
                write!(
                    f,
                    "the certificate in {path} is valid from {not_before} on; check this machine's clock"
                )
            }
            Self::RootExpired { path, not_after } => {
                let path = path.display();
                write!(
                    f,
                    "a root in {path} expired on {not_after}; add its successor, and take it out once unused"
                )
            }
        }
    }
}

/// The bytes of a file of secrets, wiped when dropped.
pub(crate) type Bytes = Zeroizing<Vec<u8>>;

/// Reads a whole file, within the limit.
pub(crate) fn read(path: &Path) -> Result<Bytes, TlsError> {
    let unreadable = |source| TlsError::Unreadable { origin: origin(path), source };
    let file = File::open(path).map_err(unreadable)?;
    let mut bytes = Bytes::default();
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if u64::try_from(bytes.len()).is_ok_and(|len| len <= MAX_FILE_BYTES) {
        Ok(bytes)
    } else {
        Err(TlsError::TooLarge { origin: origin(path), limit: MAX_FILE_BYTES })
    }
}

/// A path as errors show it.
pub(crate) fn origin(path: &Path) -> String {
    path.display().to_string()
}

/// The certificate chain in `pem`; at least one certificate.
pub(crate) fn chain(origin: &str, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let chain = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|source| TlsError::NotPem { origin: origin.to_owned(), source })?;
    if chain.is_empty() { Err(TlsError::NoCertificate { origin: origin.to_owned() }) } else { Ok(chain) }
}

/// The first private key in `pem`.
pub(crate) fn key(origin: &str, pem: &[u8]) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_slice(pem).map_err(|source| match source {
        pem::Error::NoItemsFound => TlsError::NoKey { origin: origin.to_owned() },
        source => TlsError::NotPem { origin: origin.to_owned(), source },
    })
}

/// The chain with its key, which must belong to the chain's first certificate.
pub(crate) fn certified(
    (chain_origin, chain_pem): (&str, &[u8]),
    (key_origin, key_pem): (&str, &[u8]),
    provider: &CryptoProvider,
) -> Result<CertifiedKey, TlsError> {
    let (chain, key) = (chain(chain_origin, chain_pem)?, key(key_origin, key_pem)?);
    paired((chain_origin, chain), (key_origin, key), provider)
}

/// The chain with its key, each with where it is from.
pub(crate) fn paired(
    (chain_origin, chain): (&str, Vec<CertificateDer<'static>>),
    (key_origin, key): (&str, PrivateKeyDer<'static>),
    provider: &CryptoProvider,
) -> Result<CertifiedKey, TlsError> {
    CertifiedKey::from_der(chain, key, provider).map_err(|source| match source {
        rustls::Error::InconsistentKeys(_) => {
            TlsError::KeyMismatch { certificate: chain_origin.to_owned(), key: key_origin.to_owned() }
        }
        rustls::Error::InvalidCertificate(_) => TlsError::NotX509 { origin: chain_origin.to_owned() },
        source => TlsError::UnusableKey { origin: key_origin.to_owned(), source },
    })
}

/// The trusted roots in `pem`, CA certificates and nothing else; and what is to be said of them.
pub(crate) fn roots(
    path: &Path,
    pem: &[u8],
    now: SystemTime,
) -> Result<(RootCertStore, Vec<Warning>), TlsError> {
    let origin = origin(path);
    let store = trusted(&origin, pem)?;
    let mut warnings = Vec::new();
    for certificate in chain(&origin, pem)? {
        let not_after = identity::not_after(&parsed(&origin, &certificate)?);
        if not_after < now {
            warnings.push(Warning::RootExpired { path: path.to_owned(), not_after: timestamp(not_after) });
        }
    }
    Ok((store, warnings))
}

/// The trusted roots in `pem`, CA certificates and nothing else.
pub(crate) fn trusted(origin: &str, pem: &[u8]) -> Result<RootCertStore, TlsError> {
    refuse_keys(origin, pem)?;
    let mut store = RootCertStore::empty();
    for certificate in chain(origin, pem)? {
        if !parsed(origin, &certificate)?.is_ca() {
            return Err(TlsError::NotAnAuthority { origin: origin.to_owned() });
        }
        store.add(certificate).map_err(|_| TlsError::NotX509 { origin: origin.to_owned() })?;
    }
    Ok(store)
}

/// The tunnel roots (PEM) that an agent was given otherwise than in a file.
pub(crate) fn given_roots(pem: &str) -> Result<RootCertStore, TlsError> {
    let origin = "the tunnel roots the agent was given";
    trusted(origin, given(origin, pem)?)
}

/// What was given otherwise than in a file, within the limit.
pub(crate) fn given<'a>(origin: &str, pem: &'a str) -> Result<&'a [u8], TlsError> {
    if pem.len() <= MAX_GIVEN_BYTES {
        return Ok(pem.as_bytes());
    }
    Err(TlsError::TooLarge { origin: origin.to_owned(), limit: MAX_GIVEN_BYTES as u64 })
}

/// Refuses bytes that hold a private key of any kind, an encrypted one included.
pub(crate) fn refuse_keys(origin: &str, pem: &[u8]) -> Result<(), TlsError> {
    let marker = b"PRIVATE KEY-----";
    if pem.windows(marker.len()).any(|window| window == marker) {
        Err(TlsError::KeyAmongRoots { origin: origin.to_owned() })
    } else {
        Ok(())
    }
}

/// The parsed form of one certificate.
pub(crate) fn parsed<'a>(
    origin: &str,
    certificate: &'a CertificateDer<'_>,
) -> Result<X509Certificate<'a>, TlsError> {
    identity::parse(certificate).map_err(|_| TlsError::NotX509 { origin: origin.to_owned() })
}

/// Refuses an own certificate that has ended.
pub(crate) fn check_end(
    origin: &str,
    certificate: &X509Certificate<'_>,
    now: SystemTime,
) -> Result<(), TlsError> {
    let (not_after, now) = (timestamp(identity::not_after(certificate)), timestamp(now));
    if not_after < now {
        return Err(TlsError::Expired { origin: origin.to_owned(), not_after, now });
    }
    Ok(())
}

/// Refuses an own certificate that has ended; tells of one that has not begun.
pub(crate) fn check_dates(
    path: &Path,
    certificate: &X509Certificate<'_>,
    now: SystemTime,
) -> Result<Option<Warning>, TlsError> {
    check_end(&origin(path), certificate, now)?;
    let begins = certificate.validity().not_before.timestamp();
    let not_before = Timestamp::from_second(begins).unwrap_or(Timestamp::MIN);
    Ok((timestamp(now) < not_before).then(|| Warning::NotYetValid { path: path.to_owned(), not_before }))
}

fn timestamp(time: SystemTime) -> Timestamp {
    Timestamp::try_from(time).unwrap_or(Timestamp::MAX)
}

/// Refuses a certificate that no client would take from a door.
pub(crate) fn check_server(origin: &str, certificate: &X509Certificate<'_>) -> Result<(), TlsError> {
    let malformed = |_| TlsError::NotX509 { origin: origin.to_owned() };
    let names = certificate.subject_alternative_name().map_err(malformed)?;
    let is_host =
        |name: &GeneralName<'_>| matches!(name, GeneralName::DNSName(_) | GeneralName::IPAddress(_));
    if !names.is_some_and(|names| names.value.general_names.iter().any(is_host)) {
        return Err(TlsError::NoServerName { origin: origin.to_owned() });
    }
    match certificate.extended_key_usage().map_err(malformed)? {
        Some(usage) if !usage.value.server_auth => Err(TlsError::NotForServers { origin: origin.to_owned() }),
        Some(_) | None => Ok(()),
    }
}

/// Tells of a key file that every user of the machine can read.
#[cfg(unix)]
pub(crate) fn check_key_mode(path: &Path) -> Option<Warning> {
    use std::os::unix::fs::PermissionsExt;

    let mode = std::fs::metadata(path).ok()?.permissions().mode();
    (mode & 0o004 != 0).then(|| Warning::KeyReadableByAll { path: path.to_owned() })
}

/// File modes say nothing here.
#[cfg(not(unix))]
pub(crate) fn check_key_mode(_: &Path) -> Option<Warning> {
    None
}

#[cfg(test)]
mod tests;
