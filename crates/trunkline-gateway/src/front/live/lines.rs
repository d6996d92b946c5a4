//! A body as whole lines. No IO.
//!
//! Of server-sent events only the payloads are given: the gateway's own are one line each.
//!
//! Invariants:
//! - a line is whole, or said to be cut: it is at most [`LONGEST`] long, and shorter where room for long lines is short;
//! - nobody waits for room, so that a cluster that begins long lines and ends none holds up nobody.

use std::sync::Arc;

use bytes::{Buf as _, Bytes};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The longest line, in bytes.
pub(super) const LONGEST: usize = 1024 * 1024;
/// What every stream has for its line, and the pieces in which room is taken beyond, in bytes.
const PIECE: usize = 64 * 1024;
/// Room for long lines, in pieces: of one socket's streams, and of all: 8 MiB and 256 MiB.
const PIECES_OF_ONE: usize = 128;
const PIECES: usize = 4096;
/// What a payload of an event stands behind.
const DATA: &[u8] = b"data:";

/// Room for long lines, that the streams of a socket share. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Longs {
    own: Arc<Semaphore>,
    all: Arc<Semaphore>,
}

impl Longs {
    /// All the room there is.
    pub(super) fn of_all() -> Arc<Semaphore> {
        Arc::new(Semaphore::new(PIECES))
    }

    /// One socket's part of it.
    pub(super) fn of_one(all: Arc<Semaphore>) -> Self {
        Self { own: Arc::new(Semaphore::new(PIECES_OF_ONE)), all }
    }

    /// One piece more, if there is one.
    fn piece(&self) -> Option<[OwnedSemaphorePermit; 2]> {
        let own = self.own.clone().try_acquire_owned().ok()?;
        Some([own, self.all.clone().try_acquire_owned().ok()?])
    }
}

/// Room that a long line holds until it is dropped.
pub(super) type Room = Vec<[OwnedSemaphorePermit; 2]>;

/// A line.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) text: String,
    /// Whether it was longer.
    pub(super) cut: bool,
    /// What it holds while it waits for the page.
    pub(super) room: Room,
}

/// The lines of one body.
#[derive(Debug)]
pub(super) struct Lines {
    longs: Longs,
    /// Whether only what stands behind `data:` is given.
    events: bool,
    /// What came and was not looked at.
    frame: Bytes,
    /// The line whose end has not come.
    begun: Vec<u8>,
    room: Room,
    /// Whether the rest of that line is thrown away.
    cut: bool,
}

impl Lines {
    pub(super) fn new(longs: Longs, events: bool) -> Self {
        Self { longs, events, frame: Bytes::new(), begun: Vec::new(), room: Vec::new(), cut: false }
    }

    /// Takes what came next, once all before was looked at.
    pub(super) fn feed(&mut self, frame: Bytes) {
        debug_assert!(self.frame.is_empty(), "what came before was not looked at");
        self.frame = frame;
    }

    /// The next whole line.
    pub(super) fn next(&mut self) -> Option<Line> {
        while let Some(at) = self.frame.iter().position(|byte| *byte == b'\n') {
            let piece = self.frame.split_to(at);
            self.frame.advance(1);
            self.take(&piece);
            if let Some(line) = self.finish() {
                return Some(line);
            }
        }
        let piece = std::mem::take(&mut self.frame);
        self.take(&piece);
        None
    }

    /// What stands behind the last line's end, at the end of the body.
    pub(super) fn rest(&mut self) -> Option<Line> {
        if self.begun.is_empty() { None } else { self.finish() }
    }

    fn take(&mut self, piece: &[u8]) {
        if self.cut {
            return;
        }
        let wanted = (self.begun.len() + piece.len()).min(LONGEST);
        while wanted > self.may_hold()
            && let Some(more) = self.longs.piece()
        {
            self.room.push(more);
        }
        let here = piece.len().min(self.may_hold().min(LONGEST) - self.begun.len());
        self.begun.extend_from_slice(&piece[..here]);
        self.cut = here < piece.len();
    }

    /// How long the line may be with the room that it has.
    fn may_hold(&self) -> usize {
        PIECE * (1 + self.room.len())
    }

