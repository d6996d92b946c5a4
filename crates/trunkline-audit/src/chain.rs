//! The growing end of a log: numbers events, chains them, and puts them onto the disk.
//!
//! Invariants:
//! - nothing of the chain moves on before its lines are synced; after a failure the file is cut back to what is durable
//!   and written again, so that a line that was answered as durable is never written twice;
//! - a segment's file is made before its first line, and its folder synced.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use trunkline_api::{AuditHead, AuditRepair};

use crate::error::OpenError;
use crate::line::{self, Hash};
use crate::segments::{self, Segment};

/// The end of a chain.
#[derive(Debug)]
pub(crate) struct Chain {
    folder: PathBuf,
    writer: String,
    sequence: u64,
    hash: Hash,
    time: Timestamp,
    segment: Option<Growing>,
    /// After how many bytes another segment begins.
    segment_bytes: u64,
}

/// The last segment.
#[derive(Debug)]
struct Growing {
    segment: Segment,
    /// How much of it is durable.
    length: u64,
    /// None after a failure: nobody knows what it holds behind `length`.
    file: Option<File>,
}

impl Chain {
    /// Finds the end of a folder's chain; begins one if there is none. What was torn at the end is cut off and told.
    pub(crate) fn open(folder: &Path, segment_bytes: u64) -> Result<(Self, Option<AuditRepair>), OpenError> {
        let segments = segments::list(folder).map_err(io_at(folder))?;
        let mut chain = Self {
            folder: folder.to_owned(),
            writer: uuid::Uuid::new_v4().to_string(),
            sequence: 0,
            hash: Hash::NONE,
            time: Timestamp::UNIX_EPOCH,
            segment: None,
            segment_bytes,
        };
        let mut repair = None;
        let mut found = false;
        // Made and then killed: the last one may be empty, and the end of the chain in the one before.
        for (place, segment) in segments.iter().rev().take(2).enumerate() {
            let at = || io_at(&segment.path);
            let mut file = open(segment).map_err(at())?;
            let (line, whole) = segments::last_line(&mut file).map_err(at())?;
            let torn = torn(&mut file, whole).map_err(at())?;
            if place == 0 {
                if torn.is_some() {
                    file.set_len(whole).and_then(|()| file.sync_all()).map_err(at())?;
                }
                repair = torn;
                chain.segment = Some(Growing { segment: segment.clone(), length: whole, file: Some(file) });
            } else if torn.is_some() {
                return Err(damaged(segment, "it ends within a line, and another file follows"));
            }
            if let Some(line) = line {
                let checked =
                    line::check(&line).map_err(|why| damaged(segment, &format!("its last line: {why}")))?;
                (chain.sequence, chain.hash) = (checked.link.sequence, checked.hash);
                (chain.writer, chain.time) = (checked.link.writer, checked.link.time);
                found = true;
                break;
            }
        }
        if let Some(Growing { segment, length: 0, .. }) = &chain.segment
            && segment.first != chain.sequence + 1
        {
            let why = format!("it is empty, and its name is not that of record {}", chain.sequence + 1);
            return Err(damaged(segment, &why));
        }
        if !found && segments.len() > 1 {
            let last = segments.last().map_or(folder.to_owned(), |segment| segment.path.clone());
            return Err(OpenError::Damaged { path: last, why: "the two last files hold no record".into() });
        }
        Ok((chain, repair))
    }

    /// How many records are durable: the sequence of the newest.
    pub(crate) fn sequence(&self) -> u64 {
        self.sequence
    }

    /// The newest durable record; none if there is none.
    pub(crate) fn head(&self) -> Option<AuditHead> {
        (self.sequence > 0).then(|| AuditHead {
            writer: self.writer.clone(),
            sequence: self.sequence,
            hash: self.hash.to_string(),
            time: self.time,
        })
    }

    /// Makes records of events, durably, or leaves the chain as it was. Gives the sequence of the first.
    pub(crate) fn append<'a>(
        &mut self,
        events: impl Iterator<Item = (Timestamp, &'a str)>,
    ) -> io::Result<u64> {
        let first = self.sequence + 1;
        let (mut sequence, mut hash, mut time) = (self.sequence, self.hash, self.time);
        let mut lines = Vec::new();
        for (at, event) in events {
            sequence += 1;
            time = at;
            hash = line::append(&mut lines, sequence, at, &self.writer, event, hash);
        }
        let growing = self.growing()?;
        let written = growing.write(&lines);
        if written.is_err() {
            growing.file = None;
        }
        written?;
        growing.length += lines.len() as u64;
        (self.sequence, self.hash, self.time) = (sequence, hash, time);
        Ok(first)
    }

    /// Whether the next record begins a segment.
    pub(crate) fn is_at_end_of_segment(&self) -> bool {
        self.segment.as_ref().is_none_or(|growing| growing.length >= self.segment_bytes)
    }

    /// The segment that grows, another one if it is long enough.
    fn growing(&mut self) -> io::Result<&mut Growing> {
        if self.is_at_end_of_segment() {
            let segment = Segment::new(&self.folder, self.sequence + 1);
            let file = OpenOptions::new()
                .read(true)
                .append(true)
                .create_new(true)
                .mode(0o600)
                .open(&segment.path)
                .map_err(|error| at_path(&segment.path, &error))?;
            self.segment = Some(Growing { segment, length: 0, file: Some(file) });
            sync_folder(&self.folder)?;
        }
        self.segment.as_mut().ok_or_else(|| io::Error::other("there is no segment"))
    }
}

impl Growing {
    fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(cut_back(&self.segment, self.length)?),
        };
        file.write_all(lines)?;
        file.sync_data()
    }
}

/// Opens a segment again, without what may have been half written behind its durable part.
fn cut_back(segment: &Segment, length: u64) -> io::Result<File> {
    let file = open(segment).map_err(|error| at_path(&segment.path, &error))?;
    let there = file.metadata()?.len();
    if there < length {
        let why = format!("{} has {there} of {length} bytes: somebody cut it", segment.path.display());
        return Err(io::Error::new(io::ErrorKind::InvalidData, why));
    }
    file.set_len(length)?;
    Ok(file)
}

fn open(segment: &Segment) -> io::Result<File> {
    OpenOptions::new().read(true).append(true).open(&segment.path)
}

/// What stands behind the last whole line.
fn torn(file: &mut File, whole: u64) -> io::Result<Option<AuditRepair>> {
    let mut torn = Vec::new();
    file.seek(SeekFrom::Start(whole))?;
    file.read_to_end(&mut torn)?;
    let repair =
        || AuditRepair { cut: torn.len() as u64, sha256: Hash::of(&torn).to_string(), recording: None };
    Ok((!torn.is_empty()).then(repair))
}

/// Makes the names in a folder durable.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn at_path(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// An error of this path.
pub(crate) fn io_at(path: &Path) -> impl Fn(io::Error) -> OpenError + use<> {
    let path = path.to_owned();
    move |source| OpenError::Io { path: path.clone(), source }
}

fn damaged(segment: &Segment, why: &str) -> OpenError {
    OpenError::Damaged { path: segment.path.clone(), why: why.into() }
}
