//! What is asked of a store, and what it answers: one model for every store.

use serde::{Deserialize, Serialize};
use trunkline_proto::ClusterUid;

use crate::{DocumentId, Field, Filter};

/// The clusters that may be seen: the gateway says so from who asks. None, and nothing is found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope(pub Vec<ClusterUid>);

/// Which documents, of when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The clusters that may be seen, whatever the filter says.
    pub scope: Scope,
    /// Which of their documents.
    pub filter: Filter,
    /// From this moment on, in milliseconds since 1970.
    pub from: i64,
    /// Before this moment, in milliseconds since 1970.
    pub to: i64,
}

/// Which come first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// The newest.
    #[default]
    Newest,
    /// The oldest.
    Oldest,
}

/// A place between two documents: those of one moment are in the order of their ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Cursor {
    /// When it happened.
    pub time: i64,
    /// What it is known by.
    pub id: DocumentId,
}

/// A document that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    /// Its place.
    pub at: Cursor,
    /// The whole of it: a JSON object.
    pub source: serde_json::Map<String, serde_json::Value>,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Hits {
    /// The documents, in the order that was asked for.
    pub hits: Vec<Hit>,
    /// Where the next page begins; none if this was the last.
    pub next: Option<Cursor>,
    /// Why there may be more than was found, for people; none if the search was whole.
    pub partial: Option<String>,
}

/// How many documents lie in one slice of time, by what one field says of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Slice {
    /// The first moment of the slice, in milliseconds since 1970.
    pub begins: i64,
    /// How many documents.
    pub count: u64,
    /// How many of each value; what has none, or is beyond the ten most frequent, is not among them.
    pub by: Vec<(String, u64)>,
}

/// The values of a field, the most frequent first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Top {
    /// The field.
    pub field: Field,
    /// How many documents say each value.
    pub values: Vec<(String, u64)>,
    /// How many documents say something.
    pub with: u64,
}
