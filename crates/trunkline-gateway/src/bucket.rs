//! A token bucket, kept as one moment: when it will be full again (the virtual scheduling of ITU-T I.371, "GCRA").
//!
//! Invariants:
//! - in any time `t` no more is taken by [`Bucket::take`] than the burst and `rate × t`;
//! - a bucket at rest costs nothing: no timer fills it, and one that is full is as good as a new one.

use std::time::Duration;

use tokio::time::Instant;

/// How fast a bucket fills, and how much it holds. Both are more than 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rate {
    pub(crate) per_second: u64,
    pub(crate) burst: u64,
}

impl Rate {
    /// How long it takes for so much to come in.
    fn time_for(self, amount: u64) -> Duration {
        let nanos = u128::from(amount) * 1_000_000_000 / u128::from(self.per_second.max(1));
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

/// A bucket; full when new.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Bucket {
    full_at: Option<Instant>,
}

impl Bucket {
    /// Takes `amount`, if it is there.
    ///
    /// # Errors
    /// How long until it would be.
    pub(crate) fn take(&mut self, rate: Rate, amount: u64, now: Instant) -> Result<(), Duration> {
        let missing = self.missing(now) + rate.time_for(amount);
        let whole = rate.time_for(rate.burst);
        if missing > whole {
            return Err(missing - whole);
        }
        self.full_at = Some(now + missing);
        Ok(())
    }

    /// Takes `amount` whether it is there or not, down to a debt of as much as the bucket holds.
    pub(crate) fn charge(&mut self, rate: Rate, amount: u64, now: Instant) {
        let most = 2 * rate.time_for(rate.burst);
        self.full_at = Some(now + (self.missing(now) + rate.time_for(amount)).min(most));
    }

    /// How long until no debt is left.
    pub(crate) fn debt(&self, rate: Rate, now: Instant) -> Duration {
        self.missing(now).saturating_sub(rate.time_for(rate.burst))
    }

    /// Whether it is as good as new.
    pub(crate) fn is_full(&self, now: Instant) -> bool {
        self.missing(now).is_zero()
    }

    /// How long until it is full.
    fn missing(&self, now: Instant) -> Duration {
        self.full_at.map_or(Duration::ZERO, |at| at.saturating_duration_since(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { per_second: 200, burst: 400 };

    #[test]
    fn a_bucket_gives_its_burst_and_then_its_rate() {
        let (mut bucket, start) = (Bucket::default(), Instant::now());
        let taken =
            |bucket: &mut Bucket, now| (0..10_000).filter(|_| bucket.take(RATE, 1, now).is_ok()).count();
        assert_eq!(taken(&mut bucket, start), 400);
        assert_eq!(bucket.take(RATE, 1, start), Err(Duration::from_millis(5)));
        assert_eq!(taken(&mut bucket, start + Duration::from_secs(1)), 200);
        assert_eq!(taken(&mut bucket, start + Duration::from_secs(100)), 400);
        assert!(!bucket.is_full(start + Duration::from_millis(101_999)));
        assert!(bucket.is_full(start + Duration::from_secs(102)));
    }

    #[test]
    fn whatever_is_asked_when_no_window_gives_more_than_burst_and_rate() {
        use rand::{Rng as _, SeedableRng as _};
        let mut random = rand::rngs::StdRng::seed_from_u64(41);
        for _ in 0..200 {
            let rate =
                Rate { per_second: random.random_range(1..5_000), burst: random.random_range(1..5_000) };
            let (mut bucket, mut now) = (Bucket::default(), Instant::now());
            let mut taken: Vec<(Instant, u64)> = Vec::new();
            for _ in 0..200 {
                now += Duration::from_micros(random.random_range(0..200_000));
                let amount = random.random_range(1..=rate.burst);
                if bucket.take(rate, amount, now).is_ok() {
                    taken.push((now, amount));
                }
            }
            for (at, (begin, _)) in taken.iter().enumerate() {
                let mut sum = 0;
                for (end, amount) in &taken[at..] {
                    sum += amount;
                    let time = end.duration_since(*begin).as_secs_f64();
                    // A token's time is rounded down to nanoseconds.
                    let most = rate.burst as f64 + rate.per_second as f64 * time + 1.0;
                    assert!(sum as f64 <= most, "{rate:?}: {sum} in {time} s");
                }
            }
        }
    }

    #[test]
    fn a_debt_is_bounded_and_is_paid_by_time() {
        let (mut bucket, now) = (Bucket::default(), Instant::now());
        bucket.charge(RATE, 400, now);
        assert_eq!(bucket.debt(RATE, now), Duration::ZERO);
        bucket.charge(RATE, 1_000_000, now);
        assert_eq!(bucket.debt(RATE, now), Duration::from_secs(2));
        assert_eq!(bucket.debt(RATE, now + Duration::from_secs(2)), Duration::ZERO);
    }
}
