//! How fast records may leave: as fast as the line carries without making others wait.
//!
//! While records are held back, the round trip of the `api` lane is asked again and again. As long as it stays what it was on
//! the idle line, the rate grows; once it is longer, there is a queue somewhere on the way, and it is ours: the rate falls
//! below what the line carries, and the queue drains. A queue makes every round trip longer, a busy machine or a shaky line
//! some of them: the rate falls only when several in a row were long, and then not again before the queue had time to drain.
//! (LEDBAT, RFC 6817, with a lower target and the other lane's round trip instead of its own one-way delay.)
//!
//! What makes others wait is how far the rate gets past the line before that is seen: so round trips are asked close together,
//! growth is a matter of time and not of how many were asked, it ends as the round trip gets longer, and what leaves at once
//! is small on a slow line.
//!
//! Pure but for the clock: [`Pace::take`] says how long to wait.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The rate to begin with, in bytes a second.
const FIRST: f64 = 256.0 * 1024.0;
/// The lowest rate, in bytes a second: logs always get on.
pub(super) const LOWEST: f64 = 64.0 * 1024.0;
/// The highest rate, in bytes a second.
const HIGHEST: f64 = 4.0 * 1024.0 * 1024.0 * 1024.0;
/// How much longer than on the idle line a round trip may be.
const SLACK: Duration = Duration::from_millis(10);
/// How long the queue may take to drain before the rate falls again; and a round trip.
const DRAIN: Duration = Duration::from_millis(200);
/// So long without a queue, and the line is not known any more: the rate is back at what it was in less.
const UNKNOWN: Duration = Duration::from_secs(10);
/// No stretch without a round trip is taken for longer than this.
const LONGEST_STEP: Duration = Duration::from_millis(200);
/// How much may leave at once.
const BURST: Duration = Duration::from_millis(4);
/// How much a piece is, in time, and the least and the most of it in bytes.
const PIECE: Duration = Duration::from_millis(2);
const PIECE_BYTES: (usize, usize) = (1024, 16 * 1024);
/// How long after a round trip the next is asked while records are held back: while the line is not known or the round trip
/// has begun to grow, and otherwise; and how long while none are held back.
const CLOSE: Duration = Duration::from_millis(20);
const NEAR: Duration = Duration::from_millis(60);
const FAR: Duration = Duration::from_millis(200);
/// So many bytes leave between two round trips, unless that takes too long.
const BETWEEN: f64 = 16.0 * 1024.0;
/// How long after the last record was held back that is so.
const LATELY: Duration = Duration::from_secs(1);
/// How long the shortest round trip is remembered: the way may change.
const FORGET: Duration = Duration::from_secs(300);

/// How the rate follows what is seen of the line.
#[derive(Debug)]
struct Manner {
    /// How long the rate takes to double; eight round trips, if that is longer.
    doubling: Duration,
    /// How many long round trips in a row are a queue.
    in_a_row: u32,
    /// What is left of the rate once there is a queue.
    less: f64,
    /// How long after a round trip the next is asked.
    pause: Duration,
}

/// While the line is not known: it grows fast, and so gives way soon.
const FINDING: Manner = Manner { doubling: Duration::from_millis(400), in_a_row: 2, less: 0.5, pause: CLOSE };
/// Once there was a queue.
const KNOWN: Manner = Manner { doubling: Duration::from_secs(5), in_a_row: 3, less: 0.7, pause: NEAR };

/// How fast records may leave. All spools of an agent share it.
#[derive(Debug)]
pub(super) struct Pace(Mutex<State>);

