//! What was decided and done, kept so that nobody can change it unseen.
//!
//! ```text
//! write ── queue ── writer ── chain ── segments          query, follow ── cursor ┐
//!          bounded  one thread  hash    files of lines   verify ──────────────── segments
//! ```
//!
//! An [`AuditLog`] takes events into a bounded queue; one thread numbers them, chains each to the one before by its
//! hash, writes many at once and syncs once. Who must know that an event is durable waits for that ([`Written::durable`]),
//! who need not, drops it. What sessions showed goes to recordings beside the log ([`Recording`]); their hashes stand
//! in the chain.
//!
//! Invariants:
//! - a record is a line of JSON whose hash is over all of its other bytes, the hash of the record before among them;
//!   nothing that was written is written again;
//! - what was answered as durable survives `kill -9` and the machine's end;
//! - what was taken into the queue is written as soon as the disk takes it; what does not fit is refused;
//! - whether a chain is whole can be told from the files alone, without the gateway; whether its end is there, with
//!   a head that was kept elsewhere;
//! - nothing here knows HTTP servers, tunnels or who may do what.

mod error;
mod line;
mod segments;
mod metrics;
mod queue;
mod chain;
mod repair;
mod retention;
mod writer;
mod log;
mod cursor;
mod query;
mod verify;
mod recording;
mod channels;
mod tap;

pub use channels::{Event, Frames, Protocol};
pub use cursor::Follow;
pub use error::{NotWritten, OpenError, ReadError, Refused};
pub use log::{AuditLog, Options, Written};
pub use metrics::Metrics;
pub use recording::{Recording, RecordingFault, Session};
pub use tap::Tap;
pub use verify::verify;
