//! Passwords: argon2id, 19 MiB and 2 rounds, as OWASP recommends.

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher as _, PasswordVerifier as _};
use rand::TryRngCore as _;

/// Of no password: what is compared with for a user that there is not.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// A password's hash with its salt, as text.
pub(super) fn hash(password: &str) -> Option<String> {
    let mut salt = [0; 16];
    rand::rngs::OsRng.try_fill_bytes(&mut salt).ok()?;
    let hash: PasswordHash = Argon2::default().hash_password_with_salt(password.as_bytes(), &salt).ok()?;
    Some(hash.to_string())
}

/// Whether a hash is of that password; without a hash it takes as long, and is not.
pub(super) fn is(hash: Option<&str>, password: &str) -> bool {
    let Ok(parsed) = PasswordHash::new(hash.unwrap_or(NOBODY)) else { return false };
    let right = Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok();
    right && hash.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_known_by_its_hash_and_nobody_has_one() {
        let one = hash("correct horse battery").unwrap();
        assert!(one.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{one}");
        assert_ne!(one, hash("correct horse battery").unwrap(), "salted");
        assert!(is(Some(&one), "correct horse battery"));
        assert!(!is(Some(&one), "correct horse batterz"));
        assert!(!is(None, ""));
        assert!(!is(Some("no hash"), ""));
        assert!(PasswordHash::new(NOBODY).is_ok(), "it is worked with as with any other");
    }
}
