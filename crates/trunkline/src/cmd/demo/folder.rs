//! The demo's folder: what it wrote is gone when it ends.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use anyhow::Context as _;
use trunkline_pki::Authority;

/// The folder. Dropping it removes what was written through it, and the folder itself if the demo made it.
pub(crate) struct Folder {
    path: PathBuf,
    made: bool,
    /// Held for its drop.
    _temporary: Option<tempfile::TempDir>,
    written: Mutex<Vec<PathBuf>>,
}

impl Folder {
    /// Opens `dir`, making it if it is not there; a temporary folder without one.
    pub(crate) fn open(dir: Option<&Path>) -> anyhow::Result<Self> {
        let Some(dir) = dir else {
            let temporary = tempfile::Builder::new().prefix("trunkline-demo-").tempdir()?;
            let path = temporary.path().to_owned();
            return Ok(Self { path, made: false, _temporary: Some(temporary), written: Mutex::default() });
        };
        let made = !dir.exists();
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir)
            .with_context(|| format!("cannot make the folder {}", dir.display()))?;
        let path = fs::canonicalize(dir)?;
        for name in ["kubeconfig", "pki", "data"] {
            if path.join(name).exists() {
                anyhow::bail!(
                    "{} is there already; give --dir a folder of its own",
                    path.join(name).display()
                );
            }
        }
        Ok(Self { path, made, _temporary: None, written: Mutex::default() })
    }

    /// Writes a file that only the user may read.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> anyhow::Result<PathBuf> {
        let path = self.path.join(name);
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&path)
            .with_context(|| format!("cannot write {}", path.display()))?;
        file.write_all(bytes)?;
        self.note(&path);
        Ok(path)
    }

    /// A folder inside; everything in it is the demo's.
    pub(crate) fn subfolder(&self, name: &str) -> anyhow::Result<PathBuf> {
        let path = self.path.join(name);
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&path)?;
        self.note(&path);
        Ok(path)
    }

    /// Writes an authority's certificate (never its key).
    pub(crate) fn root(&self, name: &str, authority: &Authority) -> anyhow::Result<PathBuf> {
        let path = self.subfolder("pki")?.join(name);
        authority.write_certificate(&path)?;
        Ok(path)
    }

    fn note(&self, path: &Path) {
        self.written.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(path.to_owned());
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let written = self.written.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        for path in written.iter() {
            let _ = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
        }
        if self.made {
            // Only if nobody put anything of their own there.
            let _ = fs::remove_dir(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_demo_wrote_is_gone_afterwards_and_nothing_else() {
        let around = tempfile::tempdir().unwrap();
        let dir = around.path().join("demo");
        let folder = Folder::open(Some(&dir)).unwrap();
        folder.write("kubeconfig", b"x").unwrap();
        folder.subfolder("pki").unwrap();
        drop(folder);
        assert!(!dir.exists());

        fs::create_dir(&dir).unwrap();
        fs::write(dir.join("mine"), "x").unwrap();
        let folder = Folder::open(Some(&dir)).unwrap();
        folder.write("kubeconfig", b"x").unwrap();
        drop(folder);
        assert!(dir.join("mine").exists() && !dir.join("kubeconfig").exists());
    }

    #[test]
    fn a_kubeconfig_that_is_there_is_not_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("kubeconfig"), "mine").unwrap();
        assert!(Folder::open(Some(dir.path())).is_err());
        assert_eq!(fs::read_to_string(dir.path().join("kubeconfig")).unwrap(), "mine");
    }
}
