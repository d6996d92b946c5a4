mod world;
mod operations;
mod damage;
mod answers;
mod lives;

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{RngCore as _, SeedableRng as _};

use crate::chunk::{Chunk, Limits};
use crate::folder::Folder;
use crate::folder::model::Disk;
use crate::record::{NewRecord, Record};
use crate::settings::{Clock, Settings};
use crate::status::Gap;
use crate::store::Store;
use crate::walk::Walk;

#[allow(unreachable_pub, reason = "the rig of the whole path has it as its own")]
#[path = "../../../tests/harness/prove.rs"]
mod prove;

/// A clock that stands where it is set, in milliseconds since 1970.
fn clock(at: &Arc<AtomicU64>) -> Clock {
    let at = at.clone();
    Arc::new(move || SystemTime::UNIX_EPOCH + Duration::from_millis(at.load(Ordering::Relaxed)))
}

/// A small spool.
fn small() -> Settings {
    Settings { cap: 64 * 1024, segment_bytes: 4 * 1024, ..Settings::default() }
}

fn open(disk: &Disk, settings: &Settings) -> Store {
    Store::open(Folder::Model(disk.clone()), settings.clone()).unwrap()
}

fn walk(store: &Store) -> Walk {
    Walk::new(store.folder().clone(), store.shared().clone())
}

fn commit(store: &mut Store, records: &[NewRecord]) -> Result<u64, crate::Refused> {
    store.commit(&records.iter().collect::<Vec<_>>())
}

/// A record whose bytes say which it is; they do not compress.
fn record(id: u64, length: usize) -> NewRecord {
    let mut noise = vec![0; length];
    StdRng::seed_from_u64(id).fill_bytes(&mut noise);
    NewRecord { tag: id as u32, bytes: id.to_le_bytes().into_iter().chain(noise).collect::<Bytes>() }
}

fn id(record: &Record) -> u64 {
    u64::from_le_bytes(record.bytes[..8].try_into().unwrap())
}

/// All that a walk comes by, and what it says is missing.
fn read(walk: &mut Walk) -> (Vec<Record>, Vec<Gap>) {
    let (mut records, mut gaps) = (Vec::new(), Vec::new());
    while let Some(chunk) = walk.step().unwrap() {
        gaps.extend(chunk.gap);
        let decoded = Chunk::decode(&chunk.bytes, chunk.epoch, &Limits::default()).unwrap();
        assert_eq!(decoded.head(), &chunk.head);
        records.extend(decoded.records());
    }
    (records, gaps)
}

fn sequences(records: &[Record]) -> Vec<u64> {
    records.iter().map(|record| record.sequence).collect()
}

fn runs(ranges: &[RangeInclusive<u64>]) -> Vec<u64> {
    ranges.iter().cloned().flatten().collect()
}
