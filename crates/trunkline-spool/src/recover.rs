//! What a spool's files hold, after whatever happened to them.
//!
//! Only the last commit of the newest segment may have been torn: before a commit is written the one before it was synced,
//! and after a failure a new segment begins. So the last commit is kept whole or cut off whole, and all before it that is
//! damaged was damaged later: that is a gap, and what follows it stays. A commit through whose end the cursor says that it
//! was synced was answered, and is never cut.
//!
//! Of two segments that were begun with the same sequence the shorter was begun in vain, by a life that wrote nothing into it, and goes.
//!
//! Invariants:
//! - no sequence is given out twice: the next one is behind everything that the files' names, the chunks and the cursor
//!   know;
//! - what is kept is synced before anybody is told of it, and written anew before that.

use std::io;

use crate::chunk::{ChunkHead, HEAD};
use crate::cursor::Place;
use crate::folder::Folder;
use crate::scan::Scan;
use crate::segments::Segment;
use crate::status::Gap;
use crate::view::View;

/// Looks at all that is there, and cuts off what was torn.
pub(crate) fn recover(folder: &Folder, place: Option<Place>) -> io::Result<View> {
    let mut segments = there(folder)?;
    let begins = segments.first().map(|segment| segment.first);
    // Without a cursor, what is no longer there was acknowledged.
    let place = place.unwrap_or(Place { acked: begins.map_or(0, |first| first - 1), last: 0 });
    let mut view = View { acked: place.acked, last: place.last.max(place.acked), ..View::default() };
    let mut whole = 0;
    let newest = segments.pop();
    for segment in segments {
        view.segments.push_back(older(folder, segment)?);
    }
    if let Some(newest) = newest {
        let (segment, through) = newest_segment(folder, newest, place.last)?;
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

/// The segments in order, with their lengths as they lie.
fn there(folder: &Folder) -> io::Result<Vec<Segment>> {
    let mut all: Vec<Segment> = folder.names()?.iter().filter_map(|name| Segment::named(name)).collect();
    for segment in &mut all {
        segment.length = folder.open(&segment.name())?.length()?;
    }
    all.sort_unstable_by_key(|segment| (segment.first, segment.length));
    let mut segments: Vec<Segment> = Vec::with_capacity(all.len());
    for segment in all {
        if let Some(in_vain) = segments.pop_if(|before| before.first == segment.first) {
            folder.remove(&in_vain.name())?;
        }
        segments.push(segment);
    }
    Ok(segments)
}

/// A segment that does not grow any more. What is damaged in it is found when it is read.
fn older(folder: &Folder, segment: Segment) -> io::Result<Segment> {
    let mut head = [0; HEAD];
    let oldest = if segment.length < HEAD as u64 {
        None
    } else {
        folder.open(&segment.name())?.read_at(0, &mut head)?;
        ChunkHead::read(&head, segment.epoch).ok().map(|head| head.at)
    };
    Ok(Segment { oldest, ..segment })
}

/// The newest segment without what was torn, and the last sequence that is whole in it.
fn newest_segment(folder: &Folder, newest: Segment, answered: u64) -> io::Result<(Segment, u64)> {
    let Segment { first, epoch, length, .. } = newest;
    let file = folder.open(&newest.name())?;
    let mut segment = Segment::new(first, epoch);
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
