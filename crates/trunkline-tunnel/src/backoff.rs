//! Pauses between reconnects: the first retry at once, then full jitter under a doubling bound.
//!
//! Full jitter (AWS Architecture Blog, "Exponential Backoff and Jitter") spreads a fleet that lost its gateway
//! in one moment evenly over the pause, so that it does not come back in one moment.

use std::time::Duration;

use rand::Rng as _;

/// The bound of the second pause; doubles until the cap.
const BASE: Duration = Duration::from_millis(250);
/// The cap unless the gateway raises it.
const CAP: Duration = Duration::from_secs(4);
/// No gateway may ask for longer pauses than this.
const CAP_LIMIT: Duration = Duration::from_secs(30);

/// The pauses of one series of attempts.
#[derive(Clone, Debug)]
pub struct Backoff {
    attempts: u32,
    cap: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { attempts: 0, cap: CAP }
    }
}

impl Backoff {
    /// The next pause.
    pub fn pause(&mut self) -> Duration {
        let bound = self.bound();
        self.attempts = self.attempts.saturating_add(1);
        if bound.is_zero() { bound } else { rand::rng().random_range(Duration::ZERO..=bound) }
    }

    /// An attempt succeeded: the next failure is retried at once again.
    pub fn reset(&mut self) {
        self.attempts = 0;
    }

    /// What the gateway asks for as the longest pause, kept between 4 and 30 s.
    pub fn set_cap(&mut self, cap: Duration) {
        self.cap = cap.clamp(CAP, CAP_LIMIT);
    }

    fn bound(&self) -> Duration {
        match self.attempts {
            0 => Duration::ZERO,
            n => BASE.saturating_mul(1 << (n - 1).min(16)).min(self.cap),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_retry_is_at_once_and_no_pause_exceeds_the_cap() {
        let mut backoff = Backoff::default();
        assert_eq!(backoff.pause(), Duration::ZERO);
        for _ in 0..100 {
            assert!(backoff.pause() <= CAP);
        }
        backoff.reset();
        assert_eq!(backoff.pause(), Duration::ZERO);
    }

    #[test]
    fn t40_pauses_are_spread_not_synchronised() {
        let pauses: std::collections::BTreeSet<_> = (0..50)
            .map(|_| {
                let mut backoff = Backoff { attempts: 10, cap: CAP };
                backoff.pause()
            })
            .collect();
        assert!(pauses.len() > 40);
    }

    #[test]
    fn a_gateway_can_raise_the_cap_to_thirty_seconds_and_no_further() {
        let mut backoff = Backoff::default();
        backoff.set_cap(Duration::from_secs(3600));
        assert_eq!(backoff.cap, CAP_LIMIT);
    }
}
