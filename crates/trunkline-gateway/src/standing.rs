//! How a cluster stands, for people: what should be beside what is seen. Pure: facts and the time come in.
//!
//! The first that holds of: locked, contended for, connected (or degraded, when something behind the tunnel is wrong),
//! joining, disconnected.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use trunkline_api::{ClusterState, ClusterStatus, Lock, Origin, SlotStatus};
use trunkline_proto::{Epoch, IdentityMode, Slot, StatusReport, UpstreamState};
use trunkline_registry::Record;

/// What is seen of a cluster.
#[derive(Clone, Debug, Default)]
pub(crate) struct Observed {
    /// The links that are up, in the order in which they came.
    pub(crate) links: Vec<ObservedLink>,
    /// The agent's newest report.
    pub(crate) report: StatusReport,
    /// When a link was last up, as far as this gateway saw it.
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
    pub(crate) identity: IdentityMode,
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

/// What should be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Desired<'a> {
    /// It stands in the registry.
    Registered(&'a Record),
    /// It stands in the gateway's file, with these audiences of tokens that go through to it.
    Declared(&'a [String]),
    /// It is the gateway's own cluster, reached without a tunnel.
    Management,
}

impl<'a> Desired<'a> {
    /// Whom the tokens must be for that go through to it.
    fn pass_through(self) -> &'a [String] {
        match self {
            Self::Registered(record) => &record.manifest.pass_through,
            Self::Declared(audiences) => audiences,
            Self::Management => &[],
        }
    }

    fn identity(self) -> IdentityMode {
        if self.pass_through().is_empty() { IdentityMode::Impersonate } else { IdentityMode::PassThrough }
    }
}

/// How a cluster stands.
pub(crate) fn status(desired: Desired<'_>, observed: &Observed, now: Timestamp) -> ClusterStatus {
    let record = match desired {
        Desired::Registered(record) => Some(record),
        Desired::Declared(_) | Desired::Management => None,
    };
    let direct = matches!(desired, Desired::Management);
    let noted = observed.last_seen.and_then(timestamp);
    let before = noted.max(record.and_then(Record::last_sign));
    let up = !observed.links.is_empty();
    let (state, reason) = state(desired, observed, before, now);
    ClusterStatus {
        state,
        reason,
        last_seen: if up { Some(now) } else { before },
        rtt_ms: observed.links.iter().filter_map(|link| link.rtt).min().map(milliseconds),
        agent_version: newest(&observed.links).map(|link| link.software.clone()),
        kubernetes_version: observed.report.kubernetes.clone(),
        nodes: observed.report.nodes,
        identity: newest(&observed.links).map(|link| link.identity),
        pass_through: desired.pass_through().to_vec(),
        slots: if direct { Vec::new() } else { slots(record, &observed.links, now) },
        certificate_not_after: observed.links.iter().map(|link| link.not_after).min().and_then(timestamp),
        origin: match desired {
            Desired::Registered(_) => Origin::Registry,
            Desired::Declared(_) => Origin::File,
            Desired::Management => Origin::Management,
        },
        join_expires: record.and_then(|record| usable_until(record, now)),
        joining: None,
    }
}

/// Until when a cluster's join token may be used; none if there is none to use.
pub(crate) fn usable_until(record: &Record, now: Timestamp) -> Option<Timestamp> {
    let join = record.join.as_ref()?;
    (join.used.is_none() && join.expires > now).then_some(join.expires)
}

/// A moment of the calendar as the API has it; none for what lies beyond it.
pub(crate) fn timestamp(when: SystemTime) -> Option<Timestamp> {
    Timestamp::try_from(when).ok()
}

/// A span in milliseconds, to a hundredth.
pub(crate) fn milliseconds(span: Duration) -> f64 {
    (span.as_secs_f64() * 100_000.0).round() / 100.0
}

fn state(
    desired: Desired<'_>,
    observed: &Observed,
    before: Option<Timestamp>,
    now: Timestamp,
) -> (ClusterState, String) {
    if let Desired::Registered(record) = desired
        && let Some(lock) = &record.spec.locked
    {
        return (ClusterState::Locked, locked(lock));
    }
    if let Some(Duplicate { slot, one, other, since }) = &observed.duplicate {
        let since = timestamp(*since).unwrap_or(now);
        let reason = format!(
            "two agents contend for slot {slot}, one at {one} and one at {other}, since {since:.0}; find out which is \
             yours, and lock the cluster if its key was stolen"
        );
        return (ClusterState::DuplicateIdentity, reason);
    }
    match desired {
        Desired::Management => behind(&observed.report, "the gateway"),
        _ if observed.links.iter().any(|link| link.identity != desired.identity()) => {
            (ClusterState::Degraded, other_mode(desired.identity()))
        }
        _ if !observed.links.is_empty() => behind(&observed.report, "the agent"),
        Desired::Registered(record) if record.key.is_none() => {
            let reason = match usable_until(record, now) {
                Some(until) => format!("no agent has come yet; its join token may be used until {until:.0}"),
                None => "no agent has come, and its join token has ended; ask for a new one".into(),
            };
            (ClusterState::Joining, reason)
        }
        Desired::Registered(_) | Desired::Declared(_) => {
            let reason = match before {
                Some(when) => format!("no link is up; its agent was last there at {when:.0}"),
                None => "no link is up, and none was since this gateway started".into(),
            };
            (ClusterState::Disconnected, reason)
        }
    }
}

/// Why an agent is given no request that is told whose it is in another way than the cluster is registered for.
fn other_mode(registered: IdentityMode) -> String {
    let (is, runs) = match registered {
        IdentityMode::PassThrough => ("in pass-through mode here", "impersonates"),
        IdentityMode::Impersonate => ("not in pass-through mode here", "passes tokens through"),
    };
    format!(
        "the cluster is {is}, and its agent {runs}: apply the newest manifest, or say it here as it is there"
    )
}

/// How what is behind the tunnel is, as whoever asks the API server says.
fn behind(report: &StatusReport, who: &str) -> (ClusterState, String) {
    match (report.upstream, &report.kubernetes) {
        (UpstreamState::Up, Some(_)) => (ClusterState::Connected, String::new()),
        (UpstreamState::Up, None) => {
            (ClusterState::Degraded, "the API server answers, but its version is not known".into())
        }
        (UpstreamState::Down, _) if report.message.is_empty() => {
            (ClusterState::Degraded, format!("the API server does not answer {who}"))
        }
        (UpstreamState::Down, _) => {
            (ClusterState::Degraded, format!("the API server does not answer {who}: {}", report.message))
        }
        (UpstreamState::Unknown, _) => {
            (ClusterState::Degraded, format!("{who} has not said yet whether the API server answers"))
        }
    }
}

/// Why a cluster is locked, for people.
pub(crate) fn locked(lock: &Lock) -> String {
    let because = if lock.reason.is_empty() { String::new() } else { format!(": {}", lock.reason) };
    format!("locked by {} since {:.0}{because}", lock.by, lock.since)
}

/// The slots that have links, and those that hold a certificate which is still good.
fn slots(record: Option<&Record>, links: &[ObservedLink], now: Timestamp) -> Vec<SlotStatus> {
    let mut slots: BTreeMap<Slot, SlotStatus> = BTreeMap::new();
    for (slot, known) in record.map(|record| &record.slots).into_iter().flatten() {
        if known.not_after > now {
            let status = SlotStatus {
                certificate_not_after: Some(known.not_after),
                root: Some(known.root.clone()),
                ..nothing(*slot)
            };
            slots.insert(*slot, status);
        }
    }
    for link in links {
        let status = slots.entry(link.slot).or_insert_with(|| nothing(link.slot));
        status.links += 1;
        status.from = Some(link.from.to_string());
        status.epoch = Some(link.epoch.0);
        status.rtt_ms = link.rtt.map(milliseconds).or(status.rtt_ms);
        status.agent_version = Some(link.software.clone());
        status.certificate_not_after = timestamp(link.not_after);
        status.root.clone_from(&link.root);
    }
    slots.into_values().collect()
}

fn nothing(slot: Slot) -> SlotStatus {
    SlotStatus {
        slot,
        links: 0,
        from: None,
        epoch: None,
        rtt_ms: None,
        agent_version: None,
        certificate_not_after: None,
        root: None,
    }
}

fn newest(links: &[ObservedLink]) -> Option<&ObservedLink> {
    links.iter().max_by_key(|link| link.epoch)
}

#[cfg(test)]
mod tests;
