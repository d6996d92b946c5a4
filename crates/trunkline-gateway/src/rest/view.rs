//! The fleet as the API shows it: what should be and what is seen, side by side.

use std::sync::Arc;

use jiff::Timestamp;
use trunkline_api::{Cluster, ClusterSpec, Joining, Labels, Metadata};
use trunkline_proto::{ClusterId, ClusterUid, MANAGEMENT};
use trunkline_registry::Record;

use super::management::Management;
use super::read::Sight;
use crate::config::Declared;
use crate::fleet::Fleet;
use crate::joining::Around;
use crate::standing::{Desired, Observed, status};
use crate::tunnels::Tunnels;

/// Where the API looks. Clones share it.
#[derive(Clone)]
pub(super) struct View {
    pub(super) fleet: Fleet,
    pub(super) tunnels: Tunnels,
    /// The management cluster, where it is served.
    pub(super) management: Option<Management>,
    /// Where agents come in, `host:port`.
    pub(super) doors: Arc<[String]>,
    /// Whether this gateway keeps logs.
    pub(super) keeps_logs: bool,
}

/// Where a cluster stands written.
#[derive(Clone, Debug)]
pub(super) enum Source {
    Management(ClusterId),
    Declared(ClusterId, Declared),
    Registered(Arc<Record>),
}

impl Source {
    pub(super) fn id(&self) -> &ClusterId {
        match self {
            Self::Management(id) | Self::Declared(id, _) => id,
            Self::Registered(record) => &record.metadata.name,
        }
    }

    /// Whether somebody sees it.
    pub(super) fn is_seen(&self, sight: &Sight) -> bool {
        static NONE: Labels = Labels::new();
        match self {
            Self::Management(id) | Self::Declared(id, _) => sight.sees(id, &NONE),
            Self::Registered(record) => sight.sees(&record.metadata.name, &record.metadata.labels),
        }
    }

    /// Whether a selector chooses it by its labels.
    pub(super) fn is_chosen(&self, selector: &trunkline_api::Selector) -> bool {
        match self {
            Self::Management(_) | Self::Declared(..) => selector.matches(&Labels::new()),
            Self::Registered(record) => selector.matches(&record.metadata.labels),
        }
    }
}

impl View {
    /// All clusters: the management cluster first, the others by name.
    pub(super) fn all(&self) -> Vec<Source> {
        let declared = self.fleet.list_declared();
        let mut all: Vec<Source> =
            declared.iter().map(|(id, said)| Source::Declared(id.clone(), said.clone())).collect();
        all.extend(self.fleet.registry.list().into_iter().map(Source::Registered));
        // Two sorted runs.
        all.sort_by(|one, other| one.id().cmp(other.id()));
        if let Some(management) = management().filter(|_| self.management.is_some()) {
            all.insert(0, Source::Management(management));
        }
        all
    }

    /// One cluster.
    pub(super) fn find(&self, id: &ClusterId) -> Option<Source> {
        if id.is_management() {
            return self.management.as_ref().map(|_| Source::Management(id.clone()));
        }
        if let Some(declared) = self.fleet.list_declared().get(id) {
            return Some(Source::Declared(id.clone(), declared.clone()));
        }
        self.fleet.registry.get(id).map(Source::Registered)
    }

    /// A cluster as it is now.
    pub(super) fn cluster(&self, source: &Source, now: Timestamp) -> Cluster {
        match source {
            Source::Management(id) => {
                let seen = self.management.as_ref().map(Management::observe).unwrap_or_default();
                Cluster::new(
                    unwritten(id, None),
                    ClusterSpec::default(),
                    status(Desired::Management, &seen, now),
                )
            }
            Source::Declared(id, declared) => {
                let desired = Desired::Declared(&declared.pass_through);
                let status = status(desired, &self.tunnels.observe(id), now);
                Cluster::new(unwritten(id, declared.uid), ClusterSpec::default(), status)
            }
            Source::Registered(record) => {
                let seen = self.tunnels.observe(&record.metadata.name);
                let mut status = status(Desired::Registered(record), &seen, now);
                status.joining = self.tunnels.joinings().beside(record, self.around(&seen, now));
                Cluster::new(record.metadata.clone(), record.spec.clone(), status)
            }
        }
    }

    /// What is remembered of a cluster's joining.
    pub(super) fn joining(&self, source: &Source, now: Timestamp) -> Option<Joining> {
        let Source::Registered(record) = source else { return None };
        let seen = self.tunnels.observe(&record.metadata.name);
        self.tunnels.joinings().remembered(record, self.around(&seen, now))
    }

    fn around(&self, seen: &Observed, now: Timestamp) -> Around<'_> {
        Around {
            rtt: seen.links.iter().filter_map(|link| link.rtt).min(),
            has_link: !seen.links.is_empty(),
            doors: &self.doors,
            keeps_logs: self.keeps_logs,
            now,
        }
    }
}

/// The id of the management cluster.
pub(super) fn management() -> Option<ClusterId> {
    MANAGEMENT.parse().ok()
}

/// Of a cluster that nobody registered.
fn unwritten(id: &ClusterId, uid: Option<ClusterUid>) -> Metadata {
    Metadata {
        name: id.clone(),
        uid,
        labels: Labels::new(),
        created: None,
        created_by: String::new(),
        revision: 0,
    }
}
