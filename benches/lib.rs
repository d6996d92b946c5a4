//! Rigs and payloads that the benches share.
//!
//! The parts run as processes of their own (the bench starts itself again in another role), so that the processor time
//! of gateway and agent can be told from that of load and upstream.

pub mod load;
pub mod records;
pub mod roles;
pub mod stats;
