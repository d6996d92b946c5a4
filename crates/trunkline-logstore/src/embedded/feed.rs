//! The loop that drives the indexer: chunks come from the spool, commits follow in time, and what fails begins again.
//!
//! After any failure nothing in memory is trusted: the indexer begins anew from its last commit, as after a crash, and the
//! spool's reader goes back to what was not acknowledged.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};
use trunkline_runtime::chain;
use trunkline_spool::{Chunk, ChunkAt, Limits as ChunkLimits, Reader, Spool};

use super::fault::Fault;
use super::indexer::Indexer;
use super::ledger::Ledger;
use super::parts::Parts;
use super::retention::Limits;
use crate::days::today;

/// How often it is looked for what may be merged and closed.
const TIDY: Duration = Duration::from_secs(60);
/// How often days that are over their time are looked for: so seldom that a fault is seen before much is gone.
const EXPIRE: Duration = Duration::from_secs(600);
/// How long a failure is waited for, at first and at most.
const AGAIN: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(10));

/// What drives the indexer.
pub(super) struct Feed {
    pub(super) spool: Spool,
    pub(super) parts: Arc<Parts>,
    pub(super) ledger: Arc<Ledger>,
    pub(super) limits: Limits,
    pub(super) memory: usize,
    pub(super) every: Duration,
    pub(super) state: Arc<State>,
}

/// How it goes.
#[derive(Debug, Default)]
pub(super) struct State {
    fault: Mutex<Option<String>>,
    lost: std::sync::atomic::AtomicU64,
}

impl State {
    pub(super) fn fault(&self) -> Option<String> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_fault(&self, fault: Option<String>) {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = fault;
    }

    /// How many records were damaged in the spool before they were indexed.
    pub(super) fn lost(&self) -> u64 {
        self.lost.load(std::sync::atomic::Ordering::Relaxed)
    }
}

impl Feed {
    /// Works until it is told to stop; then what was taken is committed.
    pub(super) async fn run(self, stop: CancellationToken) {
        let mut reader = self.spool.reader();
        let mut pause = AGAIN.0;
        loop {
            let began = Instant::now();
            match self.work(&mut reader, &stop).await {
                Ok(()) => return,
                Err(fault) => {
                    let why = chain(&fault);
                    error!(why, "the log store's index is not written; it is tried again");
                    self.state.set_fault(Some(why));
                }
            }
            if began.elapsed() > AGAIN.1 {
                pause = AGAIN.0;
            }
            tokio::select! { () = stop.cancelled() => return, () = sleep(pause) => {} }
            pause = (pause * 2).min(AGAIN.1);
            reader.rewind();
        }
    }

    async fn work(&self, reader: &mut Reader, stop: &CancellationToken) -> Result<(), Fault> {
        let (parts, ledger, limits, memory) =
            (self.parts.clone(), self.ledger.clone(), self.limits, self.memory);
        let spool = self.spool.status().folder;
        let mut indexer = blocking(move || Indexer::begin(parts, ledger, limits, memory, spool)).await??;
        let mut tidy = interval(TIDY);
        tidy.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut expire = interval(EXPIRE);
        expire.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut due: Option<Instant> = None;
        loop {
            let commit = async {
                match due {
                    Some(due) => sleep_until(due).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = stop.cancelled() => {
                    self.commit(indexer).await?;
                    return Ok(());
                }
                () = commit => {
                    indexer = self.commit(indexer).await?;
                    due = None;
                }
                _ = expire.tick() => indexer = blocking(move || {
                    indexer.expire(today())?;
                    Ok::<_, Fault>(indexer)
                }).await??,
                _ = tidy.tick() => indexer = blocking(move || {
                    indexer.make_room()?;
                    indexer.tidy(today())?;
                    Ok::<_, Fault>(indexer)
                }).await??,
                chunk = reader.next() => {
                    let Some(chunk) = chunk? else {
                        self.commit(indexer).await?;
                        return Ok(());
                    };
                    self.tell_gap(&chunk);
                    indexer = blocking(move || take(indexer, &chunk)).await??;
                    if indexer.is_full() {
                        indexer = self.commit(indexer).await?;
                        due = None;
                    } else if indexer.waiting() > 0 {
                        due.get_or_insert_with(|| Instant::now() + self.every);
                    }
                }
            }
        }
    }

    async fn commit(&self, mut indexer: Indexer) -> Result<Indexer, Fault> {
        let (through, indexer) = blocking(move || {
            let through = indexer.commit()?;
            indexer.make_room()?;
            Ok::<_, Fault>((through, indexer))
        })
        .await??;
        self.spool.ack(through)?;
        if self.state.fault().is_some() {
            info!("the log store's index is written again");
            self.state.set_fault(None);
        }
        Ok(indexer)
    }

    fn tell_gap(&self, chunk: &ChunkAt) {
        if let Some(gap) = chunk.gap {
            let records = gap.to - gap.from + 1;
            warn!(
                records,
                from = gap.from,
                "records were damaged on the disk before they were indexed, and are lost"
            );
            self.state.lost.fetch_add(records, std::sync::atomic::Ordering::Relaxed);
        }
    }
}

fn take(mut indexer: Indexer, chunk: &ChunkAt) -> Result<Indexer, Fault> {
    let chunk = Chunk::decode(&chunk.bytes, chunk.epoch, &ChunkLimits::default())?;
    indexer.take(chunk.records(), today())?;
    Ok(indexer)
}

/// Work that waits for the disk, in a thread for such. It goes on to its end whatever becomes of who waits for it.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, tokio::task::JoinError> {
    tokio::task::spawn_blocking(work).await
}
