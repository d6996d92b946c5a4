//! The files of records: `<first sequence, 20 digits>-<epoch>.seg`, chunk after chunk. Only the newest grows, and only in the life
//! that began it.

use crate::epoch::Epoch;

/// How they end.
const END: &str = ".seg";

/// A file of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    /// The sequence with which it was begun. No other segment in the view was begun with it.
    pub(crate) first: u64,
    /// The life in which it was begun.
    pub(crate) epoch: Epoch,
    /// How much of it is synced.
    pub(crate) length: u64,
    /// When the first of its records was spooled, and the newest; none while it is empty, or nobody can tell.
    pub(crate) oldest: Option<u64>,
    pub(crate) newest: Option<u64>,
}

impl Segment {
    /// An empty one.
    pub(crate) fn new(first: u64, epoch: Epoch) -> Self {
        Self { first, epoch, length: 0, oldest: None, newest: None }
    }

    /// The one in the file of that name, as if it were empty; none if it is no segment.
    pub(crate) fn named(file: &str) -> Option<Self> {
        let (first, epoch) = file.strip_suffix(END)?.split_once('-')?;
        let segment = Self::new(first.parse().ok()?, epoch.parse().ok()?);
        (segment.name() == file && segment.first > 0).then_some(segment)
    }

    /// The file's name.
    pub(crate) fn name(&self) -> String {
        format!("{:020}-{}{END}", self.first, self.epoch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_to_sequences_and_epochs_and_nothing_else_does() {
        let epoch = Epoch::from([0xab; 16]);
        let digits = "ab".repeat(16);
        assert_eq!(Segment::new(7, epoch).name(), format!("00000000000000000007-{digits}.seg"));
        for first in [1, 7, u64::MAX] {
            let segment = Segment::new(first, epoch);
            assert_eq!(Segment::named(&segment.name()), Some(segment));
        }
        for other in [
            "epoch".to_owned(),
            "00000000000000000007.seg".to_owned(),
            format!("7-{digits}.seg"),
            format!("+0000000000000000007-{digits}.seg"),
            format!("00000000000000000000-{digits}.seg"),
            format!("00000000000000000007-{digits}.segx"),
            format!("00000000000000000007-{}.seg", digits.to_uppercase()),
            format!("00000000000000000007-{}.seg", &digits[1..]),
        ] {
            assert_eq!(Segment::named(&other), None, "{other}");
        }
    }
}
