//! How a cluster stands, for people: what should be beside what is seen.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use trunkline_proto::{Epoch, Slot, StatusReport};

/// What is seen of a cluster.
#[derive(Clone, Debug, Default)]
pub(crate) struct Observed {
    pub(crate) links: Vec<ObservedLink>,
    pub(crate) report: StatusReport,
    pub(crate) last_seen: Option<SystemTime>,
    pub(crate) duplicate: Option<Duplicate>,
}

/// A link that is up.
#[derive(Clone, Debug)]
pub(crate) struct ObservedLink {
    pub(crate) slot: Slot,
    pub(crate) from: SocketAddr,
    pub(crate) epoch: Epoch,
    pub(crate) rtt: Option<Duration>,
    pub(crate) software: String,
    pub(crate) not_after: SystemTime,
    pub(crate) root: Option<String>,
}

/// Two agents that contend for a slot.
#[derive(Clone, Debug)]
pub(crate) struct Duplicate {
    pub(crate) slot: Slot,
    pub(crate) one: SocketAddr,
    pub(crate) other: SocketAddr,
    pub(crate) since: SystemTime,
}
