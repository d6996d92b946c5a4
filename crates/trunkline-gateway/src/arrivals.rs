//! Places for those who have not yet said who they are: the strangers at a door.
//!
//! Nobody waits behind a stranger, and no stranger is turned away: when all places are taken, a newcomer gets the place
//! of another. That is one of the network (/24, /56) that has the most, and there the one that has got on with nothing
//! for the longest. So who floods pushes out its own.
//!
//! Invariants:
//! - an address from which somebody has shown a good identity, at either door, is spared while there is another to push
//!   out, for a bounded number of connections: behind it may be strangers too (NAT);
//! - an address that holds a live tunnel is not forgotten;
//! - there are never more than [`PLACES`] + [`LEAVING`] connections of strangers at one door, and never more than a small
//!   part of the files that the process may have open.

mod known;

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use trunkline_runtime::open_files_limit;

pub(crate) use known::Known;

/// Strangers at one door.
const PLACES: usize = 2048;
/// Strangers that were pushed out and are not gone yet; over it, nobody is accepted for that moment.
const LEAVING: usize = 256;
/// The part of all files that the strangers at one door may have open.
const PART: usize = 8;

/// The strangers at one door. Clones share them.
#[derive(Clone)]
pub(crate) struct Arrivals {
    strangers: Arc<Mutex<Strangers>>,
    /// Bounds what exists, as the table bounds what may stay.
    places: Arc<Semaphore>,
}

/// A stranger's place; dropping it frees it.
pub(crate) struct Arrival {
    arrivals: Arrivals,
    address: IpAddr,
    spared: bool,
    /// Its key in the table.
    turn: AtomicU64,
    pushed_out: CancellationToken,
    _place: OwnedSemaphorePermit,
}

struct Strangers {
    networks: HashMap<u128, Network>,
    known: Known,
    most: usize,
    count: usize,
    next_turn: u64,
}

/// The strangers of one network, who has got on with nothing for the longest first.
#[derive(Default)]
struct Network {
    unknown: BTreeMap<u64, CancellationToken>,
    spared: BTreeMap<u64, CancellationToken>,
}

impl Arrivals {
    /// As many places as there are, or as the process's files allow.
    pub(crate) fn new(known: Known) -> Self {
        let files = open_files_limit() / PART;
        Self::with(PLACES.min(files).max(1), LEAVING.min(files / PART).max(1), known)
    }

    fn with(most: usize, leaving: usize, known: Known) -> Self {
        let strangers = Strangers { networks: HashMap::new(), known, most, count: 0, next_turn: 0 };
        Self { strangers: Arc::new(Mutex::new(strangers)), places: Arc::new(Semaphore::new(most + leaving)) }
    }

    /// A place for a connection from `address`, and whether another lost its own for it. [`None`] when the door is shut
    /// for ever.
    pub(crate) async fn enter(&self, address: IpAddr) -> Option<(Arrival, bool)> {
        let place = self.places.clone().acquire_owned().await.ok()?;
        let pushed_out = CancellationToken::new();
        let mut strangers = self.strangers();
        let full = strangers.count >= strangers.most;
        if full {
            strangers.push_one_out();
        }
        let spared = strangers.known.spare(address);
        let turn = strangers.put(network(address), spared, pushed_out.clone());
        drop(strangers);
        let turn = AtomicU64::new(turn);
        Some((Arrival { arrivals: self.clone(), address, spared, turn, pushed_out, _place: place }, full))
    }

    fn strangers(&self) -> std::sync::MutexGuard<'_, Strangers> {
        self.strangers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Arrival {
    /// It has got on: whoever says nothing is to go first. Called for a bounded number of steps only.
    pub(crate) fn got_on(&self) {
        let mut strangers = self.arrivals.strangers();
        let network = network(self.address);
        if let Some(token) = strangers.take(network, self.spared, self.turn.load(Ordering::Relaxed)) {
            let turn = strangers.put(network, self.spared, token);
            self.turn.store(turn, Ordering::Relaxed);
        }
    }

    /// It comes from elsewhere than it seemed: from behind a load balancer.
    pub(crate) fn came_from(&mut self, address: IpAddr) {
        let mut strangers = self.arrivals.strangers();
        if self.spared {
            strangers.known.release(self.address);
        }
        let turn = self.turn.load(Ordering::Relaxed);
        let token = strangers.take(network(self.address), self.spared, turn);
        self.address = address;
        self.spared = strangers.known.spare(address);
        // Without a token it was pushed out already.
        if let Some(token) = token {
            let turn = strangers.put(network(address), self.spared, token);
            self.turn.store(turn, Ordering::Relaxed);
        }
    }

    /// Returns when a newcomer got its place.
    pub(crate) fn pushed_out(&self) -> impl Future<Output = ()> + use<> {
        self.pushed_out.clone().cancelled_owned()
    }

    /// It has shown a good identity: it is a stranger no more, and its address is remembered.
    pub(crate) fn become_known(self) {
        self.arrivals.strangers().known.remember(self.address);
    }
}

impl Drop for Arrival {
    fn drop(&mut self) {
        let mut strangers = self.arrivals.strangers();
        strangers.take(network(self.address), self.spared, self.turn.load(Ordering::Relaxed));
        if self.spared {
            strangers.known.release(self.address);
        }
    }
}

impl Strangers {
    fn put(&mut self, network: u128, spared: bool, token: CancellationToken) -> u64 {
        let turn = self.next_turn;
        self.next_turn += 1;
        self.count += 1;
        self.networks.entry(network).or_default().of(spared).insert(turn, token);
        turn
    }

    fn take(&mut self, network: u128, spared: bool, turn: u64) -> Option<CancellationToken> {
        let there = self.networks.get_mut(&network)?;
        let token = there.of(spared).remove(&turn)?;
        self.count -= 1;
        if there.unknown.is_empty() && there.spared.is_empty() {
            self.networks.remove(&network);
        }
        Some(token)
    }

    /// Takes one out of the table and tells it.
    fn push_one_out(&mut self) {
        let first = |spared: bool| {
            let crowds = self.networks.iter().filter_map(move |(network, there)| {
                let those = if spared { &there.spared } else { &there.unknown };
                those.first_key_value().map(|(turn, _)| (those.len(), std::cmp::Reverse(*turn), *network))
            });
            crowds.max().map(|(_, turn, network)| (network, spared, turn.0))
        };
        let Some((network, spared, turn)) = first(false).or_else(|| first(true)) else { return };
        if let Some(token) = self.take(network, spared, turn) {
            token.cancel();
        }
    }
}

impl Network {
    fn of(&mut self, spared: bool) -> &mut BTreeMap<u64, CancellationToken> {
        if spared { &mut self.spared } else { &mut self.unknown }
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
mod tests;
