//! From chunk to chunk, in order, over whatever damage there is.
//!
//! Invariants:
//! - nothing is yielded that is not synced, and nothing twice;
//! - what is passed over is noted as a gap, also where nothing follows it yet;
//! - a segment that goes meanwhile is no error: what was in it and not acknowledged is a gap.

use std::io::{self, ErrorKind};
use std::sync::Arc;

use crate::folder::{Folder, Handle};
use crate::scan::{Found, Scan};
use crate::segments::Segment;
use crate::spool::ChunkAt;
use crate::status::Gap;
use crate::view::Shared;

/// A place in a spool. A copy goes its own way.
#[derive(Clone, Debug)]
pub(crate) struct Walk {
    folder: Folder,
    shared: Arc<Shared>,
    /// The sequence that comes next.
    next: u64,
    /// None where the segment is still to be found.
    place: Option<Place>,
}

#[derive(Clone, Debug)]
struct Place {
    /// The segment's first sequence.
    segment: u64,
    /// Where in it the next chunk should begin.
    at: u64,
    /// None until something is to be read: an empty segment may be made anew under its name.
    file: Option<Handle>,
}

impl Place {
    fn at_beginning_of(segment: u64) -> Self {
        Self { segment, at: 0, file: None }
    }
}

/// What is known of the segment that a walk is in.
struct Stretch {
    segment: Segment,
    /// The last sequence that can be in it.
    last: u64,
    /// The segment after it.
    following: Option<u64>,
}

impl Walk {
    /// A walk that begins behind what was acknowledged.
    pub(crate) fn new(folder: Folder, shared: Arc<Shared>) -> Self {
        let next = shared.view().acked + 1;
        Self { folder, shared, next, place: None }
    }

    /// Goes back there.
    pub(crate) fn rewind(&mut self) {
        self.next = self.shared.view().acked + 1;
        self.place = None;
    }

    /// Whether nothing is there that it has not come by.
    pub(crate) fn at_end(&self) -> bool {
        self.next > self.shared.view().last
    }

    /// The next chunk; none if there is none yet.
    pub(crate) fn step(&mut self) -> io::Result<Option<ChunkAt>> {
        // Lost by an error, the place is found again.
        let mut place = self.place.take();
        loop {
            let Some(stretch) = self.stretch(place.as_ref().map(|place| place.segment)) else {
                return Ok(None);
            };
            let mut here = place
                .take()
                .filter(|place| place.segment == stretch.segment.first)
                .unwrap_or_else(|| Place::at_beginning_of(stretch.segment.first));
            if let Some(found) = self.find(&mut here, &stretch)? {
                let (head, bytes) = (found.head, found.bytes);
                let gap = (head.first > self.next).then(|| Gap { from: self.next, to: head.first - 1 });
                if let Some(gap) = gap {
                    self.shared.view().note(gap, "they are damaged");
                }
                self.next = head.last() + 1;
                self.place = Some(here);
                return Ok(Some(ChunkAt { head, bytes, epoch: stretch.segment.epoch, gap }));
            }
            if !self.is_there(stretch.segment.first) {
                // It went meanwhile; whoever let it go has counted it.
                continue;
            }
            if self.next <= stretch.last {
                self.shared.view().note(Gap { from: self.next, to: stretch.last }, "they are damaged");
            }
            let Some(following) = stretch.following else {
                self.place = Some(here);
                return Ok(None);
            };
            place = Some(Place::at_beginning_of(following));
        }
    }

    fn find(&self, place: &mut Place, stretch: &Stretch) -> io::Result<Option<Found>> {
        if place.at >= stretch.segment.length {
            return Ok(None);
        }
        let file = match place.file.take() {
            Some(file) => file,
            None => match self.folder.open(&stretch.segment.name()) {
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
                opened => opened?,
            },
        };
        let Segment { epoch, length: end, .. } = stretch.segment;
        let mut scan = Scan { file: &file, epoch, at: place.at, end };
        let found = scan.next(&(self.next..=stretch.last))?;
        (place.at, place.file) = (scan.at, Some(file));
        Ok(found)
    }

    fn is_there(&self, segment: u64) -> bool {
        self.shared.view().segments.iter().any(|other| other.first == segment)
    }

    /// Where the walk goes on: in this segment, if it is there, else where the next sequence is, or the first after it.
    fn stretch(&self, segment: Option<u64>) -> Option<Stretch> {
        let view = self.shared.view();
        let holding =
            |sequence| view.segments.partition_point(|segment| segment.first <= sequence).saturating_sub(1);
        let place = segment
            .and_then(|segment| view.segments.iter().position(|other| other.first == segment))
            .unwrap_or_else(|| holding(self.next));
        let segment = view.segments.get(place)?;
        Some(Stretch {
            segment: *segment,
            last: view.end_of(place)?.saturating_sub(1),
            following: view.segments.get(place + 1).map(|next| next.first),
        })
    }
}
