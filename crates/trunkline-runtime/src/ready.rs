//! Readiness: which parts must be up before the process may receive traffic.
//!
//! Opening a gate is an explicit, consuming call. A gate that is dropped unopened stays shut, so that a panic
//! never reads as success.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tracing::info;

/// The set of gates still shut, and why where it is known. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Readiness {
    shut: Arc<Mutex<BTreeMap<&'static str, Option<String>>>>,
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
        self.with(|shut| shut.insert(name, None));
        Gate { name, readiness: self.clone() }
    }

    /// Shuts a gate for good: the process drains.
    pub fn shut(&self, name: &'static str) {
        self.with(|shut| shut.insert(name, None));
    }

    /// Says why a part is not up yet; of a part that is up nothing is said.
    pub fn explain(&self, name: &'static str, why: impl Into<String>) {
        self.with(|shut| {
            if let Some(reason) = shut.get_mut(name) {
                *reason = Some(why.into());
            }
        });
    }

    /// The parts still awaited; none when ready.
    pub fn awaited(&self) -> Vec<&'static str> {
        self.with(|shut| shut.keys().copied().collect())
    }

    /// The parts still awaited, for people: each with its reason, where it is known.
    pub fn awaited_because(&self) -> Vec<String> {
        let said = |(name, why): (&&'static str, &Option<String>)| match why {
            Some(why) => format!("{name} ({why})"),
            None => (*name).to_owned(),
        };
        self.with(|shut| shut.iter().map(said).collect())
    }

    fn with<T>(&self, change: impl FnOnce(&mut BTreeMap<&'static str, Option<String>>) -> T) -> T {
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
        readiness.explain("front door", "it is up, so this is not kept");
        readiness.explain("tunnel door", "its port is taken");
        assert_eq!(readiness.awaited_because(), ["tunnel door (its port is taken)"]);
        drop(tunnel);
        assert_eq!(readiness.awaited(), ["tunnel door"], "dropping a gate must not open it");
    }
}
