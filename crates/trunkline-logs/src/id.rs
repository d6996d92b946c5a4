//! What a document is known by in a store: the same for what is sent again, another for everything else.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::alphabet::Alphabet;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use trunkline_proto::{ClusterUid, Slot};

use crate::{Dataset, OwnId};

const LENGTH: usize = 16;

/// The letters of base64url in the order of their codes: texts then have the order of the bytes, so that a store that sorts ids as
/// texts sorts them as [`Cursor`](crate::Cursor) does.
const SORTED: Alphabet =
    match Alphabet::new("-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz") {
        Ok(alphabet) => alphabet,
        Err(_) => panic!("an alphabet has 64 letters, each of them once"),
    };
const BASE64: GeneralPurpose = GeneralPurpose::new(&SORTED, NO_PAD);

/// What tells one life of a spool from another: random, made with the spool. Written as 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SpoolEpoch(pub [u8; LENGTH]);

/// A document's id: 128 bits of a hash, written as 22 letters, digits, `-` and `_` whose order is the order of the bits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DocumentId(pub [u8; LENGTH]);

/// Why a text is no id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no id of {1}")]
pub struct InvalidId(String, &'static str);

impl DocumentId {
    /// The id of the record in this place of this slot's spool.
    pub fn of_place(uid: ClusterUid, slot: Slot, spool: SpoolEpoch, sequence: u64) -> Self {
        let place = [&slot.0.to_le_bytes()[..], &spool.0, &sequence.to_le_bytes()];
        Self::hash(b"place", uid, &place)
    }

    /// The id of what a shipper gave an id of its own.
    pub fn of_own(uid: ClusterUid, dataset: &Dataset, own: OwnId) -> Self {
        Self::hash(b"own", uid, &[&own.0, dataset.as_str().as_bytes()])
    }

    /// Every part but the last has one length, so no two lists of parts are the same bytes.
    fn hash(kind: &[u8], uid: ClusterUid, parts: &[&[u8]]) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"trunkline document ");
        hash.update(kind);
        hash.update([0]);
        hash.update(uid.to_string());
        for part in parts {
            hash.update(part);
        }
        let mut bytes = [0; LENGTH];
        bytes.copy_from_slice(&hash.finalize()[..LENGTH]);
        Self(bytes)
    }
}

impl fmt::Display for DocumentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE64.encode(self.0))
    }
}

impl FromStr for DocumentId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let bytes = BASE64.decode(text).ok().and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or_else(|| InvalidId(text.chars().take(64).collect(), "a document"))
    }
}

impl fmt::Display for SpoolEpoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for SpoolEpoch {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let number = u128::from_str_radix(text, 16).ok();
        let epoch = number.map(|number| Self(number.to_be_bytes()));
        epoch
            .filter(|epoch| epoch.to_string() == text)
            .ok_or_else(|| InvalidId(text.chars().take(64).collect(), "a spool"))
    }
}

impl TryFrom<String> for DocumentId {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        text.parse()
    }
}

impl From<DocumentId> for String {
    fn from(id: DocumentId) -> Self {
        id.to_string()
    }
}

impl TryFrom<String> for SpoolEpoch {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        text.parse()
    }
}

impl From<SpoolEpoch> for String {
    fn from(epoch: SpoolEpoch) -> Self {
        epoch.to_string()
    }
}

impl fmt::Debug for DocumentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Debug for SpoolEpoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_place_has_an_id_of_its_own() {
        let uids = [ClusterUid::random(), ClusterUid::random()];
        let mut ids = HashSet::new();
        let mut all = 0;
        for uid in uids {
            for slot in [0, 1, 256] {
                for spool in [SpoolEpoch([0; 16]), SpoolEpoch([1; 16])] {
                    for sequence in [0, 1, 256, u64::MAX] {
                        ids.insert(DocumentId::of_place(uid, Slot(slot), spool, sequence));
                        all += 1;
                    }
                }
            }
            for dataset in ["a", "ab"] {
                for own in ["1", "b1"] {
                    ids.insert(DocumentId::of_own(uid, &dataset.parse().unwrap(), OwnId::of(own)));
                    all += 1;
                }
            }
        }
        assert_eq!(ids.len(), all);
    }

    #[test]
    fn ids_as_texts_have_the_order_of_ids() {
        let mut ids: Vec<_> = (0_u64..2000)
            .map(|place| DocumentId::of_place(ClusterUid::random(), Slot(0), SpoolEpoch([0; 16]), place))
            .collect();
        ids.extend([DocumentId([0; 16]), DocumentId([0xff; 16])]);
        ids.sort_unstable();
        assert!(ids.iter().map(ToString::to_string).is_sorted());
    }

    #[test]
    fn ids_are_read_as_they_were_written_and_in_one_spelling() {
        let id = DocumentId([7; 16]);
        assert_eq!((id.to_string().len(), id.to_string().parse()), (22, Ok(id)));
        let epoch = SpoolEpoch([0xab; 16]);
        assert_eq!(epoch.to_string().parse(), Ok(epoch));
        for no in ["", "+", &"a".repeat(21), &"A".repeat(32), &epoch.to_string().to_uppercase()] {
            assert!(no.parse::<DocumentId>().is_err() && no.parse::<SpoolEpoch>().is_err(), "{no}");
        }
    }
}
