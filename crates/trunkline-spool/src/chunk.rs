//! The form in which records lie on the disk and travel: a self-describing chunk of them, compressed.
//!
//! ```text
//! head, 52 bytes | body: records, compressed by zstd or stored as they are
//! ```
//!
//! One chunk is what one group commit collected, or a part of it. Its bytes on the disk are its bytes on the wire. This
//! module knows no disk: the other end takes chunks apart with it, and trusts nothing in them.
//!
//! Invariants:
//! - what [`encode`] makes, [`Chunk::decode`] takes under [`Limits::default`];
//! - decoding never panics, and takes no more memory than its limits say, whatever came: lengths are judged before
//!   anything is inflated, and what comes out is counted while it does;
//! - a chunk that was decoded is whole: its records are as many as its head says, and fill it to the last byte.

mod head;
mod encode;
mod inflate;

use bytes::{Buf as _, Bytes};

pub(crate) use encode::{Commit, Encoder};
pub use head::ChunkHead;
pub(crate) use head::{HEAD, MAGIC};

use crate::epoch::Epoch;
use crate::error::BadChunk;
use crate::record::{MAX_RECORD, OVERHEAD, Record};

/// How many bytes of records one chunk collects, before compression; one record may be longer by its tag and length.
pub const CHUNK: usize = 1024 * 1024;
/// What need not be looked at for its ratio.
pub(crate) const SMALL: usize = 64 * 1024;

/// What a chunk that comes from outside may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Its bytes as they come.
    pub compressed: usize,
    /// Its bytes after inflation.
    pub inflated: usize,
    /// How many times its body it may inflate to, unless that is less than 64 KiB.
    pub ratio: usize,
    /// Its records.
    pub records: u32,
    /// The binary logarithm of zstd's window.
    pub window_log: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            compressed: 4 * 1024 * 1024,
            inflated: 16 * 1024 * 1024,
            ratio: 100,
            records: 65_536,
            window_log: 23,
        }
    }
}

/// Records, as they come out of a chunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    head: ChunkHead,
    /// What was walked through once already.
    raw: Bytes,
}

impl Chunk {
    /// Takes a chunk apart that was made under this epoch. It may come from anybody.
    ///
    /// # Errors
    /// Says what does not fit, before anything larger than the limits is made of it.
    pub fn decode(bytes: &[u8], epoch: Epoch, limits: &Limits) -> Result<Self, BadChunk> {
        limit("length", bytes.len(), limits.compressed)?;
        let head = ChunkHead::read(bytes, epoch)?;
        let body = bytes.get(HEAD..).unwrap_or_default();
        if body.len() != head.body {
            return Err(BadChunk::Length { says: HEAD + head.body, came: bytes.len() });
        }
        limit("number of records", head.count as usize, limits.records as usize)?;
        limit("inflated length", head.raw, limits.inflated)?;
        if head.raw > SMALL {
            limit("inflated length, by its ratio,", head.raw, body.len().saturating_mul(limits.ratio))?;
        }
        if head.raw < head.count as usize * OVERHEAD {
            return Err(BadChunk::Content("it is too short for its records"));
        }
        if !head.fits(body, epoch) {
            return Err(BadChunk::Checksum("body"));
        }
        let raw = if head.stored() {
            if head.raw != body.len() {
                return Err(BadChunk::Content("it is stored as it is, with another length"));
            }
            Bytes::copy_from_slice(body)
        } else {
            inflate::inflate(body, head.raw, limits.window_log)?.into()
        };
        let chunk = Self { head, raw };
        let mut left = chunk.raw.clone();
        for _ in 0..head.count {
            split(&mut left).ok_or(BadChunk::Content("a record ends behind it, or is too long"))?;
        }
        if left.has_remaining() {
            return Err(BadChunk::Content("something follows its records"));
        }
        Ok(chunk)
    }

    /// Its head.
    pub fn head(&self) -> &ChunkHead {
        &self.head
    }

    /// Its records, in order. They share its memory.
    pub fn records(&self) -> impl Iterator<Item = Record> + use<> {
        let (mut left, day) = (self.raw.clone(), self.head.day());
        (self.head.first..=self.head.last()).map_while(move |sequence| {
            let (tag, bytes) = split(&mut left)?;
            Some(Record { sequence, tag, day, bytes })
        })
    }
}

/// Takes one record off the front.
fn split(left: &mut Bytes) -> Option<(u32, Bytes)> {
    let tag = left.try_get_u32_le().ok()?;
    let length = left.try_get_u32_le().ok()? as usize;
    (length <= left.len() && length <= MAX_RECORD).then(|| (tag, left.split_to(length)))
}

fn limit(what: &'static str, is: usize, most: usize) -> Result<(), BadChunk> {
    if is <= most { Ok(()) } else { Err(BadChunk::Limit { what, is: is as u64, most: most as u64 }) }
}

#[cfg(test)]
mod tests;
