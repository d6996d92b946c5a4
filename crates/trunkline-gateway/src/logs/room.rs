//! How much memory batches may take: for all, and for each cluster, first come first served.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use trunkline_proto::ClusterUid;

/// Permits are of this many bytes.
const UNIT: usize = 1024;

/// Memory that batches may take.
#[derive(Debug)]
pub(super) struct Room {
    all: Arc<Semaphore>,
    of_one: usize,
    clusters: Mutex<HashMap<ClusterUid, Arc<Semaphore>>>,
}

/// A place in it.
#[derive(Debug)]
pub(super) struct Place {
    _own: OwnedSemaphorePermit,
    _all: OwnedSemaphorePermit,
}

impl Room {
    /// Room for so many bytes of all clusters, and so many of one.
    pub(super) fn new(all: usize, of_one: usize) -> Self {
        Self { all: Arc::new(Semaphore::new(all / UNIT)), of_one, clusters: Mutex::default() }
    }

    /// A place of so many bytes, or as many as one cluster may have; none when it does not come up in time.
    pub(super) async fn take(&self, uid: ClusterUid, bytes: usize, wait: Duration) -> Option<Place> {
        let own = {
            let mut clusters = self.clusters.lock().unwrap_or_else(PoisonError::into_inner);
            clusters.retain(|_, own| Arc::strong_count(own) > 1);
            clusters.entry(uid).or_insert_with(|| Arc::new(Semaphore::new(self.of_one / UNIT))).clone()
        };
        let units = u32::try_from(bytes.min(self.of_one).div_ceil(UNIT)).ok()?;
        // One's own first: who waits for that holds up nobody else.
        let both = async {
            let own = own.acquire_many_owned(units).await.ok()?;
            let all = self.all.clone().acquire_many_owned(units).await.ok()?;
            Some(Place { _own: own, _all: all })
        };
        tokio::time::timeout(wait, both).await.ok().flatten()
    }

    /// How many bytes are taken of so many.
    #[cfg(test)]
    fn taken(&self, of: usize) -> usize {
        of.saturating_sub(self.all.available_permits() * UNIT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1024 * 1024;
    const WAIT: Duration = Duration::from_secs(10);

    #[tokio::test(start_paused = true)]
    async fn one_cluster_has_its_share_and_others_have_room() {
        let room = Room::new(64 * MIB, 8 * MIB);
        let (one, other) = (ClusterUid::random(), ClusterUid::random());
        let mut held =
            vec![room.take(one, 4 * MIB, WAIT).await.unwrap(), room.take(one, 4 * MIB, WAIT).await.unwrap()];
        assert!(room.take(one, 1, WAIT).await.is_none());
        assert!(room.take(other, 4 * MIB, WAIT).await.is_some());
        let (waits, ()) = tokio::join!(room.take(one, 4 * MIB, WAIT), async {
            tokio::time::sleep(WAIT / 2).await;
            held.pop();
        });
        assert!(waits.is_some());
        assert_eq!(room.taken(64 * MIB), 8 * MIB);
    }

    #[tokio::test(start_paused = true)]
    async fn in_all_there_is_so_much_and_what_is_given_back_is_there_again() {
        let room = Room::new(16 * MIB, 8 * MIB);
        let mut held = Vec::new();
        while let Some(place) = room.take(ClusterUid::random(), 100 * MIB, WAIT).await {
            held.push(place);
        }
        assert_eq!(held.len(), 2);
        held.clear();
        assert!(room.take(ClusterUid::random(), 8 * MIB, WAIT).await.is_some());
        assert_eq!(room.taken(16 * MIB), 0);
    }
}
