//! What the fuzz targets feed: the codec over plain values. No part of the interface.

use crate::chunk::{Encoder, HEAD};
use crate::epoch::Epoch;
use crate::record::NewRecord;

/// The bytes with checksums that fit them, as from somebody who means it; what is shorter than a head stays as it is.
pub fn sealed(mut bytes: Vec<u8>, epoch: Epoch) -> Vec<u8> {
    for (at, from) in [(8, HEAD), (4, 8)] {
        let Some(crc) = bytes.get(from..).map(|covered| epoch.crc(covered)) else { continue };
        if let Some(place) = bytes.get_mut(at..at + 4) {
            place.copy_from_slice(&crc.to_le_bytes());
        }
    }
    bytes
}

/// The chunks of records that get sequences from `first` on.
pub fn chunks(first: u64, at: u64, records: &[NewRecord], epoch: Epoch) -> Vec<Vec<u8>> {
    let records: Vec<&NewRecord> = records.iter().collect();
    let Ok(commit) = Encoder::new(epoch).and_then(|mut encoder| encoder.commit(first, at, &records)) else {
        return Vec::new();
    };
    let mut bytes = commit.bytes;
    commit
        .heads
        .iter()
        .map(|head| {
            let rest = bytes.split_off(head.length());
            std::mem::replace(&mut bytes, rest)
        })
        .collect()
}
