//! What an index of ours is called, and which ones may hold what is asked for.
//!
//! ```text
//! trunkline-logs.<dataset>.<day>            trunkline-logs.<uid>.<dataset>.<day>
//! ```
//!
//! No part holds a dot, so a name says its parts in one way only: what joins to the same text is the same.

use std::collections::BTreeSet;

use trunkline_logs::{Dataset, Day, Document, MAX_AHEAD, MAX_BEHIND, Question};
use trunkline_proto::ClusterUid;

use super::config::Layout;
use crate::days::Retention;

/// What all names begin with.
pub(super) const PREFIX: &str = "trunkline-logs";
/// The most patterns that a search names. A name per day, month or cluster is at most 70 bytes, and a store takes 4 KiB of URL.
const MAX_PATTERNS: usize = 48;
const DAY: i64 = 24 * 60 * 60 * 1000;

/// The parts of a name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Index {
    /// The only cluster in it.
    pub(super) uid: Option<ClusterUid>,
    pub(super) dataset: Dataset,
    pub(super) day: Day,
}

impl Index {
    /// Where a document goes. No agent makes more indices than days are kept, see [`Retention::day_of`].
    ///
    /// # Errors
    /// Why it goes nowhere: its day is no longer kept.
    pub(super) fn of(
        document: &Document,
        layout: Layout,
        retention: Retention,
        witness: Option<Day>,
    ) -> Result<Self, String> {
        let day = retention.day_of(&document.stamp, witness)?;
        let uid = (layout == Layout::PerCluster).then_some(document.stamp.uid);
        Ok(Self { uid, dataset: document.stamp.dataset.clone(), day })
    }

    /// The parts of a name of ours; none if it is anybody else's.
    pub(super) fn named(name: &str) -> Option<Self> {
        let rest = name.strip_prefix(PREFIX)?.strip_prefix('.')?;
        let parts: Vec<&str> = rest.split('.').collect();
        let index = match parts.as_slice() {
            [dataset, day] => Self { uid: None, dataset: dataset.parse().ok()?, day: Day::named(day)? },
            [uid, dataset, day] => {
                Self { uid: Some(uid.parse().ok()?), dataset: dataset.parse().ok()?, day: Day::named(day)? }
            }
            _ => return None,
        };
        (index.name() == name).then_some(index)
    }

    /// The name.
    pub(super) fn name(&self) -> String {
        let Self { uid, dataset, day } = self;
        match uid {
            Some(uid) => format!("{PREFIX}.{uid}.{dataset}.{day}"),
            None => format!("{PREFIX}.{dataset}.{day}"),
        }
    }
}

/// Patterns of the indices that may hold what is asked for, joined by commas.
///
/// A time is believed from [`MAX_BEHIND`] before a record's receipt to [`MAX_AHEAD`] after it, and a record is spooled when it is
/// received; a day more on either side is for clocks. Where that would be too many, the patterns are wider: the query says the rest.
pub(super) fn patterns(question: &Question, layout: Layout) -> String {
    let first = Day::of(question.from.saturating_sub(MAX_AHEAD + DAY));
    let last = Day::of(question.to.saturating_add(MAX_BEHIND + DAY));
    let days = times(first, last);
    let uids: Vec<String> = match layout {
        Layout::Shared => Vec::new(),
        Layout::PerCluster => question.scope.0.iter().map(|uid| format!("{PREFIX}.{uid}")).collect(),
    };
    let roots = if (1..=MAX_PATTERNS).contains(&uids.len()) { uids } else { vec![PREFIX.to_owned()] };
    let ends = if days.len() * roots.len() <= MAX_PATTERNS { days } else { vec!["*".to_owned()] };
    let patterns: Vec<String> =
        roots.iter().flat_map(|root| ends.iter().map(move |end| format!("{root}.{end}"))).collect();
    patterns.join(",")
}

/// Ends of the names of these days, or of their months if they are many; any end if those are many too.
fn times(first: Day, last: Day) -> Vec<String> {
    let span = last.0.saturating_sub(first.0);
    if span < MAX_PATTERNS as u32 {
        return (first.0..=last.0).map(|day| format!("*.{}", Day(day))).collect();
    }
    if span < 28 * (MAX_PATTERNS as u32 - 2) {
        let months: BTreeSet<String> =
            (first.0..=last.0).filter_map(|day| Some(Day(day).to_string().get(..7)?.to_owned())).collect();
        return months.into_iter().map(|month| format!("*.{month}-*")).collect();
    }
    vec!["*".to_owned()]
}

#[cfg(test)]
mod tests;
