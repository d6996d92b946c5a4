//! A spool on a real disk: killed, full, held by another; and how quick it is.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail by panic anywhere")]

mod killed_within;
mod full;
mod folder;
mod speed;

#[allow(unreachable_pub, reason = "the rig of the whole path has it as its own")]
#[path = "../../../../tests/harness/prove.rs"]
mod prove;

#[path = "../../../../tests/harness/killed.rs"]
mod killed;

use std::path::Path;

use bytes::Bytes;
use trunkline_runtime::Tasks;
use trunkline_spool::{Chunk, Limits, NewRecord, Settings, Spool};

/// Small segments, so that they come and go.
fn short() -> Settings {
    Settings { segment_bytes: 64 * 1024, cap: 8 * 1024 * 1024, ..Settings::default() }
}

fn record(text: &str) -> NewRecord {
    NewRecord { tag: text.len() as u32, bytes: Bytes::copy_from_slice(text.as_bytes()) }
}

/// All that waits in a folder's spool, by sequence, in order; and how much is known to be gone.
async fn contents(folder: &Path, settings: Settings) -> (Vec<(u64, String)>, u64) {
    let tasks = Tasks::new();
    let spool = Spool::open(folder, settings, &tasks).unwrap();
    let mut reader = spool.reader();
    tasks.shut_down().await;
    let mut records = Vec::new();
    while let Some(chunk) = reader.next().await.unwrap() {
        let chunk = Chunk::decode(&chunk.bytes, chunk.epoch, &Limits::default()).unwrap();
        for record in chunk.records() {
            assert_eq!(record.tag as usize, record.bytes.len());
            records.push((record.sequence, String::from_utf8(record.bytes.to_vec()).unwrap()));
        }
    }
    (records, spool.status().lost)
}
