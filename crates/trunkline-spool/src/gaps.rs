//! What is gone without having been acknowledged: each sequence is counted once, however often it is found missing.

use crate::status::Gap;

/// How many gaps are remembered one by one. Beyond it the lowest is forgotten: found again, it is counted again.
const REMEMBERED: usize = 4_096;

/// The gaps behind the cursor, merged and in order, and how much there ever was.
#[derive(Debug, Default)]
pub(crate) struct Gaps {
    known: Vec<Gap>,
    /// How many gaps were noted that touched none that was known.
    pub(crate) count: u64,
    /// How many sequences were in them.
    pub(crate) lost: u64,
}

impl Gaps {
    /// Counts what of a gap is not known yet; says how many sequences that were.
    pub(crate) fn note(&mut self, gap: Gap) -> u64 {
        let length = |gap: &Gap| gap.to - gap.from + 1;
        let mut merged = gap;
        let mut known = 0;
        self.known.retain(|other| {
            let touches = other.from <= gap.to.saturating_add(1) && gap.from <= other.to.saturating_add(1);
            if touches {
                known += length(other);
                merged = Gap { from: merged.from.min(other.from), to: merged.to.max(other.to) };
            }
            !touches
        });
        let new = length(&merged) - known;
        let place = self.known.partition_point(|other| other.from < merged.from);
        self.known.insert(place, merged);
        if self.known.len() > REMEMBERED {
            self.known.remove(0);
        }
        self.count += u64::from(known == 0);
        self.lost += new;
        new
    }

    /// Forgets what is at or below the cursor: nobody comes there again.
    pub(crate) fn forget(&mut self, through: u64) {
        self.known.retain(|gap| gap.to > through);
    }

    /// Through where nothing is left, if nothing is through `acked`.
    pub(crate) fn behind(&self, acked: u64) -> u64 {
        let met = self.known.iter().rev().find(|gap| gap.from <= acked.saturating_add(1));
        met.map_or(acked, |gap| gap.to.max(acked))
    }

    /// How many sequences between two are known to be missing, the first not included.
    pub(crate) fn within(&self, after: u64, through: u64) -> u64 {
        let overlap = |gap: &Gap| (gap.to.min(through) + 1).saturating_sub(gap.from.max(after + 1));
        self.known.iter().map(overlap).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_missing_sequence_is_counted_once() {
        let mut gaps = Gaps::default();
        let mut note = |from, to| gaps.note(Gap { from, to });
        assert_eq!([note(5, 9), note(5, 9), note(7, 12), note(20, 20), note(1, 30)], [5, 0, 3, 1, 21]);
        assert_eq!(note(31, 31), 1);
        assert_eq!((gaps.count, gaps.lost), (2, 31));
        assert_eq!(gaps.within(3, 10), 7);
        assert_eq!([gaps.behind(0), gaps.behind(2), gaps.behind(40)], [31, 31, 40]);
        gaps.forget(30);
        assert_eq!((gaps.known.len(), gaps.within(0, u64::MAX - 1)), (1, 31));
        gaps.forget(31);
        assert_eq!(gaps.known, []);
        for at in 0..10_000 {
            gaps.note(Gap { from: 100 + 2 * at, to: 100 + 2 * at });
        }
        assert_eq!(gaps.known.len(), REMEMBERED);
    }
}
