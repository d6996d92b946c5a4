//! How many certificates a cluster gets: enough for any restart, too few to keep a gateway signing.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use trunkline_proto::ClusterId;

/// How many certificates a cluster gets within [`WITHIN`], over all of its slots.
const PER_CLUSTER: usize = 120;
const WITHIN: Duration = Duration::from_secs(60);
/// Over so many clusters, those that have had none lately are forgotten.
const SWEEP: usize = 1_000;

/// What each cluster has had lately.
#[derive(Debug, Default)]
pub(super) struct Shares(Mutex<HashMap<ClusterId, VecDeque<Instant>>>);

impl Shares {
    /// Takes one certificate out of a cluster's share; false if there is none left.
    pub(super) fn take(&self, cluster: &ClusterId) -> bool {
        let now = Instant::now();
        let recent = |when: &Instant| now.duration_since(*when) < WITHIN;
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() > SWEEP {
            all.retain(|_, times| times.iter().any(recent));
        }
        let times = all.entry(cluster.clone()).or_default();
        times.retain(recent);
        let free = times.len() < PER_CLUSTER;
        if free {
            times.push_back(now);
        }
        free
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_cluster_has_its_share_and_gets_it_again_after_a_minute() {
        let (shares, a, b) = (Shares::default(), "a".parse().unwrap(), "b".parse().unwrap());
        assert!((0..PER_CLUSTER).all(|_| shares.take(&a)));
        assert!(!shares.take(&a));
        assert!(shares.take(&b), "another cluster has its own");
        tokio::time::advance(WITHIN).await;
        assert!(shares.take(&a));
    }
}
