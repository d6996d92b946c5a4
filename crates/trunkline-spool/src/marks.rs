//! When records were spooled, remembered in so few places that the oldest one's time is known without a look at the disk.

use std::collections::VecDeque;

/// How many places are remembered; beyond it every second one is forgotten.
const MARKS: usize = 1_024;
/// How far apart they are at first, in milliseconds.
const APART: u64 = 1_000;

#[derive(Debug)]
pub(crate) struct Marks {
    /// Sequences, and when they were spooled, in order.
    marks: VecDeque<(u64, u64)>,
    apart: u64,
}

impl Default for Marks {
    fn default() -> Self {
        Self { marks: VecDeque::new(), apart: APART }
    }
}

impl Marks {
    /// Records from this sequence on were spooled at this time, in milliseconds since 1970.
    pub(crate) fn set(&mut self, first: u64, at: u64) {
        // A clock that goes back makes a mark as well.
        if self.marks.back().is_some_and(|(_, before)| at.abs_diff(*before) < self.apart) {
            return;
        }
        self.marks.push_back((first, at));
        if self.marks.len() > MARKS {
            self.apart = self.apart.saturating_mul(2);
            let mut odd = false;
            self.marks.retain(|_| {
                odd = !odd;
                odd
            });
        }
    }

    /// All through this one are gone.
    pub(crate) fn forget(&mut self, through: u64) {
        while self.marks.get(1).is_some_and(|(first, _)| *first <= through + 1) {
            self.marks.pop_front();
        }
        if self.marks.len() <= MARKS / 4 {
            self.apart = APART;
        }
    }

    /// When the oldest record that is there was spooled; or somewhat earlier.
    pub(crate) fn oldest(&self) -> Option<u64> {
        self.marks.front().map(|(_, at)| *at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_told_to_the_second_and_within_a_bound() {
        let mut marks = Marks::default();
        assert_eq!(marks.oldest(), None);
        for second in 0..500 {
            marks.set(1 + second * 10, second * 1_000);
            marks.set(5 + second * 10, second * 1_000 + 500);
        }
        assert_eq!(marks.oldest(), Some(0));
        marks.forget(9);
        assert_eq!(marks.oldest(), Some(0), "10 is of the first second");
        marks.forget(10);
        assert_eq!(marks.oldest(), Some(1_000));
        marks.forget(2_004);
        assert_eq!(marks.oldest(), Some(200_000));
        for second in 500..100_000 {
            marks.set(1 + second * 10, second * 1_000);
            assert!(marks.marks.len() <= MARKS);
        }
        assert_eq!(marks.oldest(), Some(200_000));
        marks.forget(500_000);
        let oldest = marks.oldest().unwrap();
        assert!((40_000_000..=50_000_000).contains(&oldest), "{oldest}");
    }
}
