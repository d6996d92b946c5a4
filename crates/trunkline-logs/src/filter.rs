//! Which documents somebody wants: a tree of ours, read from a line of text and translated by each store.
//!
//! ```text
//! app:web error -level:debug "connection refused" (pod:web-* OR http.status:503)
//! ```
//!
//! Words beside each other must all be there; `OR` and `-` (or `NOT`) are what they look like; a field is `name:value`, and
//! `value*` asks for a beginning. The names of [`Facet`]s, `cluster` and `dataset` are those; any other is the path of
//! a field of the shipper's. What a tree means is [`Filter::matches`]; stores translate it and never see a user's text as a
//! query of their own.
//!
//! Invariant: whatever the text, a tree has at most [`MAX_LEAVES`](read::MAX_LEAVES) leaves and a bounded depth, and no leaf is wider than the beginning of
//! a word of three letters.

mod eval;
mod read;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Facet;

pub use read::InvalidFilter;

/// Which documents are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Filter {
    /// All of them.
    #[default]
    All,
    /// Those that all of these want.
    And(Vec<Self>),
    /// Those that one of these wants.
    Or(Vec<Self>),
    /// Those that this does not want.
    Not(Box<Self>),
    /// Those whose message holds these words, in lower case, beside each other and in this order; one or more.
    Phrase(Vec<String>),
    /// Those whose message holds a word that begins so; in lower case, at least three letters.
    WordBegins(String),
    /// Those of which a field says something.
    Is(Field, Match),
}

/// What is asked for by name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Field {
    /// The cluster's id, as it was called when the record arrived.
    Cluster,
    /// The cluster's uid, whatever it is called.
    Uid,
    /// The dataset.
    Dataset,
    /// One of the things that most records say.
    Facet(Facet),
    /// A field of the shipper's, by its path; found by the document's terms.
    Path(String),
}

/// What a field must say. Letter case counts, but for levels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Match {
    /// This.
    Exactly(String),
    /// Something that begins so.
    Begins(String),
    /// Anything.
    Exists,
}

impl Field {
    /// The field of this name.
    pub fn named(name: &str) -> Self {
        match name {
            "cluster" => Self::Cluster,
            "cluster.uid" => Self::Uid,
            "dataset" => Self::Dataset,
            "ns" => Self::Facet(Facet::Namespace),
            other => other.parse().map(Self::Facet).unwrap_or_else(|_| Self::Path(other.to_owned())),
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Self::Cluster => "cluster",
            Self::Uid => "cluster.uid",
            Self::Dataset => "dataset",
            Self::Facet(facet) => facet.name(),
            Self::Path(path) => path,
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
