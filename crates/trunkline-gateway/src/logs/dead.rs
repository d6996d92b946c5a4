//! Dead letters: what can be no document, or is never taken by the store. A document of ours that says why.

use serde_json::{Map, Value, json};
use trunkline_logs::{Day, Document, OwnId, Stamp, build};
use trunkline_proto::Dataset;
use trunkline_spool::{BadChunk, ChunkHead};

/// How much of the record is kept, in bytes.
const KEPT: usize = 32 * 1024;
/// How much of the reason is kept, in bytes.
const REASON: usize = 1024;

/// The dead letter of one record.
pub(super) fn letter(stamp: Stamp, why: &str, record: &[u8]) -> Document {
    made(stamp, None, "a record", why, beginning(record))
}

/// The dead letter of a document that the store will never take. What its shipper sends again is refused again, and told once.
pub(super) fn refused(document: &Document, why: &str) -> Document {
    let own_id = document.has_own_id.then_some(OwnId(document.id.0));
    let why = format!("the store refused it: {why}");
    made(document.stamp.clone(), own_id, "a record", &why, beginning(document.source.as_bytes()))
}

/// The dead letter of all records of a chunk.
pub(super) fn chunk(stamp: Stamp, head: &ChunkHead, why: &BadChunk) -> Document {
    let what = json!({ "from": head.first, "to": head.last() });
    made(stamp, None, &format!("{} records", head.count), &why.to_string(), what)
}

fn beginning(record: &[u8]) -> Value {
    let kept = record.get(..KEPT).unwrap_or(record);
    json!({ "bytes": record.len(), "record": String::from_utf8_lossy(kept) })
}

fn made(stamp: Stamp, own_id: Option<OwnId>, what: &str, why: &str, mut letter: Value) -> Document {
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
    build(Stamp { dataset: Dataset::dead_letters(), day, ..stamp }, arrived, own_id, fields)
}

#[cfg(test)]
mod tests {
    use trunkline_proto::{ClusterUid, Slot, SpoolEpoch};

    use super::*;

    #[test]
    fn what_is_refused_again_under_the_id_of_its_shipper_is_one_letter() {
        let uid = ClusterUid::random();
        let document = |sequence, dataset: &str, own_id: Option<&str>| {
            let stamp = Stamp {
                cluster: "eu".parse().unwrap(),
                uid,
                slot: Slot(0),
                dataset: dataset.parse().unwrap(),
                spool: SpoolEpoch([7; 16]),
                sequence,
                day: Day(20_000),
                arrived: 1_795_749_300_000,
            };
            build(stamp, 1_795_749_300_000, own_id.map(OwnId::of), Map::new())
        };
        let id = |document: Document| refused(&document, "no").id;
        assert_eq!(id(document(1, "logs", Some("a"))), id(document(2, "logs", Some("a"))));
        assert_ne!(id(document(1, "logs", Some("a"))), id(document(1, "audit", Some("a"))));
        assert_ne!(id(document(1, "logs", Some("a"))), id(document(1, "logs", Some("b"))));
        assert_ne!(id(document(1, "logs", None)), id(document(2, "logs", None)));
    }
}
