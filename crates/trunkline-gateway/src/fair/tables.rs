//! What users and clusters have under way. No IO, and no clock but the one that is handed in.
//!
//! Invariants:
//! - what was counted is uncounted once, by the same names;
//! - who has nothing under way is forgotten when the table is full, so that it never holds more entries than
//!   [`REMEMBERED`] and those who have something under way, who are no more than there are requests.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::time::Instant;
use trunkline_proto::ClusterId;

use super::excess::{Excess, Limit};
use crate::bucket::{Bucket, Rate};

/// Users, and clusters, of whom more is remembered than what they have under way; over it, all who have nothing are forgotten: their
/// buckets are full again a moment early.
const REMEMBERED: usize = 16_384;
/// How many requests a user may always have, short as the places may be: of many places, this many.
const FEW: usize = 8;

/// What one user or one cluster may.
#[derive(Clone, Copy, Debug)]
pub(super) struct Most {
    pub(super) requests: usize,
    pub(super) opens: Rate,
}

/// Places that all share.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    pub(super) most: usize,
    /// How many would be left if the request is let in.
    pub(super) free: usize,
}

impl Room {
    /// Whether who has `held` of the places has too many to get another: once three quarters are taken, nobody gets
    /// more than what is left for all others (dynamic thresholds: Choudhury and Hahne 1998). A few are everybody's.
    fn is_too_small_for(self, held: usize) -> bool {
        let few = (self.most / 64).clamp(1, FEW);
        self.free < self.most / 4 && held > self.free && held >= few
    }
}

/// What users and clusters have under way.
#[derive(Debug, Default)]
pub(super) struct Tables {
    users: HashMap<Arc<str>, User>,
    clusters: HashMap<ClusterId, Cluster>,
}

#[derive(Debug, Default)]
struct User {
    held: usize,
    opens: Bucket,
    bytes: Bucket,
}

#[derive(Debug, Default)]
struct Cluster {
    held: usize,
    opens: Bucket,
    bytes: Bucket,
    /// What each user has of it.
    users: HashMap<Arc<str>, usize>,
}

impl Tables {
    /// Counts a request of a user.
    pub(super) fn begin(
        &mut self,
        user: &str,
        most: Most,
        room: Room,
        now: Instant,
    ) -> Result<Arc<str>, Excess> {
        let name = match self.users.get_key_value(user) {
            Some((name, _)) => name.clone(),
            None => {
                self.make_room(now);
                user.into()
            }
        };
        let entry = self.users.entry(name.clone()).or_default();
        if entry.held >= most.requests {
            return Err(Excess::new(Limit::UserRequests, most.requests as u64));
        }
        if room.is_too_small_for(entry.held) {
            return Err(Excess::new(Limit::UserShare, entry.held as u64));
        }
        let late = |wait| Excess::new(Limit::UserOpens, most.opens.per_second).after(wait);
        entry.opens.take(most.opens, 1, now).map_err(late)?;
        entry.held += 1;
        Ok(name)
    }

    /// Counts a request, that [`begin`](Self::begin) counted, at its cluster. `streams` is how many the cluster's tunnel
    /// has in all; none for one that is reached otherwise or not at all.
    pub(super) fn reach(
        &mut self,
        user: &Arc<str>,
        cluster: &ClusterId,
        (most, room, streams): (Most, Room, usize),
        now: Instant,
    ) -> Result<(), Excess> {
        if self.clusters.len() >= REMEMBERED && !self.clusters.contains_key(cluster) {
            self.clusters.retain(|_, entry| entry.held > 0);
        }
        let entry = self.clusters.entry(cluster.clone()).or_default();
        if entry.held >= most.requests {
            return Err(Excess::new(Limit::ClusterRequests, most.requests as u64).at(cluster));
        }
        let held = entry.users.get(user).copied().unwrap_or(0);
        // Who has nothing there is not to pay for others who have much.
        if held > 0 && room.is_too_small_for(entry.held) {
            return Err(Excess::new(Limit::ClusterShare, entry.held as u64).at(cluster));
        }
        let tunnel = Room { most: streams, free: streams.saturating_sub(entry.held + 1) };
        if streams > 0 && tunnel.is_too_small_for(held) {
            return Err(Excess::new(Limit::UserStreams, held as u64).at(cluster));
        }
        let late = |wait| Excess::new(Limit::ClusterOpens, most.opens.per_second).at(cluster).after(wait);
        entry.opens.take(most.opens, 1, now).map_err(late)?;
        entry.held += 1;
        *entry.users.entry(user.clone()).or_default() += 1;
        Ok(())
    }

    /// A request is over.
    pub(super) fn end(&mut self, user: &Arc<str>, cluster: Option<&ClusterId>, now: Instant) {
        if let Some(entry) = self.users.get_mut(user) {
            entry.held = entry.held.saturating_sub(1);
        }
        let Some(cluster) = cluster else { return };
        let Some(entry) = self.clusters.get_mut(cluster) else { return };
        entry.held = entry.held.saturating_sub(1);
        if let Some(held) = entry.users.get_mut(user) {
            *held = held.saturating_sub(1);
            if *held == 0 {
                entry.users.remove(user);
            }
        }
        if entry.held == 0 && entry.opens.is_full(now) && entry.bytes.is_full(now) {
            self.clusters.remove(cluster);
        }
    }

    /// The buckets of bytes that a request pays from.
    pub(super) fn bytes(
        &mut self,
        user: &Arc<str>,
        cluster: Option<&ClusterId>,
    ) -> (Option<&mut Bucket>, Option<&mut Bucket>) {
        let user = self.users.get_mut(user).map(|entry| &mut entry.bytes);
        let cluster = cluster.and_then(|cluster| self.clusters.get_mut(cluster));
        (user, cluster.map(|entry| &mut entry.bytes))
    }

    /// Requests under way.
    #[cfg(test)]
    pub(super) fn held(&self) -> (usize, usize) {
        (self.users.values().map(|user| user.held).sum(), self.clusters.values().map(|it| it.held).sum())
    }

    #[cfg(test)]
    pub(super) fn remembered(&self) -> usize {
        self.users.len()
    }

    /// Room for another user.
    fn make_room(&mut self, now: Instant) {
        let resting = |users: &HashMap<Arc<str>, User>| users.values().filter(|user| user.held == 0).count();
        if self.users.len() < REMEMBERED {
            return;
        }
        if resting(&self.users) >= REMEMBERED {
            self.users
                .retain(|_, user| user.held > 0 || !user.opens.is_full(now) || !user.bytes.is_full(now));
        }
        if resting(&self.users) >= REMEMBERED {
            self.users.retain(|_, user| user.held > 0);
        }
    }
}
