//! What stands between the agent and its tunnel, said once: in the log, at `/readyz` and at `/status`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tracing::{debug, warn};
use trunkline_runtime::Readiness;
use trunkline_tunnel::GatewayAddress;

/// The gate that is shut until there is a tunnel.
pub(crate) const GATE: &str = "tunnel";

/// The trouble there is. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Trouble {
    readiness: Readiness,
    told: Arc<Mutex<Told>>,
}

#[derive(Debug, Default)]
struct Told {
    /// The last of each address. There are as many as are configured.
    by_address: BTreeMap<String, String>,
    newest: Option<String>,
}

impl Trouble {
    pub(crate) fn new(readiness: Readiness) -> Self {
        Self { readiness, told: Arc::default() }
    }

    /// An attempt at an address failed. It is logged when it is another trouble than the last one there.
    pub(crate) fn tell(&self, address: &GatewayAddress, error: &str) {
        let mut told = self.told();
        let before = told.by_address.insert(address.to_string(), error.to_owned());
        told.newest = Some(error.to_owned());
        drop(told);
        if before.as_deref() == Some(error) {
            debug!(gateway = %address, error, "still no tunnel");
        } else {
            warn!(gateway = %address, error, "no tunnel");
        }
        self.readiness.explain(GATE, error);
    }

    /// There is a tunnel.
    pub(crate) fn is_over(&self) {
        *self.told() = Told::default();
    }

    /// The newest one, while there is no tunnel.
    pub(crate) fn newest(&self) -> Option<String> {
        self.told().newest.clone()
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readiness_says_the_newest_trouble_until_it_is_over() {
        let readiness = Readiness::new();
        let gate = readiness.gate(GATE);
        let trouble = Trouble::new(readiness.clone());
        let address = "gw.example:9443".parse().unwrap();
        trouble.tell(&address, "the token was used");
        trouble.tell(&address, "the token has expired");
        assert_eq!(readiness.awaited_because(), ["tunnel (the token has expired)"]);
        assert_eq!(trouble.newest().as_deref(), Some("the token has expired"));
        gate.open();
        trouble.is_over();
        assert_eq!((trouble.newest(), readiness.awaited_because().len()), (None, 0));
    }
}
