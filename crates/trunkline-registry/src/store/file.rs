//! The store's file: made at once or not at all, and looked through before it is used.
//!
//! What is there is first opened as a copy in memory and read to its end. Only if that holds together is the file
//! itself opened, which may write to it: after a crash the library finishes or drops what was under way. So a file that
//! is damaged, foreign or of a newer version stays as it is.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use redb::backends::{FileBackend, InMemoryBackend};
use redb::{Database, StorageBackend as _};

use super::{FORMAT, StoreError, builder, format, lay_out, list};
use crate::OpenError;
use crate::object::Object;

/// What a file of the library begins with.
const MAGIC: &[u8] = b"redb\x1a\x0a\xa9\x0d\x0a";

pub(super) fn open(path: &Path) -> Result<Database, OpenError> {
    if matches!(path.try_exists(), Ok(false)) {
        create(path)?;
    }
    open_existing(path)
}

/// As `open`, of a file that was there: it is not made anew, however it got lost.
pub(super) fn open_existing(path: &Path) -> Result<Database, OpenError> {
    let file = OpenOptions::new().read(true).write(true).open(path);
    look_through(path, file.map_err(|source| OpenError::Io { path: path.to_owned(), source })?)?;
    builder().open(path).map_err(|error| failed(path, error.into()))
}

/// The words for a failure of the library with this file.
pub(super) fn failed(path: &Path, error: StoreError) -> OpenError {
    let path = path.to_owned();
    let StoreError::Failed(error) = error else {
        return OpenError::Damaged { path, why: error.to_string() };
    };
    match *error {
        redb::Error::DatabaseAlreadyOpen => OpenError::InUse(path),
        redb::Error::Io(source) if source.kind() != io::ErrorKind::InvalidData => {
            OpenError::Io { path, source }
        }
        redb::Error::UpgradeRequired(version) => {
            OpenError::Foreign { path, why: format!("it is a database of the old format {version}") }
        }
        other => OpenError::Damaged { path, why: other.to_string() },
    }
}

/// Makes the file under another name and gives it its own when it is whole: there is never half a registry.
fn create(path: &Path) -> Result<(), OpenError> {
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| OpenError::Io { path, source }
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(io(folder))?;
    let mut fresh = path.as_os_str().to_owned();
    fresh.push(".new");
    let fresh = PathBuf::from(fresh);
    match std::fs::remove_file(&fresh) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(io(&fresh)(error)),
        _ => {}
    }
    let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&fresh);
    let backend =
        FileBackend::new(file.map_err(io(&fresh))?).map_err(|error| failed(&fresh, error.into()))?;
    let database = builder().create_with_backend(backend).map_err(|error| failed(&fresh, error.into()))?;
    lay_out(&database).map_err(|error| failed(&fresh, error))?;
    drop(database);
    std::fs::rename(&fresh, path).map_err(io(path))?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(io(folder))
}

/// Whether a file is a registry that holds together.
fn look_through(path: &Path, mut file: File) -> Result<(), OpenError> {
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(OpenError::InUse(path.to_owned())),
        Err(TryLockError::Error(source)) => return Err(OpenError::Io { path: path.to_owned(), source }),
    }
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(|source| OpenError::Io { path: path.to_owned(), source })?;
    drop(file);
    if !bytes.starts_with(MAGIC) {
        let why = if bytes.is_empty() { "it is empty" } else { "it is a file of another kind" };
        return Err(OpenError::Foreign { path: path.to_owned(), why: why.into() });
    }
    // The library may panic on what it never wrote itself.
    catch_unwind(AssertUnwindSafe(|| look_through_copy(path, &bytes))).unwrap_or_else(|_| {
        Err(OpenError::Damaged { path: path.to_owned(), why: "it contradicts itself".into() })
    })
}

fn look_through_copy(path: &Path, bytes: &[u8]) -> Result<(), OpenError> {
    let fail = |error| failed(path, error);
    let copy = InMemoryBackend::new();
    let copied = copy.set_len(bytes.len() as u64).and_then(|()| copy.write(0, bytes));
    copied.map_err(|source| OpenError::Io { path: path.to_owned(), source })?;
    let database = builder().set_check_integrity_on_open(true).create_with_backend(copy);
    let database = database.map_err(|error| fail(error.into()))?;
    match format(&database).map_err(fail)? {
        None => {
            let why = "it is a database of another program".into();
            return Err(OpenError::Foreign { path: path.to_owned(), why });
        }
        Some(format) if format > FORMAT => {
            return Err(OpenError::Newer { path: path.to_owned(), format, known: FORMAT });
        }
        Some(_) => {}
    }
    for kind in Object::KINDS {
        for stored in list(&database, kind).map_err(fail)? {
            Object::decode(kind, &stored.name, &stored.body).map_err(|why| OpenError::Damaged {
                path: path.to_owned(),
                why: format!("{kind} {:?}: {why}", stored.name),
            })?;
        }
    }
    Ok(())
}
