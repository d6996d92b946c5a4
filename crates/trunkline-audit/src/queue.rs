//! Events on their way to the disk: bounded, and handed over many at once.
//!
//! A batch is due at once when somebody waits for one of its events, else [`LATEST`] after its first one came. An event
//! counts against the bounds until it is durable.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::oneshot;

use crate::error::{NotWritten, Refused};
use crate::line::MAX_LINE;

/// How long an event that nobody waits for may lie, before it is written.
pub(crate) const LATEST: Duration = Duration::from_millis(200);
/// How long nothing is tried after a failure.
const PAUSE: Duration = Duration::from_millis(200);
/// How many bytes of events may wait.
const MAX_BYTES: usize = 64 * 1024 * 1024;
/// How many bytes of events, and how many of them, are written at once.
const BATCH_BYTES: usize = 4 * 1024 * 1024;
const BATCH: usize = 8_192;

/// An event that is to be a record.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) time: Timestamp,
    /// As JSON.
    pub(crate) event: String,
    /// Where its sequence, or why it is not written yet, is answered.
    pub(crate) answer: Option<oneshot::Sender<Result<u64, NotWritten>>>,
    came: Instant,
}

#[derive(Debug)]
pub(crate) struct Queue {
    capacity: usize,
    state: Mutex<State>,
    stirred: Condvar,
}

#[derive(Debug, Default)]
struct State {
    orders: VecDeque<Order>,
    /// How many were handed over and are not durable yet.
    held: usize,
    /// The bytes of all that waits, handed over or not.
    bytes: usize,
    /// How many have come and how many were handed over so far; somebody waits for one up to `awaited`.
    come: u64,
    gone: u64,
    awaited: u64,
    closed: bool,
    not_before: Option<Instant>,
}

/// What the writer is told to do.
#[derive(Debug)]
pub(crate) enum Due {
    /// Write these.
    Batch(Vec<Order>),
    /// Nothing came until the time that was given.
    Nothing,
    /// Nothing will come any more.
    Closed,
}

