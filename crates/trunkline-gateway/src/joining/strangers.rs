//! Who came to the tunnel door and left before it was known for which cluster: with a wrong pin, say. No IO, no clock.
//!
//! Whose agent that was cannot be told for sure, so it is told to every cluster that waits for one, with the address.

use std::collections::VecDeque;
use std::net::SocketAddr;

use jiff::{SignedDuration, Timestamp};
use trunkline_api::JoinStall;

/// How many are remembered.
const MOST: usize = 16;
/// For how long one is taken for the agent that somebody waits for.
const FRESH: SignedDuration = SignedDuration::from_secs(600);
/// The longest text about one, in bytes.
const TEXT: usize = 256;

/// Somebody who came and left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stranger {
    pub(crate) from: SocketAddr,
    pub(crate) stall: JoinStall,
    /// What was seen of it.
    pub(crate) what: String,
    /// The first and the newest time in a row.
    pub(crate) first: Timestamp,
    pub(crate) last: Timestamp,
}

/// The newest strangers, the oldest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Strangers(VecDeque<Stranger>);

impl Strangers {
    /// Somebody came and left. Who comes from the same address for the same reason is the same one.
    pub(crate) fn note(&mut self, from: SocketAddr, stall: JoinStall, what: &str, now: Timestamp) {
        let same = |one: &Stranger| one.from.ip() == from.ip() && one.stall == stall;
        let before = self.0.iter().position(same).and_then(|at| self.0.remove(at));
        let what = what[..what.floor_char_boundary(TEXT)].to_owned();
        let first = before.map_or(now, |before| before.first);
        self.0.push_back(Stranger { from, stall, what, first, last: now });
        if self.0.len() > MOST {
            self.0.pop_front();
        }
    }

    /// The one who is most likely the agent that was waited for since then.
    pub(crate) fn likely(&self, since: Timestamp, now: Timestamp) -> Option<&Stranger> {
        let fresh = self.0.iter().filter(|one| one.last >= since && now.duration_since(one.last) < FRESH);
        fresh.max_by_key(|one| (likelihood(one.stall), one.last))
    }
}

/// A health check or somebody who looks at ports has no certificate; but nobody else than an agent doubts ours.
fn likelihood(stall: JoinStall) -> u8 {
    match stall {
        JoinStall::WrongPin => 3,
        JoinStall::ClockOff => 2,
        JoinStall::OtherName => 1,
        _ => 0,
    }
}
