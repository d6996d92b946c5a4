//! What a stranger may use up before it has said who it is.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

/// Connections that may be in their TLS handshake at once.
const ALL: usize = 1024;
/// Connections from one network (/24, /56) that may be in their TLS handshake at once.
const PER_NETWORK: usize = 128;

/// The connections that are not through their TLS handshake. Clones share the count.
#[derive(Clone, Default)]
pub(crate) struct Arrivals {
    networks: Arc<Mutex<HashMap<u128, usize>>>,
}

/// A connection in its handshake; dropping it frees its place.
pub(crate) struct Arrival {
    arrivals: Arrivals,
    network: u128,
}

impl Arrivals {
    /// A place for a connection from `address`; none when there are too many already.
    pub(crate) fn enter(&self, address: IpAddr) -> Option<Arrival> {
        let network = network(address);
        let mut networks = self.networks.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = networks.values().sum();
        let count = networks.entry(network).or_default();
        // On loopback there are tests, port-forwards and proxies of one's own, not strangers.
        let limit = if address.is_loopback() { ALL } else { PER_NETWORK };
        if all >= ALL || *count >= limit {
            return None;
        }
        *count += 1;
        Some(Arrival { arrivals: self.clone(), network })
    }
}

impl Drop for Arrival {
    fn drop(&mut self) {
        let mut networks = self.arrivals.networks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = networks.get_mut(&self.network) {
            *count -= 1;
            if *count == 0 {
                networks.remove(&self.network);
            }
        }
    }
}

fn network(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(u32::from(v4) >> 8),
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => u128::from(u32::from(v4) >> 8),
            None => (u128::from(v6) >> 72) | 1 << 64,
        },
    }
}

/// Whether a connection's first request has come. Neither protocol's implementation starts its own clock at accept
/// (hyperium/hyper#3756).
#[derive(Clone)]
pub(crate) struct FirstRequest {
    came: watch::Sender<bool>,
}

impl Default for FirstRequest {
    fn default() -> Self {
        Self { came: watch::Sender::new(false) }
    }
}

impl FirstRequest {
    pub(crate) fn came(&self) {
        self.came.send_if_modified(|came| !std::mem::replace(came, true));
    }

    /// Returns only if no request came within `deadline`.
    pub(crate) async fn overdue(&self, deadline: Duration) {
        let mut came = self.came.subscribe();
        if tokio::time::timeout(deadline, came.wait_for(|came| *came)).await.is_ok() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_network_cannot_take_all_places() {
        let arrivals = Arrivals::default();
        let from = |last| IpAddr::from([203, 0, 113, last]);
        let held: Vec<_> = (0..128).filter_map(|n| arrivals.enter(from(n))).collect();
        assert_eq!(held.len(), PER_NETWORK);
        assert!(arrivals.enter(from(200)).is_none());
        assert!(arrivals.enter(IpAddr::from([198, 51, 100, 1])).is_some(), "others have their own share");
        drop(held);
        assert!(arrivals.enter(from(200)).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_without_a_request_is_overdue() {
        let silent = FirstRequest::default();
        silent.overdue(Duration::from_secs(10)).await;
        let spoken = FirstRequest::default();
        spoken.came();
        let waited = tokio::time::timeout(Duration::from_secs(60), spoken.overdue(Duration::from_secs(10)));
        assert!(waited.await.is_err());
    }
}
