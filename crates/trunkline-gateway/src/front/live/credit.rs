//! How much more of a stream a page takes.
//!
//! Lines go as long as there is any credit, so that a line longer than all of it goes as well; what goes is taken off, and
//! the debt is at most one line.

use tokio::sync::watch;

/// What there is at the beginning, in bytes.
const FIRST: i64 = 256 * 1024;
/// The most that a page may give ahead, in bytes; what is beyond it is not counted.
const MOST: i64 = 16 * 1024 * 1024;

/// One stream's credit. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Credit(watch::Sender<i64>);

impl Default for Credit {
    fn default() -> Self {
        Self(watch::Sender::new(FIRST))
    }
}

impl Credit {
    /// The page takes so many bytes more.
    pub(super) fn give(&self, bytes: u32) {
        self.0.send_modify(|left| *left = (*left + i64::from(bytes)).min(MOST));
    }

    /// So many bytes go.
    pub(super) fn take(&self, bytes: usize) {
        let bytes = i64::try_from(bytes).unwrap_or(MOST);
        self.0.send_modify(|left| *left = left.saturating_sub(bytes));
    }

    /// How many bytes may go now; none if there is a debt.
    pub(super) fn left(&self) -> usize {
        usize::try_from(*self.0.borrow()).unwrap_or(0)
    }

    /// Returns when there is any.
    pub(super) async fn any(&self) {
        // The sender is here: it is not dropped meanwhile.
        let _ = self.0.subscribe().wait_for(|left| *left > 0).await;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_debt_is_paid_before_anything_more_goes() {
        let credit = Credit::default();
        credit.any().await;
        credit.take(300 * 1024);
        assert_eq!(credit.left(), 0);
        let waits = || timeout(Duration::from_secs(60), credit.any());
        assert!(waits().await.is_err());
        credit.give(44 * 1024);
        assert!(waits().await.is_err(), "the debt is paid, and nothing beside");
        credit.give(1);
        assert!(waits().await.is_ok());
        assert_eq!(credit.left(), 1);
    }

    #[test]
    fn a_page_gives_no_more_ahead_than_the_most() {
        let credit = Credit::default();
        for _ in 0..3 {
            credit.give(u32::MAX);
        }
        assert_eq!(credit.left(), 16 * 1024 * 1024);
    }
}
