//! The last times that links of each cluster came up, went and were refused. No IO; the time comes in.
//!
//! Invariants:
//! - of one cluster at most [`KEPT`] events are kept, and of at most [`CLUSTERS`] clusters: the one of which nothing was
//!   seen for the longest time is forgotten;
//! - what happened to another registration of a name is not told;
//! - who reads it is told from when on nothing is missing.

use std::collections::{HashMap, VecDeque};

use std::net::SocketAddr;
use std::sync::{Arc, PoisonError};

use jiff::Timestamp;
use trunkline_api::{LinkEvent, LinkEventKind};
use trunkline_proto::{CloseReason, ClusterId, ClusterUid, Lane, Slot};

use super::{Live, Tunnels};
use crate::joining::Event;

/// How many events of a cluster are kept.
const KEPT: usize = 20;
/// Of how many clusters.
const CLUSTERS: usize = 10_000;
/// The longest text of an event, in bytes.
const TEXT: usize = 256;

/// What happened to links.
#[derive(Debug)]
pub(super) struct History {
    clusters: HashMap<ClusterId, Events>,
    /// From when on nothing is missing of a cluster of which nothing is kept.
    since: Timestamp,
}

#[derive(Debug, Default)]
struct Events {
    /// Of which registration of the name, where that is known.
    uid: Option<ClusterUid>,
    newest_first: VecDeque<LinkEvent>,
    /// From when on nothing is missing, where some were let go.
    since: Option<Timestamp>,
}

impl History {
    /// One that begins now.
    pub(super) fn new(now: Timestamp) -> Self {
        Self { clusters: HashMap::new(), since: now }
    }

    /// Something happened to a cluster's link.
    fn note(&mut self, cluster: &ClusterId, uid: Option<ClusterUid>, mut event: LinkEvent) {
        event.detail.truncate(event.detail.floor_char_boundary(TEXT));
        if self.clusters.len() >= CLUSTERS && !self.clusters.contains_key(cluster) {
            self.forget_one();
        }
        let events = self.clusters.entry(cluster.clone()).or_default();
        if !events.are_of(uid) {
            *events = Events::default();
        }
        events.uid = uid.or(events.uid);
        if let Some(before) = events.newest_first.front().filter(|before| is_again(before, &event)) {
            event.times = before.times.saturating_add(1);
            events.newest_first.pop_front();
        }
        events.newest_first.push_front(event);
        if events.newest_first.len() > KEPT {
            events.newest_first.pop_back();
            events.since = events.newest_first.back().map(|oldest| oldest.when);
        }
    }

    /// What happened to a cluster's links, the newest first, and from when on nothing is missing.
    fn of(&self, cluster: &ClusterId, uid: Option<ClusterUid>) -> (Timestamp, Vec<LinkEvent>) {
        match self.clusters.get(cluster).filter(|events| events.are_of(uid)) {
            Some(events) => {
                (events.since.unwrap_or(self.since), events.newest_first.iter().cloned().collect())
            }
            None => (self.since, Vec::new()),
        }
    }

    /// What is forgotten counts for all of which nothing is kept: which one it was is not remembered.
    fn forget_one(&mut self) {
        let newest = |events: &Events| events.newest_first.front().map(|event| event.when);
        let oldest = self.clusters.iter().min_by_key(|(_, events)| newest(events)).map(|(id, _)| id.clone());
        let Some(gone) = oldest.and_then(|id| self.clusters.remove(&id)) else { return };
        for events in self.clusters.values_mut() {
            events.since.get_or_insert(self.since);
        }
        self.since = newest(&gone).unwrap_or(self.since).max(self.since);
    }
}

/// Whether an agent is refused as it was a moment ago: it comes again and again, and must not push out all else.
fn is_again(before: &LinkEvent, event: &LinkEvent) -> bool {
    let host = |event: &LinkEvent| event.from.rsplit_once(':').map(|(host, _)| host.to_owned());
    (before.what, event.what) == (LinkEventKind::Refused, LinkEventKind::Refused)
        && (before.slot, &before.reason) == (event.slot, &event.reason)
        && host(before) == host(event)
}

impl Events {
    fn are_of(&self, uid: Option<ClusterUid>) -> bool {
        self.uid.is_none() || uid.is_none() || self.uid == uid
    }
}

impl Tunnels {
    /// What happened to a cluster's links lately, the newest first, and from when on nothing is missing.
    pub(crate) fn history(
        &self,
        cluster: &ClusterId,
        uid: Option<ClusterUid>,
    ) -> (Timestamp, Vec<LinkEvent>) {
        self.shared.history.lock().unwrap_or_else(PoisonError::into_inner).of(cluster, uid)
    }

    /// A link is up.
    pub(super) fn note_up(&self, live: &Live) {
        if live.lane == Lane::Api {
            let (from, software) = (live.from, live.software.clone());
            self.shared.joinings.note(&live.cluster, Event::Up { from, software });
        }
        self.keep(&live.cluster, Some(live.identity.uid), of_live(live, LinkEventKind::Connected));
    }

