//! Which clusters a question is about: those that are asked for, of those that who asks may read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use trunkline_api::{LogQuery, ProblemReason, Selector};
use trunkline_logs::{Facet, Field, Filter, Match, Scope};
use trunkline_proto::{ClusterId, ClusterUid};

use super::super::problem::No;
use super::super::view::{Source, View, management};
use crate::authn::Principal;
use crate::authz::{Readable, readable};
use crate::logs::Logs;

/// Which clusters are asked for.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    names: Vec<ClusterId>,
    selector: Selector,
}

impl Wanted {
    pub(super) fn read(query: &LogQuery) -> Result<Self, No> {
        let names = query.clusters.split(',').map(str::trim).filter(|name| !name.is_empty());
        let names: Result<Vec<ClusterId>, _> = names.map(str::parse).collect();
        let names =
            names.map_err(|error: trunkline_proto::InvalidClusterId| No::invalid(error.to_string()))?;
        let selector: Result<Selector, _> = query.selector.parse();
        let selector =
            selector.map_err(|error| No::invalid(format!("the selector is not understood: {error}")))?;
        Ok(Self { names, selector })
    }

    /// The clusters' uids, and the filter with what holds of some of them only.
    ///
    /// # Errors
    /// When a cluster is named that is not there, or may not be read.
    pub(super) fn within(
        &self,
        view: &View,
        logs: &Logs,
        who: &Arc<Principal>,
        filter: Filter,
    ) -> Result<(Scope, Filter), No> {
        let mut whole = Vec::new();
        // Clusters of which the same namespaces may be read, by their uids: a name may be another cluster's tomorrow.
        let mut within: BTreeMap<BTreeSet<String>, Vec<ClusterUid>> = BTreeMap::new();
        for source in self.sources(view, logs)? {
            let found = uids(view, logs, &source);
            match self.readable(view, who, &source) {
                Readable::All => whole.extend(found),
                Readable::Of(namespaces) => within.entry(namespaces).or_default().extend(found),
                Readable::Nothing if self.names.is_empty() => {}
                Readable::Nothing => {
                    let detail = format!(
                        "{} may not read the records of {}: no access rule lets you get pods/log there (trunkline access test)",
                        who.user,
                        source.id()
                    );
                    return Err(No::new(ProblemReason::Forbidden, detail));
                }
            }
        }
        let alone = whole.is_empty() && within.len() == 1;
        let mut all = vec![filter];
        for (namespaces, uids) in within {
            let of = namespaces.into_iter().map(|name| is(Field::Facet(Facet::Namespace), name));
            let elsewhere = Filter::Not(Box::new(Filter::Or(
                uids.iter().map(|uid| is(Field::Uid, uid.to_string())).collect(),
            )));
            all.push(Filter::Or((!alone).then_some(elsewhere).into_iter().chain(of).collect()));
            whole.extend(uids);
        }
        let filter = if all.len() > 1 { Filter::And(all) } else { all.pop().unwrap_or_default() };
        Ok((Scope(whole), filter))
    }

    fn sources(&self, view: &View, logs: &Logs) -> Result<Vec<Source>, No> {
        if self.names.is_empty() {
            return Ok(all(view, logs)
                .into_iter()
                .filter(|source| source.is_chosen(&self.selector))
                .collect());
        }
        let find = |id: &ClusterId| {
            let none = || {
                No::new(
                    ProblemReason::NotFound,
                    format!("there is no cluster {id}; see trunkline clusters list"),
                )
            };
            let own = || all(view, logs).into_iter().find(|source| source.id() == id);
            view.find(id).or_else(own).ok_or_else(none)
        };
        let found: Result<Vec<Source>, No> = self.names.iter().map(find).collect();
        Ok(found?.into_iter().filter(|source| source.is_chosen(&self.selector)).collect())
    }

    fn readable(&self, view: &View, who: &Principal, source: &Source) -> Readable {
        let ground = view.fleet.ground(source.id());
        readable(&view.fleet.access.rules(), who, &ground.place(source.id(), false))
    }
}

fn is(field: Field, value: String) -> Filter {
    Filter::Is(field, Match::Exactly(value))
}

/// All clusters that may have records: the management cluster too when nothing of it is served but its records are kept.
pub(super) fn all(view: &View, logs: &Logs) -> Vec<Source> {
    let mut all = view.all();
    let is_there = all.first().is_some_and(|source| matches!(source, Source::Management(_)));
    if let Some(id) = management().filter(|_| !is_there && logs.management().is_some()) {
        all.insert(0, Source::Management(id));
    }
    all
}

/// Under which uids a cluster's records stand. One that is declared without a uid has that of its agents.
pub(super) fn uids(view: &View, logs: &Logs, source: &Source) -> Vec<ClusterUid> {
    match source {
        Source::Management(_) => logs.management().into_iter().collect(),
        Source::Registered(record) => record.metadata.uid.into_iter().collect(),
        Source::Declared(id, declared) => {
            if let Some(uid) = declared.uid {
                return vec![uid];
            }
            let mut uids: Vec<_> = view.tunnels.of(id).iter().map(|live| live.identity.uid).collect();
            uids.sort_unstable();
            uids.dedup();
            uids
        }
    }
}
