//! The head of a chunk: 52 bytes, little-endian.
//!
//! ```text
//! magic 4 | head's crc32 4 | body's crc32 4 | body's length 4 | inflated length 4 | count 4 |
//! first sequence 8 | first sequence of the commit 8 | spooled at, ms since 1970, 8 | flags 4
//! ```
//!
//! Both checksums are seeded with the epoch. The head has its own, so that behind a damaged chunk the next can be looked for
//! byte by byte without reading what each false one claims for its body.

use bytes::{Buf as _, BufMut as _};

use crate::epoch::Epoch;
use crate::error::BadChunk;

/// How long a head is.
pub(crate) const HEAD: usize = 52;
/// What every chunk of this version begins with.
pub(crate) const MAGIC: [u8; 4] = *b"TLC1";

/// The last chunk of its commit.
const LAST: u32 = 1;
/// The body is not compressed.
const STORED: u32 = 2;
/// Milliseconds in a day.
const DAY: u64 = 86_400_000;

/// What a chunk says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChunkHead {
    /// The sequence of its first record.
    pub first: u64,
    /// How many records it has; at least one.
    pub count: u32,
    /// When they were spooled, in milliseconds since 1970.
    pub at: u64,
    /// The first sequence of the group commit it is of.
    pub(crate) commit: u64,
    pub(crate) body: usize,
    pub(crate) raw: usize,
    body_crc: u32,
    flags: u32,
}

impl ChunkHead {
    /// The head of a chunk with this body.
    pub(crate) fn new(
        place: (u64, u32),
        commit: u64,
        at: u64,
        body: &[u8],
        raw: usize,
        epoch: Epoch,
    ) -> Self {
        let (first, count) = place;
        let body_crc = epoch.crc(body);
        Self { first, count, at, commit, body: body.len(), raw, body_crc, flags: 0 }
    }

    /// Reads the head that these bytes begin with. Its body may be missing.
    ///
    /// # Errors
    /// When it is none of this epoch.
    pub fn read(bytes: &[u8], epoch: Epoch) -> Result<Self, BadChunk> {
        let Some(mut head) = bytes.get(..HEAD) else {
            return Err(BadChunk::Length { says: HEAD, came: bytes.len() });
        };
        let checked = head.get(8..).map(|rest| epoch.crc(rest));
        if !head.starts_with(&MAGIC) {
            return Err(BadChunk::NoChunk);
        }
        head.advance(MAGIC.len());
        // All of it is there: HEAD bytes were taken.
        if Some(head.get_u32_le()) != checked {
            return Err(BadChunk::Checksum("head"));
        }
        let body_crc = head.get_u32_le();
        let (body, raw, count) = (head.get_u32_le() as usize, head.get_u32_le() as usize, head.get_u32_le());
        let (first, commit, at) = (head.get_u64_le(), head.get_u64_le(), head.get_u64_le());
        let flags = head.get_u32_le();
        if flags & !(LAST | STORED) != 0 {
            return Err(BadChunk::Content("it has flags of another version"));
        }
        if count == 0 || first == 0 || first.checked_add(u64::from(count)).is_none() {
            return Err(BadChunk::Content("its sequences are none"));
        }
        if commit == 0 || commit > first {
            return Err(BadChunk::Content("it stands before its commit"));
        }
        Ok(Self { first, count, at, commit, body, raw, body_crc, flags })
    }

    pub(crate) fn write(&self, epoch: Epoch, out: &mut Vec<u8>) {
        let begin = out.len();
        out.extend_from_slice(&MAGIC);
        out.put_u32_le(0);
        out.put_u32_le(self.body_crc);
        // No chunk is near 4 GiB.
        out.put_u32_le(self.body as u32);
        out.put_u32_le(self.raw as u32);
        out.put_u32_le(self.count);
        for number in [self.first, self.commit, self.at] {
            out.put_u64_le(number);
        }
        out.put_u32_le(self.flags);
        let crc = epoch.crc(out.get(begin + 8..).unwrap_or_default());
        if let Some(place) = out.get_mut(begin + 4..begin + 8) {
            place.copy_from_slice(&crc.to_le_bytes());
        }
    }

    /// The sequence of its last record.
    pub fn last(&self) -> u64 {
        self.first + u64::from(self.count) - 1
    }

    /// The UTC day on which its records were spooled, in days since 1970.
    pub fn day(&self) -> u32 {
        u32::try_from(self.at / DAY).unwrap_or(u32::MAX)
    }

    /// How long the chunk is, head and body.
    pub fn length(&self) -> usize {
        HEAD + self.body
    }

    /// Whether a body is the one this head was made for.
    pub(crate) fn fits(&self, body: &[u8], epoch: Epoch) -> bool {
        body.len() == self.body && epoch.crc(body) == self.body_crc
    }

    pub(crate) fn stored(&self) -> bool {
        self.flags & STORED != 0
    }

    pub(crate) fn set_stored(&mut self) {
        self.flags |= STORED;
    }

    /// Whether its commit ends with it.
    pub(crate) fn ends_commit(&self) -> bool {
        self.flags & LAST != 0
    }

    pub(crate) fn set_ends_commit(&mut self) {
        self.flags |= LAST;
    }
}
