//! A body that is only understood when all of it is there.

use super::Reader;
use crate::batch::Batch;
use crate::refusal::Refusal;

/// The longest of them, inflated, in bytes.
pub const MAX_WHOLE: usize = 16 * 1024 * 1024;

/// Collects a body, counted as part of its request's batch.
pub(crate) struct Whole {
    pub(crate) batch: Batch,
    pub(crate) bytes: Vec<u8>,
}

impl Whole {
    pub(crate) fn new(batch: Batch) -> Self {
        Self { batch, bytes: Vec::new() }
    }
}

impl Reader for Whole {
    fn more(&mut self, piece: &[u8]) -> Result<(), Refusal> {
        let needs = self.bytes.len() + piece.len();
        if needs > MAX_WHOLE {
            return Err(Refusal::LongWhole);
        }
        if needs > self.bytes.capacity() {
            // As much as there is, again; counted before it is taken.
            let grown = needs.max(self.bytes.capacity() * 2).clamp(16 * 1024, MAX_WHOLE);
            self.batch.take(grown - self.bytes.capacity())?;
            self.bytes.reserve_exact(grown - self.bytes.len());
        }
        self.bytes.extend_from_slice(piece);
        Ok(())
    }
}
