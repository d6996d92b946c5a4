//! The serials that no door lets in any more.
//!
//! A door asks at every handshake, so a replaced set holds from the next handshake on. Links that are up
//! already are not this module's business: whoever revokes also cuts them.

use std::collections::HashSet;
use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::{InvalidSerial, Serial};

/// The revoked serials of one root; every clone sees the same set.
#[derive(Clone, Debug, Default)]
pub struct Revocations(Arc<ArcSwap<HashSet<Serial>>>);

/// Why a list of serials could not be read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("line {line} of the list of revoked serials is unreadable; correct that line")]
pub struct InvalidSerialList {
    /// The line's number, from 1.
    pub line: usize,
    /// What is wrong with it.
    #[source]
    pub source: InvalidSerial,
}

impl Revocations {
    /// A set with nothing revoked.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes `serials` for all that is revoked, from the next handshake on.
    pub fn replace(&self, serials: HashSet<Serial>) {
        self.0.store(Arc::new(serials));
    }

    /// Whether this serial is revoked.
    pub fn contains(&self, serial: &Serial) -> bool {
        self.0.load().contains(serial)
    }
}

/// Reads a list of serials: one a line, blank lines and what follows a `#` left out.
pub fn parse_serials(text: &str) -> Result<HashSet<Serial>, InvalidSerialList> {
    let mut serials = HashSet::new();
    for (at, line) in text.lines().enumerate() {
        let entry = line.split('#').next().unwrap_or_default().trim();
        if !entry.is_empty() {
            let serial = entry.parse().map_err(|source| InvalidSerialList { line: at + 1, source })?;
            serials.insert(serial);
        }
    }
    Ok(serials)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_serials_may_hold_comments_and_blank_lines() {
        let serials = parse_serials("# agents\nAB:01  # lost laptop\n\n2f\r\n").unwrap();
        let expected = ["ab01", "2f"].map(|serial| serial.parse().unwrap());
        assert_eq!(serials, HashSet::from(expected));
    }

    #[test]
    fn an_unreadable_line_is_named() {
        assert_eq!(parse_serials("ab\nnonsense\n").unwrap_err().line, 2);
    }

    #[test]
    fn every_clone_sees_a_replaced_set() {
        let (revocations, serial) = (Revocations::new(), Serial::from_bytes(&[7]));
        let clone = revocations.clone();
        assert!(!clone.contains(&serial));
        revocations.replace(HashSet::from([serial.clone()]));
        assert!(clone.contains(&serial));
        revocations.replace(HashSet::new());
        assert!(!clone.contains(&serial));
    }
}
