//! What there is only so much of, and how much of it one address has: connections, requests, memory.
//!
//! Invariant: when three quarters are taken, no address gets more that has more than is free, but for what everybody may
//! have: whoever takes much leaves something for others, and one that is alone has three quarters.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

/// So many places. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    /// How many there are.
    most: usize,
    /// How many of them an address may have whatever others have.
    own: usize,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    taken: Mutex<Taken>,
    freed: Notify,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    /// Only of addresses that have any.
    by: HashMap<IpAddr, usize>,
}

/// Some of them; given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    shared: Arc<Shared>,
    from: IpAddr,
    count: usize,
}

impl Places {
    pub(crate) fn new(most: usize, own: usize) -> Self {
        Self { most, own, shared: Arc::default() }
    }

    /// So many for an address, if it may have them now.
    pub(crate) fn try_take(&self, from: IpAddr, count: usize) -> Option<Place> {
        let from = counted_as(from);
        let mut taken = self.shared.taken();
        let free = self.most.saturating_sub(taken.all);
        let has = taken.by.get(&from).copied().unwrap_or(0);
        let greedy = has + count > self.own && taken.all >= self.most - self.most / 4 && has > free;
        if count > free || greedy {
            return None;
        }
        taken.all += count;
        taken.by.insert(from, has + count);
        Some(Place { shared: self.shared.clone(), from, count })
    }

    /// The same; waits for them a while.
    pub(crate) async fn take(&self, from: IpAddr, count: usize, patience: Duration) -> Option<Place> {
        let take = async {
            loop {
                // What is freed from here on wakes it.
                let mut freed = std::pin::pin!(self.shared.freed.notified());
                freed.as_mut().enable();
                if let Some(place) = self.try_take(from, count) {
                    return place;
                }
                freed.await;
            }
        };
        tokio::time::timeout(patience, take).await.ok()
    }

    /// Waits until nobody has any.
    pub(crate) async fn all_free(&self) {
        loop {
            let mut freed = std::pin::pin!(self.shared.freed.notified());
            freed.as_mut().enable();
            if self.shared.taken().all == 0 {
                return;
            }
            freed.await;
        }
    }

    #[cfg(test)]
    pub(crate) fn left(&self) -> usize {
        self.most - self.shared.taken().all
    }
}

impl Shared {
    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Makes one of two, of the same places and address.
    pub(crate) fn merge(&mut self, mut other: Self) {
        self.count += std::mem::take(&mut other.count);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.count == 0 {
            return;
        }
        let mut taken = self.shared.taken();
        taken.all -= self.count;
        if let Some(has) = taken.by.get_mut(&self.from) {
            *has -= self.count;
            if *has == 0 {
                taken.by.remove(&self.from);
            }
        }
        drop(taken);
        self.shared.freed.notify_waiters();
    }
}

/// What an address is counted as: one of IPv6 as its network of 64 bits, which is one machine's to choose from.
fn counted_as(from: IpAddr) -> IpAddr {
    match from.to_canonical() {
        IpAddr::V6(from) => Ipv6Addr::from_bits(from.to_bits() >> 64 << 64).into(),
        from => from,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(last: u8) -> IpAddr {
        [10, 0, 0, last].into()
    }

    fn taken(places: &Places, by: u8) -> Vec<Place> {
        std::iter::from_fn(|| places.try_take(from(by), 1)).collect()
    }

    #[test]
    fn an_address_that_takes_all_it_can_get_leaves_some_for_the_next() {
        let places = Places::new(64, 1);
        let mut greedy = Vec::new();
        let counts: Vec<usize> = (1..=5)
            .map(|by| {
                greedy.push(taken(&places, by));
                greedy.last().unwrap().len()
            })
            .collect();
        assert_eq!(counts, [48, 9, 4, 2, 1]);
        assert_eq!(taken(&places, 6).len(), 0);
        greedy.pop();
        assert_eq!(taken(&places, 1).len(), 0, "it has more than is free");
        assert_eq!(taken(&places, 6).len(), 1);
        drop(greedy);
        assert_eq!((places.left(), places.shared.taken().by.len()), (64, 0));
    }

    #[test]
    fn what_everybody_may_have_is_there_for_each_as_long_as_it_lasts() {
        let places = Places::new(64, 28);
        let (one, two) = (places.try_take(from(1), 28).unwrap(), places.try_take(from(2), 20).unwrap());
        let more = places.try_take(from(2), 8).unwrap();
        assert!(places.try_take(from(2), 1).is_none() && places.try_take(from(3), 9).is_none());
        assert_eq!(places.try_take(from(3), 8).map(|place| place.count), Some(8));
        let mut two = two;
        two.merge(more);
        drop((one, two));
        assert_eq!(places.left(), 64);
    }

    #[test]
    fn an_address_of_ipv6_is_its_network() {
        let of = |text: &str| counted_as(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2::7"), of("2001:db8:1:2:ffff::1"));
        assert_ne!(of("2001:db8:1:2::7"), of("2001:db8:1:3::7"));
        assert_eq!(of("::ffff:10.0.0.1"), of("10.0.0.1"));
        assert_ne!(of("10.0.0.1"), of("10.0.0.2"));
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_hears_of_what_is_freed() {
        let places = Places::new(1, 1);
        let place = places.try_take(from(1), 1).unwrap();
        assert!(places.take(from(2), 1, Duration::from_secs(5)).await.is_none());
        let (taken, ()) =
            tokio::join!(places.take(from(2), 1, Duration::from_secs(5)), async { drop(place) });
        drop(taken.unwrap());
        places.all_free().await;
    }
}
