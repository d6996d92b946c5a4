//! Shares: what one user, and one cluster, may have of the gateway, so that nobody takes it all.
//!
//! ```text
//! authn ── begin ──► Share ── authz ── reach ──► in the access-log entry, to the last byte
//!          (user)             (cluster)            │
//!                                  tunnels: Turns ─┤ when no stream is free
//!                                  bodies:  Pace ──┘ when bytes per second are limited
//! ```
//!
//! A user is the name that authn found, whatever the session, the proof or the connection; strangers have no share, and
//! are the arrivals' business. A cluster is counted only for who may reach it, so that nobody else uses its share up.
//!
//! Ceilings and rates hold always. Shares bite under contention only: when three quarters of the gateway's places, or of
//! the streams of a cluster's tunnel, are taken, nobody gets more than is left for all others. So whoever has much is
//! refused first, and a newcomer finds a place.
//!
//! A user who is over their own limits hears so late: whoever asks again at once would cost the others more than a
//! request that is served.
//!
//! Invariants:
//! - a [`Share`] is held from before the request goes on until its last byte has gone, and counts nothing after;
//! - who is refused here holds nothing and costs the cluster nothing;
//! - nothing that is let in waits here but for [`Turns`] and [`Pace`], and nothing here buffers;
//! - all tables are bounded, and no label of a metric comes from a client.

mod excess;
mod pace;
mod tables;
mod turns;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::Instant;
use trunkline_proto::ClusterId;

use crate::bucket::Rate;
use crate::config::LimitsConfig;
use crate::metrics::{LimitLabel, Metrics};
use tables::{Most, Room, Tables};

pub(crate) use excess::{Excess, Limit};
pub(crate) use pace::{Pace, Paced};
pub(crate) use turns::{Crowd, OF_ONE_USER, Turns};

/// How long a user who is over their own limits waits for hearing so.
const HELD_BACK: Duration = Duration::from_secs(1);
/// How many such answers may wait; a further one is given at once.
const MOST_HELD_BACK: usize = 4096;

/// All shares of a gateway. Clones share them.
#[derive(Clone)]
pub(crate) struct Fair {
    shared: Arc<Shared>,
}

struct Shared {
    tables: Mutex<Tables>,
    user: Most,
    cluster: Most,
    user_bytes: Option<Rate>,
    cluster_bytes: Option<Rate>,
    /// All places for requests, and how many there are.
    requests: Arc<Semaphore>,
    max_requests: usize,
    held_back: Semaphore,
    metrics: Metrics,
}

/// What one request has of its user's share, and of its cluster's once that is known. Dropping it gives it back.
pub(crate) struct Share {
    fair: Fair,
    user: Arc<str>,
    cluster: Option<ClusterId>,
}

impl Fair {
    /// `requests` has a place for each of `max_requests`; a request that begins has taken its own.
    pub(crate) fn new(
        limits: &LimitsConfig,
        requests: Arc<Semaphore>,
        max_requests: usize,
        metrics: Metrics,
    ) -> Self {
        let LimitsConfig { user, cluster, bytes } = limits;
        let opens = |per_second, burst| Rate { per_second, burst };
        // A second's worth may go at once, so that pacing is even and what is small never waits.
        let bytes_rate = |per_second: u64| Rate { per_second, burst: per_second };
        let shared = Shared {
            tables: Mutex::default(),
            user: Most { requests: user.requests, opens: opens(user.opens_per_second, user.opens_burst) },
            cluster: Most {
                requests: cluster.requests,
                opens: opens(cluster.opens_per_second, cluster.opens_burst),
            },
            user_bytes: bytes.user_per_second.map(bytes_rate),
            cluster_bytes: bytes.cluster_per_second.map(bytes_rate),
            requests,
            max_requests,
            held_back: Semaphore::new(MOST_HELD_BACK),
            metrics,
        };
        Self { shared: Arc::new(shared) }
    }

    /// A request of `user` begins.
    ///
    /// # Errors
    /// When it would be one too many.
    pub(crate) fn begin(&self, user: &str) -> Result<Share, Excess> {
        let begun = self.tables().begin(user, self.shared.user, self.room(), Instant::now());
        let user = begun.map_err(|excess| self.note(excess))?;
        Ok(Share { fair: self.clone(), user, cluster: None })
    }

    /// Returns when the answer that says so may be given. What is refused holds no place meanwhile.
    pub(crate) async fn hold_back(&self, excess: &Excess) {
        if !excess.limit.is_the_users_own() {
            return;
        }
        if let Ok(_waits) = self.shared.held_back.try_acquire() {
            tokio::time::sleep(HELD_BACK).await;
        }
    }

    /// Counts an excess.
    pub(crate) fn note(&self, excess: Excess) -> Excess {
        let label = LimitLabel { limit: excess.limit.as_str() };
        self.shared.metrics.over_limit.get_or_create(&label).inc();
        excess
    }

    fn room(&self) -> Room {
        Room { most: self.shared.max_requests, free: self.shared.requests.available_permits() }
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.shared.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Share {
    /// Whose it is.
    pub(crate) fn user(&self) -> &Arc<str> {
        &self.user
    }

    /// The request goes to a cluster, whose tunnel has so many streams in all. Called once.
    ///
    /// # Errors
    /// When it would be one too many there.
    pub(crate) fn reach(&mut self, cluster: &ClusterId, streams: usize) -> Result<(), Excess> {
        let most = (self.fair.shared.cluster, self.fair.room(), streams);
        let reached = self.fair.tables().reach(&self.user, cluster, most, Instant::now());
        reached.map_err(|excess| self.fair.note(excess))?;
        self.cluster = Some(cluster.clone());
        Ok(())
    }

    /// How fast its bytes may go; none when that is not limited.
    pub(crate) fn pace(&self) -> Option<Pace> {
        let limited = self.fair.shared.user_bytes.is_some() || self.fair.shared.cluster_bytes.is_some();
        limited.then(|| Pace::new(self.fair.clone(), self.user.clone(), self.cluster.clone()))
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.fair.tables().end(&self.user, self.cluster.as_ref(), Instant::now());
    }
}

impl fmt::Debug for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Share")
            .field("user", &self.user)
            .field("cluster", &self.cluster)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
