//! What a spool's files hold, after whatever happened to them.
//!
//! Only the last commit of the newest segment may have been torn: before a commit is written the one before it was synced,
//! and after a failure a new segment begins. So the last commit is kept whole or cut off whole, and all before it that is
//! damaged was damaged later: that is a gap, and what follows it stays. A commit through whose end the cursor says that it
//! was synced was answered, and is never cut.
//!
//! Invariants:
//! - no sequence is given out twice: the next one is behind everything that the files' names, the chunks and the cursor
//!   know;
//! - what is kept is synced before anybody is told of it, and written anew before that.

use std::io;

use crate::chunk::{ChunkHead, HEAD};
use crate::cursor::Place;
use crate::epoch::Epoch;
use crate::folder::Folder;
use crate::scan::Scan;
use crate::segments::{self, Segment};
use crate::status::Gap;
use crate::view::View;

/// Looks at all that is there, and cuts off what was torn.
pub(crate) fn recover(folder: &Folder, epoch: Epoch, place: Option<Place>) -> io::Result<View> {
    let mut firsts: Vec<u64> = folder.names()?.iter().filter_map(|name| segments::first_of(name)).collect();
    firsts.sort_unstable();
    let begins = firsts.first().copied();
    // Without a cursor, what is no longer there was acknowledged.
    let place = place.unwrap_or(Place { acked: begins.map_or(0, |first| first - 1), last: 0 });
    let mut view = View { acked: place.acked, last: place.last.max(place.acked), ..View::default() };
    let mut whole = 0;
    let newest = firsts.pop();
    for first in firsts {
        view.segments.push_back(older(folder, epoch, first)?);
    }
    if let Some(first) = newest {
        let (segment, through) = newest_segment(folder, epoch, first, place.last)?;
        view.segments.push_back(segment);
        whole = through;
    }
    view.last = view.last.max(whole);
    // Nothing in a segment is newer than what the next begins with, as far as the clock goes.
    let begun: Vec<_> = view.segments.iter().map(|segment| segment.oldest).collect();
    for (segment, next) in view.segments.iter_mut().zip(begun.into_iter().skip(1)) {
        segment.newest = next;
    }
    if let Some(begins) = begins {
        view.note(Gap { from: 1, to: begins - 1 }, "their files are not there");
    }
    view.note(Gap { from: whole + 1, to: view.last }, "the newest file ends before them");
    for segment in view.segments.clone() {
        if let Some(at) = segment.oldest {
            view.marks.set(segment.first, at);
        }
    }
    view.marks.forget(view.acked);
    Ok(view)
}

/// A segment that does not grow any more. What is damaged in it is found when it is read.
fn older(folder: &Folder, epoch: Epoch, first: u64) -> io::Result<Segment> {
    let file = folder.open(&segments::name(first))?;
    let length = file.length()?;
    let mut head = [0; HEAD];
    let oldest = if length < HEAD as u64 {
        None
    } else {
        file.read_at(0, &mut head)?;
        ChunkHead::read(&head, epoch).ok().map(|head| head.at)
    };
    Ok(Segment { first, length, oldest, newest: None })
}

/// The newest segment without what was torn, and the last sequence that is whole in it.
fn newest_segment(folder: &Folder, epoch: Epoch, first: u64, answered: u64) -> io::Result<(Segment, u64)> {
    let file = folder.open(&segments::name(first))?;
    let length = file.length()?;
    let mut segment = Segment { first, length: 0, oldest: None, newest: None };
    let (mut whole, mut begin) = (first - 1, 0);
    let mut scan = Scan { file: &file, epoch, at: 0, end: length };
    let mut open: Option<Commit> = None;
    loop {
        let found = scan.next(&(whole + 1..=u64::MAX))?;
        let head = found.as_ref().map(|found| found.head);
        if let Some(commit) = &open
            && head.is_none_or(|head| head.commit != commit.first)
            && (head.is_some() || commit.complete || commit.last <= answered)
        {
            (segment.length, segment.newest, whole) = (commit.end, Some(commit.at), commit.last);
            begin = commit.begin;
        }
        let (Some(head), Some(found)) = (head, found) else { break };
        segment.oldest = segment.oldest.or(Some(head.at));
        let before = open.filter(|commit| commit.first == head.commit);
        let intact =
            before.map_or(head.first == head.commit, |commit| commit.intact && commit.last + 1 == head.first);
        open = Some(Commit {
            first: head.commit,
            last: head.last(),
            begin: before.map_or(found.at, |commit| commit.begin),
            end: scan.at,
            at: head.at,
            intact,
            complete: intact && head.ends_commit(),
        });
    }
    if segment.length == 0 {
        segment.oldest = None;
    }
    if segment.length < length {
        tracing::info!(
            segment = first,
            cut = length - segment.length,
            "an unfinished write to the spool was cut off"
        );
        file.cut(segment.length)?;
    }
    // Whoever wrote the last commit may not have come to a sync, or failed at it: then another one would do nothing for what
    // the page cache takes for written.
    let mut tail = vec![0; (segment.length - begin) as usize];
    file.read_at(begin, &mut tail)?;
    file.write_at(begin, &tail)?;
    file.sync()?;
    folder.sync()?;
    Ok((segment, whole))
}

/// The commit that is being looked at, as far as it was found.
#[derive(Clone, Copy)]
struct Commit {
    first: u64,
    last: u64,
    /// Where it begins, where its last chunk ends, and when that was spooled.
    begin: u64,
    end: u64,
    at: u64,
    /// Nothing of it is missing so far; and it ends here.
    intact: bool,
    complete: bool,
}
