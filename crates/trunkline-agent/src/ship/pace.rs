//! How fast records may leave: as fast as the line carries without making others wait.
//!
//! While a batch is on its way, the round trip of the `api` lane is asked again and again. As long as it stays what it was on
//! the idle line, the rate grows; once it is longer, there is a queue somewhere on the way, and it is ours: the rate falls
//! below what was carried last, and the queue drains. A queue makes every round trip longer, a busy machine or a shaky line some of them: the
//! rate falls only when several in a row were long. (LEDBAT, RFC 6817, with a lower target and the other lane's round
//! trip instead of its own one-way delay.)
//!
//! Pure but for the clock: [`Pace::take`] says how long to wait.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The rate to begin with, in bytes a second.
const FIRST: f64 = 1024.0 * 1024.0;
/// The lowest rate, in bytes a second: logs always get on.
pub(super) const LOWEST: f64 = 64.0 * 1024.0;
/// The highest rate, in bytes a second.
const HIGHEST: f64 = 4.0 * 1024.0 * 1024.0 * 1024.0;
/// How much longer than on the idle line a round trip may be.
const SLACK: Duration = Duration::from_millis(10);
/// How many long round trips in a row are a queue.
const IN_A_ROW: u32 = 3;
/// How much may leave at once.
const BURST: Duration = Duration::from_millis(10);
/// How long the shortest round trip is remembered: the way may change.
const FORGET: Duration = Duration::from_secs(300);

/// How fast records may leave. All spools of an agent share it.
#[derive(Debug)]
pub(super) struct Pace(Mutex<State>);

#[derive(Debug)]
struct State {
    /// Bytes a second.
    rate: f64,
    /// Until there was a queue, the rate doubles.
    doubling: bool,
    /// When the line is free for the next bytes.
    free: Instant,
    /// The shortest round trip of this period, and of the one before.
    shortest: [Option<Duration>; 2],
    period: Instant,
    /// How many round trips in a row were long.
    long: u32,
    /// Bytes taken since the last sample, and when that was.
    taken: u64,
    sampled: Instant,
}

impl Pace {
    pub(super) fn new() -> Self {
        let now = Instant::now();
        Self(Mutex::new(State {
            rate: FIRST,
            doubling: true,
            free: now,
            shortest: [None; 2],
            period: now,
            long: 0,
            taken: 0,
            sampled: now,
        }))
    }

    /// Returns when so many bytes may leave.
    pub(super) async fn take(&self, bytes: usize) {
        let until = self.state().take(bytes, Instant::now());
        tokio::time::sleep_until(until).await;
    }

    /// A round trip of the other lane was measured.
    pub(super) fn sample(&self, round_trip: Duration) {
        self.state().sample(round_trip, Instant::now());
    }

    /// How many bytes a batch should have: half a second's worth.
    pub(super) fn batch(&self) -> usize {
        // Bounded by HIGHEST, and never negative.
        (self.state().rate / 2.0) as usize
    }

