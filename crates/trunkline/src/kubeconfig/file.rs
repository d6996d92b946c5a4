//! A kubeconfig on the disk: found, locked as kubectl locks it, replaced whole, its former self kept beside it.
//!
//! Invariants: a file is never half written; mode and owner stay; a symbolic link stays one; what somebody else wrote
//! meanwhile, with or without a lock, is never lost.

use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, bail};

use super::tree::MAX_TEXT;
use crate::exit::{Exit, Failure};
use crate::profile::home;

/// How long another's lock is waited for.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often it is looked for meanwhile.
const LOOK: Duration = Duration::from_millis(20);
/// How often a change is made anew because the file changed under it.
const TRIES: usize = 3;
/// The most links that are followed to a file.
const LINKS: usize = 40;

/// The files that kubectl reads, in its order: those of `$KUBECONFIG`, or `~/.kube/config`.
pub(crate) fn of_kubectl() -> anyhow::Result<Vec<PathBuf>> {
    let listed = std::env::var_os("KUBECONFIG").unwrap_or_default();
    let files: Vec<PathBuf> =
        std::env::split_paths(&listed).filter(|path| !path.as_os_str().is_empty()).collect();
    if files.is_empty() { Ok(vec![home()?.join(".kube").join("config")]) } else { Ok(files) }
}

/// The file that is ours alone.
pub(crate) fn of_ours() -> anyhow::Result<PathBuf> {
    Ok(home()?.join(".kube").join("trunkline").join("config"))
}

/// The text of a file; empty where there is none.
pub(crate) fn read(path: &Path) -> anyhow::Result<String> {
    match fs::metadata(path) {
        Ok(found) => text(path, &found),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

/// Changes a file under its lock. `change` gets the text and gives the new one with whatever else it found; with
/// `keep`, the text before is kept beside the file as `<name>.bak`. Says whether the file changed.
///
/// # Errors
/// When the file cannot be read, changed or written, or is locked for longer than 5 s. Then it is as it was.
pub(crate) fn edit<T>(
    path: &Path,
    keep: bool,
    change: impl Fn(&str) -> anyhow::Result<(String, T)>,
) -> anyhow::Result<(bool, T)> {
    let target = target(path)?;
    if !target.exists() {
        let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty());
        folder
            .map_or(Ok(()), fs::create_dir_all)
            .with_context(|| format!("cannot make the folder of {}", target.display()))?;
    }
    // kubectl locks by the name that it was given, which may be a link's.
    let _lock = Lock::take(path)?;
    let _second = (target != *path).then(|| Lock::take(&target)).transpose()?;
    for _ in 0..TRIES {
        let before = Former::read(&target)?;
        let (text, found) = change(&before.text)
            .map_err(|error| anyhow!("{} is left as it is: {error:#}", path.display()))?;
        if text == before.text && before.metadata.is_some() {
            return Ok((false, found));
        }
        let written = before.write(&target, &text)?;
        if !before.is_still_there(&target)? {
            continue;
        }
        if keep && before.metadata.is_some() {
            before.write(&beside(&target, "bak"), &before.text)?.put()?;
        }
        written.put()?;
        return Ok((true, found));
    }
    bail!("{} is being changed by somebody else all the time; nothing was written", path.display())
}

/// Where the links of a path lead; the last may lead to nothing yet.
fn target(path: &Path) -> anyhow::Result<PathBuf> {
    let mut target = path.to_owned();
    for _ in 0..LINKS {
        match fs::read_link(&target) {
            Ok(link) => target = target.parent().unwrap_or(Path::new("")).join(link),
            Err(_) => return Ok(target),
        }
    }
    bail!("{} leads through more than {LINKS} links", path.display())
}

fn text(path: &Path, found: &Metadata) -> anyhow::Result<String> {
    let shown = path.display();
    if !found.is_file() {
        bail!("{shown} is a {}, not a file", if found.is_dir() { "folder" } else { "device" });
    }
    if found.len() > MAX_TEXT as u64 {
        bail!("{shown} is {} bytes long, more than {MAX_TEXT}", found.len());
    }
    let bytes = fs::read(path).with_context(|| format!("cannot read {shown}"))?;
    String::from_utf8(bytes).map_err(|_| anyhow!("{shown} is no text: it is not UTF-8"))
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(ending);
    path.with_file_name(name)
}

/// The file as it was found.
struct Former {
    text: String,
    metadata: Option<Metadata>,
}

impl Former {
    fn read(path: &Path) -> anyhow::Result<Self> {
        let metadata = match fs::metadata(path) {
            Ok(found) => found,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Self { text: String::new(), metadata: None });
            }
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
        };
        let text = text(path, &metadata)?;
        if metadata.permissions().mode() & 0o222 == 0 {
            let what = format!("{} is read-only and is left as it is", path.display());
            return Err(Failure::new(Exit::Failed, what)
                .next(format!("chmod u+w {}, or trunkline kubeconfig without --merge", path.display()))
                .into());
        }
        Ok(Self { text, metadata: Some(metadata) })
    }

    fn is_still_there(&self, path: &Path) -> anyhow::Result<bool> {
        let now = Self::read(path)?;
        Ok(now.text == self.text && now.metadata.is_some() == self.metadata.is_some())
    }

    /// Writes a text beside the file, as its owner's and in its mode.
    fn write(&self, path: &Path, text: &str) -> anyhow::Result<Written> {
        let wrong = || format!("cannot write {}", path.display());
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut file = tempfile::NamedTempFile::new_in(folder).with_context(wrong)?;
        file.write_all(text.as_bytes()).with_context(wrong)?;
        if let Some(former) = &self.metadata {
            let mode = Permissions::from_mode(former.permissions().mode() & 0o777);
            file.as_file().set_permissions(mode).with_context(wrong)?;
            let own = file.as_file().metadata().with_context(wrong)?;
            if (own.uid(), own.gid()) != (former.uid(), former.gid()) {
                // Only root can; for anybody else the file becomes theirs, as with kubectl.
                let _ = std::os::unix::fs::chown(file.path(), Some(former.uid()), Some(former.gid()));
            }
        }
        file.as_file().sync_all().with_context(wrong)?;
        Ok(Written { file, path: path.to_owned() })
    }
}

/// A file that only needs its name. Gone if it never gets it.
struct Written {
    file: tempfile::NamedTempFile,
    path: PathBuf,
}

impl Written {
    fn put(self) -> anyhow::Result<()> {
        let wrong = || format!("cannot write {}", self.path.display());
        self.file.persist(&self.path).map_err(|error| error.error).with_context(wrong)?;
        if let Some(folder) = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            File::open(folder).and_then(|folder| folder.sync_all()).with_context(wrong)?;
        }
        Ok(())
    }
}

/// kubectl's lock: a file beside the file, there as long as somebody writes.
struct Lock(PathBuf);

impl Lock {
    fn take(path: &Path) -> anyhow::Result<Self> {
        let lock = beside(path, "lock");
        let began = Instant::now();
        loop {
            match OpenOptions::new().write(true).create_new(true).open(&lock) {
                Ok(_) => return Ok(Self(lock)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error).with_context(|| format!("cannot lock {}", path.display())),
            }
            if began.elapsed() > PATIENCE {
                let what =
                    format!("{} is locked by another command: {} is there", path.display(), lock.display());
                return Err(Failure::new(Exit::TimedOut, what)
                    .next(format!("if no kubectl is running: rm {}", lock.display()))
                    .into());
            }
            std::thread::sleep(LOOK);
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}
