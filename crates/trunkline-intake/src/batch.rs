//! The records of one request on their way to the spool: all of them, or none.
//!
//! They lie one behind another in blocks, so that many small ones take hardly more than their bytes.

use bytes::{BufMut as _, BytesMut};
use trunkline_logs::{ENTRY, Entry, OwnId};
use trunkline_spool::NewRecord;

use crate::budget::{Held, NoMore};

/// What a block holds at least, in bytes.
const BLOCK: usize = 64 * 1024;
/// What an item takes beside its bytes, here and in the answer.
const BESIDE: usize = 128;

/// Records that are being collected.
#[derive(Debug)]
pub(crate) struct Batch {
    held: Held,
    block: BytesMut,
    records: Vec<NewRecord>,
    bytes: usize,
    received: i64,
}

impl Batch {
    /// An empty one, of records that were received at this moment, in milliseconds since 1970.
    pub(crate) fn new(held: Held, received: i64) -> Self {
        Self { held, block: BytesMut::new(), records: Vec::new(), bytes: 0, received }
    }

    /// Counts one item of the request, whatever becomes of it, and what it takes beside its record.
    pub(crate) fn item(&mut self, more: usize) -> Result<(), NoMore> {
        self.held.take(BESIDE + more)
    }

    /// Counts what the request takes beside its items.
    pub(crate) fn take(&mut self, bytes: usize) -> Result<(), NoMore> {
        self.held.take(bytes)
    }

    /// Adds a record, whose text comes in parts.
    pub(crate) fn push(&mut self, own_id: Option<OwnId>, parts: &[&[u8]]) -> Result<(), NoMore> {
        let length: usize = parts.iter().map(|part| part.len()).sum();
        let size = Entry::BESIDE + length;
        self.held.take(size)?;
        if self.block.capacity() < size {
            self.block = BytesMut::with_capacity(BLOCK.max(size));
        }
        Entry::write_head(self.received, own_id, &mut self.block);
        parts.iter().for_each(|part| self.block.put_slice(part));
        self.records.push(NewRecord { tag: ENTRY, bytes: self.block.split().freeze() });
        self.bytes += length;
        Ok(())
    }

    /// How many records there are.
    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }

    /// The bytes of their texts.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The records, and what must be held until they are durable.
    pub(crate) fn into_records(self) -> (Vec<NewRecord>, Held) {
        (self.records, self.held)
    }
}
