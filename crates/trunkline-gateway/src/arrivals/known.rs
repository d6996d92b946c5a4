//! The addresses from which somebody has shown a good identity, or holds a tunnel.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many addresses are remembered, beside those that hold a tunnel; over it, the one that was seen longest ago is
/// forgotten.
const ADDRESSES: usize = 8192;
/// How many connections from one of them are spared at once.
const SPARED: u32 = 64;

/// Addresses that are known, at both doors. IPv6 by /64, since its hosts change what is behind. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Known {
    addresses: Arc<Mutex<Addresses>>,
}

#[derive(Default)]
struct Addresses {
    seen: HashMap<IpAddr, Seen>,
    /// Those of them that hold a tunnel.
    holding: usize,
    clock: u64,
}

#[derive(Default)]
struct Seen {
    last: u64,
    spared: u32,
    /// Live links from there.
    links: u32,
}

/// A live link from an address, which is remembered until this is dropped.
pub(crate) struct LiveAddress {
    known: Known,
    address: IpAddr,
}

impl Known {
    /// Somebody at `address` has shown a good identity.
    pub(super) fn remember(&self, address: IpAddr) {
        self.lock().remember(prefix(address));
    }

    /// A link from `address` is up.
    pub(crate) fn hold(&self, address: IpAddr) -> LiveAddress {
        let address = prefix(address);
        let mut addresses = self.lock();
        let seen = addresses.remember(address);
        seen.links += 1;
        if seen.links == 1 {
            addresses.holding += 1;
        }
        drop(addresses);
        LiveAddress { known: self.clone(), address }
    }

    /// Whether a connection from `address` is to be spared. If so, [`Known::release`] is called when it is over.
    pub(super) fn spare(&self, address: IpAddr) -> bool {
        let mut addresses = self.lock();
        let seen = addresses.seen.get_mut(&prefix(address)).filter(|seen| seen.spared < SPARED);
        seen.map(|seen| seen.spared += 1).is_some()
    }

    pub(super) fn release(&self, address: IpAddr) {
        if let Some(seen) = self.lock().seen.get_mut(&prefix(address)) {
            seen.spared = seen.spared.saturating_sub(1);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Addresses> {
        self.addresses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Addresses {
    fn remember(&mut self, address: IpAddr) -> &mut Seen {
        self.clock += 1;
        if self.seen.len() - self.holding >= ADDRESSES && !self.seen.contains_key(&address) {
            let idle = self.seen.iter().filter(|(_, seen)| seen.links == 0);
            let oldest = idle.min_by_key(|(_, seen)| seen.last).map(|(oldest, _)| *oldest);
            oldest.and_then(|oldest| self.seen.remove(&oldest));
        }
        let seen = self.seen.entry(address).or_default();
        seen.last = self.clock;
        seen
    }
}

impl Drop for LiveAddress {
    fn drop(&mut self) {
        let mut addresses = self.known.lock();
        let Some(seen) = addresses.seen.get_mut(&self.address) else { return };
        seen.links = seen.links.saturating_sub(1);
        if seen.links == 0 {
            addresses.holding = addresses.holding.saturating_sub(1);
        }
    }
}

fn prefix(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) >> 64 << 64).into()),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_address_is_spared_for_a_bounded_number_of_connections() {
        let known = Known::default();
        let address = IpAddr::from([192, 0, 2, 1]);
        assert!(!known.spare(address));
        known.remember(address);
        let spared = (0..1000).filter(|_| known.spare(address)).count();
        assert_eq!(spared, SPARED as usize);
        known.release(address);
        assert!(known.spare(address));
    }

    #[test]
    fn so_many_addresses_are_remembered_and_the_oldest_is_forgotten() {
        let known = Known::default();
        let address = |n: u32| IpAddr::from(n.to_be_bytes());
        (0..9000).for_each(|n| known.remember(address(n)));
        assert_eq!(known.lock().seen.len(), ADDRESSES);
        assert!(!known.spare(address(0)) && known.spare(address(8999)));
    }

    #[test]
    fn an_address_that_holds_a_tunnel_is_not_forgotten_before_it_ends() {
        let known = Known::default();
        let address = |n: u32| IpAddr::from(n.to_be_bytes());
        let links: Vec<_> = (0..100).chain(0..100).map(|n| known.hold(address(n))).collect();
        (1000..10_000).for_each(|n| known.remember(address(n)));
        assert!((0..100).all(|n| known.spare(address(n))));
        assert_eq!(known.lock().seen.len(), ADDRESSES + 100);
        drop(links);
        assert_eq!(known.lock().holding, 0);
        (10_000..20_000).for_each(|n| known.remember(address(n)));
        assert!(!known.spare(address(0)));
    }

    #[test]
    fn hosts_of_one_ipv6_network_are_known_together() {
        let known = Known::default();
        known.remember("2001:db8::1".parse().unwrap());
        assert!(known.spare("2001:db8::2".parse().unwrap()));
        assert!(!known.spare("2001:db8:0:1::1".parse().unwrap()));
    }
}
