//! What the registry promises: its rules, who is let in, and that nothing acknowledged is lost.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test may fail by panic and print"
)]

mod access;
mod rules;
mod keys;
mod file;
mod crash;
mod scale;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use trunkline_api::NewCluster;
use trunkline_proto::{ClusterId, ClusterUid, Slot};
use trunkline_registry::{JoinToken, Record, Registry, RegistryError, SlotRecord};

/// The life of a token.
const LIFE: Duration = Duration::from_secs(30 * 60);
/// For how long a key alone is believed.
const AWAY: Duration = Duration::from_secs(90 * 24 * 3600);

fn id(text: &str) -> ClusterId {
    text.parse().unwrap()
}

fn new(name: &str) -> NewCluster {
    NewCluster {
        name: id(name),
        labels: [("env".to_owned(), "prod".to_owned())].into(),
        display_name: name.to_uppercase(),
        description: "for tests".into(),
        environment: "production".into(),
        protection: Default::default(),
        manifest: Default::default(),
    }
}

/// A moment, in seconds since the tests' own beginning of time.
fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

/// The pin of the key of this number.
fn pin(number: u64) -> String {
    format!("sha256:{number:064x}")
}

fn certificate(key: u64, issued: Timestamp) -> SlotRecord {
    SlotRecord {
        key: pin(key),
        serial: "01ab".into(),
        root: pin(999),
        issued,
        not_after: issued + Duration::from_secs(24 * 3600),
    }
}

/// Notes a slot's certificate as the cluster's key; a cluster without one gets it first.
async fn note(
    registry: &Registry,
    name: &ClusterId,
    uid: ClusterUid,
    slot: Slot,
    certificate: SlotRecord,
) -> Result<(), RegistryError> {
    let key = match registry.get(name).and_then(|record| record.key.clone()) {
        Some(key) => key.pin,
        None => {
            let (_, token) = registry.renew_token(name, "ada", at(0), LIFE).await?;
            registry.redeem(name, Some(token.reveal()), &pin(7), at(0), AWAY).await.unwrap();
            pin(7)
        }
    };
    registry.note_slot(name, uid, slot, certificate, &key).await
}

fn uid(record: &Record) -> ClusterUid {
    record.metadata.uid.unwrap()
}

async fn register(registry: &Registry, name: &str) -> (Arc<Record>, JoinToken) {
    registry.register(&new(name), "ada", at(0), LIFE).await.unwrap()
}
