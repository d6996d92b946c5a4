//! The documents that arrive, for those who look on: the live tail.
//!
//! While nobody looks nothing is kept. Who looks and is too slow is told how many were passed over.

use std::sync::Arc;

use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use trunkline_logs::{Document, Filter, Scope};

/// How many documents wait for the slowest who looks on.
const WAITING: usize = 4096;

/// Where those who look on stand.
#[derive(Debug)]
pub(crate) struct Taps(broadcast::Sender<Arc<Document>>);

/// Somebody who looks on.
#[derive(Debug)]
pub(crate) struct Tap {
    documents: broadcast::Receiver<Arc<Document>>,
    scope: Scope,
    filter: Filter,
}

/// What somebody who looks on sees.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Tapped {
    /// A document that arrived.
    Document(Arc<Document>),
    /// So many were passed over, wanted or not.
    PassedOver(u64),
}

impl Default for Taps {
    fn default() -> Self {
        Self(broadcast::Sender::new(WAITING))
    }
}

impl Taps {
    /// Begins to look on: at the documents of these clusters that the filter wants.
    pub(crate) fn look_on(&self, scope: Scope, filter: Filter) -> Tap {
        Tap { documents: self.0.subscribe(), scope, filter }
    }

    /// Whether somebody looks on.
    pub(super) fn are_open(&self) -> bool {
        self.0.receiver_count() > 0
    }

    pub(super) fn show(&self, document: Document) {
        // Nobody may be looking on by now.
        let _ = self.0.send(Arc::new(document));
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
                Ok(document) if self.wants(&document) => return Some(Tapped::Document(document)),
                Ok(_) => {}
                Err(RecvError::Lagged(many)) => return Some(Tapped::PassedOver(many)),
                Err(RecvError::Closed) => return None,
            }
        }
    }

    fn wants(&self, document: &Document) -> bool {
        self.scope.0.contains(&document.stamp.uid) && self.filter.matches(document)
    }
}
