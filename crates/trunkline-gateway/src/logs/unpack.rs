//! From a batch's bytes to documents, some megabytes at a time. All of it may have been made by an enemy.
//!
//! Heads are looked at first, all of them: what they say together is bounded before anything is inflated. Then chunk by chunk
//! is inflated, and its records become documents a group at a time, so that what is in memory is one chunk and one group.

use std::fmt;

use bytes::Bytes;
use trunkline_logs::{Day, Document, ENTRY, Stamp};
use trunkline_proto::{MAX_BATCH_CHUNKS, MAX_BATCH_INFLATED};
use trunkline_runtime::Pieces;
use trunkline_spool::{BadChunk, Chunk, ChunkHead, Epoch, Limits, Record};

use super::{Source, dead};

/// How much text becomes documents at once, in bytes.
const GROUP: usize = 2 * 1024 * 1024;
/// How many records become documents at once.
const MOST: usize = 4_000;
/// What a chunk may inflate to: agents make them of 1 MiB, or of one record that is longer by its tag and length.
const CHUNK: usize = 2 * 1024 * 1024;

/// The most memory that a group takes with its chunk, in bytes: each text four times over (as it came, as a tree, as it is
/// written, as the store has it), and what every document has beside.
pub(super) const WORK: usize = CHUNK + 4 * GROUP + MOST * 6 * 1024;

/// The most memory that a batch takes on its way to the store, by what its heads say.
pub(super) fn work(says: Says) -> usize {
    let beside = usize::try_from(says.records).unwrap_or(usize::MAX).saturating_mul(6 * 1024);
    says.inflated.saturating_mul(5).saturating_add(beside).min(WORK)
}

/// Documents in the order of their sequences. Which of them are dead letters their dataset says.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) documents: Vec<Document>,
    /// The last sequence that is done with once the documents are; 0 for none.
    pub(super) last: u64,
    /// When the newest record was taken by the intake, in milliseconds since 1970.
    pub(super) newest: Option<i64>,
}

/// What the heads of a batch say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Says {
    pub(super) inflated: usize,
    pub(super) records: u64,
}

/// A batch that is taken apart.
pub(super) struct Unpacking {
    source: Source,
    left: Bytes,
    open: Option<Open>,
}

/// A chunk whose records are on their way.
struct Open {
    head: ChunkHead,
    records: Box<dyn Iterator<Item = Record> + Send>,
}

/// Looks at the heads of a batch.
///
/// # Errors
/// When something in it is no chunk of this spool, or all of it is more than a batch may be.
pub(super) fn look(source: &Source, batch: &Bytes) -> Result<Says, BadChunk> {
    let (mut left, mut says, mut chunks) = (batch.clone(), Says::default(), 0);
    while !left.is_empty() {
        let head = whole_head(&left, source)?;
        let _ = left.split_to(head.length());
        says.inflated = says.inflated.saturating_add(head.inflated());
        says.records += u64::from(head.count);
        chunks += 1;
        for (what, is, most) in [
            ("inflated length, with the others of its batch,", says.inflated, MAX_BATCH_INFLATED),
            ("number within its batch", chunks, MAX_BATCH_CHUNKS),
        ] {
            if is > most {
                return Err(BadChunk::Limit { what, is: is as u64, most: most as u64 });
            }
        }
    }
    Ok(says)
}

/// How many bytes of a batch that was looked at come before the first chunk whose day may not.
pub(super) fn before_a_day(
    source: &Source,
    batch: &Bytes,
    mut may_come: impl FnMut(Day) -> bool,
) -> Result<usize, BadChunk> {
    let mut left = batch.clone();
    while !left.is_empty() {
        let head = whole_head(&left, source)?;
        if !may_come(Day(head.day())) {
            break;
        }
        let _ = left.split_to(head.length());
    }
    Ok(batch.len() - left.len())
}

fn whole_head(bytes: &Bytes, source: &Source) -> Result<ChunkHead, BadChunk> {
    let head = ChunkHead::read(bytes, Epoch::from(source.spool.0))?;
    if head.length() > bytes.len() {
        return Err(BadChunk::Length { says: head.length(), came: bytes.len() });
    }
    Ok(head)
}

impl Unpacking {
    /// Begins to take a batch apart that was looked at.
    pub(super) fn new(source: Source, batch: Bytes) -> Self {
        Self { source, left: batch, open: None }
    }

    /// The next documents; none when all of them were given.
    pub(super) fn next(&mut self, arrived: i64) -> Option<Group> {
        let (mut group, mut text) = (Group::default(), 0);
        while text < GROUP && group.documents.len() < MOST {
            let open = match self.open.take() {
                Some(open) => open,
                None => match self.open_next(arrived, &mut group) {
                    Some(open) => open,
                    None if self.left.is_empty() => break,
                    // It was no whole chunk, and its letter is in the group.
                    None => continue,
                },
            };
            self.take_from(open, arrived, &mut group, &mut text);
        }
        (group.last > 0).then_some(group)
    }

    fn open_next(&mut self, arrived: i64, group: &mut Group) -> Option<Open> {
        // Looked at before: there is always a head, and its bytes.
        let head = whole_head(&self.left, &self.source).ok()?;
        let bytes = self.left.split_to(head.length());
        let limits = Limits { inflated: CHUNK, ..Limits::default() };
        match Chunk::decode(&bytes, Epoch::from(self.source.spool.0), &limits) {
            Ok(chunk) => Some(Open { head, records: Box::new(chunk.records()) }),
            // Its head is whole: what it held is told once, and what comes after it gets on.
            Err(error) => {
                let letter = dead::chunk(self.stamp(&head, head.last(), arrived), &head, &error);
                group.documents.push(letter);
                (group.last, group.newest) = (head.last(), i64::try_from(head.at).ok());
                None
            }
        }
    }

    fn take_from(&mut self, mut open: Open, arrived: i64, group: &mut Group, text: &mut usize) {
        let mut pieces = Pieces::begin();
        while *text < GROUP && group.documents.len() < MOST {
            pieces.between();
            let Some(record) = open.records.next() else { return };
            *text += record.bytes.len();
            (group.last, group.newest) = (record.sequence, i64::try_from(open.head.at).ok());
            group.documents.push(made(self.stamp(&open.head, record.sequence, arrived), record));
        }
        self.open = Some(open);
    }

    fn stamp(&self, head: &ChunkHead, sequence: u64, arrived: i64) -> Stamp {
        let Source { cluster, uid, slot, dataset, spool } = self.source.clone();
        Stamp { cluster, uid, slot, dataset, spool, sequence, day: Day(head.day()), arrived }
    }
}

impl fmt::Debug for Unpacking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unpacking").field("left", &self.left.len()).finish_non_exhaustive()
    }
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
