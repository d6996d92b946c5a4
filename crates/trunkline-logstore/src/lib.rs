//! Documents in, searches out.
//!
//! Two stores of one shape ([`LogStore`]): the embedded one, which is the default, and Elasticsearch or OpenSearch.
//!
//! Invariants:
//! - a document is answered as stored only when it survives the machine's end there;
//! - the same document handed in again is the same document;
//! - what is asked is asked within a [`Scope`](trunkline_logs::Scope), and nothing outside of it is found, counted or named;
//! - one document that is not taken holds no other up.

mod answer;
mod days;
mod store;
pub mod elastic;
pub mod embedded;

pub use answer::{Outcome, SearchError, Unavailable};
pub use store::{LogStore, MAX_HITS, MAX_SLICES, MAX_VALUES, Store, StoreStatus};
