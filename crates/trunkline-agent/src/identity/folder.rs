//! The cluster's identity in a folder: for agents that are no pods.
//!
//! Files are written beside their place and moved there, so that nobody reads half of one, and a key is put there by a
//! link, which fails where a file is.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::{Brought, IdentityError, KEY, Kept, MAX_TEXT, PIN, ROOTS, UID};

/// A folder, for its owner only.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
}

impl Folder {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path }
    }

    pub(super) fn place(&self) -> String {
        format!("the folder {}", self.path.display())
    }

    pub(super) fn read(&self) -> Result<Kept, IdentityError> {
        let uid = self.text(UID)?.and_then(|uid| uid.trim().parse().ok());
        let roots = self.text(ROOTS)?.map(|roots| roots.to_string());
        let pin = self.text(PIN)?.and_then(|pin| pin.trim().parse().ok());
        Ok(Kept { key: self.text(KEY)?, roots, uid, pin })
    }

    /// Puts a key there unless there is one, and says what is there then.
    pub(super) fn put_key(&self, pem: &str) -> Result<Kept, IdentityError> {
        let path = self.path.join(KEY);
        let beside = self.write_beside(KEY, pem)?;
        let linked = fs::hard_link(&beside, &path);
        let _ = fs::remove_file(&beside);
        match linked {
            Err(source) if source.kind() != io::ErrorKind::AlreadyExists => {
                Err(IdentityError::File { what: "write", path, source })
            }
            Ok(()) | Err(_) => self.read(),
        }
    }

    pub(super) fn keep(&self, brought: Brought<'_>) -> Result<(), IdentityError> {
        let Brought { roots, uid, pin } = brought;
        let kept = self.read()?;
        if kept.roots.as_deref() != Some(roots) {
            self.replace(ROOTS, roots)?;
        }
        if kept.uid != Some(uid) {
            self.replace(UID, &uid.to_string())?;
        }
        if kept.pin != Some(pin) {
            self.replace(PIN, &pin.to_string())?;
        }
        Ok(())
    }

    /// A file's text; `None` when there is none or it is empty.
    fn text(&self, name: &str) -> Result<Option<Zeroizing<String>>, IdentityError> {
        let path = self.path.join(name);
        let file = match fs::File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(IdentityError::File { what: "read", path, source }),
        };
        let mut bytes = Zeroizing::new(Vec::new());
        let read = file.take(MAX_TEXT as u64 + 1).read_to_end(&mut bytes);
        read.map_err(|source| IdentityError::File { what: "read", path: path.clone(), source })?;
        let text = std::str::from_utf8(&bytes).ok().filter(|_| bytes.len() <= MAX_TEXT);
        let text = text.ok_or(IdentityError::Unreadable { path })?;
        Ok((!text.is_empty()).then(|| Zeroizing::new(text.to_owned())))
    }

    fn replace(&self, name: &str, text: &str) -> Result<(), IdentityError> {
        let beside = self.write_beside(name, text)?;
        let path = self.path.join(name);
        fs::rename(&beside, &path).map_err(|source| IdentityError::File { what: "write", path, source })
    }

    /// Writes a file that nothing reads, under a name of its own: two agents may share the folder.
    fn write_beside(&self, name: &str, text: &str) -> Result<PathBuf, IdentityError> {
        let path = self.path.join(format!(".{name}.{:016x}", rand::random::<u64>()));
        let written = make_folder(&self.path).and_then(|()| {
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()
        });
        match written {
            Ok(()) => Ok(path),
            Err(source) => Err(IdentityError::File { what: "write", path, source }),
        }
    }
}

fn make_folder(path: &Path) -> io::Result<()> {
    if path.is_dir() { Ok(()) } else { DirBuilder::new().recursive(true).mode(0o700).create(path) }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::sync::Barrier;

    use trunkline_proto::ClusterUid;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn what_is_kept_is_for_its_owner_only_and_read_again() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::new(place.path().join("agent/identity"));
        let empty = folder.read().unwrap();
        assert!(empty.key.is_none() && empty.roots.is_none() && empty.uid.is_none());
        folder.put_key("one").unwrap();
        let uid = ClusterUid::random();
        let pin = trunkline_pki::ClusterKey::generate().unwrap().pin();
        folder.keep(Brought { roots: "roots", uid, pin }).unwrap();
        folder.keep(Brought { roots: "roots, newer", uid, pin }).unwrap();
        let kept = Folder::new(folder.path.clone()).read().unwrap();
        assert_eq!(kept.key.unwrap().as_str(), "one");
        assert_eq!((kept.roots.as_deref(), kept.uid, kept.pin), (Some("roots, newer"), Some(uid), Some(pin)));
        assert_eq!(mode(&folder.path), 0o700);
        let files: Vec<_> = fs::read_dir(&folder.path).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(files.len(), 4, "nothing is left beside: {files:?}");
        assert!(files.iter().all(|file| mode(file) == 0o600));
    }

    #[test]
    fn of_many_who_make_a_key_at_once_one_wins_and_all_use_it() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("identity");
        let start = Barrier::new(16);
        let won: Vec<String> = std::thread::scope(|scope| {
            let tries: Vec<_> = (0..16)
                .map(|n| {
                    let (folder, start) = (Folder::new(path.clone()), &start);
                    scope.spawn(move || {
                        start.wait();
                        folder.put_key(&format!("key {n}")).unwrap().key.unwrap().to_string()
                    })
                })
                .collect();
            tries.into_iter().map(|one| one.join().unwrap()).collect()
        });
        assert!(won.iter().all(|key| *key == won[0]), "{won:?}");
    }

    #[test]
    fn a_file_that_is_too_long_is_not_read() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::new(place.path().to_owned());
        fs::write(place.path().join(ROOTS), "x".repeat(MAX_TEXT)).unwrap();
        assert!(folder.read().is_ok());
        fs::write(place.path().join(ROOTS), "x".repeat(MAX_TEXT + 1)).unwrap();
        assert!(matches!(folder.read(), Err(IdentityError::Unreadable { .. })));
    }
}
