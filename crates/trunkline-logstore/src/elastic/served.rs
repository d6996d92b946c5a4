//! As every store is used: by [`LogStore`], with what is done by itself beside it: old days go, and how the store is looked at.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tracing::{info, warn};
use trunkline_logs::{Cursor, Document, Field, Hits, Order, Question, Slice, Top};
use trunkline_runtime::Tasks;

use super::{Elastic, ElasticConfig, ElasticConfigError, Status};
use crate::days::today;
use crate::{LogStore, Outcome, SearchError, StoreStatus, Unavailable};

/// How often the store is looked at.
const LOOK: Duration = Duration::from_secs(30);
/// How often old days are looked for, in looks.
const EXPIRE: u64 = 20;

/// A store over Elasticsearch or OpenSearch that looks after itself. Clones share it.
#[derive(Clone, Debug)]
pub struct Served {
    elastic: Arc<Elastic>,
    seen: Arc<Mutex<StoreStatus>>,
}

impl Served {
    /// Begins to look after a store.
    ///
    /// # Errors
    /// What is wrong with the configuration.
    pub fn start(config: &ElasticConfig, tasks: &Tasks) -> Result<Self, ElasticConfigError> {
        let elastic = Arc::new(Elastic::new(config, tasks)?);
        let seen = StoreStatus { kind: "elasticsearch".into(), ..StoreStatus::default() };
        let served = Self { elastic, seen: Arc::new(Mutex::new(seen)) };
        tasks.spawn_until_stopped(served.clone().look_after());
        Ok(served)
    }

    async fn look_after(self) {
        for look in 0_u64.. {
            if let Err(error) = self.elastic.prepare().await {
                warn!(why = %error, "the log store cannot be used");
            } else if look % EXPIRE == 0 {
                match self.elastic.expire(today()).await {
                    Ok(gone) if gone.is_empty() => {}
                    Ok(gone) => info!(indices = gone.join(" "), "days that are no longer kept were deleted"),
                    Err(error) => warn!(why = %error, "days that are no longer kept were not deleted"),
                }
            }
            let status = shown(&self.elastic.status().await);
            *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = status;
            tokio::time::sleep(LOOK).await;
        }
    }
}

fn shown(status: &Status) -> StoreStatus {
    let kind = status.product.as_ref().map_or_else(|| "elasticsearch".to_owned(), ToString::to_string);
    let is_well = status.is_reachable && status.is_ready;
    let fault =
        (!is_well).then(|| status.last_error.clone().unwrap_or_else(|| "it was not asked yet".into()));
    StoreStatus { kind, fault, oldest_day: status.oldest, ..StoreStatus::default() }
}

impl LogStore for Served {
    fn write<'a>(&'a self, documents: &'a [Document]) -> BoxFuture<'a, Result<Vec<Outcome>, Unavailable>> {
        self.elastic.write(documents).boxed()
    }

    fn find<'a>(
        &'a self,
        question: &'a Question,
        order: Order,
        after: Option<Cursor>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Hits, SearchError>> {
        self.elastic.find(question, order, after, limit).boxed()
    }

    fn histogram<'a>(
        &'a self,
        question: &'a Question,
        slices: usize,
        by: Option<&'a Field>,
    ) -> BoxFuture<'a, Result<Vec<Slice>, SearchError>> {
        self.elastic.histogram(question, slices, by).boxed()
    }

    fn top<'a>(
        &'a self,
        question: &'a Question,
        field: &'a Field,
        count: usize,
    ) -> BoxFuture<'a, Result<Top, SearchError>> {
        self.elastic.top(question, field, count).boxed()
    }

    fn status(&self) -> StoreStatus {
        let mut status = self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
        // What the last look said is older than what the last documents met.
        status.fault = status.fault.or_else(|| self.elastic.write_fault());
        status
    }
}
