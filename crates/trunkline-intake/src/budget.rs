//! The memory that all requests together may take, and what one of them holds of it.
//!
//! Invariant: what a request collects is taken from the budget first, in steps; it never waits for more while it holds
//! some, so requests cannot block each other for ever. What one address may take of it is [`Places`]' to say: one request
//! always, as long as there is memory.

use std::net::IpAddr;
use std::time::Duration;

use crate::places::{Place, Places};

/// The unit in which it is counted.
const UNIT: usize = 1024;
/// How much is taken at once.
const STEP: usize = 64 * 1024;
/// The most that one request may hold.
pub(crate) const MOST: usize = 28 * 1024 * 1024;
/// How long a request that holds nothing waits for its first step.
const PATIENCE: Duration = Duration::from_secs(5);

/// What all requests may take. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Budget {
    units: Places,
}

/// What one request holds; given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    budget: Budget,
    from: IpAddr,
    units: Place,
    held: usize,
    used: usize,
}

/// Why there is no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoMore {
    /// The request has as much as one may have.
    ForIt,
    /// All requests together have as much as they may.
    ForAll,
}

impl Budget {
    pub(crate) fn new(bytes: usize) -> Self {
        Self { units: Places::new(bytes / UNIT, MOST.div_ceil(UNIT)) }
    }

    /// A first step for a request from this address; waits for it a while.
    pub(crate) async fn begin(&self, from: IpAddr) -> Result<Held, NoMore> {
        let units = self.units.take(from, STEP / UNIT, PATIENCE).await;
        units.map(|units| self.held(from, units)).ok_or(NoMore::ForAll)
    }

    /// A first step, if there is one.
    pub(crate) fn begin_at_once(&self, from: IpAddr) -> Result<Held, NoMore> {
        self.units.try_take(from, STEP / UNIT).map(|units| self.held(from, units)).ok_or(NoMore::ForAll)
    }

    fn held(&self, from: IpAddr, units: Place) -> Held {
        Held { budget: self.clone(), from, units, held: STEP, used: 0 }
    }

    #[cfg(test)]
    pub(crate) fn left(&self) -> usize {
        self.units.left() * UNIT
    }
}

impl Held {
    /// Takes so many bytes more.
    pub(crate) fn take(&mut self, bytes: usize) -> Result<(), NoMore> {
        let used = self.used.saturating_add(bytes);
        if used > MOST {
            return Err(NoMore::ForIt);
        }
        if used > self.held {
            let more = (used - self.held).div_ceil(STEP) * STEP;
            let units = self.budget.units.try_take(self.from, more / UNIT).ok_or(NoMore::ForAll)?;
            self.units.merge(units);
            self.held += more;
        }
        self.used = used;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FROM: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    #[tokio::test(start_paused = true)]
    async fn what_is_held_is_counted_and_given_back() {
        let budget = Budget::new(1024 * 1024);
        let mut one = budget.begin(FROM).await.unwrap();
        assert_eq!(budget.left(), 1024 * 1024 - STEP);
        one.take(STEP).unwrap();
        assert_eq!(budget.left(), 1024 * 1024 - STEP, "the first step is paid");
        one.take(1).unwrap();
        assert_eq!(budget.left(), 1024 * 1024 - 2 * STEP);
        assert_eq!(one.take(1024 * 1024), Err(NoMore::ForAll));
        assert_eq!(one.take(MOST), Err(NoMore::ForIt));
        one.take(1024 * 1024 - 2 * STEP).unwrap();
        assert!(budget.begin(FROM).await.is_err(), "there is nothing left, however long it waits");
        drop(one);
        assert_eq!(budget.left(), 1024 * 1024);
    }
}
