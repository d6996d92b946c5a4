//! One file that is followed: what is remembered of it, and its turn at being read.

use std::fs::{File, OpenOptions};
use std::io;
use std::ops::Range;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};

use crate::identity::{FileId, Inode, Mark, fingerprint, read_at, seam};
use crate::lines::{BUFFER, Cursor, Format, walk};
use crate::place::Place;
use crate::record::{self, About};

/// How long a file that is gone must have said nothing until its last line, though it has no newline, is whole.
pub(crate) const QUIET: Duration = Duration::from_secs(10);
/// Where a batch ends, in bytes and in records.
const BATCH_BYTES: usize = 4 * 1024 * 1024;
const BATCH_RECORDS: usize = 20_000;
/// What of a batch one file may take.
const SHARE: usize = BATCH_BYTES / 4;

/// What a checkpoint keeps of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kept {
    /// Where it lies, with no link on the way.
    pub(crate) path: PathBuf,
    /// Where it was found first.
    pub(crate) shown: PathBuf,
    /// The path that it and those before and behind it had or will have.
    pub(crate) family: PathBuf,
    pub(crate) place: Option<Place>,
    pub(crate) format: Format,
    pub(crate) inode: Inode,
    /// How often it was written anew.
    pub(crate) generation: u32,
    pub(crate) id: Option<FileId>,
    pub(crate) fingerprint: Option<Mark>,
    pub(crate) cursor: Cursor,
    pub(crate) seam: Option<Mark>,
    pub(crate) size: u64,
    pub(crate) modified: i128,
}

/// A file that is followed.
#[derive(Debug)]
pub(crate) struct Tracked {
    pub(crate) kept: Kept,
    pub(crate) open: Option<File>,
    /// Since when it has no name any more.
    pub(crate) gone: Option<Instant>,
    /// When it last grew.
    pub(crate) grown: Instant,
    /// It may be another one than it was, although it is as long.
    pub(crate) is_suspect: bool,
    /// Its end when there was nothing more to take from it.
    walked: u64,
}

/// Records on their way, and how far their files are read once they are answered.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// Lines of `_bulk`.
    pub(crate) body: Vec<u8>,
    /// Each record's two lines in the body.
    pub(crate) items: Vec<Range<usize>>,
    pub(crate) moves: Vec<Move>,
    /// How many of them are not whole.
    pub(crate) cut: u64,
}

/// How far a file is read.
#[derive(Debug)]
pub(crate) struct Move {
    pub(crate) key: u64,
    pub(crate) id: FileId,
    pub(crate) cursor: Cursor,
    pub(crate) seam: Mark,
}

/// What came of a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    Nothing,
    /// Records; `is_new` when the file's id was made for them.
    Records {
        is_new: bool,
    },
    /// It is not what was read up to its offset.
    Anew,
    /// It is gone and read to its end.
    Over,
}

impl Batch {
    pub(crate) fn is_full(&self) -> bool {
        self.body.len() >= BATCH_BYTES || self.items.len() >= BATCH_RECORDS
    }
}

impl Kept {
    /// Whether `file` is the one that was read up to the offset.
    pub(crate) fn is_same(&self, file: &File, is_end: bool) -> io::Result<bool> {
        is_continued_by(self.fingerprint, &self.cursor, self.seam, file, is_end)
    }
}

/// Whether `file` bears the marks of what was read through `cursor`.
pub(crate) fn is_continued_by(
    mark: Option<Mark>,
    cursor: &Cursor,
    before: Option<Mark>,
    file: &File,
    is_end: bool,
) -> io::Result<bool> {
    let is_long_enough = file.metadata()?.len() >= cursor.offset;
    let bears_mark = mark.is_none() || fingerprint(file, is_end)? == mark;
    let bears_seam = match before {
        Some(before) => seam(file, cursor.offset)? == before,
        None => true,
    };
    Ok(is_long_enough && bears_mark && bears_seam)
}

impl Tracked {
    pub(crate) fn new(kept: Kept, now: Instant) -> Self {
        Self { kept, open: None, gone: None, grown: now, is_suspect: false, walked: 0 }
    }

