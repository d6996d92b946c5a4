//! The two keys an agent has: the cluster's, which stays, and its slot's, which changes with each certificate.
//!
//! Invariants:
//! - both are ECDSA P-256, made where they are used, and only the cluster key is ever written down;
//! - a public key has one encoding here, so that one key has one pin.

use std::fmt;

use rcgen::{
    CertificateParams, DistinguishedName, KeyPair, PKCS_ECDSA_P256_SHA256, PublicKeyData,
    SubjectPublicKeyInfo,
};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use zeroize::Zeroizing;

use crate::KeyPin;

/// The longest PEM that is read for a key, in bytes; a P-256 key has about 240.
const MAX_PEM_BYTES: usize = 16 * 1024;

/// What every P-256 public key begins with, up to its uncompressed point: `SEQUENCE { SEQUENCE { id-ecPublicKey,
/// prime256v1 }, BIT STRING 04`.
const P256: &[u8] = &[
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
];
const POINT_BYTES: usize = 64;

/// The key by which a gateway knows a cluster, whichever of its agents comes. It never leaves the cluster.
pub struct ClusterKey(KeyPair);

/// The key of one slot's certificate. It never leaves the agent's memory.
pub struct SlotKey {
    key: KeyPair,
    csr_pem: String,
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The text is not a P-256 private key.
    #[error("not a P-256 private key in PEM; empty what holds it and join again with a new token")]
    Unreadable,
    /// It could not be made.
    #[error("a key could not be made; try again")]
    Make(#[source] rcgen::Error),
}

impl ClusterKey {
    /// A new key.
    ///
    /// # Errors
    /// When the operating system gives no random bytes.
    pub fn generate() -> Result<Self, KeyError> {
        generate().map(Self)
    }

    /// The key that was once written as this PEM.
    ///
    /// # Errors
    /// When the text is longer than 16 KiB or holds no P-256 private key.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        if pem.len() > MAX_PEM_BYTES {
            return Err(KeyError::Unreadable);
        }
        let key = PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| KeyError::Unreadable)?;
        let key = KeyPair::from_der_and_sign_algo(&key, &PKCS_ECDSA_P256_SHA256);
        key.map(Self).map_err(|_| KeyError::Unreadable)
    }

    /// The key as PEM (PKCS#8). Whoever has it is the cluster.
    pub fn to_pem(&self) -> Zeroizing<String> {
        Zeroizing::new(self.0.serialize_pem())
    }

    /// By what the gateway knows the key.
    pub fn pin(&self) -> KeyPin {
        pin(&self.0)
    }

    pub(crate) fn pair(&self) -> &KeyPair {
        &self.0
    }
}

impl SlotKey {
    /// A new key.
    ///
    /// # Errors
    /// When the operating system gives no random bytes.
    pub fn generate() -> Result<Self, KeyError> {
        let key = generate()?;
        let mut request = CertificateParams::default();
        request.distinguished_name = DistinguishedName::new();
        let csr_pem =
            request.serialize_request(&key).and_then(|request| request.pem()).map_err(KeyError::Make)?;
        Ok(Self { key, csr_pem })
    }

    /// A certificate signing request (PEM) of this key, which names nobody: the gateway knows who asks.
    pub fn csr_pem(&self) -> String {
        self.csr_pem.clone()
    }

    /// By what the gateway knows the key.
    pub fn pin(&self) -> KeyPin {
        pin(&self.key)
    }

    pub(crate) fn der(&self) -> PrivateKeyDer<'static> {
        der(&self.key)
    }
}

/// The private key as rustls takes it.
pub(crate) fn der(key: &KeyPair) -> PrivateKeyDer<'static> {
    PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()))
}

/// The pin of a key's public half.
pub(crate) fn pin(key: &KeyPair) -> KeyPin {
    KeyPin::of_key(&key.subject_public_key_info())
}

/// The public key in these bytes, if it is a P-256 key in its one encoding.
pub(crate) fn p256(info: &[u8]) -> Option<SubjectPublicKeyInfo> {
    let point = info.strip_prefix(P256)?;
    if point.len() == POINT_BYTES { SubjectPublicKeyInfo::from_der(info).ok() } else { None }
}

fn generate() -> Result<KeyPair, KeyError> {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(KeyError::Make)
}

impl fmt::Debug for ClusterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClusterKey").field("pin", &self.pin()).finish_non_exhaustive()
    }
}

impl fmt::Debug for SlotKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SlotKey").field("pin", &self.pin()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{PKCS_ECDSA_P384_SHA384, PKCS_ED25519};

    use super::*;

    #[test]
    fn a_cluster_key_written_down_is_the_same_key() {
        let key = ClusterKey::generate().unwrap();
        let again = ClusterKey::from_pem(&key.to_pem()).unwrap();
        assert_eq!(again.pin(), key.pin());
        assert_eq!(*again.to_pem(), *key.to_pem());
        assert_ne!(ClusterKey::generate().unwrap().pin(), key.pin());
    }

    #[test]
    fn only_a_p256_private_key_is_a_cluster_key() {
        let good = ClusterKey::generate().unwrap().to_pem();
        let other = |algorithm| KeyPair::generate_for(algorithm).unwrap().serialize_pem();
        let bad = [
            String::new(),
            "hello".to_owned(),
            good.replace("PRIVATE", "PUBLIC"),
            good[..good.len() / 2].to_owned(),
            format!("{}{}", "\n".repeat(MAX_PEM_BYTES), *good),
            other(&PKCS_ECDSA_P384_SHA384),
            other(&PKCS_ED25519),
        ];
        for bad in bad {
            let cut: String = bad.chars().take(40).collect();
            assert!(matches!(ClusterKey::from_pem(&bad), Err(KeyError::Unreadable)), "{cut:?}");
        }
    }

    #[test]
    fn a_public_key_has_one_encoding() {
        let key = generate().unwrap();
        let info = key.subject_public_key_info();
        assert!(p256(&info).is_some());
        let mut compressed = info.clone();
        compressed.truncate(P256.len() + 32);
        (compressed[1], compressed[24], compressed[26]) = (0x39, 0x22, 2);
        let longer = [&info[..], &[0]].concat();
        let (p384, ed25519) =
            (KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384), KeyPair::generate_for(&PKCS_ED25519));
        let others = [p384, ed25519].map(|key| key.unwrap().subject_public_key_info());
        for bad in [&compressed, &longer, &others[0], &others[1], &Vec::new(), &info[..90].to_vec()] {
            assert!(p256(bad).is_none());
        }
    }

    #[test]
    fn a_private_key_is_not_printed() {
        let (cluster, slot) = (ClusterKey::generate().unwrap(), SlotKey::generate().unwrap());
        let printed = format!("{cluster:?} {slot:?}");
        assert!(printed.contains(&cluster.pin().to_string()) && printed.len() < 250, "{printed}");
    }
}
