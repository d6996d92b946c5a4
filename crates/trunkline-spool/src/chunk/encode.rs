//! From the records of a commit to its chunks.

use std::fmt;
use std::io;

use zstd::bulk::Compressor;

use super::head::ChunkHead;
use super::{CHUNK, Limits, SMALL};
use crate::epoch::Epoch;
use crate::record::NewRecord;

/// zstd's own: the quickest.
const LEVEL: i32 = 1;

/// Makes chunks.
pub(crate) struct Encoder {
    epoch: Epoch,
    compressor: Compressor<'static>,
    raw: Vec<u8>,
}

/// The chunks of one commit, as one run of bytes.
#[derive(Debug, Default)]
pub(crate) struct Commit {
    pub(crate) bytes: Vec<u8>,
    /// The head of each chunk, in order.
    pub(crate) heads: Vec<ChunkHead>,
}

impl Encoder {
    pub(crate) fn new(epoch: Epoch) -> io::Result<Self> {
        Ok(Self { epoch, compressor: Compressor::new(LEVEL)?, raw: Vec::new() })
    }

    /// The chunks of these records, the first of which gets the sequence `first`.
    pub(crate) fn commit(&mut self, first: u64, at: u64, records: &[&NewRecord]) -> io::Result<Commit> {
        let mut parts = Vec::new();
        let mut left = records;
        while !left.is_empty() {
            let mut size = 0;
            let fits = |record: &&&NewRecord| {
                size += record.size();
                size <= CHUNK
            };
            let count = left.iter().take(Limits::default().records as usize).take_while(fits).count().max(1);
            let (part, rest) = left.split_at(count.min(left.len()));
            self.part(part, &mut parts)?;
            left = rest;
        }
        let mut commit = Commit::default();
        let mut next = first;
        let ends = parts.len();
        for (place, part) in parts.into_iter().enumerate() {
            let mut head = ChunkHead::new((next, part.count), first, at, &part.body, part.raw, self.epoch);
            if part.stored {
                head.set_stored();
            }
            if place + 1 == ends {
                head.set_ends_commit();
            }
            head.write(self.epoch, &mut commit.bytes);
            commit.bytes.extend_from_slice(&part.body);
            commit.heads.push(head);
            next += u64::from(part.count);
        }
        Ok(commit)
    }

    /// One chunk of these records, or more where one would inflate more than the other end takes.
    fn part(&mut self, records: &[&NewRecord], parts: &mut Vec<Part>) -> io::Result<()> {
        self.raw.clear();
        for record in records {
            record.put(&mut self.raw);
        }
        let raw = self.raw.len();
        let count = records.len() as u32;
        let body = self.compressor.compress(&self.raw)?;
        let bomb = raw > SMALL && body.len().saturating_mul(Limits::default().ratio) < raw;
        if bomb && records.len() > 1 {
            let (one, other) = records.split_at(records.len() / 2);
            self.part(one, parts)?;
            return self.part(other, parts);
        }
        let stored = bomb || body.len() >= raw;
        parts.push(Part { count, raw, stored, body: if stored { self.raw.clone() } else { body } });
        Ok(())
    }
}

impl fmt::Debug for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoder").field("epoch", &self.epoch).finish_non_exhaustive()
    }
}

/// A chunk without its head.
struct Part {
    count: u32,
    raw: usize,
    stored: bool,
    body: Vec<u8>,
}
