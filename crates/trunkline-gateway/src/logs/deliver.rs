//! From a batch to the store's yes, and the answer that is made of it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use tokio::sync::OwnedMutexGuard;
use tokio::time::Instant;
use tracing::{error, info, warn};
use trunkline_logs::Document;
use trunkline_logstore::Outcome;
use trunkline_proto::LogAck;

use super::receive::milliseconds;
use super::standing::Batch;
use super::unpack::{Group, Says, Unpacking, work};
use super::{Logs, Source, dead};
use crate::joining::Event;
use crate::metrics::Reason;

/// When an agent is to try again that hears no other time.
const AGAIN: Duration = Duration::from_secs(1);
/// How long one batch is dealt with; what is left by then comes again.
const LONGEST: Duration = Duration::from_secs(60);

/// Whose turn it is: the batches of one spool are dealt with one after another, whatever links they came by.
#[derive(Debug, Default)]
pub(super) struct Deliveries(Mutex<HashMap<Source, Turn>>);

type Turn = Arc<tokio::sync::Mutex<()>>;

impl Deliveries {
    async fn turn(&self, source: &Source) -> OwnedMutexGuard<()> {
        let turn = {
            let mut all = self.all();
            all.retain(|_, turn| Arc::strong_count(turn) > 1);
            all.entry(source.clone()).or_default().clone()
        };
        turn.lock_owned().await
    }

    fn all(&self) -> MutexGuard<'_, HashMap<Source, Turn>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What became of a group of documents.
#[derive(Debug)]
pub(super) enum Dealt {
    /// All are done with.
    Whole,
    /// Those through this sequence are, 0 for none; the rest may come again then.
    Until(u64, Duration, String),
}

impl Logs {
    /// Deals with the chunks of one spool, in order; says through where they may go.
    pub(super) async fn take_in(&self, source: &Source, batch: Bytes, says: Says) -> LogAck {
        let _turn = self.shared.deliveries.turn(source).await;
        let (began, mut ack) = (Instant::now(), LogAck::default());
        let mut unpacking = Unpacking::new(source.clone(), batch);
        loop {
            if began.elapsed() > LONGEST {
                return self.rest_later(
                    ack,
                    "Slow",
                    Duration::ZERO,
                    "the rest of the batch would take too long",
                );
            }
            let Some(_place) = self.shared.work.take(source.uid, work(says), LONGEST).await else {
                return self.rest_later(
                    ack,
                    "NoRoom",
                    AGAIN,
                    "the gateway has no room for the batch: others came first",
                );
            };
            let arrived = Timestamp::now().as_millisecond();
            // Inflating and parsing megabytes is not for the runtime's threads.
            let unpacked = tokio::task::spawn_blocking(move || {
                let group = unpacking.next(arrived);
                (group, unpacking)
            });
            let Ok((group, rest)) = unpacked.await else {
                error!(cluster = %source.cluster, dataset = %source.dataset, spool = %source.spool, through = ack.through,
                       "a batch could not be unpacked: this is a fault of the gateway; the spool waits");
                return self.rest_later(
                    ack,
                    "Panic",
                    Duration::from_secs(60),
                    "the gateway failed at the batch",
                );
            };
            unpacking = rest;
            let Some(group) = group else { return ack };
            let last = group.last;
            match self.deal_with(source, group, arrived).await {
                Dealt::Whole => ack.through = last,
                Dealt::Until(through, pause, _) => {
                    ack.through = through.max(ack.through);
                    return self.rest_later(ack, "Store", pause, "the log store does not take all of it now");
                }
            }
        }
    }

    fn rest_later(&self, mut ack: LogAck, reason: &'static str, pause: Duration, why: &str) -> LogAck {
        self.put_off(reason);
        ack.retry_after_ms = Some(milliseconds(pause));
        ack.why = why.into();
        ack
    }

