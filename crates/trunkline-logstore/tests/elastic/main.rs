//! The store over Elasticsearch and OpenSearch, against a store that does what it is told, and against a real one.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail by panic anywhere")]
#![allow(clippy::print_stderr, reason = "a test that is skipped says so")]

mod made;
#[allow(unreachable_pub, reason = "all tests use it")]
#[path = "../../../../tests/harness/prove.rs"]
mod prove;
mod fake;
mod writing;
mod failing;
mod asking;
mod real;
mod oracle;