#[derive(Debug)]
struct State {
    /// Bytes a second.
    rate: f64,
    manner: &'static Manner,
    /// When the line is free for the next bytes.
    free: Instant,
    /// Until when records were held back last.
    held: Option<Instant>,
    /// The shortest round trip of this period, and of the one before.
    shortest: [Option<Duration>; 2],
    period: Instant,
    /// How many round trips in a row were long.
    long: u32,
    /// The last one was longer than usual by a part of what it may be.
    grows: bool,
    /// When the queue has drained after the rate fell.
    drained: Instant,
    /// When the last round trip was known.
    sampled: Instant,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self(Mutex::new(State::new(Instant::now())))
    }

    /// Of so many bytes, how many leave at once; returns when they may.
    pub(super) async fn take(&self, bytes: usize) -> usize {
        let (piece, until) = {
            let mut state = self.state();
            let piece = bytes.min(state.piece());
            (piece, state.take(piece, Instant::now()))
        };
        tokio::time::sleep_until(until).await;
        piece
    }

    /// A round trip of the other lane was measured.
    pub(super) fn sample(&self, round_trip: Duration) {
        self.state().sample(round_trip, Instant::now());
    }

    /// There is another link, which may go another way: the line is not known.
    pub(super) fn begin_anew(&self) {
        self.state().begin_anew(Instant::now());
    }

    /// How long after a round trip the next one is to be asked.
    pub(super) fn pause(&self) -> Duration {
        self.state().pause(Instant::now())
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
    fn new(now: Instant) -> Self {
        Self {
            rate: FIRST,
            manner: &FINDING,
            free: now,
            held: None,
            shortest: [None; 2],
            period: now,
            long: 0,
            grows: false,
            drained: now,
            sampled: now,
        }
    }

    fn piece(&self) -> usize {
        let (least, most) = PIECE_BYTES;
        ((self.rate * PIECE.as_secs_f64()) as usize).clamp(least, most)
    }

    fn take(&mut self, bytes: usize, now: Instant) -> Instant {
        let begins = self.free.max(now);
        self.free = begins + Duration::from_secs_f64(bytes as f64 / self.rate);
        let until = begins.checked_sub(BURST).map_or(now, |earlier| earlier.max(now));
        if until > now {
            self.held = Some(until);
        }
        until
    }

    fn sample(&mut self, round_trip: Duration, now: Instant) {
        let step = now.duration_since(self.sampled).min(LONGEST_STEP);
        // What did not leave for want of records says nothing about the line.
        let was_held = self.held.is_some_and(|held| held > self.sampled);
        self.sampled = now;
        let idle = self.shortest(round_trip, now);
        let (slack, longer) = (SLACK.max(idle / 4), round_trip.saturating_sub(idle));
        self.grows = longer > slack / 4;
        if longer > slack {
            self.long += 1;
            if self.long >= self.manner.in_a_row && now >= self.drained {
                self.rate = (self.manner.less * self.rate).max(LOWEST);
                self.manner = &KNOWN;
                self.long = 0;
                self.drained = now + DRAIN + idle;
            }
            return;
        }
        self.long = 0;
        if was_held {
            if now > self.drained + UNKNOWN {
                self.manner = &FINDING;
            }
            let doubling = self.manner.doubling.max(8 * idle);
            // The longer the round trip is already, the slower.
            let free = 1.0 - longer.as_secs_f64() / slack.as_secs_f64();
            let doublings = free * step.as_secs_f64() / doubling.as_secs_f64();
            self.rate = (self.rate * doublings.exp2()).min(HIGHEST);
        }
    }

    fn begin_anew(&mut self, now: Instant) {
        *self = Self { rate: self.rate.min(FIRST), free: self.free, held: self.held, ..Self::new(now) };
    }

    /// The round trip of the idle line, as far as it was seen.
    fn shortest(&mut self, round_trip: Duration, now: Instant) -> Duration {
        if now.duration_since(self.period) > FORGET {
            self.shortest = [None, self.shortest[0]];
            self.period = now;
        }
        let here = self.shortest[0].map_or(round_trip, |shortest| shortest.min(round_trip));
        self.shortest[0] = Some(here);
        self.shortest[1].map_or(here, |before| before.min(here))
    }

    fn pause(&self, now: Instant) -> Duration {
        if self.held.is_none_or(|held| held + LATELY <= now) {
            return FAR;
        }
        let pause = if self.grows { CLOSE } else { self.manner.pause };
        pause.max(Duration::from_secs_f64(BETWEEN / self.rate)).min(FAR)
    }
}

#[cfg(test)]
mod tests;
