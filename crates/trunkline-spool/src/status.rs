//! How a spool is, at one moment.

use std::time::SystemTime;

use crate::epoch::Epoch;

/// Sequences, both ends included, whose records are gone without having been acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The first.
    pub from: u64,
    /// The last.
    pub to: u64,
}

/// How a spool is, at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Which folder it is, as long as there is one. Records go under the epochs of the lives that brought them, see
    /// [`ChunkAt::epoch`](crate::ChunkAt::epoch).
    pub folder: Epoch,
    /// The newest durable record; 0 before the first.
    pub last: u64,
    /// Through where it was acknowledged.
    pub acked: u64,
    /// How many records wait to be acknowledged.
    pub records: u64,
    /// How many bytes lie on the disk: of whole segments, so that some of them may be acknowledged already.
    pub bytes: u64,
    /// How many may.
    pub cap: u64,
    /// When the oldest record that is not acknowledged was spooled: never later than it was, and earlier by what one
    /// segment holds at the most.
    pub oldest: Option<SystemTime>,
    /// How many gaps there were, and how many records were in them, since this process opened the spool.
    pub gaps: u64,
    /// See `gaps`.
    pub lost: u64,
    /// Why the disk did not do what it was told when it was last tried; none if it did.
    pub fault: Option<String>,
}
