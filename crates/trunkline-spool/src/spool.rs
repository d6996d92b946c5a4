//! The spool as everybody uses it. (Its inside follows in the next commits; the types are final.)

use std::path::Path;

use bytes::Bytes;
use trunkline_runtime::Tasks;

use crate::chunk::ChunkHead;
use crate::error::{NeverWritten, OpenError, ReadError, Refused};
use crate::record::NewRecord;
use crate::settings::Settings;
use crate::status::{Gap, Status};

/// A spool in a folder. Clones share it; when the last of them and of its writers and readers is gone, what waits is written
/// and the folder is free for another.
#[derive(Clone, Debug)]
pub struct Spool {}

/// Hands records in. Clones share the queue.
#[derive(Clone, Debug)]
pub struct Writer {}

/// Yields chunks in order.
#[derive(Debug)]
pub struct Reader {}

/// Where records were put that are durable now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The sequence of the call's first record.
    pub first: u64,
    /// That of its last.
    pub last: u64,
}

/// A chunk as it lies in the spool and travels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChunkAt {
    /// What it says about itself.
    pub head: ChunkHead,
    /// All of it: what [`Chunk::decode`](crate::Chunk::decode) takes.
    pub bytes: Bytes,
    /// What is missing right before it.
    pub gap: Option<Gap>,
}

#[allow(clippy::unused_async, clippy::todo, unused_variables, missing_docs)]
impl Spool {
    /// Opens the spool in a folder, makes it if there is none. For this process alone. Stops with `tasks`: what waits is
    /// written then, and everything after is refused. Reads the newest segment: some milliseconds.
    pub fn open(folder: &Path, settings: Settings, tasks: &Tasks) -> Result<Self, OpenError> {
        todo!()
    }

    pub fn writer(&self) -> Writer {
        todo!()
    }

    /// A reader that begins behind what was acknowledged. One is enough.
    pub fn reader(&self) -> Reader {
        todo!()
    }

    /// All records through this one may go. It need not be durable at once: forgotten, it only repeats work.
    pub fn ack(&self, through: u64) -> Result<(), NeverWritten> {
        todo!()
    }

    pub fn status(&self) -> Status {
        todo!()
    }

    /// Whether whoever brings records should bring fewer: 90 % of the cap are taken, or the disk takes nothing.
    pub fn pressure(&self) -> bool {
        todo!()
    }
}

#[allow(clippy::unused_async, clippy::todo, unused_variables)]
impl Writer {
    /// Keeps these records, all or none of them; answers once they are durable. Waits while the queue is full.
    ///
    /// Who drops the future before its answer does not know whether they are kept.
    pub async fn append(&self, records: Vec<NewRecord>) -> Result<Receipt, Refused> {
        todo!()
    }
}

#[allow(clippy::unused_async, clippy::todo)]
impl Reader {
    /// The next chunk; waits for one. None when the spool is closed and all was read. May be dropped while it waits.
    pub async fn next(&mut self) -> Result<Option<ChunkAt>, ReadError> {
        todo!()
    }

    /// Goes back to what was not acknowledged.
    pub fn rewind(&mut self) {
        todo!()
    }
}
