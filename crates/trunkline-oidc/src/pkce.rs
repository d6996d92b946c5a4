//! What only whoever began a sign-in can know (RFC 7636), and randomness for it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::TryRngCore as _;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::OidcError;

/// 256 random bits as 43 characters of base64url.
///
/// # Errors
/// When the system gives no randomness.
pub fn random() -> Result<Zeroizing<String>, OidcError> {
    let mut bytes = Zeroizing::new([0_u8; 32]);
    rand::rngs::OsRng.try_fill_bytes(bytes.as_mut()).map_err(|_| OidcError::Randomness)?;
    Ok(Zeroizing::new(URL_SAFE_NO_PAD.encode(bytes.as_ref())))
}

/// Whether two texts are the same, in a time that tells nothing of where they differ.
pub fn same(one: &str, other: &str) -> bool {
    let (one, other) = (Sha256::digest(one.as_bytes()), Sha256::digest(other.as_bytes()));
    // Of hashes, which nobody can steer byte by byte.
    one == other
}

/// A verifier and its challenge.
pub struct Pkce {
    /// Sent with the code.
    pub verifier: Zeroizing<String>,
    /// Sent with the browser.
    pub challenge: String,
}

impl Pkce {
    /// The pair of a verifier: 43 to 128 characters of base64url.
    pub fn of(verifier: Zeroizing<String>) -> Self {
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
        Self { verifier, challenge }
    }

    /// A new pair.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn new() -> Result<Self, OidcError> {
        random().map(Self::of)
    }
}

impl std::fmt::Debug for Pkce {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pkce(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_is_the_verifiers_hash() {
        // RFC 7636, appendix B.
        let verifier = Zeroizing::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".to_owned());
        assert_eq!(Pkce::of(verifier).challenge, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn no_two_are_the_same() {
        let (one, other) = (random().unwrap(), random().unwrap());
        assert_eq!(one.len(), 43);
        assert!(!same(&one, &other));
        assert!(same(&one, &one.clone()));
    }
}
