//! The places for streams in one direction of a session, and word of it when one gets free.
//!
//! Invariant: whoever made [`Places::freed`] before finding no place hears of every place that gets free after that.

use std::sync::Arc;

use tokio::sync::futures::OwnedNotified;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// Places for streams. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    permits: Arc<Semaphore>,
    freed: Arc<Notify>,
}

/// A place that is taken; dropping it frees it.
#[derive(Debug)]
pub(crate) struct Place {
    permit: Option<OwnedSemaphorePermit>,
    freed: Arc<Notify>,
}

impl Places {
    pub(crate) fn new(most: usize) -> Self {
        Self { permits: Arc::new(Semaphore::new(most)), freed: Arc::default() }
    }

    pub(crate) fn add(&self, more: usize) {
        self.permits.add_permits(more);
        self.tell();
    }

    pub(crate) fn are_left(&self) -> bool {
        self.permits.available_permits() > 0
    }

    /// A place, if there is one now.
    pub(crate) fn take_now(&self) -> Option<Place> {
        self.permits.clone().try_acquire_owned().ok().map(|permit| self.place(permit))
    }

    /// A place, as soon as there is one: first come, first served.
    pub(crate) async fn take(&self) -> Option<Place> {
        self.permits.clone().acquire_owned().await.ok().map(|permit| self.place(permit))
    }

    /// Returns when something got free since this was called.
    pub(crate) fn freed(&self) -> OwnedNotified {
        self.freed.clone().notified_owned()
    }

    /// Whoever waits is to look again.
    pub(crate) fn tell(&self) {
        self.freed.notify_waiters();
    }

    fn place(&self, permit: OwnedSemaphorePermit) -> Place {
        Place { permit: Some(permit), freed: self.freed.clone() }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        drop(self.permit.take());
        self.freed.notify_waiters();
    }
}
