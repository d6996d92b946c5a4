//! What it said is kept is kept, in order, until it is told that it may go.
//!
//! ```text
//! append ── queue ── commit ── chunks ── segments ── reader          ack ── cursor ── segments go
//!           bounded  1 fsync   crc, zstd   files     as they lie             2 slots
//! ```
//!
//! A [`Spool`] is a folder of records on their way to somebody who is not always there. A [`Writer`] hands records in and is
//! answered once they are durable; many callers share one sync. A [`Reader`] yields them as the [`Chunk`]s in which they lie,
//! which are what travels; the other end takes those apart with nothing of this crate but the chunk's own module.
//! [`Spool::ack`] says through where they may go.
//!
//! Invariants:
//! - an answered append survives `kill -9` and the machine's end; one that was refused never comes out while the process
//!   lives;
//! - records come out in the order of their sequences, none twice without [`Reader::rewind`], and what is missing is told as
//!   a [`Gap`];
//! - nothing goes before it was acknowledged, but by a limit, and then it is counted;
//! - after a failed sync nothing of the page cache is trusted;
//! - damage costs the chunks it hits, never a panic and never what comes after;
//! - nothing here knows logs, HTTP or tunnels.

mod error;
mod epoch;
mod record;
mod chunk;
mod settings;
mod status;
mod folder;
mod format;
mod segments;
mod cursor;
mod scan;
mod gaps;
mod marks;
mod view;
mod recover;
mod store;
mod queue;
mod commit;
mod walk;
mod spool;
#[doc(hidden)]
pub mod bare;

pub use chunk::{CHUNK, Chunk, ChunkHead, Limits};
pub use epoch::{Epoch, NoEpoch};
pub use error::{BadChunk, NeverWritten, OpenError, ReadError, Refused};
pub use record::{MAX_RECORD, NewRecord, Record};
pub use settings::{Clock, Full, Settings};
pub use spool::{ChunkAt, Reader, Receipt, Spool, Writer};
pub use status::{Gap, Status};

#[cfg(test)]
mod tests;
