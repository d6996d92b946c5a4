//! How many documents lie in each slice of a time, and what a field says in them.

use trunkline_logs::{Field, Question, Slice};

use super::reading::Reading;
use super::values::{Chosen, most_frequent, saying};
use super::watch::{Ended, Watch};

/// How many values are told apart.
const VALUES: usize = 10;

/// The slices of a time: all as long, but for the last, which ends with it.
struct Slices {
    from: i64,
    width: u64,
    count: usize,
}

impl Slices {
    fn of(question: &Question, count: usize) -> Self {
        let length = question.to.max(question.from).abs_diff(question.from);
        let width = length.div_ceil(count.max(1) as u64).max(1);
        Self { from: question.from, width, count: length.div_ceil(width) as usize }
    }

    /// Which one a moment of the question lies in.
    fn at(&self, time: i64) -> usize {
        (time.abs_diff(self.from) / self.width) as usize
    }

    fn begins(&self, at: usize) -> i64 {
        self.from.saturating_add_unsigned(self.width * at as u64)
    }
}

/// At most `count` slices that cover the question's time, the oldest first, those without documents among them. By a
/// field: of its ten most frequent values in the whole time, those that a slice has, in the order of the whole.
pub(super) fn histogram(
    reading: &Reading,
    question: &Question,
    count: usize,
    by: Option<&Field>,
    watch: &Watch,
) -> Result<Vec<Slice>, Ended> {
    let slices = Slices::of(question, count);
    let mut counts = vec![0; slices.count];
    let mut chosen = Vec::new();
    for segment in reading.segments() {
        let mut these = by.map(|_| Chosen::none_of(segment));
        segment.all(reading.weight(), question.from..question.to, watch, |doc, time| {
            counts[slices.at(time)] += 1;
            if let Some(these) = &mut these {
                these.docs.insert(doc);
            }
        })?;
        chosen.extend(these.filter(|these| these.docs.len() > 0));
    }
    let begun = counts.into_iter().enumerate();
    let mut told: Vec<Slice> =
        begun.map(|(at, count)| Slice { begins: slices.begins(at), count, by: Vec::new() }).collect();
    let Some(field) = by else { return Ok(told) };
    let (values, _) = most_frequent(reading.fields(), field, &chosen, VALUES, watch)?;
    for (value, _) in values {
        let mut counts = vec![0; told.len()];
        for these in &chosen {
            saying(reading.fields(), field, &value, these, watch, |doc| {
                counts[slices.at(these.segment.times.get_val(doc))] += 1;
            })?;
        }
        for (slice, count) in told.iter_mut().zip(counts) {
            if count > 0 {
                slice.by.push((value.clone(), count));
            }
        }
    }
    Ok(told)
}
