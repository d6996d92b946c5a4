//! An intake on loopback, with its spools on the disk, and shippers that speak to it over TCP.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail by panic anywhere")]

mod rig;
mod shippers;
mod bulk;
mod bad_bodies;
mod cut;
mod limits;
mod push_back;
mod otlp;
mod doors;
mod throughput;
