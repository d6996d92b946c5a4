//! Every no of the audit log: what happened, why, and what to do next.

use std::path::PathBuf;

/// Why a folder is not used as an audit log. It is as it was.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it.
    #[error("{0} is in use by another process: one gateway at a time may write an audit log")]
    InUse(PathBuf),
    /// The chain cannot be gone on with.
    #[error(
        "{path} is damaged: {why}; it was left as it is: find out what happened (trunkline audit verify --folder), then \
         move the folder away, and a new chain begins"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        why: String,
    },
    /// The system said no.
    #[error("{path} cannot be used")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
}

/// Why an event was not taken. It is in no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// More waits than may.
    #[error(
        "the audit log has no room: {waiting} records wait for the disk; what cannot be recorded is not done, try again"
    )]
    Full {
        /// How many wait.
        waiting: usize,
    },
    /// The event is longer than a record may be.
    #[error("an event of {bytes} bytes is longer than an audit record may be")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// The log was closed.
    #[error("the audit log is closed")]
    Closed,
}

/// Why it is not known that a record is durable. It stays queued, and may be written later.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the audit log cannot be written: {0}; what cannot be recorded is not done")]
pub struct NotWritten(pub(crate) String);

/// Why the log was not read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// There is none.
    #[error("no audit log is kept here: the gateway has no data folder, and its records go to its own log")]
    NotKept,
    /// There is no such recording.
    #[error("there is no recording of a request {0}")]
    NoRecording(String),
    /// Somebody does not wait for it any more.
    #[error("nobody waits for it any more")]
    Stopped,
    /// The system said no.
    #[error("the audit log cannot be read")]
    Io(#[from] std::io::Error),
}