    /// Bytes a second, at this moment.
    pub(super) fn rate(&self) -> u64 {
        self.state().rate as u64
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn take(&mut self, bytes: usize, now: Instant) -> Instant {
        self.taken += bytes as u64;
        let begins = self.free.max(now);
        self.free = begins + Duration::from_secs_f64(bytes as f64 / self.rate);
        begins.checked_sub(BURST).map_or(now, |earlier| earlier.max(now))
    }

    fn sample(&mut self, round_trip: Duration, now: Instant) {
        let since = now.duration_since(self.sampled).as_secs_f64().max(1e-3);
        let carried = self.taken as f64 / since;
        (self.taken, self.sampled) = (0, now);
        if now.duration_since(self.period) > FORGET {
            self.shortest = [None, self.shortest[0]];
            self.period = now;
        }
        let here = self.shortest[0].map_or(round_trip, |shortest| shortest.min(round_trip));
        self.shortest[0] = Some(here);
        let idle = self.shortest[1].map_or(here, |before| before.min(here));
        if round_trip > idle + SLACK.max(idle / 4) {
            self.long += 1;
            self.doubling = false;
            if self.long < IN_A_ROW {
                return;
            }
            self.long = 0;
            // What did not leave for want of records says nothing about the line.
            let had = if carried > 0.0 { self.rate.min(carried) } else { self.rate };
            self.rate = (0.7 * had).max(LOWEST);
            return;
        }
        self.long = 0;
        if carried > 0.7 * self.rate {
            let grown = if self.doubling { 2.0 } else { 1.03 };
            self.rate = (self.rate * grown).min(HIGHEST);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A line of so many bytes a second behind a buffer of so many, and an idle round trip.
    struct Line {
        bandwidth: f64,
        buffer: f64,
        idle: Duration,
        queue: f64,
    }

    impl Line {
        /// Ships for some seconds with a sample each 200 ms; returns the rates and round trips that were seen.
        fn ship(&mut self, seconds: u64) -> Vec<(f64, Duration)> {
            let mut pace = State { ..Pace::new().0.into_inner().unwrap() };
            let mut now = pace.sampled;
            let mut seen = Vec::new();
            pace.sample(self.idle, now);
            for _ in 0..seconds * 5 {
                let step = Duration::from_millis(200);
                // Everything that may leave leaves.
                let mut sent = 0.0;
                while pace.free < now + step {
                    pace.take(16 * 1024, now);
                    sent += 16.0 * 1024.0;
                }
                self.queue =
                    (self.queue + sent - self.bandwidth * step.as_secs_f64()).clamp(0.0, self.buffer);
                now += step;
                let round_trip = self.idle + Duration::from_secs_f64(self.queue / self.bandwidth);
                pace.sample(round_trip, now);
                seen.push((pace.rate, round_trip));
            }
            seen
        }
    }

    #[test]
    fn a_slow_line_is_used_and_its_queue_stays_short() {
        let mut line =
            Line { bandwidth: 1.25e6, buffer: 62_500.0, idle: Duration::from_millis(50), queue: 0.0 };
        let seen = line.ship(60);
        let settled = &seen[50..];
        let mean = settled.iter().map(|(rate, _)| rate.min(1.25e6)).sum::<f64>() / settled.len() as f64;
        assert!(mean > 0.6 * 1.25e6, "{mean} bytes a second of 1.25e6");
        let long = settled.iter().filter(|(_, trip)| *trip > Duration::from_millis(50 + 20)).count();
        assert!(long * 4 < settled.len(), "{long} of {} round trips were long", settled.len());
    }

    #[test]
    fn a_fast_line_is_filled_within_seconds() {
        let mut line = Line { bandwidth: 1e9, buffer: 1e7, idle: Duration::from_micros(200), queue: 0.0 };
        let seen = line.ship(5);
        assert!(seen.iter().any(|(rate, _)| *rate > 5e8), "{seen:?}");
    }

    #[test]
    fn the_rate_does_not_grow_while_nothing_wants_to_leave_and_never_falls_below_the_lowest() {
        let mut state = Pace::new().0.into_inner().unwrap();
        let mut now = state.sampled;
        for _ in 0..100 {
            now += Duration::from_millis(200);
            state.sample(Duration::from_millis(50), now);
        }
        assert_eq!(state.rate, FIRST);
        for _ in 0..100 {
            now += Duration::from_millis(200);
            state.take(100, now);
            state.sample(Duration::from_secs(1), now);
        }
        assert_eq!(state.rate, LOWEST);
    }

    #[test]
    fn a_shaky_line_is_not_taken_for_a_full_one() {
        let mut state = Pace::new().0.into_inner().unwrap();
        let mut now = state.sampled;
        for at in 0..500 {
            now += Duration::from_millis(200);
            state.take((state.rate / 5.0) as usize, now);
            // Two of five are long, never three in a row.
            let trip = if at % 5 < 2 { 60 } else { 5 };
            state.sample(Duration::from_millis(trip), now);
        }
        assert!(state.rate > 100.0 * FIRST, "{}", state.rate);
    }

    #[test]
    fn a_way_that_got_longer_is_taken_for_its_own_after_a_while() {
        let mut state = Pace::new().0.into_inner().unwrap();
        let mut now = state.sampled;
        state.sample(Duration::from_millis(10), now);
        for _ in 0..(700 * 5) {
            now += Duration::from_millis(200);
            state.take(1_000_000, now);
            state.sample(Duration::from_millis(80), now);
        }
        assert!(state.rate > LOWEST, "{}", state.rate);
    }
}
