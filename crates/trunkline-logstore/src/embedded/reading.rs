//! What one search reads: the indexes as they are when it begins, whatever is written or removed meanwhile.

use std::sync::Arc;

use tantivy::query::{EnableScoring, Weight};
use tantivy::schema::Value as _;
use tantivy::{DocAddress, DocId, Searcher, TantivyDocument};
use trunkline_logs::Question;

use super::part::Part;
use super::query::query;
use super::scan::Segment;
use super::schema::{Fields, schema};
use super::watch::{Ended, Watch};

/// What one search reads.
pub(super) struct Reading {
    fields: Fields,
    weight: Box<dyn Weight>,
    searchers: Vec<Searcher>,
    segments: Vec<Segment>,
    /// Of each segment, which searcher has it, and where.
    places: Vec<(usize, u32)>,
}

impl Reading {
    /// The segments that may hold documents of the question's time.
    pub(super) fn new(parts: &[Arc<Part>], question: &Question, watch: &Watch) -> Result<Self, Ended> {
        let (schema, fields) = schema();
        let query = query(&fields, &question.scope, &question.filter);
        let weight = query.weight(EnableScoring::disabled_from_schema(&schema))?;
        let (mut searchers, mut segments, mut places) = (Vec::new(), Vec::new(), Vec::new());
        for part in parts {
            let searcher = part.searcher();
            for (ord, reader) in (0..).zip(searcher.segment_readers()) {
                watch.look()?;
                if let Some(segment) = part.segment(reader, question.from, question.to)? {
                    segments.push(segment);
                    places.push((searchers.len(), ord));
                }
            }
            searchers.push(searcher);
        }
        Ok(Self { fields, weight, searchers, segments, places })
    }

    pub(super) fn fields(&self) -> &Fields {
        &self.fields
    }

    pub(super) fn weight(&self) -> &dyn Weight {
        self.weight.as_ref()
    }

    pub(super) fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The text of a document.
    pub(super) fn source(&self, segment: usize, doc: DocId) -> Result<String, Ended> {
        let (searcher, ord) = self.places[segment];
        let document: TantivyDocument = self.searchers[searcher].doc(DocAddress::new(ord, doc))?;
        let text = document.get_first(self.fields.source).and_then(|value| value.as_str());
        Ok(text.unwrap_or_default().to_owned())
    }
}
