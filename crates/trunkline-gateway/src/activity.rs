//! Whether anything is under way on a front connection, so that one on which nothing is does not stay for ever.
//!
//! Neither protocol's implementation starts its own clock at accept (hyperium/hyper#3756), and an HTTP/2 connection
//! whose client answers pings would stay without a request.

use std::time::Duration;

use tokio::sync::watch;

/// The requests under way on a connection. Clones share the count.
#[derive(Clone)]
pub(crate) struct Activity {
    under_way: watch::Sender<usize>,
}

/// A request under way; it is over when this is dropped.
#[derive(Debug)]
pub(crate) struct Active(watch::Sender<usize>);

impl Default for Activity {
    fn default() -> Self {
        Self { under_way: watch::Sender::new(0) }
    }
}

impl Activity {
    /// A request begins.
    pub(crate) fn begin(&self) -> Active {
        self.under_way.send_modify(|count| *count += 1);
        Active(self.under_way.clone())
    }

    /// Returns only if no request came within `deadline`.
    pub(crate) async fn first_overdue(&self, deadline: Duration) {
        let mut count = self.under_way.subscribe();
        if tokio::time::timeout(deadline, count.wait_for(|count| *count > 0)).await.is_ok() {
            std::future::pending::<()>().await;
        }
    }

    /// Returns when none was under way for `patience`.
    pub(crate) async fn idle(&self, patience: Duration) {
        let mut count = self.under_way.subscribe();
        loop {
            if count.wait_for(|count| *count == 0).await.is_err() {
                return;
            }
            if tokio::time::timeout(patience, count.changed()).await.is_err() {
                return;
            }
        }
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Duration = Duration::from_secs(10);
    const IDLE: Duration = Duration::from_secs(90);

    #[tokio::test(start_paused = true)]
    async fn a_connection_without_a_request_is_overdue_after_ten_seconds() {
        let began = tokio::time::Instant::now();
        Activity::default().first_overdue(FIRST).await;
        assert_eq!(began.elapsed(), FIRST);
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_with_a_request_under_way_is_never_idle_and_idle_ninety_seconds_after_it() {
        let activity = Activity::default();
        let began = tokio::time::Instant::now();
        let watching = activity.clone();
        let request = async {
            let active = activity.begin();
            tokio::time::sleep(Duration::from_secs(3600)).await;
            drop(active);
        };
        tokio::join!(request, watching.idle(IDLE));
        assert_eq!(began.elapsed(), Duration::from_secs(3690));
    }
}
