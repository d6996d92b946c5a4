//! The newest or oldest documents that are wanted, page by page.
//!
//! Zones are looked at from the one with the newest document on, four times as many in each round, until what was found
//! cannot be outdone by what was not looked at. So a common word costs a few zones, and a rare one each zone once.
//!
//! Invariant: pages follow a total order, of time and then of id, so that none is skipped or repeated at a boundary.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::Range;

use tantivy::{DocId, TantivyError};
use trunkline_logs::{Cursor, Hit, Hits, Order, Question};

use super::reading::Reading;
use super::schema::{ID, halves, whole};
use super::watch::{Ended, Watch};
use crate::store::PAGE_BYTES;

/// How many zones are looked at first.
const FIRST: usize = 4;

/// A document's place in the order that was asked for: the greater comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank(i64, [u64; 2]);

impl Rank {
    fn of(order: Order, time: i64, id: [u64; 2]) -> Self {
        match order {
            Order::Newest => Self(time, id),
            Order::Oldest => Self(!time, id.map(|half| !half)),
        }
    }

    fn cursor(self, order: Order) -> Cursor {
        // Turning round twice is as it was.
        let Self(time, id) = Self::of(order, self.0, self.1);
        Cursor { time, id: whole(id) }
    }
}

/// A zone: where it is, and the greatest time rank in it.
struct Zone {
    best: i64,
    segment: usize,
    docs: Range<DocId>,
}

/// What was found so far: the greatest ranks, at most one more than a page.
struct Page {
    room: usize,
    after: Option<Rank>,
    found: BinaryHeap<Reverse<(Rank, usize, DocId)>>,
}

impl Page {
    /// Whether a document of this time rank, whatever its id, may be on the page.
    fn may_take(&self, time: i64) -> bool {
        self.after.is_none_or(|after| time <= after.0)
            && (self.found.len() < self.room || self.worst().is_none_or(|worst| time >= worst.0))
    }

    fn worst(&self) -> Option<Rank> {
        self.found.peek().map(|Reverse((rank, ..))| *rank)
    }

    fn take(&mut self, rank: Rank, segment: usize, doc: DocId) {
        if self.after.is_some_and(|after| rank >= after) {
            return;
        }
        if self.found.len() < self.room {
            self.found.push(Reverse((rank, segment, doc)));
        } else if self.worst().is_some_and(|worst| rank > worst) {
            self.found.pop();
            self.found.push(Reverse((rank, segment, doc)));
        }
    }
}

/// The first `limit` documents behind `after`. What was found when the time was over is told if it is the beginning of
/// the answer.
pub(super) fn find(
    reading: &Reading,
    question: &Question,
    order: Order,
    after: Option<Cursor>,
    limit: usize,
    watch: &Watch,
) -> Result<Hits, Ended> {
    let after = after.map(|at| Rank::of(order, at.time, halves(at.id)));
    let mut page = Page { room: limit + 1, after, found: BinaryHeap::new() };
    match look(reading, question, order, &mut page, watch) {
        (_, Ok(())) => hits(reading, order, page, limit, false),
        (unseen, Err(Ended::TooLong)) => {
            page.found.retain(|Reverse((rank, ..))| unseen.is_none_or(|unseen| rank.0 > unseen));
            if page.found.is_empty() { Err(Ended::TooLong) } else { hits(reading, order, page, limit, true) }
        }
        (_, Err(error)) => Err(error),
    }
}

/// Fills the page. Says the greatest time rank that was not looked at by the last whole round.
fn look(
    reading: &Reading,
    question: &Question,
    order: Order,
    page: &mut Page,
    watch: &Watch,
) -> (Option<i64>, Result<(), Ended>) {
    let segments = reading.segments();
    let mut zones: Vec<Zone> = Vec::new();
    for (at, segment) in segments.iter().enumerate() {
        for (docs, first, last) in segment.zones.within(question.from, question.to) {
            let (newest, oldest) = (Rank::of(order, last, [0; 2]).0, Rank::of(order, first, [0; 2]).0);
            // One of them is the greatest rank in the zone, and the other the least.
            let (best, worst) = (newest.max(oldest), newest.min(oldest));
            if page.after.is_none_or(|after| worst <= after.0) {
                zones.push(Zone { best, segment: at, docs });
            }
        }
    }
    zones.sort_unstable_by_key(|zone| Reverse(zone.best));
    let mut left = zones.as_mut_slice();
    let mut count = FIRST;
    let mut unseen = left.first().map(|zone| zone.best);
    while !left.is_empty() {
        let (round, rest) = left.split_at_mut(count.min(left.len()));
        round.sort_unstable_by_key(|zone| (zone.segment, zone.docs.start));
        for zones in round.chunk_by(|one, other| one.segment == other.segment) {
            if let Err(error) = look_at(reading, question, order, zones, page, watch) {
                return (unseen, Err(error));
            }
        }
        unseen = rest.first().map(|zone| zone.best);
        if page.found.len() == page.room
            && page.worst().zip(unseen).is_some_and(|(worst, unseen)| worst.0 > unseen)
        {
            break;
        }
        left = rest;
        count *= 4;
    }
    (unseen, Ok(()))
}

/// Looks at zones of one segment, in order.
fn look_at(
    reading: &Reading,
    question: &Question,
    order: Order,
    zones: &[Zone],
    page: &mut Page,
    watch: &Watch,
) -> Result<(), Ended> {
    let Some(at) = zones.first().map(|zone| zone.segment) else { return Ok(()) };
    let segment = &reading.segments()[at];
    let runs: Vec<Range<DocId>> = zones.iter().map(|zone| zone.docs.clone()).collect();
    let column =
        |name| Ok::<_, TantivyError>(segment.reader.fast_fields().u64(name)?.first_or_default_col(0));
    let [first, second] = [column(ID[0])?, column(ID[1])?];
    segment.only(reading.weight(), &runs, watch, |doc, time| {
        let wanted = (question.from..question.to).contains(&time);
        if wanted && page.may_take(Rank::of(order, time, [0; 2]).0) {
            page.take(Rank::of(order, time, [first.get_val(doc), second.get_val(doc)]), at, doc);
        }
    })
}

/// Reads what was found.
fn hits(reading: &Reading, order: Order, page: Page, limit: usize, partial: bool) -> Result<Hits, Ended> {
    // `into_sorted_vec` puts the least first, and the least of what is turned round is the greatest.
    let found: Vec<_> = page.found.into_sorted_vec();
    let (mut hits, mut bytes) = (Vec::new(), 0);
    for Reverse((rank, segment, doc)) in found.iter().take(limit) {
        let source = reading.source(*segment, *doc)?;
        bytes += source.len();
        if bytes > PAGE_BYTES && !hits.is_empty() {
            break;
        }
        hits.push(Hit { at: rank.cursor(order), source: serde_json::from_str(&source)? });
    }
    let more = hits.len() < found.len() || partial;
    let next = hits.last().filter(|_| more).map(|hit| hit.at);
    let partial = partial.then(|| "the search took too long; ask for the next page to go on".to_owned());
    Ok(Hits { hits, next, partial })
}
