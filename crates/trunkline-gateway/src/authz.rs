//! May this principal do that there, and as whom.
//!
//! ```text
//! principal ─┐
//! cluster ───┼── decide ── allowed: the rule, and the identity to go on as
//! action ────┤      └───── denied: why, and what to do
//! rules ─────┘
//! ```
//!
//! What a user may do inside a cluster, the cluster's own RBAC decides on that identity. Here stands who may reach which
//! cluster, and whether to read, to change or to administer it.
//!
//! Invariants:
//! - [`decide()`] is pure: the same rules, principal, cluster and action give the same decision, which names its rule;
//! - rules only allow; who is named by none reaches nothing;
//! - the action is drawn from the very path that is forwarded;
//! - no `system:` name leaves the gateway, and the three groups `trunkline:...` go on by a rule's role alone.

mod action;
mod built_in;
mod confirm;
mod decide;
mod records;
mod rules;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use tokio::sync::watch;
use trunkline_api::{AccessRule, NewAccessRule};
use trunkline_registry::Registry;

use crate::config::GatewayConfigError;

pub(crate) use action::Action;
pub(crate) use confirm::{Confirmations, HOLDS};
pub(crate) use decide::{Denied, Place, decide, explain};
pub(crate) use records::{Readable, readable};
pub(crate) use rules::{RuleSet, may_be_named};

/// The access rules in force. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    registry: Registry,
    declared: Arc<ArcSwap<Vec<Arc<AccessRule>>>>,
    set: Arc<ArcSwap<RuleSet>>,
    /// Held while rules are taken on, so that older ones never replace newer ones.
    taking: Arc<Mutex<()>>,
    changed: watch::Sender<u64>,
}

impl Access {
    /// The rules of a registry and of a file, beside those that are built in.
    pub(crate) fn new(registry: Registry, declared: &[NewAccessRule]) -> Result<Self, GatewayConfigError> {
        let access = Self {
            registry,
            declared: Arc::default(),
            set: Arc::new(ArcSwap::from_pointee(RuleSet::default())),
            taking: Arc::default(),
            changed: watch::Sender::new(0),
        };
        access.follow(declared)?;
        Ok(access)
    }

    /// Takes on the rules of a newer file.
    ///
    /// # Errors
    /// When one cannot be, or two have one name; those before stay in force.
    pub(crate) fn follow(&self, declared: &[NewAccessRule]) -> Result<(), GatewayConfigError> {
        let rules = rules::declared(declared)?;
        self.declared.store(Arc::new(rules));
        self.take_on();
        Ok(())
    }

    /// Takes on what the registry has now.
    pub(crate) fn take_on(&self) {
        let _taking = self.taking.lock().unwrap_or_else(PoisonError::into_inner);
        let declared = self.declared.load();
        // A name stands in one place: the file's counts.
        let names: BTreeSet<_> = declared.iter().map(|rule| &rule.metadata.name).collect();
        let registered = self.registry.rules();
        let registered = registered.iter().filter(|rule| !names.contains(&rule.metadata.name));
        let set = RuleSet::new(built_in::rules().iter().chain(declared.iter()).chain(registered).cloned());
        self.set.store(Arc::new(set));
        self.changed.send_modify(|version| *version += 1);
    }

    /// The rules in force.
    pub(crate) fn rules(&self) -> Arc<RuleSet> {
        self.set.load_full()
    }

    /// Tells each time other rules are in force.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Whether a rule of this name stands in the file.
    pub(crate) fn is_declared(&self, name: &trunkline_api::RuleName) -> bool {
        self.declared.load().iter().any(|rule| rule.metadata.name == *name)
    }
}

/// Whether the rules of a file can be.
pub(crate) fn check_rules(rules: &[NewAccessRule]) -> Result<(), GatewayConfigError> {
    rules::declared(rules).map(drop)
}

#[cfg(test)]
mod tests;
