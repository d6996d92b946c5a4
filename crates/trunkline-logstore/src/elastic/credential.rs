//! What the log store knows us by. Files are read again, since credentials are rotated; what they hold is never printed.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;

use super::config::{ElasticConfig, ElasticConfigError};

/// How old what was read from a file may be.
const REREAD: Duration = Duration::from_secs(60);
/// The longest secret, in bytes.
const MAX_SECRET: u64 = 16 * 1024;

/// Why a credential cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// The file cannot be read.
    #[error("cannot read the log store's credential in {0}; does it exist, and may this process read it?")]
    Read(PathBuf, #[source] std::io::Error),
    /// It holds nothing of use.
    #[error("{0} holds no usable credential: it must be one line")]
    Unusable(PathBuf),
}

/// The value of `Authorization`, made of a file.
pub(super) struct Credential {
    kind: Kind,
    file: PathBuf,
    made: Mutex<(Instant, HeaderValue)>,
}

enum Kind {
    Password { user: String },
    ApiKey,
    Token,
}

impl Credential {
    /// The credential that is configured, if one is.
    pub(super) fn of(config: &ElasticConfig) -> Result<Option<Self>, ElasticConfigError> {
        let (kind, file) =
            match (&config.user, &config.password_file, &config.api_key_file, &config.token_file) {
                (None, None, None, None) => return Ok(None),
                (Some(user), Some(file), None, None) if !user.contains(':') => {
                    (Kind::Password { user: user.clone() }, file)
                }
                (None, None, Some(file), None) => (Kind::ApiKey, file),
                (None, None, None, Some(file)) => (Kind::Token, file),
                _ => return Err(ElasticConfigError::OneCredential),
            };
        let made = Mutex::new((Instant::now(), kind.read(file)?));
        Ok(Some(Self { kind, file: file.clone(), made }))
    }

    /// The value of `Authorization`. A file that cannot be read again serves its last value.
    pub(super) fn authorization(&self) -> HeaderValue {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if made.0.elapsed() >= REREAD {
            made.0 = Instant::now();
            match self.kind.read(&self.file) {
                Ok(value) => made.1 = value,
                Err(error) => tracing::warn!(%error, "keeping the log store's last credential"),
            }
        }
        made.1.clone()
    }

    /// The store did not accept it: the file is read before the next request.
    pub(super) fn refused(&self) {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(past) = Instant::now().checked_sub(REREAD) {
            made.0 = past;
        }
    }
}

impl Kind {
    fn read(&self, file: &Path) -> Result<HeaderValue, CredentialError> {
        let unreadable = |source| CredentialError::Read(file.to_owned(), source);
        let unusable = || CredentialError::Unusable(file.to_owned());
        if std::fs::metadata(file).map_err(unreadable)?.len() > MAX_SECRET {
            return Err(unusable());
        }
        let text = std::fs::read_to_string(file).map_err(unreadable)?;
        let secret = text.trim_end_matches(['\r', '\n']);
        if secret.is_empty() || secret.contains(['\r', '\n']) {
            return Err(unusable());
        }
        let value = match self {
            Self::Password { user } => format!("Basic {}", STANDARD.encode(format!("{user}:{secret}"))),
            Self::ApiKey => format!("ApiKey {}", secret.trim()),
            Self::Token => format!("Bearer {}", secret.trim()),
        };
        let mut value = HeaderValue::try_from(value).map_err(|_| unusable())?;
        value.set_sensitive(true);
        Ok(value)
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            Kind::Password { .. } => "password",
            Kind::ApiKey => "API key",
            Kind::Token => "token",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(folder: &tempfile::TempDir, secret: &str) -> (ElasticConfig, PathBuf) {
        let file = folder.path().join("secret");
        std::fs::write(&file, secret).unwrap();
        (ElasticConfig::default(), file)
    }

    #[test]
    fn each_kind_is_sent_in_its_own_way_and_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        let (none, file) = config(&folder, "pa ss\n");
        let user =
            ElasticConfig { user: Some("logs".into()), password_file: Some(file.clone()), ..none.clone() };
        let key = ElasticConfig { api_key_file: Some(file.clone()), ..none.clone() };
        let token = ElasticConfig { token_file: Some(file.clone()), ..none.clone() };
        for (config, wanted) in
            [(&user, "Basic bG9nczpwYSBzcw=="), (&key, "ApiKey pa ss"), (&token, "Bearer pa ss")]
        {
            let credential = Credential::of(config).unwrap().unwrap();
            assert_eq!(credential.authorization(), wanted);
            let shown = format!("{credential:?} {:?} {config:?}", credential.authorization());
            assert!(!shown.contains("pa ss") && !shown.contains("bG9n"), "{shown}");
        }
        assert!(Credential::of(&none).unwrap().is_none());
        let both = ElasticConfig { token_file: Some(file), ..user.clone() };
        let half = ElasticConfig { password_file: None, ..user };
        for wrong in [both, half] {
            assert!(matches!(Credential::of(&wrong), Err(ElasticConfigError::OneCredential)));
        }
    }

    #[test]
    fn a_refused_credential_is_read_again_and_a_lost_one_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let (none, file) = config(&folder, "one");
        let config = ElasticConfig { token_file: Some(file.clone()), ..none };
        let credential = Credential::of(&config).unwrap().unwrap();
        std::fs::write(&file, "two").unwrap();
        assert_eq!(credential.authorization(), "Bearer one");
        credential.refused();
        assert_eq!(credential.authorization(), "Bearer two");
        for unusable in ["", "\n", "a\nb", "\u{1}"] {
            std::fs::write(&file, unusable).unwrap();
            credential.refused();
            assert_eq!(credential.authorization(), "Bearer two", "{unusable:?}");
            assert!(Credential::of(&config).is_err(), "{unusable:?}");
        }
    }
}
