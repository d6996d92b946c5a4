//! The cluster's identity: one key that all of the agent's pods share, and what they know of the gateway by it.
//!
//! It is kept in one Secret of the agent's own cluster, or in a folder. Whoever finds no key makes one and writes it; of
//! two who do so at once one wins, and the other uses the winner's.
//!
//! Invariants:
//! - the key is in its store and in this process's memory, and on no link, in no log and in no error;
//! - a key that is there is never replaced;
//! - what is there beside ours is left as it was.

mod folder;
mod secret;

use std::path::PathBuf;

use http::StatusCode;
use trunkline_pki::{ClusterKey, KeyError, KeyPin};
use trunkline_proto::ClusterUid;
use trunkline_upstream::{SendError, Upstream};
use zeroize::Zeroizing;

use crate::config::IdentityConfig;
use folder::Folder;
use secret::Secret;

/// The key's name in its store.
const KEY: &str = "cluster.key";
/// The roots' name there.
const ROOTS: &str = "roots.pem";
/// The name there of the uid that the last certificate was for.
const UID: &str = "uid";
/// The name there of the pin by which the roots were had.
const PIN: &str = "pin";
/// How often writing is tried when others write at the same time.
const ATTEMPTS: usize = 8;
/// The longest file or field that is read, in bytes.
const MAX_TEXT: usize = 64 * 1024;

/// Where the cluster's identity is kept.
#[derive(Debug)]
pub(crate) enum IdentityStore {
    Secret(Secret),
    Folder(Folder),
}

/// The cluster's identity.
pub(crate) struct Identity {
    pub(crate) key: ClusterKey,
    /// The tunnel's roots (PEM), once a gateway gave them.
    pub(crate) roots: Option<String>,
    /// For which registration a certificate was obtained with this key, if one ever was.
    pub(crate) uid: Option<ClusterUid>,
    /// The pin by which the roots were had; a manifest applied later may bring another.
    pub(crate) pin: Option<KeyPin>,
}

/// What a store holds.
#[derive(Clone, Default)]
struct Kept {
    key: Option<Zeroizing<String>>,
    roots: Option<String>,
    uid: Option<ClusterUid>,
    pin: Option<KeyPin>,
}

/// What a certificate brought beside itself, and the pin that the configuration names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Brought<'a> {
    pub(crate) roots: &'a str,
    pub(crate) uid: ClusterUid,
    pub(crate) pin: KeyPin,
}

/// Why the cluster's identity cannot be had or kept.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IdentityError {
    #[error("cannot reach the API server for the Secret {0}")]
    Unreachable(String, #[source] SendError),
    #[error("the API server did not answer about the Secret {0} in time")]
    TimedOut(String),
    #[error("there is no Secret {0}: apply the registration's manifest again")]
    NoSecret(String),
    #[error(
        "the agent may not {what} the Secret {secret}: apply the registration's manifest again ({status}{said})"
    )]
    Forbidden { secret: String, what: &'static str, status: StatusCode, said: String },
    #[error("the API server answered {status} when asked to {what} the Secret {secret}{said}")]
    Refused { secret: String, what: &'static str, status: StatusCode, said: String },
    #[error("what the API server answered about the Secret {0} is no Secret")]
    Malformed(String),
    #[error("others kept writing {0} at the same time; this is tried again")]
    Contended(String),
    #[error("cannot {what} {path}; may this process do so?")]
    File {
        what: &'static str,
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("{path} is longer than {MAX_TEXT} bytes, or is no text")]
    Unreadable { path: PathBuf },
    #[error("{name} in {place} is no text; empty it")]
    NotText { name: &'static str, place: String },
    #[error("{KEY} in {place}")]
    Key {
        place: String,
        #[source]
        source: KeyError,
    },
}

impl IdentityStore {
    /// The store that the configuration names. Nothing is read yet.
    pub(crate) fn new(config: &IdentityConfig, upstream: &Upstream) -> Self {
        match config {
            IdentityConfig::Secret { name, namespace } => {
                Self::Secret(Secret::new(upstream.clone(), namespace, name))
            }
            IdentityConfig::Folder(path) => Self::Folder(Folder::new(path.clone())),
        }
    }

    /// The identity that is there, with a key made now if there is none.
    pub(crate) async fn load(&self) -> Result<Identity, IdentityError> {
        let mut kept = self.read().await?;
        if kept.key.is_none() {
            let made = ClusterKey::generate().map_err(|source| self.unusable(source))?;
            kept = match self {
                Self::Secret(secret) => secret.put_key(&made.to_pem()).await?,
                Self::Folder(folder) => folder.put_key(&made.to_pem())?,
            };
            let ours = kept.key.as_deref() == Some(&*made.to_pem());
            tracing::info!(place = self.place(), ours, "the cluster has a key now");
        }
        let Kept { key, roots, uid, pin } = kept;
        let pem = key.unwrap_or_default();
        let key = ClusterKey::from_pem(&pem).map_err(|source| self.unusable(source))?;
        Ok(Identity { key, roots, uid, pin })
    }

    /// Keeps what a certificate brought beside itself. Nothing is written where it is there already.
    pub(crate) async fn keep(&self, brought: Brought<'_>) -> Result<(), IdentityError> {
        match self {
            Self::Secret(secret) => secret.keep(brought).await,
            Self::Folder(folder) => folder.keep(brought),
        }
    }

    async fn read(&self) -> Result<Kept, IdentityError> {
        match self {
            Self::Secret(secret) => secret.read().await,
            Self::Folder(folder) => folder.read(),
        }
    }

    /// Where it is, for people.
    fn place(&self) -> String {
        match self {
            Self::Secret(secret) => secret.place(),
            Self::Folder(folder) => folder.place(),
        }
    }

    fn unusable(&self, source: KeyError) -> IdentityError {
        IdentityError::Key { place: self.place(), source }
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity")
            .field("key", &self.key.pin())
            .field("uid", &self.uid)
            .finish_non_exhaustive()
    }
}
