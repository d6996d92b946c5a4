//! From a file's bytes to its records: lines, and parts of lines joined again.
//!
//! A [`Cursor`] says through where a file's records were given out. [`walk`] takes the bytes from there on. It may be stopped behind
//! any record, and go on later with more bytes, or in another process: the records are the same.
//!
//! Invariants:
//! - a record begins where its first line does, and no two of one file begin at the same place;
//! - parts of one stream are joined over lines of the other, within [`WINDOW`] bytes and up to [`MAX_LINE`] of text;
//! - which lines make a record depends on the file alone, and not on how often or where walking stopped;
//! - from a full buffer of [`BUFFER`] bytes a walk always gets further.

mod container;

use memchr::memchr;
use serde::{Deserialize, Serialize};

pub(crate) use container::Stream;

/// The longest line, and the longest text of a joined one, in bytes. What is longer is cut there.
pub(crate) const MAX_LINE: usize = 256 * 1024;
/// How far behind its beginning a line in parts may end, in bytes of the file.
pub(crate) const WINDOW: usize = 1024 * 1024;
/// How many bytes a walk needs to get further whatever they are.
pub(crate) const BUFFER: usize = WINDOW + 2 * MAX_LINE;
/// Streams, and lines that are of none.
const KINDS: usize = 3;

/// What a file's lines look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Format {
    /// As a container runtime writes them: CRI's, or Docker's JSON. A line that is neither is taken as it is.
    Container,
    /// As they are.
    Plain,
}

/// Through where a file's records were given out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cursor {
    /// Where to go on.
    pub(crate) offset: u64,
    /// Lines of each kind that begin before this were given out, although they are behind `offset`.
    done: [u64; KINDS],
    /// Whether `offset` is inside of a line that was cut: what is left of that is passed over.
    pub(crate) within: bool,
}

/// A record as it stands in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found<'a> {
    /// Where it begins.
    pub(crate) start: u64,
    pub(crate) stream: Option<Stream>,
    pub(crate) time: Option<&'a str>,
    pub(crate) text: &'a [u8],
    /// Whether something of it was left out, or its end did not come.
    pub(crate) is_cut: bool,
}

/// A line whose end has not come.
struct Pending {
    start: u64,
    end: u64,
    time: String,
    text: Vec<u8>,
    is_cut: bool,
}

/// Gives out the records of `bytes`, which begin at the cursor's offset, for as long as `take` takes them; `is_end` says that no
/// byte will ever follow. Moves the cursor behind what was taken.
pub(crate) fn walk(
    cursor: &mut Cursor,
    bytes: &[u8],
    format: Format,
    is_end: bool,
    take: &mut dyn FnMut(&Found<'_>) -> bool,
) {
    let base = cursor.offset;
    let position = |at: usize| base + at as u64;
    let mut pending: [Option<Pending>; 2] = [None, None];
    let mut within = cursor.within;
    let mut at = 0;
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        if within {
            let newline = memchr(b'\n', rest);
            at += newline.map_or(rest.len(), |newline| newline + 1);
            within = newline.is_none();
            stand(cursor, &pending, position(at), within);
            continue;
        }
        let start = position(at);
        let looked_at = rest.get(..=MAX_LINE).unwrap_or(rest);
        let (line, next, is_cut) = match memchr(b'\n', looked_at) {
            Some(newline) => (rest.get(..newline).unwrap_or_default(), newline + 1, false),
            None if rest.len() > MAX_LINE => (rest.get(..MAX_LINE).unwrap_or_default(), MAX_LINE, true),
            None if is_end => (rest, rest.len(), false),
            None => break,
        };
        // A part whose rest is too far away goes out as it is. So does every part before a line that is cut: behind that line's
        // beginning no other may begin for as long as anybody likes.
        let late = |part: &Pending| is_cut || start >= part.start + WINDOW as u64;
        if !give_out(cursor, &mut pending, late, take) {
            return;
        }
        let end = position(at + next);
        let piece = match format {
            Format::Container => container::piece(line),
            Format::Plain => None,
        };
        let kind = piece.as_ref().map_or(KINDS - 1, |piece| piece.stream.index());
        let is_done = cursor.done.get(kind).is_some_and(|done| start < *done);
        match piece {
            _ if is_done => {}
            None => {
                if !take(&Found { start, stream: None, time: None, text: line, is_cut }) {
                    return;
                }
                mark(cursor, kind, end);
            }
            Some(piece) => {
                let Some(slot) = pending.get_mut(kind) else { return };
                let part = slot.get_or_insert_with(|| Pending {
                    start,
                    end,
                    time: piece.time.to_string(),
                    text: Vec::new(),
                    is_cut: false,
                });
                part.add(&piece.text, end, is_cut);
                if (piece.is_whole || is_cut) && !give_out_one(cursor, kind, slot, take) {
                    return;
                }
            }
        }
        at += next;
        within = is_cut;
        stand(cursor, &pending, position(at), within);
    }
    if is_end && at == bytes.len() && give_out(cursor, &mut pending, |_| true, take) {
        stand(cursor, &pending, position(at), within);
    }
}

impl Pending {
    fn add(&mut self, text: &[u8], end: u64, is_cut: bool) {
        let (kept, rest) = text.split_at(text.len().min(MAX_LINE - self.text.len()));
        self.text.extend_from_slice(kept);
        self.is_cut |= is_cut || !rest.is_empty();
        self.end = end;
    }
}

/// Where to go on: at the first line that was not given out.
fn stand(cursor: &mut Cursor, pending: &[Option<Pending>; 2], at: u64, within: bool) {
    let first = pending.iter().flatten().map(|part| part.start).min();
    cursor.offset = first.unwrap_or(at);
    cursor.within = within && first.is_none();
}

fn mark(cursor: &mut Cursor, kind: usize, end: u64) {
    if let Some(done) = cursor.done.get_mut(kind) {
        *done = end;
    }
}

/// Gives out parts whose end is not waited for, the earlier one first. Says whether they were taken.
fn give_out(
    cursor: &mut Cursor,
    pending: &mut [Option<Pending>; 2],
    which: impl Fn(&Pending) -> bool,
    take: &mut dyn FnMut(&Found<'_>) -> bool,
) -> bool {
    let mut due: Vec<(u64, usize)> = pending
        .iter()
        .enumerate()
        .filter_map(|(kind, part)| part.as_ref().filter(|part| which(part)).map(|part| (part.start, kind)))
        .collect();
    due.sort_unstable();
    due.into_iter().all(|(_, kind)| {
        let Some(slot) = pending.get_mut(kind) else { return false };
        if let Some(part) = slot {
            part.is_cut = true;
        }
        give_out_one(cursor, kind, slot, take)
    })
}

fn give_out_one(
    cursor: &mut Cursor,
    kind: usize,
    slot: &mut Option<Pending>,
    take: &mut dyn FnMut(&Found<'_>) -> bool,
) -> bool {
    let Some(part) = slot else { return true };
    let (start, is_cut) = (part.start, part.is_cut);
    let (stream, time) = (Some(Stream::of(kind)), Some(part.time.as_str()));
    if !take(&Found { start, stream, time, text: &part.text, is_cut }) {
        return false;
    }
    mark(cursor, kind, part.end);
    *slot = None;
    true
}

#[cfg(test)]
mod tests;
