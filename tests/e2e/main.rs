//! The whole path in one process: client, gateway, tunnel, agent, API server.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail by panic anywhere")]

mod addressing;
