//! A cluster's name, then what the store holds of it.
//!
//! What is read as a record is read as the same one after it was written again, and keeps the registry's own rules.

use trunkline_registry::bare::{decode, encode};

use crate::lines::first_line;

/// Reads a record of the registry.
pub fn record(input: &[u8]) {
    let (name, body) = first_line(input);
    let Ok(record) = decode(name, body) else { return };
    assert_eq!(record.metadata.name.as_str(), name);
    assert!(record.metadata.uid.is_some() && record.metadata.created.is_some());
    assert!(record.key.is_some() || record.slots.is_empty());
    if let Some(used) = record.join.as_ref().and_then(|join| join.used.as_ref()) {
        assert_eq!(record.key.as_ref().map(|key| &key.pin), Some(&used.key));
    }
    let written = encode(&record).expect("what was read can be written");
    assert_eq!(decode(name, &written).as_ref(), Ok(&record));
    let sign = record.last_sign();
    assert!(record.slots.values().all(|slot| sign >= Some(slot.issued)));
}
