//! Dead letters: what can be no document, or is never taken by the store. A document of ours that says why.

use serde_json::{Map, Value, json};
use trunkline_logs::{Day, Document, Stamp, build};
use trunkline_proto::Dataset;
use trunkline_spool::{BadChunk, ChunkHead};

/// How much of the record is kept, in bytes.
const KEPT: usize = 32 * 1024;
/// How much of the reason is kept, in bytes.
const REASON: usize = 1024;

/// The dead letter of one record.
pub(super) fn letter(stamp: Stamp, why: &str, record: &[u8]) -> Document {
    let kept = record.get(..KEPT).unwrap_or(record);
    let what = json!({ "bytes": record.len(), "record": String::from_utf8_lossy(kept) });
    made(stamp, "a record", why, what)
}

/// The dead letter of a document that the store will never take.
pub(super) fn refused(document: &Document, why: &str) -> Document {
    letter(document.stamp.clone(), &format!("the store refused it: {why}"), document.source.as_bytes())
}

/// The dead letter of all records of a chunk.
pub(super) fn chunk(stamp: Stamp, head: &ChunkHead, why: &BadChunk) -> Document {
    let what = json!({ "from": head.first, "to": head.last() });
    made(stamp, &format!("{} records", head.count), &why.to_string(), what)
}

fn made(stamp: Stamp, what: &str, why: &str, mut letter: Value) -> Document {
    let why = &why[..why.floor_char_boundary(REASON)];
    letter["dataset"] = stamp.dataset.as_str().into();
    letter["reason"] = why.into();
    let fields = Map::from_iter([
        ("message".into(), format!("dead letter: {what} of {}: {why}", stamp.dataset).into()),
        ("level".into(), "error".into()),
        ("dead_letter".into(), letter),
    ]);
    let arrived = stamp.arrived;
    // Of today, however old the record is: what is over its days is told in a letter that is not.
    let day = Day::of(arrived);
    build(Stamp { dataset: Dataset::dead_letters(), day, ..stamp }, arrived, None, fields)
}
