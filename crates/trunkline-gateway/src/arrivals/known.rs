//! The addresses from which somebody has shown a good identity.

use std::collections::HashMap;
use std::net::IpAddr;

/// How many addresses are remembered; over it, the one that was seen longest ago is forgotten.
const ADDRESSES: usize = 8192;
/// How many connections from one of them are spared at once.
const SPARED: u32 = 64;

/// Addresses that are known. IPv6 by /64, since its hosts change what is behind.
#[derive(Default)]
pub(super) struct Known {
    addresses: HashMap<IpAddr, Seen>,
    clock: u64,
}

#[derive(Default)]
struct Seen {
    last: u64,
    spared: u32,
}

impl Known {
    /// Somebody at `address` has shown a good identity.
    pub(super) fn remember(&mut self, address: IpAddr) {
        self.clock += 1;
        let address = prefix(address);
        if self.addresses.len() >= ADDRESSES && !self.addresses.contains_key(&address) {
            let oldest = self.addresses.iter().min_by_key(|(_, seen)| seen.last).map(|(oldest, _)| *oldest);
            oldest.and_then(|oldest| self.addresses.remove(&oldest));
        }
        self.addresses.entry(address).or_default().last = self.clock;
    }

    /// Whether a connection from `address` is to be spared. If so, [`Known::release`] is called when it is over.
    pub(super) fn spare(&mut self, address: IpAddr) -> bool {
        let seen = self.addresses.get_mut(&prefix(address)).filter(|seen| seen.spared < SPARED);
        seen.map(|seen| seen.spared += 1).is_some()
    }

    pub(super) fn release(&mut self, address: IpAddr) {
        if let Some(seen) = self.addresses.get_mut(&prefix(address)) {
            seen.spared = seen.spared.saturating_sub(1);
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
        let mut known = Known::default();
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
        let mut known = Known::default();
        let address = |n: u32| IpAddr::from(n.to_be_bytes());
        (0..9000).for_each(|n| known.remember(address(n)));
        assert_eq!(known.addresses.len(), ADDRESSES);
        assert!(!known.spare(address(0)) && known.spare(address(8999)));
    }

    #[test]
    fn hosts_of_one_ipv6_network_are_known_together() {
        let mut known = Known::default();
        known.remember("2001:db8::1".parse().unwrap());
        assert!(known.spare("2001:db8::2".parse().unwrap()));
        assert!(!known.spare("2001:db8:0:1::1".parse().unwrap()));
    }
}
