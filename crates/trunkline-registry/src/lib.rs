//! The clusters that should exist, who may reach them, and where that is kept.
//!
//! A [`Registry`] answers reads from memory. A change is an order to one writer: it decides on the newest state,
//! commits many orders at once to the `store`, and only then shows the change, tells of it and answers. What was
//! answered survives `kill -9`.
//!
//! Invariants:
//! - what is seen is durable: nobody learns of a change before it is;
//! - decisions are pure functions of the state; the clock and randomness come from the caller;
//! - a join token is kept as a hash only, and pinning a key and using the token up are one change;
//! - a name that is registered again is another cluster: it inherits nothing;
//! - everything here is what people want and who was let in; what a tunnel does is not computed here.

mod record;
mod access;
mod object;
mod token;
mod rules;
mod audiences;
mod error;
mod state;
mod decide;
mod store;
mod writer;
mod registry;
#[doc(hidden)]
pub mod bare;

pub use access::EndedSession;
pub use audiences::{MAX_AUDIENCE, MAX_AUDIENCES, check_audiences, taken_by};
pub use error::{OpenError, RedeemError, RegistryError};
pub use record::{JoinRecord, KeyRecord, Record, SlotRecord, Used};
pub use registry::Registry;
pub use rules::{
    MAX_BY, MAX_CLUSTERS, MAX_DESCRIPTION, MAX_DISPLAY_NAME, MAX_ENDED, MAX_ENVIRONMENT, MAX_GROUPS,
    MAX_LABELS, MAX_REASON, MAX_RULES, MAX_SUBJECTS, check_access,
};
pub use token::JoinToken;