    /// A link has gone, and perhaps the last by which requests came.
    pub(super) fn note_down(&self, live: &Arc<Live>, reason: &CloseReason, unreachable: bool) {
        if unreachable && live.lane == Lane::Api {
            self.shared.joinings.note(&live.cluster, Event::Down { why: reason.to_string() });
        }
        let gone = of_live(live, LinkEventKind::Disconnected);
        let gone = LinkEvent { reason: reason.as_str().into(), detail: reason.to_string(), ..gone };
        self.keep(&live.cluster, Some(live.identity.uid), gone);
    }

    /// An agent of a cluster was sent away.
    pub(crate) fn note_refused(
        &self,
        cluster: &ClusterId,
        uid: Option<ClusterUid>,
        (from, slot): (SocketAddr, Slot),
        reason: &str,
        why: &str,
    ) {
        let event = LinkEvent {
            when: Timestamp::now(),
            what: LinkEventKind::Refused,
            from: from.to_string(),
            slot: slot.0,
            lane: None,
            epoch: None,
            reason: reason.into(),
            detail: why.into(),
            times: 1,
        };
        self.keep(cluster, uid, event);
    }

    fn keep(&self, cluster: &ClusterId, uid: Option<ClusterUid>, event: LinkEvent) {
        self.shared.history.lock().unwrap_or_else(PoisonError::into_inner).note(cluster, uid, event);
    }
}

fn of_live(live: &Live, what: LinkEventKind) -> LinkEvent {
    let lane = match live.lane {
        Lane::Api => "api",
        Lane::Logs => "logs",
    };
    LinkEvent {
        when: Timestamp::now(),
        what,
        from: live.from.to_string(),
        slot: live.identity.slot.0,
        lane: Some(lane.into()),
        epoch: Some(live.epoch.0),
        reason: String::new(),
        detail: String::new(),
        times: 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn event(seconds: i64) -> LinkEvent {
        LinkEvent {
            when: at(seconds),
            what: LinkEventKind::Connected,
            from: "203.0.113.7:1".into(),
            slot: 0,
            lane: None,
            epoch: None,
            reason: String::new(),
            detail: "x".repeat(1_000),
            times: 1,
        }
    }

    #[test]
    fn of_a_cluster_the_newest_twenty_are_kept_and_it_is_told_since_when_nothing_is_missing() {
        let mut history = History::new(at(0));
        let id: ClusterId = "alpha".parse().unwrap();
        assert_eq!(history.of(&id, None), (at(0), Vec::new()));
        for second in 1..=20 {
            history.note(&id, None, event(second));
        }
        assert_eq!(history.of(&id, None).0, at(0));
        history.note(&id, None, event(21));
        let (since, events) = history.of(&id, None);
        assert_eq!((since, events.len()), (at(2), 20));
        assert_eq!((events[0].when, events[19].when), (at(21), at(2)));
        assert_eq!(events[0].detail.len(), TEXT);
        let (first, anew) = (ClusterUid::random(), ClusterUid::random());
        history.note(&id, Some(first), event(22));
        assert_eq!((history.of(&id, Some(first)).1.len(), history.of(&id, Some(anew)).1.len()), (20, 0));
        history.note(&id, Some(anew), event(23));
        assert_eq!(history.of(&id, Some(anew)), (at(0), vec![history.of(&id, None).1[0].clone()]));
    }

    #[test]
    fn who_is_refused_again_and_again_takes_one_place() {
        let mut history = History::new(at(0));
        let id: ClusterId = "alpha".parse().unwrap();
        history.note(&id, None, event(1));
        let refused = |second, from: &str| LinkEvent {
            what: LinkEventKind::Refused,
            from: from.into(),
            reason: "TokenUsed".into(),
            ..event(second)
        };
        for second in 2..100 {
            history.note(&id, None, refused(second, &format!("203.0.113.7:{second}")));
        }
        history.note(&id, None, refused(100, "203.0.113.8:1"));
        let told: Vec<_> = history.of(&id, None).1.iter().map(|event| (event.when, event.times)).collect();
        assert_eq!(told, [(at(100), 1), (at(99), 98), (at(1), 1)]);
    }

    #[test]
    fn of_one_cluster_too_many_the_quietest_is_forgotten_and_that_is_told() {
        let mut history = History::new(at(0));
        let named = |at: i64| -> ClusterId { format!("c{at}").parse().unwrap() };
        for one in 0..CLUSTERS as i64 {
            history.note(&named(one), None, event(1 + one));
        }
        history.note(&named(0), None, event(100_000));
        history.note(&named(CLUSTERS as i64), None, event(100_001));
        assert_eq!(history.clusters.len(), CLUSTERS);
        assert_eq!(history.of(&named(1), None), (at(2), Vec::new()), "nothing is known of it before");
        let (since, events) = history.of(&named(0), None);
        assert_eq!((since, events.len()), (at(0), 2), "of the others nothing is missing");
    }
}
