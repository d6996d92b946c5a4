//! A key by its fingerprint: how a cluster knows the gateway's root, and the gateway a cluster.
//!
//! Invariant: one key has one pin and one spelling of it, so pins are compared as they stand.

use std::fmt;
use std::str::FromStr;

use rustls_pki_types::CertificateDer;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{IdentityError, identity};

const PREFIX: &str = "sha256:";

/// The SHA-256 of a public key (of its SubjectPublicKeyInfo in DER): `sha256:` and 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyPin([u8; 32]);

/// Why a text is not a [`KeyPin`].
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not a key's pin: write sha256: and 64 lower-case hexadecimal digits, as the gateway prints it")]
pub struct InvalidKeyPin;

impl KeyPin {
    /// The pin of the key that a certificate holds.
    ///
    /// # Errors
    /// When the bytes are no certificate.
    pub fn of_certificate(der: &CertificateDer<'_>) -> Result<Self, IdentityError> {
        Ok(Self::of_key(identity::parse(der)?.public_key().raw))
    }

    /// The pin of a public key, given as SubjectPublicKeyInfo.
    pub(crate) fn of_key(info: &[u8]) -> Self {
        Self(Sha256::digest(info).into())
    }
}

impl FromStr for KeyPin {
    type Err = InvalidKeyPin;

    fn from_str(text: &str) -> Result<Self, InvalidKeyPin> {
        let digits = text.strip_prefix(PREFIX).ok_or(InvalidKeyPin)?.as_bytes();
        let mut pin = [0; 32];
        if digits.len() != 2 * pin.len() {
            return Err(InvalidKeyPin);
        }
        for (byte, pair) in pin.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Ok(Self(pin))
    }
}

fn digit(character: u8) -> Result<u8, InvalidKeyPin> {
    match character {
        b'0'..=b'9' => Ok(character - b'0'),
        b'a'..=b'f' => Ok(character - b'a' + 10),
        _ => Err(InvalidKeyPin),
    }
}

impl TryFrom<String> for KeyPin {
    type Error = InvalidKeyPin;

    fn try_from(text: String) -> Result<Self, InvalidKeyPin> {
        text.parse()
    }
}

impl From<KeyPin> for String {
    fn from(pin: KeyPin) -> Self {
        pin.to_string()
    }
}

impl fmt::Display for KeyPin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(PREFIX)?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyPin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Authority, Validity};

    #[test]
    fn a_pin_reads_as_it_is_written() {
        let root = Authority::new("root", Validity::days(1)).unwrap();
        let pin = KeyPin::of_certificate(root.certificate_der()).unwrap();
        assert_eq!(pin, root.pin());
        assert_eq!(pin.to_string().parse(), Ok(pin));
        assert_eq!(pin.to_string().len(), 71);
        assert_ne!(pin, Authority::new("root", Validity::days(1)).unwrap().pin());
    }

    #[test]
    fn a_pin_is_what_openssl_prints_of_the_public_key() {
        // printf abc | sha256sum
        let expected = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(KeyPin::of_key(b"abc").to_string(), expected);
    }

    #[test]
    fn a_pin_has_one_spelling() {
        let good = format!("sha256:{}", "0a".repeat(32));
        assert!(good.parse::<KeyPin>().is_ok());
        let bad = [
            String::new(),
            "sha256:".to_owned(),
            good.to_uppercase(),
            good.replace('a', "A"),
            good.replace("sha256:", ""),
            good.replace("sha256:", "sha1:"),
            format!("{good}00"),
            format!(" {good}"),
            format!("{good}\n"),
            good[..good.len() - 1].to_owned(),
            format!("sha256:{}", "0g".repeat(32)),
            format!("sha256:{}", "ä".repeat(32)),
            format!("sha256:{}", "+1".repeat(32)),
        ];
        for bad in bad {
            assert_eq!(bad.parse::<KeyPin>(), Err(InvalidKeyPin), "{bad:?}");
        }
    }
}
