//! A shipper that keeps a ledger: which of its numbered records were answered with yes.
//!
//! It sends a batch of records after another. Those with ids it sends again under the same ids until it hears yes, as
//! Filebeat does; those without it gives up when it hears nothing, and goes on with new ones: nobody can tell whether they
//! were kept. What the intake refuses as a whole it sends again in both cases: nothing of that may have been kept.

mod several;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use trunkline_runtime::Tasks;
use trunkline_tests::{hand_in, wait_until};

pub(crate) use several::Writers;

/// How many records a request brings.
const BATCH: usize = 20;
/// The pause before what was refused is sent again.
const AGAIN: Duration = Duration::from_millis(50);

/// How a writer writes.
#[derive(Clone, Copy)]
pub(crate) struct Manner {
    /// Whether its records have ids.
    pub(crate) has_ids: bool,
    /// Bytes of each record beside its message, which do not compress.
    pub(crate) weight: usize,
    /// The pause after a request: it is not the intake's speed that is measured.
    pub(crate) pause: Duration,
}

impl Default for Manner {
    fn default() -> Self {
        Self { has_ids: true, weight: 200, pause: Duration::from_millis(10) }
    }
}

/// A writer at work. Clones are the same.
#[derive(Clone)]
pub(crate) struct Writer {
    name: &'static str,
    manner: Manner,
    ledger: Arc<Mutex<Ledger>>,
    stop: CancellationToken,
}

/// What was heard of the records, by their numbers.
#[derive(Default)]
pub(crate) struct Ledger {
    /// When each that was answered with yes was.
    pub(crate) answered: BTreeMap<usize, Instant>,
    /// Nothing was heard of those.
    pub(crate) unheard: BTreeSet<usize>,
    /// Requests that were refused as a whole.
    pub(crate) refused: usize,
    /// Requests without an answer.
    pub(crate) silent: usize,
}

/// What became of a writer's records.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Balance {
    pub(crate) answered: usize,
    pub(crate) unheard: usize,
    pub(crate) unheard_but_there: usize,
    /// Answered, and not there.
    pub(crate) lost: usize,
    /// There more than once.
    pub(crate) twice: usize,
    /// There, and never sent.
    pub(crate) strange: usize,
}

impl Writer {
    /// Writes to this intake until it is told to stop. Every message begins with `name`, a word.
    pub(crate) fn start(
        name: &'static str,
        to: SocketAddr,
        path: &str,
        manner: Manner,
        tasks: &Tasks,
    ) -> Self {
        let writer = Self { name, manner, ledger: Arc::default(), stop: CancellationToken::new() };
        let (writing, path) = (writer.clone(), path.to_owned());
        tasks.spawn_until_stopped(async move { writing.write(to, &path).await });
        writer
    }

    /// What was heard so far.
    pub(crate) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many records were answered with yes so far.
    pub(crate) fn answered(&self) -> usize {
        self.ledger().answered.len()
    }

    /// Waits until so many more were answered with yes.
    pub(crate) async fn goes_on(&self, by: usize, limit: Duration) {
        let wanted = self.answered() + by;
        wait_until(&format!("{by} more of {} are answered", self.name), limit, async || {
            (self.answered() >= wanted).then_some(())
        })
        .await;
    }

    /// Stops behind the batch that is on its way, and the ones that must be sent again.
    pub(crate) async fn stop(&self) {
        self.stop.cancel();
        wait_until(&format!("{} has stopped", self.name), Duration::from_secs(120), async || {
            // The other one is the task's.
            (Arc::strong_count(&self.ledger) == 1).then_some(())
        })
        .await;
    }

    /// Compares with the messages that are there.
    pub(crate) fn balance(&self, there: &[String]) -> Balance {
        let ledger = self.ledger();
        let mut times: BTreeMap<usize, usize> = BTreeMap::new();
        let mut strange = 0;
        for message in there {
            let number = message.strip_prefix(self.name).and_then(|rest| rest.trim().parse().ok());
            match number.filter(|at| ledger.answered.contains_key(at) || ledger.unheard.contains(at)) {
                Some(number) => *times.entry(number).or_default() += 1,
                None => strange += 1,
            }
        }
        Balance {
            answered: ledger.answered.len(),
            unheard: ledger.unheard.len(),
            unheard_but_there: ledger.unheard.iter().filter(|at| times.contains_key(at)).count(),
            lost: ledger.answered.keys().filter(|at| !times.contains_key(at)).count(),
            twice: times.values().filter(|times| **times > 1).count(),
            strange,
        }
    }

    async fn write(self, to: SocketAddr, path: &str) {
        let mut next = 0;
        while !self.stop.is_cancelled() {
            let numbers: Vec<usize> = (next..next + BATCH).collect();
            next += BATCH;
            self.write_batch(to, path, &numbers).await;
            tokio::time::sleep(self.manner.pause).await;
        }
    }

    async fn write_batch(&self, to: SocketAddr, path: &str, numbers: &[usize]) {
        let body: String = numbers.iter().map(|number| self.record(*number)).collect();
        loop {
            match hand_in(to, path, "application/x-ndjson", body.as_bytes()).await {
                Some((200, answer)) => {
                    let answer: Value = serde_json::from_str(&answer).unwrap();
                    let items = answer["items"].as_array().unwrap();
                    assert_eq!((answer["errors"].as_bool(), items.len()), (Some(false), numbers.len()));
                    let now = Instant::now();
                    self.ledger().answered.extend(numbers.iter().map(|number| (*number, now)));
                    return;
                }
                Some((429, _)) => self.ledger().refused += 1,
                other => {
                    self.ledger().silent += 1;
                    // A 503 says that it cannot be told.
                    assert!(matches!(other, None | Some((503, _))), "{other:?}");
                    if !self.manner.has_ids {
                        self.ledger().unheard.extend(numbers);
                        return;
                    }
                }
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    fn record(&self, number: usize) -> String {
        let action = match self.manner.has_ids {
            true => serde_json::json!({"create": {"_id": format!("{}-{number}", self.name)}}),
            false => serde_json::json!({"create": {}}),
        };
        let weight: String =
            (0..self.manner.weight / 2).map(|_| format!("{:02x}", rand::random::<u8>())).collect();
        let record = serde_json::json!({"message": format!("{} {number}", self.name), "weight": weight});
        format!("{action}\n{record}\n")
    }
}

impl Balance {
    /// What was answered is there, once; nothing is there twice, and nothing that was not sent.
    pub(crate) fn is_even(&self) -> bool {
        (self.lost, self.twice, self.strange) == (0, 0, 0)
    }
}

impl std::fmt::Display for Balance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { answered, unheard, unheard_but_there, lost, twice, strange } = self;
        write!(
            f,
            "{answered} answered: {lost} lost, {twice} twice; {unheard} unheard of, {unheard_but_there} of them there; {strange} strange"
        )
    }
}
