//! Node log files, followed and handed in at an intake.
//!
//! ```text
//! scan ── which files there are, and which of them are which    follow, tracked
//! gather ─ a batch of records, in fair turns                     lines, record
//! deliver ─ to the intake, until it has answered for each        deliver, verdict
//! settle ─ and then how far each file is read                    checkpoint
//! ```
//!
//! A process of its own ([`Tail`]): it may look into the node's files and has no right in Kubernetes, where the agent has
//! rights and sees no file.
//!
//! Invariants:
//! - how far a file is read is written down only after the intake has answered for every record up to there;
//! - a record's `_id` is made of which file it stands in and where, so that what is sent again is stored once;
//! - where reading goes on after a crash decides nothing about what the records are: they are a function of the file;
//! - one batch is in flight, and while it is nothing more is read; files go on being opened, so that none is missed;
//! - nothing outside of the named folders is opened, and nothing but regular files.

mod config;
mod place;
mod lines;
mod identity;
mod record;
mod tracked;
mod checkpoint;
mod follow;
mod verdict;
mod deliver;
mod metrics;
mod tail;
#[doc(hidden)]
pub mod bare;

pub use config::{IntakeAddress, TailConfig, TailConfigError, TailLimits};
pub use tail::{Running, Tail, TailError};
