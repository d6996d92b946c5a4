//! The store over Elasticsearch or OpenSearch.
//!
//! ```text
//! Document ─ index (dataset, day) ─ bulk ─ verdict ─ Outcome
//! Question ─ patterns, query ─ search ─ Hits, Slice, Top
//! ```
//!
//! What it needs of the store is the oldest and plainest there is: an index template, `_bulk` with `create`, `_search`, and the deletion of
//! an index. No data stream, no lifecycle of the store's, no plugin. A document's id is ours, so a bulk request that is sent twice stores once.
//!
//! Invariants:
//! - nothing is written before the index template is seen to be in force: no index gets a mapping that its documents make up;
//! - a document is stored when the store said 201 to it, by its id, in an answer that was read to its end;
//! - whatever is asked is asked of the clusters that may be seen: by a clause of the query always, by the names of indices where each
//!   cluster has its own;
//! - only what is named exactly as an index of ours is ever deleted.

mod config;
mod credential;
mod wire;
mod index;
mod template;
mod verdict;
mod bulk;
mod query;
mod search;
mod keep;
mod served;
mod writes;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use serde_json::Value;
use trunkline_logs::{Cursor, Day, Document, Field, Hits, Order, Question, Slice, Top};
use trunkline_runtime::Tasks;

use crate::days::{Retention, witness};
use crate::{Outcome, SearchError, Unavailable};
use bulk::Bulk;
use index::Index;
use keep::Seen;
use search::Searches;
use wire::Wire;
use writes::Writes;

pub use config::{BulkConfig, ElasticConfig, ElasticConfigError, Layout};
pub use credential::CredentialError;
pub use keep::{Product, Status};
pub use served::Served;

/// A store over Elasticsearch or OpenSearch.
#[derive(Debug)]
pub struct Elastic {
    wire: Wire,
    bulk: Bulk,
    searches: Searches,
    layout: Layout,
    retention: Retention,
    template: Value,
    /// One look at a time.
    looking: tokio::sync::Mutex<()>,
    seen: Mutex<Seen>,
    writes: Writes,
    last_error: Mutex<Option<String>>,
}

impl Elastic {
    /// A store as it is configured. Reads files; asks nothing yet.
    ///
    /// # Errors
    /// What is wrong with the configuration.
    pub fn new(config: &ElasticConfig, tasks: &Tasks) -> Result<Self, ElasticConfigError> {
        config.check()?;
        Ok(Self {
            wire: Wire::new(config, tasks)?,
            bulk: Bulk::new(config.bulk.clone()),
            searches: Searches::new(config.indices, config.search_seconds),
            layout: config.indices,
            retention: Retention(config.retention_days),
            template: template::template(config),
            looking: tokio::sync::Mutex::default(),
            seen: Mutex::default(),
            writes: Writes::default(),
            last_error: Mutex::default(),
        })
    }

    /// Sees to it that the store is one that can be used and that our index template is in force; looked at again after five minutes.
    /// Worth calling at start, for its error; [`Elastic::write`] does it as well.
    ///
    /// # Errors
    /// Why the store cannot be written to.
    pub async fn prepare(&self) -> Result<(), Unavailable> {
        let _look = self.looking.lock().await;
        if let Some(said) = self.seen().believed() {
            return said;
        }
        let product = keep::product(&self.wire).await;
        let said = match &product {
            Ok(_) => keep::prepare(&self.wire, &self.template).await,
            Err(unavailable) => Err(unavailable.clone()),
        };
        if said.is_ok() {
            // Which days are there says what today may be; where that may not be asked, our clock alone says it.
            let _ = self.listed().await;
        }
        self.seen().saw(product.ok(), said.clone());
        self.noted(said)
    }

