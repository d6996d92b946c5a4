//! The way of a log line: real shippers that follow a file, and a real OpenSearch at the end.
//!
//! ```text
//! a file ── rsyslog | Filebeat | OpenTelemetry Collector ── [PassThrough] ── OpenSearch
//! ```
//!
//! What is proven here without the product is the ground that the product stands on: each of these shippers, straight
//! into OpenSearch, delivers every line once. The parts come from `tests/real-parts`; where they cannot be had,
//! nothing is tested and that is said, except in CI (`CI` is set), where it fails.
//!
//! Invariants:
//! - whatever is started ends with the value that stands for it, and with the test's thread if that dies first;
//! - everything listens on loopback, and keeps what it keeps in a temporary folder of its test.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail by panic anywhere")]

mod stage;
mod opensearch;
mod shippers;
mod pass_through;
mod delivery;
mod fleet;
mod writer;
mod way;
mod moody;
mod parts;
mod status;
mod lane;
mod faults;
mod refusing;
mod one_index;
mod full;
mod midnight;