    async fn deal_with(&self, source: &Source, group: Group, arrived: i64) -> Dealt {
        let Group { documents, newest, .. } = group;
        let mut batch = Batch {
            lag: newest.and_then(|newest| u64::try_from(arrived - newest).ok()).map(Duration::from_millis),
            ..Batch::default()
        };
        let dealt = self.write(documents, &mut batch).await;
        if let Dealt::Until(_, _, why) = &dealt {
            // People hear it here; the agent hears no more than that it waits.
            batch.why.clone_from(why);
        }
        self.shared.metrics.logs_records.inc_by(batch.records);
        self.shared.metrics.logs_bytes.inc_by(batch.bytes);
        self.shared.metrics.logs_dead_letters.inc_by(batch.dead);
        self.shared.metrics.logs_already_there.inc_by(batch.already);
        if batch.records > 0 {
            self.shared.joinings.note(&source.cluster, Event::Records);
        }
        if let Some(why) = self.shared.standing.note(source.uid, &source.dataset, batch) {
            match why.as_str() {
                "" => info!(cluster = %source.cluster, dataset = %source.dataset, "records are taken again"),
                why => {
                    warn!(cluster = %source.cluster, dataset = %source.dataset, why, "records wait: the store does not take them")
                }
            }
        }
        dealt
    }

    /// Hands documents to the store; what it will never take comes again as a dead letter, once.
    pub(super) async fn write(&self, documents: Vec<Document>, batch: &mut Batch) -> Dealt {
        let outcomes = match self.shared.store.write(&documents).await {
            Ok(outcomes) => outcomes,
            Err(error) => return Dealt::Until(0, error.retry_after.unwrap_or(AGAIN), error.to_string()),
        };
        let first = documents.first().map_or(0, |document| document.stamp.sequence);
        let mut later: Option<(u64, String)> = None;
        let mut letters = Vec::new();
        for (document, outcome) in documents.iter().zip(&outcomes) {
            let is_letter = document.stamp.dataset.is_reserved();
            match outcome {
                Outcome::Stored => {
                    batch.records += u64::from(!is_letter);
                    batch.dead += u64::from(is_letter);
                    batch.bytes += document.source.len() as u64;
                }
                Outcome::AlreadyThere => batch.already += 1,
                Outcome::Rejected(why) if is_letter => self.give_up(document, why),
                Outcome::Rejected(why) => letters.push(dead::refused(document, why)),
                Outcome::Later(why) => {
                    later.get_or_insert((document.stamp.sequence, why.clone()));
                }
            }
        }
        if outcomes.len() != documents.len() {
            later = Some((first, "the store did not say what became of all records".into()));
        }
        if self.shared.taps.are_open() {
            let stored =
                documents.into_iter().zip(&outcomes).filter(|(_, outcome)| **outcome == Outcome::Stored);
            stored.for_each(|(document, _)| self.shared.taps.show(document));
        }
        if let Some(letter) = self.post(letters, batch).await {
            later = match later {
                Some(earlier) if earlier.0 <= letter.0 => Some(earlier),
                _ => Some(letter),
            };
        }
        match later {
            None => Dealt::Whole,
            // What comes before the first of the group was answered, or is not this call's.
            Some((sequence, why)) => {
                let through = if sequence > first { sequence - 1 } else { 0 };
                Dealt::Until(through, AGAIN, why)
            }
        }
    }

    /// Stores dead letters; says from which sequence on they are to come again, if any are.
    async fn post(&self, letters: Vec<Document>, batch: &mut Batch) -> Option<(u64, String)> {
        let first = letters.first()?.stamp.sequence;
        match self.shared.store.write(&letters).await {
            Ok(outcomes) if outcomes.len() == letters.len() => {
                let mut later = None;
                for (letter, outcome) in letters.iter().zip(outcomes) {
                    match outcome {
                        Outcome::Stored => batch.dead += 1,
                        Outcome::AlreadyThere => {}
                        Outcome::Rejected(why) => self.give_up(letter, &why),
                        Outcome::Later(why) => later = later.or(Some((letter.stamp.sequence, why))),
                    }
                }
                later
            }
            Ok(_) => Some((first, "the store did not say what became of all dead letters".into())),
            Err(error) => Some((first, error.to_string())),
        }
    }

    /// Not even the dead letter is taken: all that is left is to say so.
    fn give_up(&self, letter: &Document, why: &str) {
        error!(cluster = %letter.stamp.cluster, spool = %letter.stamp.spool, sequence = letter.stamp.sequence, why,
               "the store refuses a dead letter; the record is lost");
        self.shared.metrics.logs_lost.get_or_create(&Reason { reason: "DeadLetterRefused" }).inc();
    }
}