    fn finish(&mut self) -> Option<Line> {
        let mut bytes = std::mem::take(&mut self.begun);
        let (room, cut) = (std::mem::take(&mut self.room), std::mem::take(&mut self.cut));
        if cut {
            // Not within a character.
            let whole = std::str::from_utf8(&bytes).err().filter(|error| error.error_len().is_none());
            bytes.truncate(whole.map_or(bytes.len(), |error| error.valid_up_to()));
        }
        let text = match self.events {
            true => {
                let data = bytes.strip_prefix(DATA)?;
                data.strip_prefix(b" ").unwrap_or(data)
            }
            false => &bytes,
        };
        Some(Line { text: String::from_utf8_lossy(text).into_owned(), cut, room })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines_of(events: bool, frames: &[&[u8]]) -> Vec<(String, bool)> {
        let mut lines = Lines::new(Longs::of_one(Longs::of_all()), events);
        let mut all = Vec::new();
        for frame in frames {
            lines.feed(Bytes::copy_from_slice(frame));
            all.extend(std::iter::from_fn(|| lines.next()).map(|line| (line.text, line.cut)));
        }
        all.extend(lines.rest().map(|line| (line.text, line.cut)));
        all
    }

    fn texts(events: bool, body: &[u8]) -> Vec<String> {
        lines_of(events, &[body]).into_iter().map(|(text, _)| text).collect()
    }

    #[test]
    fn lines_are_the_same_wherever_a_body_is_cut_into_frames() {
        let body = "one\n\ntwo\r\ndré€i\n{\"a\":1}\nlast".as_bytes();
        let whole = texts(false, body);
        assert_eq!(whole, ["one", "", "two\r", "dré€i", "{\"a\":1}", "last"]);
        for at in 0..=body.len() {
            let (one, other) = body.split_at(at);
            let lines: Vec<String> =
                lines_of(false, &[one, other]).into_iter().map(|(text, _)| text).collect();
            assert_eq!(lines, whole, "{at}");
        }
        let each: Vec<&[u8]> = body.chunks(1).collect();
        assert_eq!(lines_of(false, &each).len(), whole.len());
        assert_eq!(texts(false, b"a\n"), ["a"], "the end of the last line begins no other");
        assert_eq!(texts(false, b""), Vec::<String>::new());
        assert_eq!(texts(false, b"\xff\xfe\n"), ["\u{fffd}\u{fffd}"]);
    }

    #[test]
    fn of_events_only_the_payloads_are_given() {
        let body = b": still here\n\ndata: {\"a\":1}\n\nevent: x\nid: 7\ndata:{\"b\":2}\n\ndata: half";
        assert_eq!(texts(true, body), ["{\"a\":1}", "{\"b\":2}", "half"]);
    }

    #[test]
    fn a_line_is_as_long_as_the_limit_to_the_byte_and_what_is_longer_comes_cut() {
        for (length, cut) in [(LONGEST, false), (LONGEST + 1, true), (3 * LONGEST, true)] {
            let body = [vec![b'x'; length], b"\nnext\n".to_vec()].concat();
            for size in [body.len(), 10_000] {
                let frames: Vec<&[u8]> = body.chunks(size).collect();
                let lines = lines_of(false, &frames);
                assert_eq!(lines[0], ("x".repeat(LONGEST), cut), "{length}");
                assert_eq!(lines[1..], [("next".to_owned(), false)]);
            }
        }
        // Not within a character.
        let body = [vec![b'x'; LONGEST - 1], "€\n".into()].concat();
        assert_eq!(lines_of(false, &[&body]), [("x".repeat(LONGEST - 1), true)]);
    }

    #[test]
    fn room_for_long_lines_is_bounded_and_who_finds_none_is_cut_and_waits_for_nobody() {
        let all = Longs::of_all();
        let longs = Longs::of_one(all.clone());
        let mut streams: Vec<Lines> = (0..16).map(|_| Lines::new(longs.clone(), false)).collect();
        for lines in &mut streams {
            lines.feed(vec![b'x'; LONGEST].into());
            assert!(lines.next().is_none());
        }
        let held: usize = streams.iter().map(|lines| lines.begun.len()).sum();
        assert_eq!(held, PIECES_OF_ONE * PIECE + 16 * PIECE);
        assert_eq!(all.available_permits(), PIECES - PIECES_OF_ONE);
        let last = streams.last_mut().unwrap();
        last.feed(Bytes::from_static(b"y\nz\n"));
        let line = last.next().unwrap();
        assert!(line.cut && line.text.len() == PIECE);
        assert_eq!(last.next().unwrap().text, "z");
        // Another socket has room of its own.
        let mut other = Lines::new(Longs::of_one(all.clone()), false);
        other.feed([vec![b'x'; LONGEST], b"\n".to_vec()].concat().into());
        let line = other.next().unwrap();
        assert!(!line.cut);
        drop(streams);
        let held = LONGEST / PIECE - 1;
        assert_eq!(all.available_permits(), PIECES - held, "a line holds its room until it is gone");
        drop(line);
        assert_eq!(all.available_permits(), PIECES);
    }
}
