//! What both ends of the log lane agree on: datasets, entries, documents, filters. Pure: no IO, no clock.
//!
//! ```text
//! shipper's JSON ─ Entry ─ (spool, lane) ─ rebuild ─ Document ─ (store) ─ Filter, Question
//! ```
//!
//! An agent takes what a shipper says as an [`Entry`] and keeps it as it came; the gateway alone makes a [`Document`] of
//! it. What may be asked of documents is a [`Question`], whose [`Filter`] is a tree of ours; each store translates it, and
//! [`Filter::matches`] says what it means.
//!
//! Invariants:
//! - whose a document is comes from its [`Stamp`] and from nothing in the entry;
//! - one parser decides what a document is, and its text is written anew from what was parsed;
//! - an id is made of the stamp, so that what is sent again is the same document;
//! - nothing that comes from outside makes more than a bounded multiple of its size, or panics.

mod day;
mod entry;
mod id;
mod limits;
mod parse;
mod document;
mod facet;
mod time;
mod words;
mod filter;
mod question;

pub use day::Day;
pub use document::{Document, Rejected, Stamp, build, rebuild};
pub use entry::{ENTRY, Entry, InvalidEntry, OwnId};
pub use facet::{Facet, Facets, InvalidFacet};
pub use filter::{Field, Filter, InvalidFilter, Match};
pub use id::{DocumentId, InvalidId};
pub use limits::{
    MAX_ALL_TERMS_BYTES, MAX_DEPTH, MAX_FIELDS, MAX_RECORD_BYTES, MAX_TERM_BYTES, MAX_TERMS, TooMuch,
};
pub use parse::parse;
pub use question::{Cursor, Hit, Hits, Order, Question, Scope, Slice, Top};
pub use time::{MAX_AHEAD, MAX_BEHIND, parse_time};
pub use trunkline_proto::{Dataset, InvalidDataset, MAX_DATASETS, SpoolEpoch, SpoolReport};
pub use words::{MAX_WORD_LETTERS, words};
