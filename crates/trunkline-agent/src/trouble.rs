//! What stands between the agent and its tunnel, said once: in the log, at `/readyz` and at `/status`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;
use tracing::{debug, warn};
use trunkline_runtime::Readiness;
use trunkline_tunnel::GatewayAddress;

/// The gate that is shut until there is a tunnel.
pub(crate) const GATE: &str = "tunnel";

/// The trouble there is. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Trouble {
    readiness: Readiness,
    /// The last of each address. There are as many as are configured.
    by_address: Arc<Mutex<BTreeMap<String, String>>>,
    newest: watch::Sender<Option<String>>,
}

impl Trouble {
    pub(crate) fn new(readiness: Readiness) -> Self {
        Self { readiness, by_address: Arc::default(), newest: watch::Sender::new(None) }
    }

    /// An attempt at an address failed. It is logged when it is another trouble than the last one there.
    pub(crate) fn tell(&self, address: &GatewayAddress, error: &str) {
        let before = self.with(|told| told.insert(address.to_string(), error.to_owned()));
        if before.as_deref() == Some(error) {
            debug!(gateway = %address, error, "still no tunnel");
        } else {
            warn!(gateway = %address, error, "no tunnel");
        }
        self.readiness.explain(GATE, error);
        self.newest.send_replace(Some(error.to_owned()));
    }

    /// There is a tunnel.
    pub(crate) fn is_over(&self) {
        self.with(BTreeMap::clear);
        self.newest.send_replace(None);
    }

    /// The newest one, while there is no tunnel.
    pub(crate) fn newest(&self) -> watch::Receiver<Option<String>> {
        self.newest.subscribe()
    }

    fn with<T>(&self, change: impl FnOnce(&mut BTreeMap<String, String>) -> T) -> T {
        change(&mut self.by_address.lock().unwrap_or_else(PoisonError::into_inner))
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
        assert_eq!(trouble.newest().borrow().as_deref(), Some("the token has expired"));
        gate.open();
        trouble.is_over();
        assert!(trouble.newest().borrow().is_none() && readiness.awaited_because().is_empty());
    }
}