    /// Stores documents, and says what became of each, in their order.
    ///
    /// # Errors
    /// When nothing is known about any of them: they are to be handed in again.
    pub async fn write(&self, documents: &[Document]) -> Result<Vec<Outcome>, Unavailable> {
        let said = self.hand_in(documents).await;
        self.writes.saw(Instant::now(), &said);
        said
    }

    async fn hand_in(&self, documents: &[Document]) -> Result<Vec<Outcome>, Unavailable> {
        self.prepare().await?;
        let witness = witness(&self.seen().days);
        let index_of = |document: &Document| Index::of(document, self.layout, self.retention, witness);
        self.noted(self.bulk.write(&self.wire, documents, index_of).await)
    }

    /// A page of at most [`MAX_HITS`](crate::MAX_HITS) documents, from behind a place on.
    ///
    /// # Errors
    /// When the store cannot be asked, or takes too long.
    pub async fn find(
        &self,
        question: &Question,
        order: Order,
        after: Option<Cursor>,
        limit: usize,
    ) -> Result<Hits, SearchError> {
        self.noted(self.searches.find(&self.wire, question, order, after, limit).await)
    }

    /// How many documents lie in each of at most [`MAX_SLICES`](crate::MAX_SLICES) slices of the question's time, the oldest first, the empty ones among them. By a
    /// field: of its ten most frequent values in the whole time, those that a slice has, in the order of the whole.
    ///
    /// # Errors
    /// When the store cannot be asked, takes too long, or has counted in part only.
    pub async fn histogram(
        &self,
        question: &Question,
        slices: usize,
        by: Option<&Field>,
    ) -> Result<Vec<Slice>, SearchError> {
        self.noted(self.searches.histogram(&self.wire, question, slices, by).await)
    }

    /// The most frequent values of a field, at most [`MAX_VALUES`](crate::MAX_VALUES).
    ///
    /// # Errors
    /// When the store cannot be asked, takes too long, or has counted in part only.
    pub async fn top(&self, question: &Question, field: &Field, most: usize) -> Result<Top, SearchError> {
        self.noted(self.searches.top(&self.wire, question, field, most).await)
    }

    /// Deletes the indices of days that are no longer kept, a few days at one time, and says which those were.
    ///
    /// # Errors
    /// When the store cannot be asked, or refuses; what was deleted before that stays so.
    pub async fn expire(&self, today: Day) -> Result<Vec<String>, Unavailable> {
        let mut listed = self.noted(self.listed().await)?;
        let there = listed.iter().map(|index| index.day).collect();
        let over = self.retention.over(&there, today);
        listed.retain(|index| over.contains(&index.day));
        self.noted(keep::delete(&self.wire, listed).await)
    }

    /// The indices that are ours.
    async fn listed(&self) -> Result<Vec<Index>, Unavailable> {
        let listed = keep::indices(&self.wire).await?;
        self.seen().days = listed.iter().map(|index| index.day).collect();
        Ok(listed)
    }

    /// Why the store takes nothing though it answers; none while it takes anything.
    fn write_fault(&self) -> Option<String> {
        self.writes.fault(Instant::now())
    }

    /// How the store is; asks it, and prepares it if that is due.
    pub async fn status(&self) -> Status {
        let (ready, product) = tokio::join!(self.prepare(), keep::product(&self.wire));
        let product = self.noted(product);
        let listed = if product.is_ok() { self.noted(self.listed().await) } else { Ok(Vec::new()) };
        let listed = listed.unwrap_or_default();
        Status {
            is_reachable: product.is_ok(),
            product: product.ok().or_else(|| self.seen().product.clone()),
            is_ready: ready.is_ok(),
            indices: listed.len(),
            oldest: listed.iter().map(|index| index.day).min(),
            write_fault: self.write_fault(),
            last_error: self.last_error.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers an error for [`Elastic::status`].
    fn noted<T, E: std::error::Error>(&self, result: Result<T, E>) -> Result<T, E> {
        if let Err(error) = &result {
            *self.last_error.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_string());
        }
        result
    }
}
