//! The documents that arrive, for those who look on: the live tail.
//!
//! While nobody looks nothing is kept. Who looks and is too slow is told how many were passed over.

use std::sync::Arc;

use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast};
use trunkline_logs::{Document, Filter, Scope};

/// How many documents wait for the slowest who looks on.
const WAITING: usize = 4096;
/// How many bytes they may have; what does not fit is passed over by all who look on.
const WAITING_BYTES: usize = 32 * 1024 * 1024;

/// Where those who look on stand.
#[derive(Debug)]
pub(crate) struct Taps {
    documents: broadcast::Sender<Waits>,
    bytes: Arc<Semaphore>,
}

/// What waits for those who look on; none in place of one that did not fit.
type Waits = Option<Arc<Shown>>;

/// A document that waits for those who look on.
#[derive(Debug)]
pub(crate) struct Shown {
    pub(crate) document: Document,
    _place: OwnedSemaphorePermit,
}

/// Somebody who looks on.
#[derive(Debug)]
pub(crate) struct Tap {
    documents: broadcast::Receiver<Waits>,
    scope: Scope,
    filter: Filter,
}

/// What somebody who looks on sees.
#[derive(Debug)]
pub(crate) enum Tapped {
    /// A document that arrived.
    Document(Arc<Shown>),
    /// So many were passed over, wanted or not.
    PassedOver(u64),
}

impl Default for Taps {
    fn default() -> Self {
        let bytes = Arc::new(Semaphore::new(WAITING_BYTES));
        Self { documents: broadcast::Sender::new(WAITING), bytes }
    }
}

impl Taps {
    /// Begins to look on: at the documents of these clusters that the filter wants.
    pub(crate) fn look_on(&self, scope: Scope, filter: Filter) -> Tap {
        Tap { documents: self.documents.subscribe(), scope, filter }
    }

    /// Whether somebody looks on.
    pub(super) fn are_open(&self) -> bool {
        self.documents.receiver_count() > 0
    }

    pub(super) fn show(&self, document: Document) {
        let bytes = document.source.len()
            + document.message.len()
            + document.terms.iter().map(String::len).sum::<usize>();
        let place =
            u32::try_from(bytes).ok().and_then(|bytes| self.bytes.clone().try_acquire_many_owned(bytes).ok());
        // Nobody may be looking on by now.
        let _ = self.documents.send(place.map(|place| Arc::new(Shown { document, _place: place })));
    }
}

impl Tap {
    /// Other rules are in force: from here on these clusters and this filter count.
    pub(crate) fn look_at(&mut self, scope: Scope, filter: Filter) {
        (self.scope, self.filter) = (scope, filter);
    }

    /// What comes next; none when the gateway ends.
    pub(crate) async fn next(&mut self) -> Option<Tapped> {
        loop {
            match self.documents.recv().await {
                Ok(Some(shown)) if self.wants(&shown.document) => return Some(Tapped::Document(shown)),
                Ok(Some(_)) => {}
                Ok(None) => return Some(Tapped::PassedOver(1)),
                Err(RecvError::Lagged(many)) => return Some(Tapped::PassedOver(many)),
                Err(RecvError::Closed) => return None,
            }
        }
    }

    fn wants(&self, document: &Document) -> bool {
        self.scope.0.contains(&document.stamp.uid) && self.filter.matches(document)
    }
}
