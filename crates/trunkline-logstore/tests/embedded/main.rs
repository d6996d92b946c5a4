//! The embedded store as the gateway uses it: written, searched, killed, full, and opened again.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail by panic anywhere")]

mod daily;
mod killed_within;
mod full;

#[allow(unreachable_pub, reason = "the rig of the whole path has it as its own")]
#[path = "../../../../tests/harness/prove.rs"]
mod prove;

#[path = "../../../../tests/harness/killed.rs"]
mod killed;

use std::path::Path;
use std::time::{Duration, SystemTime};

use serde_json::json;
use trunkline_logs::{
    Cursor, Dataset, Day, Document, DocumentId, Entry, Filter, Order, OwnId, Question, Scope, SpoolEpoch,
    Stamp, rebuild,
};
use trunkline_logstore::embedded::{Embedded, Settings};
use trunkline_proto::{ClusterUid, Slot};
use trunkline_runtime::Tasks;

fn quick() -> Settings {
    Settings { commit_every: Duration::from_millis(50), ..Settings::default() }
}

fn open(folder: &Path, settings: Settings, tasks: &Tasks) -> Embedded {
    Embedded::open(folder, settings, tasks).unwrap()
}

/// The moment that is, in milliseconds since 1970.
fn now() -> i64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis() as i64
}

/// The cluster of the tests.
fn cluster() -> ClusterUid {
    "123e4567-e89b-42d3-a456-426614174000".parse().unwrap()
}

/// A document of a slot's spool, always the same of one place.
fn document(slot: u16, spool: u8, sequence: u64, day: Day, own: Option<&str>, fill: &str) -> Document {
    let received = day.begins() + 1000;
    let stamp = Stamp {
        cluster: "prod".parse().unwrap(),
        uid: cluster(),
        slot: Slot(slot),
        dataset: Dataset::unnamed(),
        spool: SpoolEpoch([spool; 16]),
        sequence,
        day,
        arrived: now(),
    };
    let said =
        json!({"message": format!("record {sequence} of {slot} {fill}"), "level": "info", "slot": slot});
    let own_id = own.map(OwnId::of);
    rebuild(stamp, &Entry { received, own_id, json: said.to_string().into() }).unwrap()
}

fn everything() -> Question {
    Question { scope: Scope(vec![cluster()]), filter: Filter::All, from: i64::MIN, to: i64::MAX }
}

/// Waits until all that was written is found.
async fn settled(store: &Embedded) {
    for _ in 0..6_000 {
        if store.status().waiting == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{:?}", store.status());
}

/// All that is found, in order; each as often as it is there.
async fn found(store: &Embedded) -> Vec<DocumentId> {
    let (mut all, mut after): (_, Option<Cursor>) = (Vec::new(), None);
    loop {
        let hits = store.find(&everything(), Order::Oldest, after, 1000).await.unwrap();
        all.extend(hits.hits.iter().map(|hit| hit.at.id));
        after = hits.next;
        if after.is_none() {
            return all;
        }
    }
}
