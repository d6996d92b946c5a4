//! What a store says.

use std::time::Duration;

/// What became of one document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is stored, durably.
    Stored,
    /// It was stored before.
    AlreadyThere,
    /// It will never be taken, whatever is tried: a dead letter.
    Rejected(String),
    /// It was not taken now; what else was handed in with it may have been.
    Later(String),
}

/// Why nothing is known about any of the documents handed in: hand them in again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the log store takes nothing: {why}; trying again")]
pub struct Unavailable {
    /// What happened, for people.
    pub why: String,
    /// When to try again, if the store says so.
    pub retry_after: Option<Duration>,
}

/// Why a search brought nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SearchError {
    /// It took too long, or would.
    #[error("the search was ended after {0} s; ask for less time, fewer clusters or rarer words")]
    TooMuch(u64),
    /// The store cannot be asked now.
    #[error("the log store cannot be asked: {0}; try again")]
    Unavailable(String),
    /// The store said something that makes no sense.
    #[error("the log store's answer is not understood: {0}")]
    Answer(String),
}
