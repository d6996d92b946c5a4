//! Records on their way to the disk: bounded in bytes, and handed over many at once.
//!
//! Who brings more than there is room for waits in turn, and takes its room with it into the queue: what was brought holds
//! it until it is answered, also if nobody waits for the answer any more.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::error::Refused;
use crate::record::NewRecord;
use crate::spool::Receipt;

/// How often the cursor is written at the most.
const SETTLE_EVERY: Duration = Duration::from_millis(250);
/// How often it is looked for what is too old, or for what could not go before.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// What one call brought.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) records: Vec<NewRecord>,
    pub(crate) size: usize,
    pub(crate) answer: oneshot::Sender<Result<Receipt, Refused>>,
    /// Its room in the queue.
    pub(crate) room: OwnedSemaphorePermit,
}

#[derive(Debug)]
pub(crate) struct Queue {
    linger: Duration,
    batch: usize,
    state: Mutex<State>,
    stirred: Condvar,
}

#[derive(Debug)]
struct State {
    orders: VecDeque<(Instant, Order)>,
    size: usize,
    closed: bool,
    /// When the cursor is due.
    settle: Instant,
    settled: Instant,
}

/// What is to be done.
#[derive(Debug)]
pub(crate) enum Due {
    /// Write these, with one sync.
    Commit(Vec<Order>),
    /// Move the cursor.
    Settle,
    /// Nothing will come any more.
    Closed,
}

impl Queue {
    /// Hands over when `batch` bytes are there, or after `linger`.
    pub(crate) fn new(linger: Duration, batch: usize) -> Self {
        let now = Instant::now();
        let state = State { orders: VecDeque::new(), size: 0, closed: false, settle: now, settled: now };
        Self { linger, batch, state: Mutex::new(state), stirred: Condvar::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn put(&self, order: Order) -> Result<(), Refused> {
        let mut state = self.state();
        if state.closed {
            return Err(Refused::Closed);
        }
        state.size += order.size;
        state.orders.push_back((Instant::now(), order));
        if state.orders.len() == 1 || state.size >= self.batch {
            self.stirred.notify_one();
        }
        Ok(())
    }

    /// The cursor is to be moved: soon, or at once.
    pub(crate) fn settle(&self, at_once: bool) {
        let mut state = self.state();
        let due = if at_once { Instant::now() } else { state.settled + SETTLE_EVERY };
        if due < state.settle {
            state.settle = due;
            self.stirred.notify_one();
        }
    }

    /// Nothing more is taken; what is there is handed over at once.
    pub(crate) fn close(&self) {
        self.state().closed = true;
        self.stirred.notify_one();
    }

    /// Nothing more is taken, and what is there is not answered.
    pub(crate) fn abandon(&self) {
        let mut state = self.state();
        state.closed = true;
        state.orders.clear();
    }

    /// Waits for what is due next.
    pub(crate) fn take(&self) -> Due {
        let mut state = self.state();
        loop {
            let now = Instant::now();
            let commit = match state.orders.front() {
                Some(_) if state.closed || state.size >= self.batch => Some(now),
                Some((came, _)) => Some(*came + self.linger),
                None if state.closed => return Due::Closed,
                None => None,
            };
            if commit.is_some_and(|due| due <= now) {
                return Due::Commit(state.hand_over(self.batch));
            }
            if state.settle <= now {
                (state.settled, state.settle) = (now, now + LOOK_EVERY);
                return Due::Settle;
            }
            let due = commit.map_or(state.settle, |commit| commit.min(state.settle));
            let wait = due.saturating_duration_since(now);
            state = self.stirred.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl State {
    /// At least one order, and as many more as fit.
    fn hand_over(&mut self, batch: usize) -> Vec<Order> {
        let mut size = 0;
        let fits = |(_, order): &&(Instant, Order)| {
            size += order.size;
            size <= batch
        };
        let count = self.orders.iter().take_while(fits).count().max(1).min(self.orders.len());
        let orders: Vec<_> = self.orders.drain(..count).map(|(_, order)| order).collect();
        self.size -= orders.iter().map(|order| order.size).sum::<usize>();
        orders
    }
}
