//! A place in a log that is read forwards, and that goes on as the log grows.
//!
//! Invariant: nothing that is not durable is read: it may be cut back and written anew.

use std::io;
use std::path::{Path, PathBuf};

use tokio::sync::watch;
use trunkline_api::{AuditHead, AuditQuery, AuditRecord};

use crate::error::ReadError;
use crate::segments::{self, Line, Lines, Segment};
use crate::{line, query};

/// How many records are read at once for who follows, and how many bytes are looked through for them.
const AT_ONCE: usize = 256;
const LOOKED: u64 = 4 * 1024 * 1024;

/// A place in a log.
#[derive(Debug)]
pub(crate) struct Cursor {
    folder: PathBuf,
    /// The last record that was passed.
    sequence: u64,
    open: Option<(u64, Lines)>,
    /// How many bytes were looked through, and how many lines could not be read.
    pub(crate) looked: u64,
    pub(crate) unreadable: u64,
}

impl Cursor {
    /// Before the record after `sequence`.
    pub(crate) fn after(folder: &Path, sequence: u64) -> Self {
        Self { folder: folder.to_owned(), sequence, open: None, looked: 0, unreadable: 0 }
    }

    /// The last record that was passed.
    pub(crate) fn sequence(&self) -> u64 {
        self.sequence
    }

    /// The next line, of a record up to `last`. None at the end; ask again when there are more.
    pub(crate) fn next(&mut self, last: u64) -> io::Result<Option<Vec<u8>>> {
        while self.sequence < last {
            let Some((first, lines)) = &mut self.open else {
                let Some(segment) = self.find()? else { return Ok(None) };
                self.open = Some((segment.first, Lines::open(&segment)?));
                continue;
            };
            let before = lines.at();
            match lines.next()? {
                Line::Whole(line) => {
                    self.looked += line.len() as u64 + 1;
                    match line::sequence(line) {
                        Some(sequence) if sequence > last => {
                            // There is a gap, which a verification tells.
                            self.open = None;
                            return Ok(None);
                        }
                        Some(sequence) if sequence > self.sequence => {
                            let line = line.to_vec();
                            self.sequence = sequence;
                            if sequence == last {
                                lines.look_again()?;
                            }
                            return Ok(Some(line));
                        }
                        Some(_) => {}
                        None => self.unreadable += 1,
                    }
                }
                Line::TooLong => {
                    self.unreadable += 1;
                    self.looked += lines.at() - before;
                }
                Line::Torn(_) | Line::End => {
                    let first = *first;
                    let next =
                        segments::list(&self.folder)?.into_iter().find(|segment| segment.first > first);
                    let Some(next) = next else {
                        self.open = None;
                        return Ok(None);
                    };
                    self.open = Some((next.first, Lines::open(&next)?));
                }
            }
        }
        Ok(None)
    }

    /// The segment that holds the next record, or the first there is.
    fn find(&self) -> io::Result<Option<Segment>> {
        let mut segments = segments::list(&self.folder)?;
        let holds = segments.iter().rposition(|segment| segment.first <= self.sequence + 1).unwrap_or(0);
        Ok((holds < segments.len()).then(|| segments.swap_remove(holds)))
    }
}

/// The records of a log as they come.
#[derive(Debug)]
pub struct Follow {
    folder: PathBuf,
    query: AuditQuery,
    /// The last record that was looked at.
    after: u64,
    /// Lost when somebody stops waiting halfway; then it is found again by `after`.
    cursor: Option<Cursor>,
    head: watch::Receiver<Option<AuditHead>>,
}

impl Follow {
    pub(crate) fn new(
        folder: &Path,
        query: AuditQuery,
        after: u64,
        head: watch::Receiver<Option<AuditHead>>,
    ) -> Self {
        let cursor = Some(Cursor::after(folder, after));
        Self { folder: folder.to_owned(), query, after, cursor, head }
    }

    /// The next records, at least one. May be dropped and called again: none is lost.
    ///
    /// # Errors
    /// [`ReadError::Stopped`] when the log is closed.
    pub async fn next(&mut self) -> Result<Vec<AuditRecord>, ReadError> {
        loop {
            let after = self.after;
            let is_newer = |head: &Option<AuditHead>| head.as_ref().is_some_and(|head| head.sequence > after);
            let last = match self.head.wait_for(is_newer).await {
                Ok(head) => head.as_ref().map_or(after, |head| head.sequence),
                Err(_) => return Err(ReadError::Stopped),
            };
            let cursor = self.cursor.take().unwrap_or_else(|| Cursor::after(&self.folder, after));
            let query = self.query.clone();
            let read = tokio::task::spawn_blocking(move || look(cursor, &query, last)).await;
            let (cursor, records) = read.map_err(|_| ReadError::Stopped)??;
            self.after = cursor.sequence();
            self.cursor = Some(cursor);
            if !records.is_empty() {
                return Ok(records);
            }
        }
    }
}

/// Reads on, within bounds.
fn look(mut cursor: Cursor, query: &AuditQuery, last: u64) -> io::Result<(Cursor, Vec<AuditRecord>)> {
    cursor.looked = 0;
    let (records, ended) = query::gather(&mut cursor, query, last, AT_ONCE, LOOKED)?;
    // A gap, or what was to come was removed: not looked for again and again.
    if ended && cursor.sequence() < last {
        cursor = Cursor::after(&cursor.folder, last);
    }
    Ok((cursor, records))
}
