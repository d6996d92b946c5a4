//! The file of local users: read whole, replaced whole, its owner's alone.

use std::fs::{self, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::LocalUser;
use crate::authn::names;
use crate::authn::remembered::Hash;

/// Its name in the data folder.
const NAME: &str = "local-users.json";
/// The longest file, in bytes.
const MAX: u64 = 4 * 1024 * 1024;

/// What it holds.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Content {
    /// The first-run code that is waited for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) setup: Option<Setup>,
    #[serde(default)]
    pub(super) users: Vec<User>,
}

/// A first-run code, by its hash.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Setup {
    pub(super) hash: Hash,
    pub(super) until: Timestamp,
}

/// A local user.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct User {
    pub(super) name: String,
    pub(super) groups: Vec<String>,
    /// The password's hash (PHC string).
    pub(super) password: String,
    pub(super) created: Timestamp,
}

impl User {
    pub(super) fn shown(&self) -> LocalUser {
        LocalUser { name: self.name.clone(), groups: self.groups.clone(), created: self.created }
    }

    pub(super) fn is_admin(&self) -> bool {
        let [admins, ..] = names::ROLES;
        self.groups.iter().any(|group| group == admins)
    }
}

/// Why the file is not usable.
#[derive(Debug, thiserror::Error)]
pub enum LocalFileError {
    /// It cannot be read or written.
    #[error("{path}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It holds something else.
    #[error("{path} does not hold local users; put a good one back, or remove it to begin anew")]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// There is no randomness.
    #[error("the system gives no randomness")]
    Randomness,
}

/// The file and what it holds.
#[derive(Debug)]
pub(super) struct File {
    path: PathBuf,
    content: Content,
}

impl File {
    /// Reads it; there may be none.
    pub(super) fn open(data: &Path) -> Result<Self, LocalFileError> {
        let path = data.join(NAME);
        let failed = |source| LocalFileError::Io { path: path.clone(), source };
        let content = match fs::File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Content::default(),
            Err(error) => return Err(failed(error)),
            Ok(file) => {
                let mut bytes = Vec::new();
                file.take(MAX + 1).read_to_end(&mut bytes).map_err(failed)?;
                let whole = bytes.len() as u64 <= MAX;
                let content = serde_json::from_slice(&bytes).ok().filter(|_| whole);
                content.ok_or_else(|| LocalFileError::Damaged { path: path.clone() })?
            }
        };
        Ok(Self { path, content })
    }

    pub(super) fn content(&self) -> &Content {
        &self.content
    }

    pub(super) fn find(&self, name: &str) -> Option<&User> {
        self.content.users.iter().find(|user| user.name == name)
    }

    /// Puts something else in its place. When this returns, it is on disk.
    pub(super) fn replace(&mut self, content: Content) -> Result<(), LocalFileError> {
        self.write(&content).map_err(|source| LocalFileError::Io { path: self.path.clone(), source })?;
        self.content = content;
        Ok(())
    }

    fn write(&self, content: &Content) -> io::Result<()> {
        let bytes = serde_json::to_vec_pretty(content)?;
        let beside = self.path.with_extension("part");
        match fs::remove_file(&beside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        fs::rename(&beside, &self.path)?;
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        fs::File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }
}
