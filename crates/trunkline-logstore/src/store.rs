//! What every store can.

use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use trunkline_logs::{Cursor, Day, Document, Field, Hits, Order, Question, Slice, Top};

use crate::{Outcome, SearchError, Unavailable};

/// The most documents of one answer.
pub const MAX_HITS: usize = 1000;
/// The most slices of a histogram.
pub const MAX_SLICES: usize = 200;
/// The most values of a field.
pub const MAX_VALUES: usize = 50;

/// How many bytes of documents a page has at most; one document is a page whatever its size.
pub(crate) const PAGE_BYTES: usize = 8 * 1024 * 1024;

/// A store, whichever it is.
pub type Store = Arc<dyn LogStore>;

/// What every store can.
pub trait LogStore: fmt::Debug + Send + Sync {
    /// Stores documents; answers with one outcome for each, in their order, once what is stored is durable.
    ///
    /// Documents of one slot's spool are handed in in the order of their sequences, by one caller at a time.
    fn write<'a>(&'a self, documents: &'a [Document]) -> BoxFuture<'a, Result<Vec<Outcome>, Unavailable>>;

    /// Finds documents, at most [`MAX_HITS`], behind a cursor if one is given.
    fn find<'a>(
        &'a self,
        question: &'a Question,
        order: Order,
        after: Option<Cursor>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Hits, SearchError>>;

    /// Counts documents in slices of time of one length, at most [`MAX_SLICES`], by the values of a field if one is given.
    fn histogram<'a>(
        &'a self,
        question: &'a Question,
        slices: usize,
        by: Option<&'a Field>,
    ) -> BoxFuture<'a, Result<Vec<Slice>, SearchError>>;

    /// The most frequent values of a field, at most [`MAX_VALUES`].
    fn top<'a>(
        &'a self,
        question: &'a Question,
        field: &'a Field,
        count: usize,
    ) -> BoxFuture<'a, Result<Top, SearchError>>;

    /// How it is.
    fn status(&self) -> StoreStatus;
}

/// How a store is, as far as it knows at this moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoreStatus {
    /// What it is: `embedded`, or the product with its version.
    pub kind: String,
    /// Why it takes nothing, or answers nothing, for people; none while it does.
    pub fault: Option<String>,
    /// How many documents it has.
    pub documents: Option<u64>,
    /// How many bytes they take on its disk.
    pub bytes: Option<u64>,
    /// The oldest day of which it has any.
    pub oldest_day: Option<Day>,
    /// How many were taken that cannot be found yet.
    pub waiting: u64,
    /// How many were taken and are gone before their time, for want of room or by damage, since this process opened it.
    pub lost: u64,
    /// What else somebody who runs it should know, a sentence each; none while all is well.
    pub notes: Vec<String>,
}
