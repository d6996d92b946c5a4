//! From a batch's bytes to documents, some megabytes at a time. All of it may have been made by an enemy.

use bytes::Bytes;
use trunkline_logs::{Day, Document, ENTRY, Stamp};
use trunkline_spool::{BadChunk, Chunk, ChunkHead, Epoch, Limits, Record};

use super::{Source, dead};

/// How much text becomes documents at once, in bytes; one chunk may have more.
pub(super) const GROUP: usize = 4 * 1024 * 1024;
/// How many records become documents at once.
const MOST: usize = 10_000;

/// Documents in the order of their sequences. Which of them are dead letters their dataset says.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) documents: Vec<Document>,
    /// The last sequence that is done with once the documents are.
    pub(super) last: u64,
    /// When the newest record was taken by the intake, in milliseconds since 1970.
    pub(super) newest: Option<i64>,
}

/// Takes chunks off the front until there are documents enough.
///
/// # Errors
/// When what comes next is no chunk of this spool; what came before it is in `group`.
pub(super) fn unpack(
    source: &Source,
    left: &mut Bytes,
    arrived: i64,
    group: &mut Group,
) -> Result<(), BadChunk> {
    let epoch = Epoch::from(source.spool.0);
    let mut text = 0;
    while !left.is_empty() && text < GROUP && group.documents.len() < MOST {
        let head = ChunkHead::read(left, epoch)?;
        if head.length() > left.len() {
            return Err(BadChunk::Length { says: head.length(), came: left.len() });
        }
        let bytes = left.split_to(head.length());
        text += head.inflated();
        group.last = head.last();
        group.newest = i64::try_from(head.at).ok();
        let stamp = |sequence| Stamp {
            cluster: source.cluster.clone(),
            uid: source.uid,
            slot: source.slot,
            dataset: source.dataset.clone(),
            spool: source.spool,
            sequence,
            day: Day(head.day()),
            arrived,
        };
        match Chunk::decode(&bytes, epoch, &Limits::default()) {
            Ok(chunk) => {
                group.documents.extend(chunk.records().map(|record| made(stamp(record.sequence), record)))
            }
            // Its head is whole: what it held is told once, and what comes after it gets on.
            Err(error) => group.documents.push(dead::chunk(stamp(head.last()), &head, &error)),
        }
    }
    Ok(())
}

fn made(stamp: Stamp, record: Record) -> Document {
    if record.tag != ENTRY {
        let why = format!(
            "it has the form {}, which this gateway does not know; is it older than the agent?",
            record.tag
        );
        return dead::letter(stamp, &why, &record.bytes);
    }
    match Document::read(stamp.clone(), record.bytes.clone()) {
        Ok(document) => document,
        Err(why) => dead::letter(stamp, &trunkline_runtime::chain(&why), &record.bytes),
    }
}
