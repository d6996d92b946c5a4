//! The times of a segment's documents, by zones: runs of documents as they lie, with the first and last moment in each.
//!
//! Records come about in the order of their times, so that most zones are of a short time. What is asked of a time need look
//! at few of them, and the newest documents are in the last ones; if records come in no order at all, a search is slower
//! and no less right.

use std::ops::Range;
use std::sync::Arc;

use tantivy::columnar::ColumnValues;
use tantivy::{DocId, SegmentReader};

use super::schema::TIME;

/// How many documents make a zone.
const ZONE: u32 = 2048;

/// First and last moment of each zone of a segment, in milliseconds since 1970.
#[derive(Debug)]
pub(super) struct Zones(Vec<(i64, i64)>);

/// The times of a segment's documents.
pub(super) fn times(segment: &SegmentReader) -> tantivy::Result<Arc<dyn ColumnValues<i64>>> {
    Ok(segment.fast_fields().i64(TIME)?.first_or_default_col(0))
}

impl Zones {
    /// Reads all times of a segment once.
    pub(super) fn of(documents: u32, times: &dyn ColumnValues<i64>) -> Self {
        let mut buffer = vec![0; ZONE as usize];
        let mut zones = Vec::new();
        for begins in (0..documents).step_by(ZONE as usize) {
            let count = ZONE.min(documents - begins) as usize;
            times.get_range(begins.into(), &mut buffer[..count]);
            let (first, last) = buffer[..count]
                .iter()
                .fold((i64::MAX, i64::MIN), |(first, last), time| (first.min(*time), last.max(*time)));
            zones.push((first, last));
        }
        Self(zones)
    }

    /// The zones that may hold documents of `from..to`: their documents, first and last moment.
    pub(super) fn within(&self, from: i64, to: i64) -> impl Iterator<Item = (Range<DocId>, i64, i64)> {
        let each = (0..).step_by(ZONE as usize).zip(self.0.iter().copied());
        each.filter(move |(_, (first, last))| *first < to && *last >= from)
            .map(|(begins, (first, last))| (begins..begins + ZONE, first, last))
    }

    /// The documents of those zones, in as few runs as they make.
    pub(super) fn runs(&self, from: i64, to: i64) -> Vec<Range<DocId>> {
        let mut runs: Vec<Range<DocId>> = Vec::new();
        for (zone, ..) in self.within(from, to) {
            match runs.last_mut() {
                Some(last) if last.end == zone.start => last.end = zone.end,
                _ => runs.push(zone),
            }
        }
        runs
    }
}
