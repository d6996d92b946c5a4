//! How many of some documents say each value of a field: counted from the inverted index, exactly.
//!
//! The values of all segments are walked through together, in their order, and each one's documents are held against those
//! that are counted. So one value is counted at a time, and memory is bounded by a bit per document and the number of values
//! that are wanted, however many there are.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use tantivy::postings::TermInfo;
use tantivy::schema::IndexRecordOption;
use tantivy::termdict::TermMerger;
use tantivy::{BitSet, DocId, InvertedIndexReader};
use trunkline_logs::{Field, Question, Top};

use super::query::{after, place};
use super::reading::Reading;
use super::scan::Segment;
use super::schema::Fields;
use super::watch::{Ended, Watch};

/// Documents of a segment.
pub(super) struct Chosen<'a> {
    pub(super) segment: &'a Segment,
    pub(super) docs: BitSet,
}

impl<'a> Chosen<'a> {
    pub(super) fn none_of(segment: &'a Segment) -> Self {
        Self { segment, docs: BitSet::with_max_value(segment.reader.max_doc()) }
    }
}

/// The `n` most frequent values of a field, the most frequent first, and of those that are equally frequent the least;
/// and how many documents say any.
pub(super) fn most_frequent(
    fields: &Fields,
    field: &Field,
    chosen: &[Chosen<'_>],
    n: usize,
    watch: &Watch,
) -> Result<(Vec<(String, u64)>, u64), Ended> {
    let (name, before) = place(fields, field);
    let indexes: Vec<_> =
        chosen.iter().map(|one| one.segment.reader.inverted_index(name)).collect::<Result<_, _>>()?;
    let mut streams = Vec::new();
    for index in &indexes {
        let range = index.terms().range().ge(before.as_bytes());
        let range = match after(before.as_bytes()) {
            Some(end) => range.lt(end),
            None => range,
        };
        streams.push(range.into_stream()?);
    }
    // A document says many values only of a path.
    let many = matches!(field, Field::Path(_));
    let mut saying: Vec<BitSet> = chosen
        .iter()
        .filter(|_| many)
        .map(|one| BitSet::with_max_value(one.segment.reader.max_doc()))
        .collect();
    let mut best = BinaryHeap::new();
    let mut with = 0;
    let mut merged = TermMerger::new(streams);
    while merged.advance() {
        let mut count = 0;
        for (at, term) in merged.current_segment_ords_and_term_infos() {
            watch.step()?;
            let mut saying = saying.get_mut(at);
            each(&indexes[at], &term, &chosen[at].docs, watch, |doc| {
                count += 1;
                if let Some(saying) = &mut saying {
                    saying.insert(doc);
                }
            })?;
        }
        with += count;
        let worst = best.peek().filter(|_| best.len() == n).map_or(0, |(Reverse(count), _)| *count);
        // Of what is as frequent, what comes later is greater.
        if count > worst {
            let value = merged.key().get(before.len()..).unwrap_or_default();
            best.push((Reverse(count), String::from_utf8_lossy(value).into_owned()));
            if best.len() > n {
                best.pop();
            }
        }
    }
    if many {
        with = saying.iter().map(|docs| docs.len() as u64).sum();
    }
    let best = best.into_sorted_vec().into_iter().map(|(Reverse(count), value)| (value, count)).collect();
    Ok((best, with))
}

/// The chosen documents that say this value of a field.
pub(super) fn saying(
    fields: &Fields,
    field: &Field,
    value: &str,
    chosen: &Chosen<'_>,
    watch: &Watch,
    take: impl FnMut(DocId),
) -> Result<(), Ended> {
    let (name, before) = place(fields, field);
    let index = chosen.segment.reader.inverted_index(name)?;
    match index.terms().get(format!("{before}{value}"))? {
        Some(term) => each(&index, &term, &chosen.docs, watch, take),
        None => Ok(()),
    }
}

/// The documents of a term that are among `docs`.
fn each(
    index: &InvertedIndexReader,
    term: &TermInfo,
    docs: &BitSet,
    watch: &Watch,
    mut take: impl FnMut(DocId),
) -> Result<(), Ended> {
    let mut block = index.read_block_postings_from_terminfo(term, IndexRecordOption::Basic)?;
    while !block.docs().is_empty() {
        watch.step()?;
        for doc in block.docs() {
            if docs.contains(*doc) {
                take(*doc);
            }
        }
        block.advance();
    }
    Ok(())
}

/// The most frequent values among the documents that are wanted.
pub(super) fn top(
    reading: &Reading,
    question: &Question,
    field: &Field,
    n: usize,
    watch: &Watch,
) -> Result<Top, Ended> {
    let mut chosen = Vec::new();
    for segment in reading.segments() {
        let mut these = Chosen::none_of(segment);
        segment.all(reading.weight(), question.from..question.to, watch, |doc, _| {
            these.docs.insert(doc);
        })?;
        if these.docs.len() > 0 {
            chosen.push(these);
        }
    }
    let (values, with) = most_frequent(reading.fields(), field, &chosen, n, watch)?;
    Ok(Top { field: field.clone(), values, with })
}
