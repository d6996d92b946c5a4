//! What log shippers talk to: they believe that it is Elasticsearch, or an OTLP receiver.
//!
//! ```text
//! accept ─ token ─ route ─ body ─ read ─────────── batch ── keep ── answer
//!                          inflate  bulk or otlp     │        │       by item
//!                          line by line              budget   spool
//! ```
//!
//! An [`Intake`] has a [spool](trunkline_spool::Spool) for each dataset. A request's records are looked at one by one, collected, and kept all
//! together or not at all; who sent them is answered once they are durable.
//!
//! Invariants:
//! - a yes means that the records are on the disk; a body that was cut, or did not parse, leaves nothing;
//! - a bad record is refused by itself, with its reason; those beside it are kept;
//! - the dataset comes from the door or the path; of what a shipper says beside its documents only its `_id` is looked at;
//! - a document goes on as it came: it is looked at, and not rebuilt;
//! - what a request takes in memory is counted before it is taken, against the request's limit and all requests' together;
//! - no address takes all connections, requests or memory, and no body holds them without coming;
//! - nothing that a shipper asks is passed on to anybody, changes anything but the spool, or tells more than that this is
//!   an intake.

mod config;
mod intake;
mod door;
mod tokens;
mod route;
mod service;
mod places;
mod budget;
mod body;
mod look;
mod batch;
mod refusal;
mod bulk;
mod elastic;
mod otlp;
mod keep;
mod metrics;
mod status;
mod report;
#[doc(hidden)]
pub mod bare;

pub use body::{MAX_BODY, MAX_WHOLE};
pub use bulk::MAX_ITEMS;
pub use config::{DatasetConfig, IntakeConfig, IntakeLimits, SpoolConfig, WhenFull};
pub use intake::{Intake, IntakeError};
pub use report::report;
pub use status::Status;
