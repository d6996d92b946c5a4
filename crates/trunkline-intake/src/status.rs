//! What came of what shippers brought, for people.

use std::sync::atomic::{AtomicU64, Ordering};

use trunkline_logs::Dataset;

/// What a dataset took since the process started.
#[derive(Clone, Debug)]
pub struct Status {
    /// Its name.
    pub dataset: Dataset,
    /// Requests that brought records, refused ones included.
    pub requests: u64,
    /// Requests of which nothing was kept.
    pub requests_refused: u64,
    /// Records kept.
    pub records: u64,
    /// Records refused by themselves.
    pub records_refused: u64,
    /// Bytes of JSON text of those kept.
    pub bytes: u64,
    /// Why the last request was refused of which nothing was kept; none if there was none.
    pub last_refusal: Option<String>,
    /// How its spool is.
    pub spool: trunkline_spool::Status,
}

/// The same, while it is counted.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) requests: AtomicU64,
    pub(crate) requests_refused: AtomicU64,
    pub(crate) records: AtomicU64,
    pub(crate) records_refused: AtomicU64,
    pub(crate) bytes: AtomicU64,
}

/// One more, or many.
pub(crate) fn add(count: &AtomicU64, more: u64) {
    count.fetch_add(more, Ordering::Relaxed);
}

/// How many.
pub(crate) fn get(count: &AtomicU64) -> u64 {
    count.load(Ordering::Relaxed)
}