    /// What is not given out yet, in bytes, as far as is known.
    pub(crate) fn unread(&self) -> u64 {
        self.kept.size.saturating_sub(self.kept.cursor.offset)
    }

    /// Begins anew: what was in the file is there no more.
    pub(crate) fn begin_anew(&mut self) {
        self.kept.generation = self.kept.generation.wrapping_add(1);
        self.kept.id = None;
        self.kept.fingerprint = None;
        self.kept.cursor = Cursor::default();
        self.kept.seam = None;
        self.walked = 0;
        self.is_suspect = false;
    }

    /// Notes how long it is.
    pub(crate) fn measure(&mut self, size: u64, now: Instant) {
        if size != self.kept.size {
            self.kept.size = size;
            self.grown = now;
        }
    }

    /// Reads on, into what room the batch has.
    pub(crate) fn turn(
        &mut self,
        key: u64,
        node: &str,
        now: Instant,
        buffer: &mut Vec<u8>,
        batch: &mut Batch,
    ) -> io::Result<Turn> {
        let Some(file) = &self.open else { return Ok(Turn::Nothing) };
        let size = file.metadata()?.len();
        let offset = self.kept.cursor.offset;
        let is_quiet = size == self.kept.size && now.saturating_duration_since(self.grown) >= QUIET;
        let is_over = self.gone.is_some() && is_quiet;
        if size != self.kept.size {
            (self.kept.size, self.grown) = (size, now);
        }
        if size < offset || (self.is_suspect && !self.kept.is_same(file, false)?) {
            return Ok(Turn::Anew);
        }
        self.is_suspect = false;
        if size == offset || (size == self.walked && !is_over) {
            return Ok(if is_over { Turn::Over } else { Turn::Nothing });
        }
        buffer.resize(BUFFER, 0);
        let count = read_at(file, buffer, offset)?;
        let bytes = buffer.get(..count).unwrap_or_default();
        let is_end = is_over && offset + count as u64 == size;
        let mark = match self.kept.fingerprint {
            Some(mark) => Some(mark),
            None => fingerprint(file, is_end)?,
        };
        let Some(mark) = mark else {
            return Ok(if is_over { Turn::Over } else { Turn::Nothing });
        };
        let Kept { inode, generation, .. } = self.kept;
        let id = self.kept.id.unwrap_or_else(|| FileId::new(node, inode, generation, mark));
        let about = About { id, path: &self.kept.shown, place: self.kept.place.as_ref(), node };

        let (records, length, cut) = (batch.items.len(), batch.body.len(), batch.cut);
        let mut cursor = self.kept.cursor.clone();
        let (mut stopped, mut broken) = (false, None);
        walk(&mut cursor, bytes, self.kept.format, is_end, &mut |found| {
            let begun = batch.body.len();
            if batch.is_full() || begun - length >= SHARE {
                stopped = true;
                return false;
            }
            match record::write(&about, found, &mut batch.body) {
                Ok(is_cut) => batch.cut += u64::from(is_cut),
                Err(error) => {
                    broken = Some(error);
                    return false;
                }
            }
            batch.items.push(begun..batch.body.len());
            true
        });
        let behind = seam(file, cursor.offset)?;
        // Asked after reading: what was written anew before or while it was read is noticed.
        let is_same = is_continued_by(Some(mark), &self.kept.cursor, self.kept.seam, file, is_end)?;
        if !is_same || broken.is_some() {
            batch.items.truncate(records);
            batch.body.truncate(length);
            batch.cut = cut;
            return broken.map_or(Ok(Turn::Anew), |error| Err(error.into()));
        }
        self.walked = if stopped { 0 } else { offset + count as u64 };
        if cursor == self.kept.cursor {
            return Ok(if is_end && !stopped { Turn::Over } else { Turn::Nothing });
        }
        let is_new = self.kept.id.is_none();
        (self.kept.id, self.kept.fingerprint) = (Some(id), Some(mark));
        batch.moves.push(Move { key, id, cursor, seam: behind });
        Ok(Turn::Records { is_new })
    }
}

/// Opens a file that is one; a link in the place of its name, or a pipe, is refused.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let flags = i32::try_from(flags.bits()).unwrap_or_default();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "no regular file"));
    }
    Ok(file)
}
