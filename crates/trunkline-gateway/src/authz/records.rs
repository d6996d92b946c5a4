//! Whose records somebody reads in the central store: of the clusters in which a rule lets them `get pods/log`, and where that
//! rule names namespaces, of those.
//!
//! The cluster's own RBAC is not asked: its records have left it.

use std::collections::BTreeSet;

use trunkline_proto::headers::is_system_name;

use super::action::Action;
use super::decide::{Place, role_forbids};
use super::rules::RuleSet;
use crate::authn::Principal;

/// What somebody reads of one cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Readable {
    /// Everything.
    All,
    /// What is of these namespaces.
    Of(BTreeSet<String>),
    /// Nothing.
    Nothing,
}

/// What somebody reads of a cluster's records.
pub(crate) fn readable(rules: &RuleSet, principal: &Principal, place: &Place<'_>) -> Readable {
    let Ok(action) = Action::asked("get", "pods/log", "", "") else { return Readable::Nothing };
    if is_system_name(&principal.user) {
        return Readable::Nothing;
    }
    let mut namespaces = BTreeSet::new();
    for rule in rules.about(principal) {
        let spec = rule.spec();
        if !rule.is_for(place.id, place.labels) || role_forbids(spec, &action).is_some() {
            continue;
        }
        if spec.namespaces.is_empty() {
            return Readable::All;
        }
        namespaces.extend(spec.namespaces.iter().cloned());
    }
    if namespaces.is_empty() { Readable::Nothing } else { Readable::Of(namespaces) }
}
