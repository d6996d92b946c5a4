//! What stands in every certificate of ours: its dates, serial, names and key.

use std::time::{Duration, SystemTime};

use rcgen::{
    CertificateParams, DistinguishedName, DnType, KeyPair, PKCS_ECDSA_P256_SHA256, SanType, SerialNumber,
};

use super::AuthorityError;
use crate::crypto_provider;

/// How far back a certificate's life begins, for clocks that are behind.
const BACKDATE: Duration = Duration::from_secs(300);

/// The longest life of any certificate.
const MAX_LIFE: Duration = Duration::from_secs(100 * 366 * 86_400);

/// From when to when a certificate is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// The first moment.
    pub not_before: SystemTime,
    /// The last moment.
    pub not_after: SystemTime,
}

impl Validity {
    /// From a little ago, for clocks that are behind, until `life` from here.
    pub fn lasting(life: Duration) -> Self {
        let now = SystemTime::now();
        Self { not_before: now - BACKDATE, not_after: now + life.min(MAX_LIFE) }
    }

    /// [`lasting`](Self::lasting) so many days.
    pub fn days(days: u32) -> Self {
        Self::lasting(Duration::from_secs(u64::from(days) * 86_400))
    }
}

/// What all certificates have in common.
pub(super) fn params(validity: Validity) -> Result<CertificateParams, AuthorityError> {
    let Validity { not_before, not_after } = validity;
    let invalid = || AuthorityError::Validity { not_before, not_after };
    let since_epoch = |time: SystemTime| time.duration_since(SystemTime::UNIX_EPOCH).map_err(|_| invalid());
    let (begin, end) = (since_epoch(not_before)?, since_epoch(not_after)?);
    if end <= begin || end > MAX_LIFE * 3 {
        return Err(invalid());
    }
    let mut params = CertificateParams::default();
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    params.not_before = epoch + Duration::from_secs(begin.as_secs());
    params.not_after = epoch + Duration::from_secs(end.as_secs());
    Ok(params)
}

pub(super) fn new_key() -> Result<KeyPair, AuthorityError> {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(AuthorityError::Issue)
}

/// 128 random bits behind a leading 1: positive, and always of the same length.
pub(super) fn random_serial() -> Result<SerialNumber, AuthorityError> {
    let mut bytes = [0; 17];
    crypto_provider().secure_random.fill(&mut bytes).map_err(|_| AuthorityError::NoRandomness)?;
    bytes[0] = 1;
    Ok(SerialNumber::from_slice(&bytes))
}

pub(super) fn name(kind: DnType, text: &str) -> Result<DistinguishedName, AuthorityError> {
    let mut name = DistinguishedName::new();
    name.push(kind, checked(text)?);
    Ok(name)
}

/// A user or group that reads back as it was written.
pub(super) fn checked(text: &str) -> Result<&str, AuthorityError> {
    if (1..=256).contains(&text.len()) && !text.chars().any(char::is_control) {
        Ok(text)
    } else {
        Err(AuthorityError::InvalidSubject { name: text.chars().take(80).collect() })
    }
}

/// A name that a door is reached by.
pub(super) fn host(name: &str) -> Result<SanType, AuthorityError> {
    if let Ok(address) = name.parse() {
        return Ok(SanType::IpAddress(address));
    }
    let invalid = || AuthorityError::InvalidName { name: name.chars().take(80).collect() };
    let plain = name.strip_prefix("*.").unwrap_or(name);
    rustls_pki_types::DnsName::try_from(plain).map_err(|_| invalid())?;
    Ok(SanType::DnsName(name.try_into().map_err(|_| invalid())?))
}
