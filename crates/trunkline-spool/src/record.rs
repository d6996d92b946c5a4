//! Records: what goes in, and what comes out at the other end.
//!
//! Within a chunk a record is `tag u32 | length u32 | bytes`, little-endian.

use bytes::{BufMut as _, Bytes};

/// How long a record may be.
pub const MAX_RECORD: usize = 1024 * 1024;
/// What a record takes besides its bytes.
pub(crate) const OVERHEAD: usize = 8;

/// A record on its way into a spool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRecord {
    /// What kind it is: its writer's and its reader's affair.
    pub tag: u32,
    /// At most [`MAX_RECORD`].
    pub bytes: Bytes,
}

/// A record that was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its place: with the epoch of the spool's life it stands for this record and for no other, ever.
    pub sequence: u64,
    /// As it came in.
    pub tag: u32,
    /// The UTC day on which it was spooled, in days since 1970.
    pub day: u32,
    /// As they came in.
    pub bytes: Bytes,
}

impl NewRecord {
    /// What it takes before compression.
    pub(crate) fn size(&self) -> usize {
        OVERHEAD + self.bytes.len()
    }

    pub(crate) fn put(&self, raw: &mut Vec<u8>) {
        raw.put_u32_le(self.tag);
        // At most MAX_RECORD.
        raw.put_u32_le(self.bytes.len() as u32);
        raw.extend_from_slice(&self.bytes);
    }
}
