//! What a stranger may use up before it has said who it is.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// Connections that may be in their handshake at once at one door.
const ALL: usize = 1024;

/// The connections that are not through their handshake. Clones share the count.
#[derive(Clone)]
pub(crate) struct Arrivals {
    networks: Arc<Mutex<HashMap<u128, usize>>>,
    per_network: usize,
}

/// A connection in its handshake; dropping it frees its place.
pub(crate) struct Arrival {
    arrivals: Arrivals,
    network: u128,
}

impl Arrivals {
    /// At most `per_network` from one network (/24, /56).
    pub(crate) fn new(per_network: usize) -> Self {
        Self { networks: Arc::default(), per_network }
    }

    /// A place for a connection from `address`; none when there are too many already.
    pub(crate) fn enter(&self, address: IpAddr) -> Option<Arrival> {
        let network = network(address);
        let mut networks = self.networks.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = networks.values().sum();
        // On loopback there are tests, port-forwards and proxies of one's own, not strangers.
        let limit = if address.is_loopback() { ALL } else { self.per_network };
        if all >= ALL || networks.get(&network).is_some_and(|count| *count >= limit) {
            return None;
        }
        *networks.entry(network).or_default() += 1;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_network_cannot_take_all_places() {
        let arrivals = Arrivals::new(128);
        let from = |last| IpAddr::from([203, 0, 113, last]);
        let held: Vec<_> = (0..128).filter_map(|n| arrivals.enter(from(n))).collect();
        assert_eq!(held.len(), 128);
        assert_eq!(arrivals.networks.lock().unwrap().len(), 1);
        assert!(arrivals.enter(from(200)).is_none());
        assert!(arrivals.enter(IpAddr::from([198, 51, 100, 1])).is_some(), "others have their own share");
        drop(held);
        assert!(arrivals.enter(from(200)).is_some());
    }
}
