//! The serials that no door lets in any more.
//!
//! A door asks at every handshake, so a replaced set holds from the next handshake on. Links that are up
//! already are not this module's business: whoever revokes also cuts them.

use std::collections::HashSet;
use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::Serial;

/// The revoked serials of one root; every clone sees the same set.
#[derive(Clone, Debug, Default)]
pub struct Revocations(Arc<ArcSwap<HashSet<Serial>>>);

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

#[cfg(test)]
mod tests {
    use super::*;

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
