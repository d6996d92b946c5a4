//! A record as it stands in the store: parsed, stamped and written anew.
//!
//! ```text
//! {"@timestamp": …, "message": …, "cluster": {"id": …, "uid": …}, "trunkline": {…}, and what the shipper said}
//! ```
//!
//! The fields of the shipper stay at the root, under their own names. `@timestamp`, `message`, `cluster` and `trunkline` are
//! ours: whatever stood there, spelled as an object or with dots, is written over or left out. Everything that a store
//! indexes is among ours, so nothing that a cluster says can spoil a mapping, or be taken for another cluster's.

mod build;

use bytes::Bytes;
use trunkline_proto::{ClusterId, ClusterUid, Slot};

use crate::{Dataset, Day, DocumentId, Entry, Facets, InvalidEntry, SpoolEpoch, TooMuch};

pub use build::{build, rebuild};

/// Where a record comes from, as the gateway knows it: from the tunnel's certificate, the head and the spool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The name of its cluster.
    pub cluster: ClusterId,
    /// The uid of its cluster.
    pub uid: ClusterUid,
    /// The agent's slot.
    pub slot: Slot,
    /// Its dataset.
    pub dataset: Dataset,
    /// The life of the spool that it comes from.
    pub spool: SpoolEpoch,
    /// Its number in there.
    pub sequence: u64,
    /// The day on which it was spooled.
    pub day: Day,
    /// When it arrived at the gateway, in milliseconds since 1970.
    pub arrived: i64,
}

/// A record as it stands in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// What it is known by.
    pub id: DocumentId,
    /// Whether its id was made of one of the shipper's: then the store looks whether it has it, whatever its number.
    pub has_own_id: bool,
    /// Where it comes from.
    pub stamp: Stamp,
    /// When it happened, in milliseconds since 1970.
    pub time: i64,
    /// What it says.
    pub message: String,
    /// What most records say.
    pub facets: Facets,
    /// `path=value` of its fields, at most [`MAX_TERMS`](crate::MAX_TERMS), each at most
    /// [`MAX_TERM_BYTES`](crate::MAX_TERM_BYTES) long.
    pub terms: Vec<String>,
    /// The whole of it: the text of a JSON object.
    pub source: String,
}

/// Why a record makes no document: it is a dead letter.
#[derive(Debug, thiserror::Error)]
pub enum Rejected {
    /// It is no entry.
    #[error(transparent)]
    Entry(#[from] InvalidEntry),
    /// It does not keep to the limits.
    #[error(transparent)]
    TooMuch(#[from] TooMuch),
    /// It does not parse.
    #[error("it is not JSON")]
    Json(#[from] serde_json::Error),
    /// It parses, but as something else.
    #[error("it is JSON, but not an object")]
    NoObject,
}

impl Document {
    /// The document of a spooled record's bytes.
    ///
    /// # Errors
    /// When they are no entry of an object within the limits.
    pub fn read(stamp: Stamp, record: Bytes) -> Result<Self, Rejected> {
        rebuild(stamp, &Entry::decode(record)?)
    }
}

#[cfg(test)]
mod tests;
