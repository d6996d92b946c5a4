//! The folder of a spool and its files: the few things that are asked of a file system.
//!
//! All of the spool's disk goes through here, so that its own tests can run the same code on a model of a disk that keeps
//! nothing but what was synced, tears the rest at any byte, is full, or fails. The model is a second variant in test
//! builds, and no trait: the product has one file system, and is built without the other.
//!
//! Invariants:
//! - a file that was made is there after a power cut once [`Folder::sync`] has returned, and its bytes once
//!   [`Handle::sync`] has;
//! - nothing here decides: errors go up as they come.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[cfg(test)]
pub(crate) mod model;

/// A folder. Clones are the same one.
#[derive(Clone, Debug)]
pub(crate) enum Folder {
    Real(PathBuf),
    #[cfg(test)]
    Model(model::Disk),
}

/// An open file. Clones are the same one.
#[derive(Clone, Debug)]
pub(crate) enum Handle {
    Real(Arc<File>),
    #[cfg(test)]
    Model(model::File),
}

impl Folder {
    /// What errors call it.
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Real(path) => path,
            #[cfg(test)]
            Self::Model(_) => Path::new("model"),
        }
    }

    /// The names of what is in it.
    pub(crate) fn names(&self) -> io::Result<Vec<String>> {
        match self {
            // What is not UTF-8 is none of ours.
            Self::Real(path) => fs::read_dir(path)?
                .filter_map(|entry| entry.map(|entry| entry.file_name().into_string().ok()).transpose())
                .collect(),
            #[cfg(test)]
            Self::Model(disk) => disk.names(),
        }
    }

    /// Makes a file that is not there.
    pub(crate) fn create(&self, name: &str) -> io::Result<Handle> {
        match self {
            Self::Real(path) => {
                let options = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).clone();
                options.open(path.join(name)).map(Arc::new).map(Handle::Real)
            }
            #[cfg(test)]
            Self::Model(disk) => disk.create(name).map(Handle::Model),
        }
    }

    /// Opens a file that is there.
    pub(crate) fn open(&self, name: &str) -> io::Result<Handle> {
        match self {
            Self::Real(path) => {
                let file = OpenOptions::new().read(true).write(true).open(path.join(name))?;
                Ok(Handle::Real(Arc::new(file)))
            }
            #[cfg(test)]
            Self::Model(disk) => disk.open(name).map(Handle::Model),
        }
    }

    pub(crate) fn remove(&self, name: &str) -> io::Result<()> {
        match self {
            Self::Real(path) => fs::remove_file(path.join(name)),
            #[cfg(test)]
            Self::Model(disk) => disk.remove(name),
        }
    }

    /// Makes durable which files there are.
    pub(crate) fn sync(&self) -> io::Result<()> {
        match self {
            Self::Real(path) => File::open(path)?.sync_all(),
            #[cfg(test)]
            Self::Model(disk) => disk.sync_names(),
        }
    }
}

impl Handle {
    pub(crate) fn length(&self) -> io::Result<u64> {
        match self {
            Self::Real(file) => Ok(file.metadata()?.len()),
            #[cfg(test)]
            Self::Model(file) => Ok(file.length()),
        }
    }

    /// Fills `into`, or fails with `UnexpectedEof`.
    pub(crate) fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<()> {
        match self {
            Self::Real(file) => file.read_exact_at(into, at),
            #[cfg(test)]
            Self::Model(file) => file.read_at(at, into),
        }
    }

    /// Writes all of it. After a failure any part of it may be there.
    pub(crate) fn write_at(&self, at: u64, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Real(file) => file.write_all_at(bytes, at),
            #[cfg(test)]
            Self::Model(file) => file.write_at(at, bytes),
        }
    }

    /// Cuts it to a length.
    pub(crate) fn cut(&self, length: u64) -> io::Result<()> {
        match self {
            Self::Real(file) => file.set_len(length),
            #[cfg(test)]
            Self::Model(file) => file.cut(length),
        }
    }

    /// Makes its bytes durable.
    pub(crate) fn sync(&self) -> io::Result<()> {
        match self {
            Self::Real(file) => file.sync_data(),
            #[cfg(test)]
            Self::Model(file) => file.sync(),
        }
    }
}
