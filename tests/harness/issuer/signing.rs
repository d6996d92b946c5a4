//! Keys of a fake issuer and what they sign; also tokens that nothing signed.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey};
use rcgen::{KeyPair, SignatureAlgorithm};
use serde_json::{Value, json};

/// A key with its name.
#[derive(Clone)]
pub struct SignedWith {
    id: String,
    algorithm: Algorithm,
    key: EncodingKey,
}

impl std::fmt::Debug for SignedWith {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignedWith").field("id", &self.id).finish_non_exhaustive()
    }
}

impl SignedWith {
    /// A new key on P-256.
    pub fn es256(id: &str) -> Self {
        let der = made(&rcgen::PKCS_ECDSA_P256_SHA256);
        Self { id: id.into(), algorithm: Algorithm::ES256, key: EncodingKey::from_ec_der(&der) }
    }

    /// A new key of RSA.
    pub fn rs256(id: &str) -> Self {
        // jsonwebtoken wants PKCS#1, which stands in PKCS#8 behind 26 bytes of a fixed form.
        let der = made(&rcgen::PKCS_RSA_SHA256);
        Self { id: id.into(), algorithm: Algorithm::RS256, key: EncodingKey::from_rsa_der(&der[26..]) }
    }

    /// The same key under another algorithm of its family.
    #[must_use]
    pub fn as_algorithm(&self, algorithm: Algorithm) -> Self {
        Self { algorithm, ..self.clone() }
    }

    /// A new key on Ed25519.
    pub fn ed25519(id: &str) -> Self {
        let pair = KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
        // jsonwebtoken wants the short form (RFC 8410, section 7): 16 fixed bytes, which both forms have, and the seed.
        let mut der = pair.serialize_der()[..48].to_vec();
        (der[1], der[4]) = (0x2e, 0);
        Self { id: id.into(), algorithm: Algorithm::EdDSA, key: EncodingKey::from_ed_der(&der) }
    }

    /// The public half as a JWK.
    pub fn public(&self) -> Value {
        let mut jwk =
            serde_json::to_value(Jwk::from_encoding_key(&self.key, self.algorithm).unwrap()).unwrap();
        jwk["kid"] = self.id.clone().into();
        jwk["use"] = "sig".into();
        jwk
    }

    /// A token of these claims.
    pub fn sign(&self, claims: &Value) -> String {
        self.sign_with_head(&json!({"alg": self.algorithm, "kid": self.id, "typ": "JWT"}), claims)
    }

    /// A token with a head of its own; signed by what this key is for, whatever the head says.
    pub fn sign_with_head(&self, head: &Value, claims: &Value) -> String {
        let signed = unsigned(&head.to_string(), &claims.to_string());
        let signed = signed.trim_end_matches('.');
        let signature = jsonwebtoken::crypto::sign(signed.as_bytes(), &self.key, self.algorithm).unwrap();
        format!("{signed}.{signature}")
    }
}

/// A token that nothing signed.
pub fn unsigned(head: &str, claims: &str) -> String {
    format!("{}.{}.", URL_SAFE_NO_PAD.encode(head), URL_SAFE_NO_PAD.encode(claims))
}

fn made(algorithm: &'static SignatureAlgorithm) -> Vec<u8> {
    KeyPair::generate_for(algorithm).unwrap().serialize_der()
}

pub(super) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}
