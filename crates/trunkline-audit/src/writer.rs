//! The one thread that writes: takes batches from the queue, makes them durable, then tells and answers.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::watch;
use tracing::{error, info, warn};
use trunkline_api::{AuditEvent, AuditHead};

use crate::chain::Chain;
use crate::error::NotWritten;
use crate::metrics::Metrics;
use crate::queue::{Due, Order, Queue};
use crate::retention::{self, Limits};

/// After how long, and after how many records, the head is told to the gateway's own log.
const TELL_EVERY: Duration = Duration::from_secs(10);
const TELL_AFTER: u64 = 1_000;
/// How often it is looked for what is old.
const TRIM_EVERY: Duration = Duration::from_secs(3600);
/// How often a failure is told that goes on.
const FAILURE_EVERY: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) chain: Chain,
    pub(crate) folder: PathBuf,
    pub(crate) queue: Arc<Queue>,
    pub(crate) head: watch::Sender<Option<AuditHead>>,
    pub(crate) metrics: Metrics,
    pub(crate) limits: Limits,
}

/// What was told when.
struct Told {
    sequence: u64,
    next: Instant,
    trim: Instant,
    failure: Option<Instant>,
}

impl Writer {
    /// Works until the queue is closed and empty, or closed and not to be written.
    pub(crate) fn run(mut self) {
        let now = Instant::now();
        let mut told =
            Told { sequence: self.chain.sequence(), next: now + TELL_EVERY, trim: now, failure: None };
        loop {
            match self.queue.take(told.next.min(told.trim)) {
                Due::Batch(orders) => {
                    let fresh = self.chain.is_at_end_of_segment();
                    if !self.commit(orders, &mut told) {
                        break;
                    }
                    if fresh {
                        told.trim = Instant::now();
                    }
                }
                Due::Nothing => {}
                Due::Closed => break,
            }
            let now = Instant::now();
            if now >= told.next || self.chain.sequence() >= told.sequence + TELL_AFTER {
                self.tell(&mut told);
                told.next = now + TELL_EVERY;
            }
            if now >= told.trim {
                self.trim();
                told.trim = now + TRIM_EVERY;
            }
        }
        self.tell(&mut told);
    }

    /// Writes a batch. Says whether to go on.
    fn commit(&mut self, mut orders: Vec<Order>, told: &mut Told) -> bool {
        let began = Instant::now();
        let events = orders.iter().map(|order| (order.time, order.event.as_str()));
        match self.chain.append(events) {
            Ok(first) => {
                self.metrics.commit_seconds.observe(began.elapsed().as_secs_f64());
                self.metrics.records.inc_by(orders.len() as u64);
                if told.failure.take().is_some() {
                    info!("the audit log is written again");
                }
                self.queue.done(&orders);
                self.metrics.records_waiting.set(gauge(self.queue.waiting()));
                self.head.send_replace(self.chain.head());
                for (sequence, order) in (first..).zip(orders) {
                    // Nobody waits for most of them.
                    order.answer.map(|answer| answer.send(Ok(sequence)));
                }
                true
            }
            Err(error) => {
                self.metrics.commits_failed.inc();
                let now = Instant::now();
                if told.failure.is_none_or(|last| now > last + FAILURE_EVERY) {
                    told.failure = Some(now);
                    error!(folder = %self.folder.display(), %error, waiting = orders.len(),
                           "the audit log cannot be written; it is tried again");
                }
                let why = NotWritten(error.to_string());
                for order in &mut orders {
                    // It stays queued, for the record; who waited for it is told now.
                    order.answer.take().map(|answer| answer.send(Err(why.clone())));
                }
                let lost = orders.len();
                let again = self.queue.put_back(orders);
                if !again {
                    error!(records = lost, "the audit log ends without its last records");
                }
                again
            }
        }
    }

    /// Tells the head, so that it leaves the machine with the gateway's own log.
    fn tell(&self, told: &mut Told) {
        if let Some(head) = self.chain.head().filter(|head| head.sequence > told.sequence) {
            info!(target: "audit", writer = head.writer, sequence = head.sequence, hash = head.hash, "head");
            told.sequence = head.sequence;
        }
    }

    /// Removes what was kept long enough.
    fn trim(&mut self) {
        let removed = retention::look(&self.folder, self.limits, Timestamp::now()).and_then(|found| {
            let Some(condemned) = found else { return Ok(()) };
            let (through, recordings) = (condemned.trim.through, condemned.trim.recordings.len());
            let event = serde_json::to_string(&AuditEvent::Trim(condemned.trim.clone()))?;
            self.chain.append([(Timestamp::now(), event.as_str())].into_iter())?;
            self.metrics.records.inc();
            self.head.send_replace(self.chain.head());
            condemned.remove(&self.folder)?;
            info!(through, recordings, "old audit records were removed");
            Ok(())
        });
        if let Err(error) = removed {
            warn!(%error, "old audit records cannot be removed; it is tried again");
        }
    }
}

pub(crate) fn gauge(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
