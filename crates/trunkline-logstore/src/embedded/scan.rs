//! One segment on a search's way: its documents that the query wants, with their times.

use std::ops::Range;
use std::sync::Arc;

use tantivy::columnar::ColumnValues;
use tantivy::query::Weight;
use tantivy::{COLLECT_BLOCK_BUFFER_LEN, DocId, SegmentReader};

use super::watch::{Ended, Watch};
use super::zones::Zones;

/// A segment, its times and its zones.
pub(super) struct Segment {
    pub(super) reader: SegmentReader,
    pub(super) zones: Arc<Zones>,
    pub(super) times: Arc<dyn ColumnValues<i64>>,
}

impl Segment {
    /// All documents of `from..to` that are wanted, in the order in which they lie.
    pub(super) fn all(
        &self,
        weight: &dyn Weight,
        time: Range<i64>,
        watch: &Watch,
        mut take: impl FnMut(DocId, i64),
    ) -> Result<(), Ended> {
        watch.look()?;
        let mut wanted = weight.scorer(&self.reader, 1.0)?;
        let mut docs = [0; COLLECT_BLOCK_BUFFER_LEN];
        let mut moments = [0; COLLECT_BLOCK_BUFFER_LEN];
        for run in self.zones.runs(time.start, time.end) {
            if wanted.doc() < run.start {
                wanted.seek(run.start);
            }
            // The last block of a run may reach beyond it; nothing there is of this time, or it is seen here and not again.
            while wanted.doc() < run.end {
                watch.step()?;
                let count = wanted.fill_buffer(&mut docs);
                self.times.get_vals(&docs[..count], &mut moments[..count]);
                for (doc, moment) in docs.into_iter().zip(moments).take(count) {
                    if time.contains(&moment) {
                        take(doc, moment);
                    }
                }
            }
        }
        Ok(())
    }

    /// The documents of these runs, which lie in order, that are wanted; nothing beside the runs is seen.
    pub(super) fn only(
        &self,
        weight: &dyn Weight,
        runs: &[Range<DocId>],
        watch: &Watch,
        mut take: impl FnMut(DocId, i64),
    ) -> Result<(), Ended> {
        watch.look()?;
        let mut wanted = weight.scorer(&self.reader, 1.0)?;
        for run in runs {
            if wanted.doc() < run.start {
                wanted.seek(run.start);
            }
            let mut doc = wanted.doc();
            while doc < run.end {
                watch.step()?;
                take(doc, self.times.get_val(doc));
                doc = wanted.advance();
            }
        }
        Ok(())
    }
}