impl Queue {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { capacity, state: Mutex::default(), stirred: Condvar::new() }
    }

    /// Takes an event, and gives its number to wait by. One of what has `happened` already has as much room again: it is
    /// the end of something that was let in by its own record.
    pub(crate) fn put(
        &self,
        event: String,
        happened: bool,
        answer: oneshot::Sender<Result<u64, NotWritten>>,
    ) -> Result<u64, Refused> {
        if event.len() > MAX_LINE / 2 {
            return Err(Refused::TooLong { bytes: event.len() });
        }
        let mut state = self.state();
        if state.closed {
            return Err(Refused::Closed);
        }
        let waiting = state.orders.len() + state.held;
        let room = if happened { self.capacity.saturating_mul(2) } else { self.capacity };
        if waiting >= room || state.bytes + event.len() > MAX_BYTES {
            return Err(Refused::Full { waiting });
        }
        state.bytes += event.len();
        state.come += 1;
        // Under the lock, so that times go the way sequences go.
        let (time, came) = (Timestamp::now(), Instant::now());
        state.orders.push_back(Order { time, event, answer: Some(answer), came });
        let number = state.come;
        if state.orders.len() == 1 {
            self.stirred.notify_one();
        }
        Ok(number)
    }

    /// Somebody waits for the event with this number.
    pub(crate) fn hurry(&self, number: u64) {
        let mut state = self.state();
        if number > state.gone && number > state.awaited {
            state.awaited = number;
            self.stirred.notify_one();
        }
    }

    /// How many events are not durable yet.
    pub(crate) fn waiting(&self) -> usize {
        let state = self.state();
        state.orders.len() + state.held
    }

    /// Nothing more is taken; what is there is handed over at once.
    pub(crate) fn close(&self) {
        self.state().closed = true;
        self.stirred.notify_one();
    }

    /// Waits until a batch is due, at most until `until`. What is handed over comes back by [`Queue::done`] or
    /// [`Queue::put_back`].
    pub(crate) fn take(&self, until: Instant) -> Due {
        let mut state = self.state();
        loop {
            let now = Instant::now();
            let due = state.due();
            if due.is_some_and(|due| due <= now) {
                return Due::Batch(state.hand_over());
            }
            if state.closed && state.orders.is_empty() {
                return Due::Closed;
            }
            let wake = due.map_or(until, |due| due.min(until));
            let Some(wait) = wake.checked_duration_since(now).filter(|wait| !wait.is_zero()) else {
                return Due::Nothing;
            };
            state = self.stirred.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// What was handed over is durable.
    pub(crate) fn done(&self, orders: &[Order]) {
        let mut state = self.state();
        state.held -= orders.len();
        state.bytes -= orders.iter().map(|order| order.event.len()).sum::<usize>();
        state.not_before = None;
    }

    /// What was handed over could not be written: it waits again, before all others. Says whether it will be tried again.
    pub(crate) fn put_back(&self, orders: Vec<Order>) -> bool {
        let mut state = self.state();
        state.held -= orders.len();
        state.gone -= orders.len() as u64;
        for order in orders.into_iter().rev() {
            state.orders.push_front(order);
        }
        state.not_before = Some(Instant::now() + PAUSE);
        !state.closed
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// When what is there is to be written.
    fn due(&self) -> Option<Instant> {
        let first = self.orders.front()?;
        let hurried = self.closed || self.awaited > self.gone;
        let due = if hurried { first.came } else { first.came + LATEST };
        Some(self.not_before.map_or(due, |not_before| due.max(not_before)))
    }

    fn hand_over(&mut self) -> Vec<Order> {
        let mut bytes = 0;
        let fits = |order: &&Order| {
            bytes += order.event.len();
            bytes <= BATCH_BYTES
        };
        let count = self.orders.iter().take(BATCH).take_while(fits).count().max(1).min(self.orders.len());
        self.held += count;
        self.gone += count as u64;
        self.orders.drain(..count).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(queue: &Queue, event: &str) -> Result<u64, Refused> {
        queue.put(event.into(), false, oneshot::channel().0)
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(5)
    }

    fn batch(queue: &Queue) -> Vec<Order> {
        match queue.take(soon()) {
            Due::Batch(orders) => orders,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_nobody_waits_for_lies_for_a_bounded_time_and_what_somebody_waits_for_does_not() {
        let queue = Queue::new(10);
        let began = Instant::now();
        put(&queue, "a").unwrap();
        assert!(matches!(queue.take(Instant::now()), Due::Nothing));
        let first = batch(&queue);
        assert!(began.elapsed() >= LATEST && began.elapsed() < 10 * LATEST, "{:?}", began.elapsed());
        queue.done(&first);
        let began = Instant::now();
        put(&queue, "b").unwrap();
        let number = put(&queue, "c").unwrap();
        queue.hurry(number);
        let second = batch(&queue);
        assert!(began.elapsed() < LATEST, "{:?}", began.elapsed());
        assert_eq!(second.iter().map(|order| order.event.as_str()).collect::<String>(), "bc");
        queue.done(&second);
        // Somebody waits for what is handed over already: nothing else hurries for that.
        queue.hurry(number);
        put(&queue, "d").unwrap();
        assert!(matches!(queue.take(Instant::now()), Due::Nothing));
    }

    #[test]
    fn a_full_queue_refuses_until_what_it_holds_is_durable() {
        let queue = Queue::new(2);
        put(&queue, "a").unwrap();
        put(&queue, "b").unwrap();
        assert_eq!(put(&queue, "c"), Err(Refused::Full { waiting: 2 }));
        queue.put("x".into(), true, oneshot::channel().0).unwrap();
        queue.put("y".into(), true, oneshot::channel().0).unwrap();
        assert_eq!(queue.put("z".into(), true, oneshot::channel().0), Err(Refused::Full { waiting: 4 }));
        let orders = batch(&queue);
        assert_eq!(put(&queue, "c"), Err(Refused::Full { waiting: 4 }), "being written is not written");
        queue.put_back(orders);
        assert_eq!(put(&queue, "c"), Err(Refused::Full { waiting: 4 }));
        let orders = batch(&queue);
        assert_eq!(orders.iter().map(|order| order.event.as_str()).collect::<String>(), "abxy");
        queue.done(&orders);
        put(&queue, "c").unwrap();
    }

    #[test]
    fn neither_one_event_nor_all_of_them_are_longer_than_they_may() {
        let queue = Queue::new(usize::MAX);
        let long = "x".repeat(MAX_LINE / 2);
        assert!(matches!(put(&queue, &format!("{long}x")), Err(Refused::TooLong { .. })));
        let taken = (0..).take_while(|_| put(&queue, &long).is_ok()).count();
        assert_eq!(taken, MAX_BYTES / long.len());
        assert!(batch(&queue).len() <= BATCH_BYTES / long.len());
    }

    #[test]
    fn a_closed_queue_hands_over_what_it_has_and_ends() {
        let queue = Queue::new(10);
        put(&queue, "a").unwrap();
        queue.close();
        assert_eq!(put(&queue, "b"), Err(Refused::Closed));
        queue.done(&batch(&queue));
        assert!(matches!(queue.take(soon()), Due::Closed));
    }
}
