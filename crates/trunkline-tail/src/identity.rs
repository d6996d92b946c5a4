//! Which file a file is: what was read of it can be known again, under another name or in a copy.
//!
//! Two marks of 16 bytes are kept of each file. The **fingerprint** is of its first line, the **seam** of the bytes before where reading
//! goes on. A file that still bears both is the one that was read up to there; one that does not was written anew.
//!
//! A [`FileId`] is made once, of node, inode, the times it was written anew, and fingerprint; a copy takes over the id of what it is a copy of.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::time::SystemTime;

use memchr::memchr;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// How much of a first line counts, in bytes.
const FIRST: usize = 1024;
/// How many bytes make a seam.
const SEAM: u64 = 256;

/// Some bytes, known again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mark(u128);

impl Mark {
    fn of(bytes: &[u8]) -> Self {
        Self(short(Sha256::new().chain_update(bytes)))
    }
}

/// Where a file system keeps a file, whatever it is called. A number is given to another file once its own is deleted: the time of birth tells
/// them apart, where the file system has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Inode {
    pub(crate) device: u64,
    pub(crate) number: u64,
    /// In nanoseconds since 1970; 0 where it is not known.
    pub(crate) born: u64,
}

impl Inode {
    pub(crate) fn of(found: &Metadata) -> Self {
        let since = found.created().ok().and_then(|born| born.duration_since(SystemTime::UNIX_EPOCH).ok());
        let born = since.and_then(|since| u64::try_from(since.as_nanos()).ok()).unwrap_or_default();
        Self { device: found.dev(), number: found.ino(), born }
    }

    /// Where it is, whoever is there.
    pub(crate) fn place(self) -> (u64, u64) {
        (self.device, self.number)
    }
}

/// A file, under which its records are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct FileId(u128);

impl FileId {
    pub(crate) fn new(node: &str, file: Inode, generation: u32, fingerprint: Mark) -> Self {
        let hash = Sha256::new()
            .chain_update((node.len() as u64).to_le_bytes())
            .chain_update(node)
            .chain_update(file.device.to_le_bytes())
            .chain_update(file.number.to_le_bytes())
            .chain_update(file.born.to_le_bytes())
            .chain_update(generation.to_le_bytes())
            .chain_update(fingerprint.0.to_le_bytes());
        Self(short(hash))
    }
}

impl std::fmt::Display for FileId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

fn short(hash: Sha256) -> u128 {
    hash.finalize().iter().take(16).fold(0, |number, byte| number << 8 | u128::from(*byte))
}

/// The mark of a file's first line; none while that has no end, unless `is_end` says that none will come.
pub(crate) fn fingerprint(file: &File, is_end: bool) -> io::Result<Option<Mark>> {
    let mut first = [0; FIRST];
    let count = read_at(file, &mut first, 0)?;
    let first = first.get(..count).unwrap_or_default();
    let line = match memchr(b'\n', first) {
        Some(newline) => first.get(..=newline).unwrap_or_default(),
        None if count == FIRST || (is_end && count > 0) => first,
        None => return Ok(None),
    };
    Ok(Some(Mark::of(line)))
}

/// The mark of the bytes before `offset`.
pub(crate) fn seam(file: &File, offset: u64) -> io::Result<Mark> {
    let length = offset.min(SEAM);
    let mut bytes = vec![0; usize::try_from(length).unwrap_or_default()];
    let count = read_at(file, &mut bytes, offset - length)?;
    Ok(Mark::of(bytes.get(..count).unwrap_or_default()))
}

/// Reads until the buffer is full or the file ends.
pub(crate) fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut count = 0;
    while let Some(rest) = buffer.get_mut(count..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, offset + count as u64) {
            Ok(0) => break,
            Ok(read) => count += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(count)
}
