//! How long a certificate lives, counted from its receipt: renewed at half, urgent at nine tenths.
//!
//! The length is the gateway's, and what has passed is the longer of two counts: the one that runs on whatever the
//! calendar is set to, and the calendar's, which alone notices that the machine slept.

use std::time::{Duration, SystemTime};

use rand::Rng as _;
use tokio::time::Instant;

/// The life of one certificate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Life {
    length: Duration,
    /// At which age it is to be renewed.
    due: Duration,
    since: Instant,
    clock: SystemTime,
}

impl Life {
    /// A life that begins now, of which the gateway says when it ends and what time it is there, each in seconds since
    /// 1970.
    pub(crate) fn beginning_now(now: i64, not_after: i64) -> Self {
        let seconds = not_after.saturating_sub(now).max(1);
        let length = Duration::from_secs(u64::try_from(seconds).unwrap_or(1));
        // Spread, so that a fleet that enrolled in one moment does not renew in one moment.
        let due = length.mul_f64(rand::rng().random_range(0.45..0.55));
        Self { length, due, since: Instant::now(), clock: SystemTime::now() }
    }

    /// How long it is still good without a renewal being due.
    pub(crate) fn until_due(&self) -> Duration {
        self.due.saturating_sub(self.age())
    }

    /// Whether little of it is left.
    pub(crate) fn is_late(&self) -> bool {
        self.age() >= self.length.mul_f64(0.9)
    }

    /// Whether it has ended.
    pub(crate) fn is_over(&self) -> bool {
        self.age() >= self.length
    }

    /// The pause after a renewal that failed.
    pub(crate) fn pause(&self) -> Duration {
        self.length / 20
    }

    fn age(&self) -> Duration {
        let by_calendar = SystemTime::now().duration_since(self.clock).unwrap_or_default();
        self.since.elapsed().max(by_calendar)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 86_400;

    #[tokio::test(start_paused = true)]
    async fn a_certificate_is_renewed_at_about_half_of_its_life() {
        let dues: Vec<u64> =
            (0..200).map(|_| Life::beginning_now(1_000, 1_000 + 86_400).until_due().as_secs()).collect();
        assert!(dues.iter().all(|due| (DAY * 45 / 100 - 1..DAY * 55 / 100).contains(due)), "{dues:?}");
        assert!(dues.iter().max().unwrap() - dues.iter().min().unwrap() > DAY / 20, "they are spread");
    }

    #[tokio::test(start_paused = true)]
    async fn a_life_is_due_then_late_then_over() {
        let life = Life::beginning_now(0, 60);
        assert_eq!(life.pause(), Duration::from_secs(3));
        assert!(!life.until_due().is_zero() && !life.is_late() && !life.is_over());
        tokio::time::advance(Duration::from_secs(34)).await;
        assert!(life.until_due().is_zero() && !life.is_late());
        tokio::time::advance(Duration::from_secs(21)).await;
        assert!(life.is_late() && !life.is_over());
        tokio::time::advance(Duration::from_secs(6)).await;
        assert!(life.is_over());
    }

    #[test]
    fn a_certificate_that_has_ended_when_it_comes_is_due_soon_and_not_at_once() {
        let life = Life::beginning_now(1_000, 10);
        assert!(life.until_due() > Duration::from_millis(300) && life.pause() >= Duration::from_millis(50));
    }

    #[tokio::test(start_paused = true)]
    async fn a_machine_that_slept_notices_by_its_calendar() {
        let mut life = Life::beginning_now(0, 3_600);
        life.clock -= Duration::from_secs(7_200);
        assert!(life.is_over());
    }
}
