//! Finding records: the newest that match, or the first after a place. Bounded in records and in bytes looked through.

use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::time::Duration;

use trunkline_api::{AuditPage, AuditQuery, AuditRecord};

use crate::cursor::Cursor;
use crate::line;
use crate::segments::{self, Line, Lines, Segment};

/// How many records are given if nobody says how many, and at the most.
const LIMIT: usize = 100;
const MAX_LIMIT: usize = 1_000;
/// After how many bytes a page ends, whatever it holds.
const LOOKED: u64 = 256 * 1024 * 1024;
/// How far a clock may be set back before a look by time may miss records.
const CLOCK: Duration = Duration::from_secs(3600);

/// Answers a query over all records up to `last`.
pub(crate) fn run(folder: &Path, last: u64, query: &AuditQuery) -> io::Result<AuditPage> {
    let limit = query.limit.unwrap_or(LIMIT).clamp(1, MAX_LIMIT);
    match query.after {
        Some(after) => forwards(folder, after, last, limit, query),
        None => backwards(
            folder,
            query.before.map_or(last, |before| before.saturating_sub(1).min(last)),
            limit,
            query,
        ),
    }
}

/// A line as a record, if it is one.
fn record(line: &[u8]) -> Option<AuditRecord> {
    serde_json::from_slice(line).ok()
}

/// The first ones after a place.
fn forwards(folder: &Path, after: u64, last: u64, limit: usize, query: &AuditQuery) -> io::Result<AuditPage> {
    let mut cursor = Cursor::after(folder, after);
    let (records, _) = gather(&mut cursor, query, last, limit, LOOKED)?;
    let mut page = AuditPage::new(records);
    page.newer = Some(cursor.sequence());
    page.unreadable = cursor.unreadable;
    Ok(page)
}

/// The next matching records up to `last`, at most `limit`, of at most about so many bytes; and whether all there is was
/// passed.
pub(crate) fn gather(
    cursor: &mut Cursor,
    query: &AuditQuery,
    last: u64,
    limit: usize,
    looked: u64,
) -> io::Result<(Vec<AuditRecord>, bool)> {
    let (mut records, sieve) = (Vec::new(), Sieve::new(query));
    while records.len() < limit && cursor.looked < looked {
        let Some(line) = cursor.next(last)? else { return Ok((records, true)) };
        if sieve.may_match(&line) {
            match record(&line) {
                Some(record) if query.matches(&record) => records.push(record),
                Some(_) => {}
                None => cursor.unreadable += 1,
            }
        }
    }
    Ok((records, false))
}

/// The newest ones up to a place.
fn backwards(folder: &Path, upto: u64, limit: usize, query: &AuditQuery) -> io::Result<AuditPage> {
    let segments = segments::list(folder)?;
    let (mut found, mut looked, mut unreadable) = (VecDeque::new(), 0, 0);
    let mut older = None;
    for (place, segment) in segments.iter().enumerate().rev().filter(|(_, segment)| segment.first <= upto) {
        if found.len() >= limit || looked >= LOOKED {
            older = Some(segments.get(place + 1).map_or(upto + 1, |after| after.first));
            break;
        }
        if is_over(query, segments.get(place + 1))? {
            break;
        }
        if is_to_come(query, segment)? {
            continue;
        }
        let mut here = match newest(segment, upto, limit - found.len(), query) {
            Ok(here) => here,
            // Removed since the folder was read; all that is older is gone as well.
            Err(error) if error.kind() == io::ErrorKind::NotFound => break,
            Err(error) => return Err(error),
        };
        looked += here.looked;
        unreadable += here.unreadable;
        here.records.append(&mut found);
        found = here.records;
        if here.dropped {
            older = found.front().map(|record: &AuditRecord| record.sequence);
            break;
        }
    }
    let mut page = AuditPage::new(found.into());
    page.older = older;
    page.newer = Some(upto);
    page.unreadable = unreadable;
    Ok(page)
}

/// What a segment has.
struct Here {
    records: VecDeque<AuditRecord>,
    /// Whether there were more than were wanted.
    dropped: bool,
    looked: u64,
    unreadable: u64,
}

/// A segment's newest matching records.
fn newest(segment: &Segment, upto: u64, limit: usize, query: &AuditQuery) -> io::Result<Here> {
    let (mut lines, sieve) = (Lines::open(segment)?, Sieve::new(query));
    let mut kept: VecDeque<Vec<u8>> = VecDeque::new();
    let (mut dropped, mut unreadable) = (false, 0);
    loop {
        match lines.next()? {
            Line::Whole(line) => {
                let Some(sequence) = line::sequence(line) else {
                    unreadable += 1;
                    continue;
                };
                if sequence > upto {
                    break;
                }
                if !sieve.may_match(line) {
                    continue;
                }
                // Without a filter only those are read that are given.
                let matches = query.is_unfiltered()
                    || match record(line) {
                        Some(record) => query.matches(&record),
                        None => {
                            unreadable += 1;
                            false
                        }
                    };
                if matches {
                    kept.push_back(line.to_vec());
                    if kept.len() > limit {
                        kept.pop_front();
                        dropped = true;
                    }
                }
            }
            Line::TooLong => unreadable += 1,
            Line::Torn(_) | Line::End => break,
        }
    }
    let count = kept.len();
    let records: VecDeque<_> = kept.iter().filter_map(|line| record(line)).collect();
    unreadable += (count - records.len()) as u64;
    Ok(Here { records, dropped, looked: lines.at(), unreadable })
}

/// Whether all up to `next` was before what is asked for.
fn is_over(query: &AuditQuery, next: Option<&Segment>) -> io::Result<bool> {
    let (Some(since), Some(next)) = (query.since, next) else { return Ok(false) };
    Ok(next.begins()?.and_then(|begins| begins.checked_add(CLOCK).ok()).is_some_and(|end| end < since))
}

/// Whether all in a segment was after what is asked for.
fn is_to_come(query: &AuditQuery, segment: &Segment) -> io::Result<bool> {
    let Some(until) = query.until else { return Ok(false) };
    Ok(segment.begins()?.and_then(|begins| begins.checked_sub(CLOCK).ok()).is_some_and(|begin| begin > until))
}

/// Passes over lines that cannot match, without reading them as JSON.
struct Sieve(Vec<String>);

impl Sieve {
    fn new(query: &AuditQuery) -> Self {
        let words = [&query.user, &query.cluster, &query.verb, &query.request];
        // As it stands in the line: written by the same library.
        Self(words.into_iter().flatten().filter_map(|word| serde_json::to_string(word).ok()).collect())
    }

    fn may_match(&self, line: &[u8]) -> bool {
        if self.0.is_empty() {
            return true;
        }
        std::str::from_utf8(line).is_ok_and(|line| self.0.iter().all(|word| line.contains(word.as_str())))
    }
}
