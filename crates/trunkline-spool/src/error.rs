//! Every no of a spool: what happened, where, why, and what to do next.

use std::path::PathBuf;
use std::time::Duration;

/// Why a folder is not used as a spool. It is as it was.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it.
    #[error("{0} is in use by another process: one process at a time may have a spool open")]
    InUse(PathBuf),
    /// It was written by another version.
    #[error(
        "{folder} is a spool of format {found}, and this version knows {known} only; it was left as it is: use the version \
         that wrote it, or move the folder away, and a new spool begins"
    )]
    Version {
        /// The folder.
        folder: PathBuf,
        /// What is written there.
        found: String,
        /// What is understood here.
        known: u32,
    },
    /// It cannot be said which spool it is.
    #[error(
        "{folder} holds records and no epoch that can be read, without which they cannot be told from damage; it was left \
         as it is: put its file `epoch` back, or move the folder away, and a new spool begins"
    )]
    Damaged {
        /// The folder.
        folder: PathBuf,
    },
    /// A setting is out of its bounds.
    #[error("a spool cannot be kept so: {0}")]
    Settings(&'static str),
    /// The system said no.
    #[error("{path} cannot be used as a spool")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
}

/// Why records were not taken. None of the call's records is kept, and none of them has a sequence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The spool's cap is reached, and its policy is to refuse.
    #[error("the spool is full: {bytes} of {cap} bytes are taken; try again in {} s", retry_after.as_secs())]
    Full {
        /// Bytes on disk.
        bytes: u64,
        /// The cap.
        cap: u64,
        /// When to try again.
        retry_after: Duration,
    },
    /// The disk did not take them.
    #[error("the spool cannot be written: {why}; try again in {} s", retry_after.as_secs())]
    Disk {
        /// What the system says.
        why: String,
        /// When to try again.
        retry_after: Duration,
    },
    /// A record, or all of a call's together, are longer than may be.
    #[error("{bytes} bytes are more than the {most} that {what} may have")]
    TooLong {
        /// What is too long.
        what: &'static str,
        /// Its length.
        bytes: usize,
        /// How long it may be.
        most: usize,
    },
    /// There is nothing to keep.
    #[error("there is no record to keep")]
    Nothing,
    /// The spool was closed.
    #[error("the spool is closed")]
    Closed,
}

/// Why the next chunk was not read. The reader is where it was: try again.
#[derive(Debug, thiserror::Error)]
#[error("the spool cannot be read")]
pub struct ReadError(#[from] pub(crate) std::io::Error);

/// Why an acknowledgement was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("sequence {through} was acknowledged, and the newest record is {last}: it was for another spool")]
pub struct NeverWritten {
    /// What was acknowledged.
    pub through: u64,
    /// The newest sequence.
    pub last: u64,
}

/// Why bytes are no chunk.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadChunk {
    /// It ends within itself, or does not end where it says.
    #[error("a chunk of {says} bytes came as {came}")]
    Length {
        /// What it should have.
        says: usize,
        /// What it has.
        came: usize,
    },
    /// It does not begin as a chunk does.
    #[error("these bytes are no chunk, or one of another version")]
    NoChunk,
    /// A checksum does not fit: it was damaged, or belongs to another epoch.
    #[error("the checksum of a chunk's {0} does not fit its epoch")]
    Checksum(&'static str),
    /// It is larger than what is taken.
    #[error("a chunk's {what} is {is}, of {most} at the most")]
    Limit {
        /// What is too large.
        what: &'static str,
        /// How large it is said to be.
        is: u64,
        /// How large it may be.
        most: u64,
    },
    /// What is in it is not what its head says.
    #[error("a chunk does not hold what its head says: {0}")]
    Content(&'static str),
}
