//! Finding chunks in a segment that may be damaged anywhere.
//!
//! Invariants:
//! - what is found is whole, of this epoch, and within the sequences that were asked for;
//! - behind damage the next chunk is found wherever it begins; a head is believed by its own checksum, so that every byte
//!   is read a bounded number of times;
//! - nothing is read behind the end that was given: what is not synced is not there.

use std::io::{self, ErrorKind};
use std::ops::RangeInclusive;

use bytes::Bytes;

use crate::chunk::{ChunkHead, HEAD, Limits, MAGIC};
use crate::epoch::Epoch;
use crate::folder::Handle;

/// How much is looked through at once for the next chunk.
const WINDOW: usize = 64 * 1024;

/// A run of a segment that is looked through.
#[derive(Clone, Debug)]
pub(crate) struct Scan<'a> {
    pub(crate) file: &'a Handle,
    pub(crate) epoch: Epoch,
    /// Where the next chunk should begin, and where the run ends.
    pub(crate) at: u64,
    pub(crate) end: u64,
}

/// A whole chunk.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// Where it begins.
    pub(crate) at: u64,
    pub(crate) head: ChunkHead,
    pub(crate) bytes: Bytes,
}

/// What begins at a place.
enum Here {
    Whole(Found),
    /// So many bytes can be passed over: what they hold is below these sequences.
    Over(u64),
    /// Anything.
    Nothing,
}

impl Scan<'_> {
    /// The next whole chunk with any of these sequences, and none above them. The scan then stands behind it; at its end if
    /// there is none.
    pub(crate) fn next(&mut self, sequences: &RangeInclusive<u64>) -> io::Result<Option<Found>> {
        while self.at < self.end {
            match self.here(sequences) {
                Ok(Here::Whole(found)) => {
                    self.at = found.at + found.bytes.len() as u64;
                    return Ok(Some(found));
                }
                Ok(Here::Over(length)) => self.at += length,
                Ok(Here::Nothing) => self.look()?,
                // The file is shorter than it was.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => self.at = self.end,
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    fn here(&self, sequences: &RangeInclusive<u64>) -> io::Result<Here> {
        let left = self.end - self.at;
        if left < HEAD as u64 {
            return Ok(Here::Nothing);
        }
        let mut head = [0; HEAD];
        self.file.read_at(self.at, &mut head)?;
        let Ok(head) = ChunkHead::read(&head, self.epoch) else { return Ok(Here::Nothing) };
        let length = head.length() as u64;
        if head.last() > *sequences.end() || head.length() > Limits::default().compressed || length > left {
            return Ok(Here::Nothing);
        }
        if head.last() < *sequences.start() {
            return Ok(Here::Over(length));
        }
        let mut bytes = vec![0; head.length()];
        self.file.read_at(self.at, &mut bytes)?;
        // The head may have been read before it was damaged; then the whole is told by both checksums.
        let whole = ChunkHead::read(&bytes, self.epoch) == Ok(head)
            && head.fits(bytes.get(HEAD..).unwrap_or_default(), self.epoch);
        Ok(if whole { Here::Whole(Found { at: self.at, head, bytes: bytes.into() }) } else { Here::Nothing })
    }

    /// Goes on to the next head.
    fn look(&mut self) -> io::Result<()> {
        let mut from = self.at + 1;
        let mut window = vec![0; WINDOW];
        while from < self.end {
            let length = (self.end - from).min(WINDOW as u64);
            let piece = window.get_mut(..length as usize).unwrap_or_default();
            match self.file.read_at(from, piece) {
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => break,
                read => read?,
            }
            let head = piece
                .windows(HEAD)
                .position(|head| head.starts_with(&MAGIC) && ChunkHead::read(head, self.epoch).is_ok());
            if let Some(place) = head {
                self.at = from + place as u64;
                return Ok(());
            }
            // One that is cut by the end of this piece is seen whole in the next.
            from += length.saturating_sub(HEAD as u64 - 1).max(1);
        }
        self.at = self.end;
        Ok(())
    }
}
