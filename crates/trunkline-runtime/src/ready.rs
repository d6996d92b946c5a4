//! Readiness: which parts must be up before the process may receive traffic.
//!
//! Opening a gate is an explicit, consuming call. A gate that is dropped unopened stays shut, so that a panic
//! never reads as success.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use tracing::info;

/// The set of gates still shut. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Readiness {
    shut: Arc<Mutex<BTreeSet<&'static str>>>,
}

/// One part that must be up first.
#[derive(Debug)]
#[must_use = "an unopened gate keeps the process unready"]
pub struct Gate {
    name: &'static str,
    readiness: Readiness,
}

impl Readiness {
    /// Nothing to wait for.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a part to wait for.
    pub fn gate(&self, name: &'static str) -> Gate {
        self.with(|shut| shut.insert(name));
        Gate { name, readiness: self.clone() }
    }

    /// Shuts a gate for good: the process drains.
    pub fn shut(&self, name: &'static str) {
        self.with(|shut| shut.insert(name));
    }

    /// The parts still awaited; none when ready.
    pub fn awaited(&self) -> Vec<&'static str> {
        self.with(|shut| shut.iter().copied().collect())
    }

    fn with<T>(&self, change: impl FnOnce(&mut BTreeSet<&'static str>) -> T) -> T {
        change(&mut self.shut.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Gate {
    /// The part is up.
    pub fn open(self) {
        self.readiness.with(|shut| shut.remove(self.name));
        let awaited = self.readiness.awaited();
        if awaited.is_empty() {
            info!(part = self.name, "ready");
        } else {
            info!(part = self.name, ?awaited, "part ready");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ready_only_when_every_gate_was_opened_by_hand() {
        let readiness = Readiness::new();
        let front = readiness.gate("front door");
        let tunnel = readiness.gate("tunnel door");
        front.open();
        assert_eq!(readiness.awaited(), ["tunnel door"]);
        drop(tunnel);
        assert_eq!(readiness.awaited(), ["tunnel door"], "dropping a gate must not open it");
    }
}
