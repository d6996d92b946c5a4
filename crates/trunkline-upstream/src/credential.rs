//! The credential an API server knows us by. A token file is read again, since Kubernetes rotates tokens.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use http::HeaderValue;

/// How old a token that was read from a file may be.
const REREAD: Duration = Duration::from_secs(60);
/// The longest token, in bytes.
const MAX_TOKEN: u64 = 64 * 1024;

/// Why a token cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// The file cannot be read.
    #[error("cannot read the token file {0}; does it exist, and may this process read it?")]
    Read(PathBuf, #[source] std::io::Error),
    /// It holds no token.
    #[error("the token file {0} holds no usable token: it must be one line of visible ASCII")]
    Unusable(PathBuf),
    /// The kubeconfig's token is none.
    #[error("the kubeconfig's token is not usable: it must be one line of visible ASCII")]
    UnusableInline,
}

/// What is presented with every request.
pub(crate) struct Credential {
    kind: Kind,
}

enum Kind {
    /// The TLS client certificate says it all.
    None,
    Token(HeaderValue),
    File {
        path: PathBuf,
        read: Mutex<(Instant, HeaderValue)>,
    },
}

impl Credential {
    pub(crate) fn none() -> Self {
        Self { kind: Kind::None }
    }

    pub(crate) fn token(token: &str) -> Result<Self, CredentialError> {
        let bearer = bearer(token).ok_or(CredentialError::UnusableInline)?;
        Ok(Self { kind: Kind::Token(bearer) })
    }

    pub(crate) fn token_file(path: &Path) -> Result<Self, CredentialError> {
        let first = read(path)?;
        Ok(Self { kind: Kind::File { path: path.to_owned(), read: Mutex::new((Instant::now(), first)) } })
    }

    /// The value of `Authorization`, if one is sent. A file that cannot be read again serves its last token.
    pub(crate) fn authorization(&self) -> Option<HeaderValue> {
        match &self.kind {
            Kind::None => None,
            Kind::Token(token) => Some(token.clone()),
            Kind::File { path, read: last } => {
                let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
                if last.0.elapsed() >= REREAD {
                    last.0 = Instant::now();
                    match read(path) {
                        Ok(token) => last.1 = token,
                        Err(error) => tracing::warn!(%error, "keeping the last token"),
                    }
                }
                Some(last.1.clone())
            }
        }
    }

    /// The API server did not accept the token: the file is read before the next request.
    pub(crate) fn refused(&self) {
        if let Kind::File { read: last, .. } = &self.kind {
            let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(past) = Instant::now().checked_sub(REREAD) {
                last.0 = past;
            }
        }
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.kind {
            Kind::None => "certificate",
            Kind::Token(_) => "token",
            Kind::File { .. } => "token file",
        })
    }
}

fn read(path: &Path) -> Result<HeaderValue, CredentialError> {
    let unreadable = |source| CredentialError::Read(path.to_owned(), source);
    if std::fs::metadata(path).map_err(unreadable)?.len() > MAX_TOKEN {
        return Err(CredentialError::Unusable(path.to_owned()));
    }
    let text = std::fs::read(path).map_err(unreadable)?;
    std::str::from_utf8(&text).ok().and_then(bearer).ok_or_else(|| CredentialError::Unusable(path.to_owned()))
}

fn bearer(token: &str) -> Option<HeaderValue> {
    let token = token.trim();
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return None;
    }
    let mut value = HeaderValue::try_from(format!("Bearer {token}")).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rotated_token_is_read_after_a_refusal() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, "one\n").unwrap();
        let credential = Credential::token_file(&path).unwrap();
        assert_eq!(credential.authorization().unwrap(), "Bearer one");
        std::fs::write(&path, "two\n").unwrap();
        assert_eq!(credential.authorization().unwrap(), "Bearer one");
        credential.refused();
        assert_eq!(credential.authorization().unwrap(), "Bearer two");
        std::fs::remove_file(&path).unwrap();
        credential.refused();
        assert_eq!(credential.authorization().unwrap(), "Bearer two", "the last good one stays");
        assert!(!format!("{credential:?}").contains("two"));
    }

    #[test]
    fn an_unusable_token_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        for bad in ["", "\n", "a b", "a\nb", "\u{e9}"] {
            std::fs::write(&path, bad).unwrap();
            let error = Credential::token_file(&path).unwrap_err().to_string();
            assert!(error.contains("token"), "{error}");
        }
    }
}
