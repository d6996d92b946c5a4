//! The way of a log line: real shippers that follow a file, the product as processes, and a real OpenSearch at the end.
//!
//! ```text
//! delivery   a file ── rsyslog | Filebeat | OpenTelemetry Collector ── [PassThrough] ── OpenSearch
//! lane       a file ── the same ── agent ══ gateway ── OpenSearch | the embedded store
//! faults     Writer ── agent ══ [Way] ══ gateway ── [Moody] ── OpenSearch | the embedded store
//! ```
//!
//! `delivery` is the ground that the product stands on: each of these shippers, straight into OpenSearch, delivers every line once. Then
//! the same canaries go the whole way. Then things are killed, cut, filled and refused, while writers keep ledgers of what
//! was answered with yes: all of it is found, once. The parts come from `tests/real-parts`; where they cannot be had,
//! nothing of theirs is tested and that is said, except in CI (`CI` is set), where it fails.
//!
//! Invariants:
//! - whatever is started ends with the value that stands for it, and with the test's thread if that dies first;
//! - everything listens on loopback, and keeps what it keeps in a temporary folder of its test.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail by panic anywhere")]
#![allow(clippy::print_stdout, reason = "what was counted is printed")]

mod stage;
mod parts;
mod delivery;
mod writer;
mod way;
mod moody;
mod status;
mod lane;
mod alike;
mod faults;
mod refusing;
mod one_index;
mod full;
mod midnight;
