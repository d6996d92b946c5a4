//! The tokens of which a shipper must show one.
//!
//! Shippers have different fields for it: `Bearer TOKEN`, `ApiKey TOKEN` or base64 of `id:TOKEN`, `Basic` with it as the
//! password. Invariants: a token is never kept, printed or compared as text, only its hash; every hash is compared, so
//! that the time says nothing; a file that cannot be read leaves the tokens as they are.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, header};
use sha2::{Digest as _, Sha256};
use tracing::{error, info};
use zeroize::Zeroizing;

use crate::intake::IntakeError;

/// How often the files are looked at.
const EVERY: Duration = Duration::from_secs(5);
/// The longest token, and the shortest.
const LONGEST: usize = 1024;
const SHORTEST: usize = 16;

type Hash = [u8; 32];

/// The tokens in force.
pub(crate) struct Tokens {
    files: Vec<PathBuf>,
    hashes: RwLock<Vec<Hash>>,
}

impl Tokens {
    /// Reads the files; without any, everybody is let in.
    pub(crate) fn read(files: &[PathBuf]) -> Result<Self, IntakeError> {
        let hashes = files.iter().map(|path| hash_in(path)).collect::<Result<_, _>>()?;
        Ok(Self { files: files.to_vec(), hashes: RwLock::new(hashes) })
    }

    /// Whether a request shows one of them.
    pub(crate) fn let_in(&self, headers: &HeaderMap) -> bool {
        if self.files.is_empty() {
            return true;
        }
        let hashes = self.hashes.read().unwrap_or_else(PoisonError::into_inner);
        let mut known = 0_u8;
        for shown in shown(headers) {
            for hash in hashes.iter() {
                let differ = hash.iter().zip(&shown).fold(0, |differ, (one, two)| differ | (one ^ two));
                known |= u8::from(differ == 0);
            }
        }
        known != 0
    }

    /// Follows the files for ever.
    pub(crate) async fn follow(&self) {
        loop {
            tokio::time::sleep(EVERY).await;
            self.refresh();
        }
    }

    /// Reads the files again.
    pub(crate) fn refresh(&self) {
        match self.files.iter().map(|path| hash_in(path)).collect::<Result<Vec<_>, _>>() {
            Ok(read) => {
                let mut hashes = self.hashes.write().unwrap_or_else(PoisonError::into_inner);
                if *hashes != read {
                    *hashes = read;
                    info!("the intake's tokens changed and are in use");
                }
            }
            Err(error) => error!(%error, "the intake's tokens stay as they are"),
        }
    }
}

fn hash_in(path: &Path) -> Result<Hash, IntakeError> {
    let unreadable = |source| IntakeError::TokenFile { path: path.to_owned(), source };
    let mut text = Zeroizing::new(String::new());
    let file = File::open(path).map_err(unreadable)?;
    file.take(LONGEST as u64 + 2).read_to_string(&mut text).map_err(unreadable)?;
    let token = text.trim();
    if (SHORTEST..=LONGEST).contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(hash(token.as_bytes()));
    }
    let why = "a token has 16 to 1024 letters, digits and signs, on one line";
    Err(unreadable(io::Error::new(io::ErrorKind::InvalidData, why)))
}

fn hash(token: &[u8]) -> Hash {
    Sha256::digest(token).into()
}

/// The hashes of what may be a token in a request, two at the most.
fn shown(headers: &HeaderMap) -> Vec<Hash> {
    let field = headers.get(header::AUTHORIZATION).and_then(|field| field.to_str().ok());
    let Some((scheme, value)) = field.and_then(|field| field.split_once(' ')) else { return Vec::new() };
    let value = value.trim();
    let behind_colon = || {
        let decoded = Zeroizing::new(STANDARD.decode(value).ok()?);
        let colon = decoded.iter().position(|byte| *byte == b':')?;
        Some(hash(decoded.get(colon + 1..)?))
    };
    match scheme.to_ascii_lowercase().as_str() {
        "bearer" => vec![hash(value.as_bytes())],
        "apikey" => [Some(hash(value.as_bytes())), behind_colon()].into_iter().flatten().collect(),
        "basic" => behind_colon().into_iter().collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asks(value: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::AUTHORIZATION, value.parse().unwrap())])
    }

    #[test]
    fn a_token_is_taken_in_every_form_that_shippers_have_and_in_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        std::fs::write(&path, "0123456789abcdef-one\n").unwrap();
        let tokens = Tokens::read(std::slice::from_ref(&path)).unwrap();
        let one = "0123456789abcdef-one";
        let pair = |password: &str| STANDARD.encode(format!("shipper:{password}"));
        for good in [
            format!("Bearer {one}"),
            format!("bearer {one}"),
            format!("ApiKey {one}"),
            format!("ApiKey {}", pair(one)),
            format!("Basic {}", pair(one)),
        ] {
            assert!(tokens.let_in(&asks(&good)), "{good}");
        }
        for bad in [
            one.to_owned(),
            "Bearer".into(),
            format!("Bearer {one}x"),
            format!("Bearer {}", pair(one)),
            format!("Basic {one}"),
            format!("Basic {}", pair("")),
            format!("Basic {}", STANDARD.encode(one)),
            "Basic ?".into(),
        ] {
            assert!(!tokens.let_in(&asks(&bad)), "{bad}");
        }
        assert!(!tokens.let_in(&HeaderMap::new()));

        std::fs::write(&path, "0123456789abcdef-two").unwrap();
        tokens.refresh();
        assert!(
            tokens.let_in(&asks("Bearer 0123456789abcdef-two"))
                && !tokens.let_in(&asks(&format!("Bearer {one}")))
        );
        for broken in ["", "short", "0123456789abcdef 0123456789abcdef"] {
            std::fs::write(&path, broken).unwrap();
            tokens.refresh();
            assert!(tokens.let_in(&asks("Bearer 0123456789abcdef-two")), "{broken:?} changes nothing");
            assert!(Tokens::read(std::slice::from_ref(&path)).is_err());
        }
    }

    #[test]
    fn without_tokens_everybody_is_let_in() {
        assert!(Tokens::read(&[]).unwrap().let_in(&HeaderMap::new()));
    }
}
