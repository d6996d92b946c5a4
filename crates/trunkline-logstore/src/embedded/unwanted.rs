//! A query whose documents are taken away from others.
//!
//! tantivy asks what is taken away whether it has this document, with `seek_danger`, and it may ask for one before the first.
//! Phrases and conjunctions do not expect that (0.27: an assertion fails, or their state is not defined). Here they are only
//! ever asked to seek forward.

use tantivy::query::{EnableScoring, Explanation, Query, QueryClone as _, Scorer, Weight};
use tantivy::{COLLECT_BLOCK_BUFFER_LEN, DocId, DocSet, Score, SegmentReader};

/// A query whose documents are taken away from others.
#[derive(Debug)]
pub(super) struct Unwanted(pub(super) Box<dyn Query>);

struct UnwantedWeight(Box<dyn Weight>);

/// Has no `seek_danger` of its own: the default one looks where it is, and seeks forward.
struct UnwantedDocs(Box<dyn Scorer>);

impl Clone for Unwanted {
    fn clone(&self) -> Self {
        Self(self.0.box_clone())
    }
}

impl Query for Unwanted {
    fn weight(&self, scoring: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        Ok(Box::new(UnwantedWeight(self.0.weight(scoring)?)))
    }
}

impl Weight for UnwantedWeight {
    fn scorer(&self, reader: &SegmentReader, boost: Score) -> tantivy::Result<Box<dyn Scorer>> {
        Ok(Box::new(UnwantedDocs(self.0.scorer(reader, boost)?)))
    }

    fn explain(&self, reader: &SegmentReader, doc: DocId) -> tantivy::Result<Explanation> {
        self.0.explain(reader, doc)
    }
}

impl DocSet for UnwantedDocs {
    fn advance(&mut self) -> DocId {
        self.0.advance()
    }

    fn seek(&mut self, target: DocId) -> DocId {
        self.0.seek(target)
    }

    fn fill_buffer(&mut self, buffer: &mut [DocId; COLLECT_BLOCK_BUFFER_LEN]) -> usize {
        self.0.fill_buffer(buffer)
    }

    fn doc(&self) -> DocId {
        self.0.doc()
    }

    fn size_hint(&self) -> u32 {
        self.0.size_hint()
    }
}

impl Scorer for UnwantedDocs {
    fn score(&mut self) -> Score {
        self.0.score()
    }
}
