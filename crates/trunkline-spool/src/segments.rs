//! The files of records: `<first sequence, 20 digits>.seg`, chunk after chunk. Only the newest grows.

/// How they end.
const END: &str = ".seg";

/// A file of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    /// The sequence with which it was begun.
    pub(crate) first: u64,
    /// How much of it is synced.
    pub(crate) length: u64,
    /// When the first of its records was spooled, and the newest; none while it is empty, or nobody can tell.
    pub(crate) oldest: Option<u64>,
    pub(crate) newest: Option<u64>,
}

/// The file's name.
pub(crate) fn name(first: u64) -> String {
    format!("{first:020}{END}")
}

/// The first sequence of the file of that name; none if it is no segment.
pub(crate) fn first_of(file: &str) -> Option<u64> {
    let first = file.strip_suffix(END)?.parse().ok()?;
    (name(first) == file && first > 0).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_to_sequences_and_nothing_else_does() {
        assert_eq!(name(7), "00000000000000000007.seg");
        for first in [1, 7, u64::MAX] {
            assert_eq!(first_of(&name(first)), Some(first));
        }
        for other in [
            "epoch",
            "7.seg",
            "+0000000000000000007.seg",
            "00000000000000000000.seg",
            "00000000000000000007.segx",
        ] {
            assert_eq!(first_of(other), None, "{other}");
        }
    }
}
