//! As every store is used.

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use trunkline_logs::{Cursor, Document, Field, Hits, Order, Question, Slice, Top};

use super::Embedded;
use crate::{LogStore, Outcome, SearchError, StoreStatus, Unavailable};

impl LogStore for Embedded {
    fn write<'a>(&'a self, documents: &'a [Document]) -> BoxFuture<'a, Result<Vec<Outcome>, Unavailable>> {
        self.write(documents).boxed()
    }

    fn find<'a>(
        &'a self,
        question: &'a Question,
        order: Order,
        after: Option<Cursor>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Hits, SearchError>> {
        self.find(question, order, after, limit).boxed()
    }

    fn histogram<'a>(
        &'a self,
        question: &'a Question,
        slices: usize,
        by: Option<&'a Field>,
    ) -> BoxFuture<'a, Result<Vec<Slice>, SearchError>> {
        self.histogram(question, slices, by).boxed()
    }

    fn top<'a>(
        &'a self,
        question: &'a Question,
        field: &'a Field,
        count: usize,
    ) -> BoxFuture<'a, Result<Top, SearchError>> {
        self.top(question, field, count).boxed()
    }

    fn status(&self) -> StoreStatus {
        let status = self.status();
        StoreStatus {
            kind: "embedded".into(),
            fault: status.fault,
            documents: Some(status.documents),
            bytes: Some(status.bytes),
            oldest_day: status.oldest,
            waiting: status.waiting,
        }
    }
}
