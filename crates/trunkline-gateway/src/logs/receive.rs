//! A batch from an agent: room for it, its bytes, and what becomes of them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::{Request, Response, StatusCode};
use http_body::Body as _;
use hyper::body::Incoming;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::debug;
use trunkline_proto::{ClusterUid, LogAck, LogBatch, MAX_BATCH_BYTES, MAX_DATASETS};
use trunkline_runtime::{Body, boxed, limited};
use trunkline_tunnel::json;

use super::unpack::GROUP;
use super::{Logs, Source};
use crate::tunnels::Live;

/// How much memory all batches may take, in bytes.
const ROOM: usize = 256 * 1024 * 1024;
/// How much of it one cluster's may take.
const OF_ONE: usize = 64 * 1024 * 1024;
/// How many times its text a record takes while it becomes a document.
const SWELLS: usize = 4;
/// How many times its bytes a small batch may inflate to.
const RATIO: usize = 100;
/// How long a batch waits for room.
const WAIT: Duration = Duration::from_secs(10);
/// How long the bytes of a batch may take: the slowest line takes 64 s for the longest.
const BODY_DEADLINE: Duration = Duration::from_secs(120);
/// Permits are of this many bytes.
const UNIT: usize = 1024;

/// The memory that batches may take.
#[derive(Debug)]
pub(super) struct Room {
    all: Arc<Semaphore>,
    clusters: Arc<Mutex<HashMap<ClusterUid, usize>>>,
}

/// A batch's place in memory.
#[derive(Debug)]
pub(super) struct Place {
    _all: OwnedSemaphorePermit,
    _share: OfOne,
}

/// What one batch has of its cluster's share.
#[derive(Debug)]
struct OfOne {
    uid: ClusterUid,
    bytes: usize,
    clusters: Arc<Mutex<HashMap<ClusterUid, usize>>>,
}

impl Default for Room {
    fn default() -> Self {
        Self { all: Arc::new(Semaphore::new(ROOM / UNIT)), clusters: Arc::default() }
    }
}

impl Room {
    /// A place for a batch of so many bytes; none when the cluster has its share already, or there is none for a while.
    pub(super) async fn take(&self, uid: ClusterUid, bytes: usize) -> Option<Place> {
        let inflated = bytes.saturating_mul(RATIO).min(GROUP);
        let bytes = bytes + SWELLS * inflated;
        let share = OfOne::take(uid, bytes, &self.clusters)?;
        let units = u32::try_from(bytes.div_ceil(UNIT)).ok()?;
        let all = tokio::time::timeout(WAIT, self.all.clone().acquire_many_owned(units)).await;
        Some(Place { _all: all.ok()?.ok()?, _share: share })
    }
}

impl OfOne {
    fn take(
        uid: ClusterUid,
        bytes: usize,
        clusters: &Arc<Mutex<HashMap<ClusterUid, usize>>>,
    ) -> Option<Self> {
        let mut all = lock(clusters);
        let taken = all.entry(uid).or_default();
        if *taken > 0 && *taken + bytes > OF_ONE {
            return None;
        }
        *taken += bytes;
        Some(Self { uid, bytes, clusters: clusters.clone() })
    }
}

impl Drop for OfOne {
    fn drop(&mut self) {
        let mut all = lock(&self.clusters);
        if let Some(taken) = all.get_mut(&self.uid) {
            *taken -= self.bytes;
            if *taken == 0 {
                all.remove(&self.uid);
            }
        }
    }
}

fn lock(clusters: &Mutex<HashMap<ClusterUid, usize>>) -> MutexGuard<'_, HashMap<ClusterUid, usize>> {
    clusters.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Logs {
    /// Answers a session's request that hands a batch in.
    pub(crate) async fn receive(
        &self,
        live: &Live,
        batch: LogBatch,
        request: Request<Incoming>,
    ) -> Response<Body> {
        if batch.dataset.is_reserved() {
            let why = format!("the dataset {} is the gateway's own; give yours another name", batch.dataset);
            return no(StatusCode::BAD_REQUEST, &why);
        }
        if !self.shared.standing.admits(live.identity.uid, &batch.dataset) {
            let why = format!(
                "{} is one dataset too many: a cluster has {MAX_DATASETS} at the most, and what is counted is what came since the gateway \
                 started",
                batch.dataset
            );
            return no(StatusCode::BAD_REQUEST, &why);
        }
        let Some(length) = request.body().size_hint().exact() else {
            return no(StatusCode::LENGTH_REQUIRED, "a batch says how long it is");
        };
        let Some(length) = usize::try_from(length).ok().filter(|length| *length <= MAX_BATCH_BYTES) else {
            return no(
                StatusCode::PAYLOAD_TOO_LARGE,
                &format!("a batch has {MAX_BATCH_BYTES} bytes at the most"),
            );
        };
        let source = Source {
            cluster: live.cluster.clone(),
            uid: live.identity.uid,
            slot: live.identity.slot,
            dataset: batch.dataset,
            spool: batch.spool,
        };
        let Some(_place) = self.shared.room.take(source.uid, length).await else {
            return later(
                "the gateway has no room for this batch now: others, or others of this cluster, came first",
            );
        };
        let read = limited(boxed(request.into_body()), MAX_BATCH_BYTES);
        let bytes = match tokio::time::timeout(BODY_DEADLINE, read).await {
            Ok(Ok(Some(bytes))) => bytes,
            Ok(_) => return no(StatusCode::BAD_REQUEST, "the batch broke off"),
            Err(_) => return no(StatusCode::REQUEST_TIMEOUT, "the batch did not come in time"),
        };
        let ack = self.take_in(&source, bytes).await;
        if !ack.why.is_empty() {
            debug!(cluster = %source.cluster, dataset = %source.dataset, through = ack.through, why = ack.why,
                   "not all of a batch was taken");
        }
        json(StatusCode::OK, &ack)
    }
}

/// Nothing is said of the batch but that it may come again.
fn later(why: &str) -> Response<Body> {
    // Not all of them in the same moment.
    let retry_after_ms = Some(1000 + u64::from(rand::random::<u16>()) % 4000);
    json(StatusCode::OK, &LogAck { through: 0, retry_after_ms, why: why.into() })
}

fn no(status: StatusCode, why: &str) -> Response<Body> {
    json(status, &why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_cluster_has_its_share_and_others_have_room() {
        let room = Room::default();
        let (one, other) = (ClusterUid::random(), ClusterUid::random());
        let mut held = Vec::new();
        while let Some(place) = room.take(one, MAX_BATCH_BYTES).await {
            held.push(place);
        }
        let each = MAX_BATCH_BYTES + SWELLS * GROUP;
        assert_eq!(held.len(), (OF_ONE / each).max(1));
        assert!(room.take(other, MAX_BATCH_BYTES).await.is_some());
        held.pop();
        assert!(room.take(one, MAX_BATCH_BYTES).await.is_some());
        held.clear();
        assert_eq!((room.all.available_permits(), lock(&room.clusters).len()), (ROOM / UNIT, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn in_all_there_is_so_much_and_who_waits_too_long_is_sent_away() {
        let room = Room::default();
        let mut held = Vec::new();
        while let Some(place) = room.take(ClusterUid::random(), MAX_BATCH_BYTES).await {
            held.push(place);
        }
        assert_eq!(held.len(), ROOM / (MAX_BATCH_BYTES + SWELLS * GROUP));
        let (waits, ()) = tokio::join!(room.take(ClusterUid::random(), MAX_BATCH_BYTES), async {
            tokio::time::sleep(WAIT / 2).await;
            held.pop();
        });
        assert!(waits.is_some());
    }
}
