//! Join tokens: 256 random bits, shown once, kept as a hash.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::TryRngCore as _;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// What every token begins with, so that a scan for secrets finds one.
const PREFIX: &str = "tlj_";
/// Random bytes in a token.
const BYTES: usize = 32;

/// A join token. Secret: it has no `Display`, its `Debug` hides it, and its memory is wiped.
#[derive(Clone)]
pub struct JoinToken(Zeroizing<String>);

impl JoinToken {
    /// A new token from the system's randomness.
    pub(crate) fn generate() -> Result<Self, rand::rand_core::OsError> {
        let mut bytes = Zeroizing::new([0; BYTES]);
        rand::rngs::OsRng.try_fill_bytes(bytes.as_mut())?;
        // Made in its full length at once, so that no shorter copy stays behind in memory.
        let mut text = Zeroizing::new(String::with_capacity(64));
        text.push_str(PREFIX);
        URL_SAFE_NO_PAD.encode_string(bytes.as_ref(), &mut text);
        Ok(Self(text))
    }

    /// The token's text, `tlj_` and 43 characters of base64url.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for JoinToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JoinToken(hidden)")
    }
}

/// The hash under which a token is kept; none of a text that is no token.
pub(crate) fn hash(text: &str) -> Option<String> {
    let bytes = URL_SAFE_NO_PAD.decode(text.strip_prefix(PREFIX)?).ok().map(Zeroizing::new)?;
    (bytes.len() == BYTES).then(|| hex(&Sha256::digest(text.as_bytes())))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        for half in [byte >> 4, byte & 15] {
            text.push(char::from_digit(half.into(), 16).unwrap_or('0'));
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_256_bits_a_prefix_and_hides_itself() {
        let (one, two) = (JoinToken::generate().unwrap(), JoinToken::generate().unwrap());
        assert_ne!(one.reveal(), two.reveal());
        assert_eq!(one.reveal().len(), 4 + 43);
        assert!(one.reveal().starts_with("tlj_"));
        assert!(!format!("{one:?}").contains(&one.reveal()[4..]));
    }

    #[test]
    fn only_what_is_shaped_as_a_token_has_a_hash() {
        let token = JoinToken::generate().unwrap();
        assert_eq!(hash(token.reveal()).unwrap().len(), 64);
        let short = &token.reveal()[..46];
        let long = format!("{}A", token.reveal());
        let padded = format!("{}=", token.reveal());
        let spaced = format!(" {}", token.reveal());
        for bad in ["", "tlj_", &token.reveal()[4..], short, &long, &padded, &spaced, &"x".repeat(100_000)] {
            assert_eq!(hash(bad), None);
        }
    }

    #[test]
    fn the_hash_is_sha256_of_the_text() {
        let text = format!("tlj_{}", "A".repeat(43));
        assert_eq!(hash(&text).unwrap(), hex(&Sha256::digest(text.as_bytes())),);
        assert_eq!(hex(&[0x00, 0xff, 0x1a]), "00ff1a");
    }
}
