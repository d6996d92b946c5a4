//! How each cluster's joining goes, as this gateway sees it: from the first contact to the first log record.
//!
//! ```text
//! tunnel door, enrolment, tunnels, logs ── events ── journey ─┐
//! who left before it was known for whom ──────────── strangers ┴─ steps (and the cause of a stall) ── REST
//! ```
//!
//! Journeys begin when an agent of a registered cluster asks for a certificate; before that, and for what a restart forgot,
//! the registry's record stands in. Everything but this module is pure.
//!
//! Invariants:
//! - at most [`MOST`] journeys are remembered: those that are over go first, then those of which nothing was seen for the
//!   longest time;
//! - nothing that is seen here decides anything.

mod cause;
mod journey;
mod refusals;
mod steps;
mod strangers;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::sync::broadcast;
use trunkline_api::{JoinStall, Joining};
use trunkline_proto::ClusterId;
use trunkline_registry::Record;

use crate::standing::usable_until;
pub(crate) use journey::Event;
use journey::Journey;
pub(crate) use refusals::{of_enrolment, of_handshake, of_hello};
use steps::{Scene, steps};
use strangers::Strangers;

/// How many journeys are remembered.
const MOST: usize = 1_024;

/// How the clusters' joining goes. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Joinings {
    shared: Arc<Mutex<Seen>>,
    /// Told of each cluster of whose joining something else is seen than before.
    changes: broadcast::Sender<ClusterId>,
}

#[derive(Debug, Default)]
struct Seen {
    journeys: HashMap<ClusterId, Journey>,
    strangers: Strangers,
}

/// What to show a joining with; see [`Scene`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Around<'a> {
    pub(crate) rtt: Option<std::time::Duration>,
    pub(crate) has_link: bool,
    pub(crate) doors: &'a [String],
    pub(crate) keeps_logs: bool,
    pub(crate) now: Timestamp,
}

impl Joinings {
    pub(crate) fn new(changes: broadcast::Sender<ClusterId>) -> Self {
        Self { shared: Arc::default(), changes }
    }

    /// An agent of a registered cluster asks to be let in, or is not: this may begin a journey.
    pub(crate) fn begin_with(&self, record: &Record, has_link: bool, event: Event) {
        let (id, now) = (&record.metadata.name, Timestamp::now());
        let mut seen = self.seen();
        let before = seen.journeys.get(id).filter(|journey| journey.is_of(record));
        let journey = match (before, &event) {
            (Some(journey), Event::Refused { stall, .. })
                if journey.is_over() && !has_link && *stall != JoinStall::Refused =>
            {
                Some(journey.again(now))
            }
            (Some(_), _) => None,
            // One who comes back by its key and is let in does not join, nor one who is put off.
            (None, Event::Refused { stall, .. }) if *stall != JoinStall::Refused => {
                (!has_link).then(|| Journey::of(record))
            }
            (None, _) => (waits(record) && !has_link).then(|| Journey::of(record)),
        };
        if let Some(mut journey) = journey {
            if before.is_none() && !waits(record) {
                journey = journey.again(now);
            }
            seen.make_room(id);
            seen.journeys.insert(id.clone(), journey);
        }
        drop(seen);
        self.note(id, event);
    }

    /// Something was seen of a cluster. Of one that does not join it is not kept.
    pub(crate) fn note(&self, id: &ClusterId, event: Event) {
        let mut seen = self.seen();
        let Some(journey) = seen.journeys.get_mut(id).filter(|journey| !journey.is_over()) else { return };
        journey.take(event, Timestamp::now());
        drop(seen);
        // Nobody may be listening.
        let _ = self.changes.send(id.clone());
    }

    /// Somebody came to the tunnel door and left before it was known for which cluster.
    pub(crate) fn note_stranger(&self, from: SocketAddr, stall: JoinStall, what: &str) {
        self.seen().strangers.note(from, stall, what, Timestamp::now());
    }

    /// A cluster's joining as it is shown beside the cluster; none when it does not join, or nobody came in time.
    pub(crate) fn beside(&self, record: &Record, around: Around<'_>) -> Option<Joining> {
        // Nobody came in time: that stands in the cluster's state, and a large fleet may hold many such.
        let nobody = |journey: &Journey| !journey.has_come() && usable_until(record, around.now).is_none();
        self.show(record, around, |journey| journey.is_news(around.now) && !nobody(journey))
    }

    /// What is remembered of a cluster's joining, over or not.
    pub(crate) fn remembered(&self, record: &Record, around: Around<'_>) -> Option<Joining> {
        self.show(record, around, |_| true)
    }

    fn show(
        &self,
        record: &Record,
        around: Around<'_>,
        wanted: impl Fn(&Journey) -> bool,
    ) -> Option<Joining> {
        let seen = self.seen();
        let remembered = seen.journeys.get(&record.metadata.name).filter(|journey| journey.is_of(record));
        let begun;
        let journey = match remembered {
            Some(journey) => journey,
            None if waits(record) && !around.has_link => {
                begun = Journey::of(record);
                &begun
            }
            None => return None,
        };
        if !wanted(journey) {
            return None;
        }
        let Around { rtt, doors, keeps_logs, now, has_link: _ } = around;
        let stranger = seen.strangers.likely(journey.since(), now).filter(|_| !journey.has_come());
        Some(steps(journey, &Scene { record, rtt, stranger, doors, keeps_logs, now }))
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    fn make_room(&mut self, id: &ClusterId) {
        if self.journeys.len() < MOST || self.journeys.contains_key(id) {
            return;
        }
        let first = self.journeys.iter().min_by_key(|(_, journey)| (!journey.is_over(), journey.newest()));
        if let Some(first) = first.map(|(id, _)| id.clone()) {
            self.journeys.remove(&first);
        }
    }
}

/// Whether a cluster waits for an agent that brings its join token.
fn waits(record: &Record) -> bool {
    record.key.is_none() || record.join.as_ref().is_some_and(|join| join.used.is_none())
}

#[cfg(test)]
mod tests;
