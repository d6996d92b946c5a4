//! Where the clusters' records arrive, and how they are asked for.
//!
//! ```text
//! session, logs lane ─ receive ─ unpack ─┐
//!                                        ├─ deliver ─ store        rest/logs ─ store
//! the gateway's own intake ─ local ──────┘    └─ tap ─ live tail
//! ```
//!
//! A batch's records become documents under the name and uid of the session's cluster; the store says of each what became of
//! it; the agent hears through where its records may go. What can be no document, or is never taken, is a dead letter: a document
//! of ours that says why and holds its beginning, in the same store.
//!
//! Invariants:
//! - whose a document is comes from the verified certificate of the session, never from its bytes;
//! - nothing is acknowledged before the store has it, as a document or as a dead letter;
//! - the records of one spool are handed to the store in order, by one at a time;
//! - what is in memory is bounded, for all and for each cluster; who brings more waits, then tries again.

mod dead;
mod deliver;
mod local;
mod receive;
mod room;
mod standing;
mod tap;
mod unpack;

use std::sync::Arc;

use trunkline_logstore::Store;
use trunkline_proto::{ClusterId, ClusterUid, Dataset, Slot, SpoolEpoch};
use trunkline_runtime::Tasks;

use crate::joining::Joinings;
use crate::metrics::Metrics;
use deliver::Deliveries;
pub(crate) use local::ship_own;
use receive::{BYTES, BYTES_OF_ONE, Rates};
use room::Room;
pub(crate) use standing::{LogsStanding, Seen};
pub(crate) use tap::{Tap, Tapped, Taps};

/// How much memory documents may take on their way to the store.
const WORK_OF_ALL: usize = 384 * 1024 * 1024;
/// How much of it one cluster's may take: a group, and one more while the store has that.
const WORK_OF_ONE: usize = 2 * unpack::WORK;

/// The log lane's end in the gateway. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Logs {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    store: Store,
    management: Option<ClusterUid>,
    /// For the bytes of batches as they travel.
    bytes: Room,
    /// For what becomes of them.
    work: Room,
    rates: Rates,
    deliveries: Deliveries,
    standing: LogsStanding,
    taps: Taps,
    joinings: Joinings,
    metrics: Metrics,
    /// For work on records, which steps aside for API requests.
    tasks: Tasks,
}

/// Which spool records come from, as the gateway knows it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Source {
    pub(crate) cluster: ClusterId,
    pub(crate) uid: ClusterUid,
    pub(crate) slot: Slot,
    pub(crate) dataset: Dataset,
    pub(crate) spool: SpoolEpoch,
}

impl Logs {
    /// Delivers to this store.
    pub(crate) fn new(
        store: Store,
        management: Option<ClusterUid>,
        joinings: Joinings,
        metrics: Metrics,
        tasks: &Tasks,
    ) -> Self {
        let shared = Shared {
            store,
            management,
            bytes: Room::new(BYTES, BYTES_OF_ONE),
            work: Room::new(WORK_OF_ALL, WORK_OF_ONE),
            rates: Rates::default(),
            deliveries: Deliveries::default(),
            standing: LogsStanding::default(),
            taps: Taps::default(),
            joinings,
            metrics,
            tasks: tasks.aside(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// The uid under which the management cluster's own records stand; none when it keeps none.
    pub(crate) fn management(&self) -> Option<ClusterUid> {
        self.shared.management
    }

    /// Where questions go.
    pub(crate) fn store(&self) -> &Store {
        &self.shared.store
    }

    /// What is seen of each cluster's records.
    pub(crate) fn standing(&self) -> &LogsStanding {
        &self.shared.standing
    }

    /// The documents that arrive.
    pub(crate) fn taps(&self) -> &Taps {
        &self.shared.taps
    }
}

#[cfg(test)]
mod tests;
