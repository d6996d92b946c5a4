//! The rig: a gateway, agents and upstreams in one process, on port 0, with certificates made in memory.
//!
//! ```text
//! Client ── front door ─ Rig's gateway ─ tunnel door ── Rig's agent ── FakeUpstream
//! ```
//!
//! A test or a bench raises a [`Rig`], takes a [`Client`] from it and looks at what a [`FakeUpstream`] saw. What is
//! under test is the product's own `bind`, `serve`, `drain` and `cut`; everything else here is a fake that does as
//! little as it can.
//!
//! Invariants:
//! - nothing here sleeps for a fixed time to wait for something: [`eventually`] polls a condition under a bound, and
//!   [`within`] bounds a future;
//! - nothing listens anywhere but on loopback; on a port of the kernel's choice, where whoever listens can be told so.
//!
//! What is only true of processes is in [`fleet`], and the programs of others are in [`real_parts`].

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a rig that cannot be raised fails its test at once"
)]

mod paper;
mod rig;
mod client;
mod raw;
mod raw_http2;
mod ledger;
pub mod paths;
mod upstream;
mod script;
mod shipper;
mod raw_upstream;
mod connect_proxy;
mod enrolling;
mod far_end;
mod issuer;
mod kept_secret;
mod load;
mod bodies;
mod browser;
mod tab;
mod logs;
mod wait;
mod prove;
mod process;
pub mod command;
pub mod fleet;
pub mod real_parts;

pub use bodies::{BodySender, channel, repeated};
pub use browser::{Browser, SESSION_COOKIE};
pub use client::{Client, Connection, Reply};
pub use connect_proxy::{ConnectProxy, ProxyRules};
pub use enrolling::{Enrolling, post};
pub use far_end::{FarEnd, Turned};
pub use issuer::{FakeIssuer, Manner, SignedWith, unsigned};
pub use kept_secret::KeptSecret;
pub use ledger::{Balance, Ledger};
pub use load::{Load, Outcome};
pub use logs::{Line, Logs};
pub use paper::Paper;
pub use process::{Process, binary};
pub use prove::{Count, count};
pub use raw::{Answer, Raw};
pub use raw_http2::{RawHttp2, block, frame};
pub use raw_upstream::RawUpstream;
pub use rig::{Cluster, Rig, RigBuilder, intake_config, new_cluster};
pub use shipper::{hand_in, hand_in_with};
pub use tab::{Tab, WebSocket};
pub use upstream::{FakeUpstream, Seen, Wire};
pub use wait::{eventually, pass, rss_bytes, wait_until, within};
