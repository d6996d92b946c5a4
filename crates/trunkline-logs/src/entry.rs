//! What a shipper said, as it lies in a spool and travels: when it was taken, under which id of the shipper's, and its text.
//!
//! ```text
//! flags u8 │ received i64, little endian, ms since 1970 │ [own id, 16 bytes, if flags & 1] │ JSON text
//! ```

use bytes::{BufMut, Bytes, BytesMut};
use sha2::{Digest, Sha256};

/// The tag of a spooled record that is an entry of this form.
pub const ENTRY: u32 = 1;

const HAS_OWN_ID: u8 = 1;
const FIXED: usize = 9;
const ID: usize = 16;

/// A hash of the `_id` that a shipper gave: never the text itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OwnId(pub [u8; ID]);

impl OwnId {
    /// The hash of this `_id`.
    pub fn of(id: &str) -> Self {
        let digest = Sha256::digest(id.as_bytes());
        let mut bytes = [0; ID];
        bytes.copy_from_slice(&digest[..ID]);
        Self(bytes)
    }
}

/// What a shipper said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When the intake took it, in milliseconds since 1970.
    pub received: i64,
    /// The id that its shipper gave it, if it did.
    pub own_id: Option<OwnId>,
    /// The text of a JSON object, as it came.
    pub json: Bytes,
}

/// Why bytes are no [`Entry`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEntry {
    /// It ends before its fixed part does.
    #[error("the entry is cut off")]
    Short,
    /// It has flags of another version.
    #[error("the entry has the flags {0:#04x}, which this version does not know")]
    Flags(u8),
}

impl Entry {
    /// What an entry takes beside its text at the most, in bytes.
    pub const BESIDE: usize = FIXED + ID;

    /// The entry's bytes.
    pub fn encode(&self) -> Bytes {
        let mut bytes = BytesMut::with_capacity(Self::BESIDE + self.json.len());
        Self::write_head(self.received, self.own_id, &mut bytes);
        bytes.put_slice(&self.json);
        bytes.freeze()
    }

    /// Writes all of an entry but its text, which is to follow.
    pub fn write_head(received: i64, own_id: Option<OwnId>, bytes: &mut BytesMut) {
        bytes.put_u8(if own_id.is_some() { HAS_OWN_ID } else { 0 });
        bytes.put_i64_le(received);
        if let Some(OwnId(id)) = &own_id {
            bytes.put_slice(id);
        }
    }

    /// Reads an entry; its text shares the memory of `bytes`, and is not looked at.
    pub fn decode(mut bytes: Bytes) -> Result<Self, InvalidEntry> {
        use bytes::Buf as _;
        if bytes.len() < FIXED {
            return Err(InvalidEntry::Short);
        }
        let flags = bytes.get_u8();
        let received = bytes.get_i64_le();
        let own_id = match flags {
            0 => None,
            HAS_OWN_ID if bytes.len() < ID => return Err(InvalidEntry::Short),
            HAS_OWN_ID => {
                let mut id = [0; ID];
                bytes.copy_to_slice(&mut id);
                Some(OwnId(id))
            }
            other => return Err(InvalidEntry::Flags(other)),
        };
        Ok(Self { received, own_id, json: bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_read_as_it_was_written() {
        for own_id in [None, Some(OwnId::of("17"))] {
            for json in ["{}", "", r#"{"message":"hello"}"#] {
                let entry = Entry { received: -3, own_id, json: json.into() };
                assert_eq!(Entry::decode(entry.encode()), Ok(entry));
            }
        }
    }

    #[test]
    fn what_is_cut_off_or_of_another_version_is_told() {
        let whole = Entry { received: 1, own_id: Some(OwnId::of("x")), json: Bytes::new() }.encode();
        for end in 0..whole.len() {
            assert_eq!(Entry::decode(whole.slice(..end)), Err(InvalidEntry::Short), "{end}");
        }
        let mut other = whole.to_vec();
        other[0] = 2;
        assert_eq!(Entry::decode(other.into()), Err(InvalidEntry::Flags(2)));
    }
}
