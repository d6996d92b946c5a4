//! The rules in force, laid out so that those about somebody are found at once.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use trunkline_api::{AccessRule, AccessSpec, Labels, NewAccessRule, RuleMetadata, RuleOrigin, Selector};
use trunkline_proto::ClusterId;
use trunkline_registry::check_access;

use super::built_in::is_built_in;
use crate::authn::Principal;
use crate::config::GatewayConfigError;

/// A subject that is everybody.
const EVERYBODY: &str = "*";

/// A rule, its selector read.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    rule: Arc<AccessRule>,
    selector: Option<Selector>,
}

impl Rule {
    /// Its name.
    pub(crate) fn name(&self) -> &str {
        self.rule.metadata.name.as_str()
    }

    /// What it allows.
    pub(crate) fn spec(&self) -> &AccessSpec {
        &self.rule.spec
    }

    /// Whether it is for a cluster.
    pub(crate) fn is_for(&self, id: &ClusterId, labels: &Labels) -> bool {
        self.rule.spec.clusters.has(id, labels, self.selector.as_ref())
    }

    /// The rule as the API shows it.
    pub(crate) fn shown(&self) -> &Arc<AccessRule> {
        &self.rule
    }
}

/// The rules in force: the strongest role first, then by name.
#[derive(Clone, Debug, Default)]
pub(crate) struct RuleSet {
    rules: Vec<Rule>,
    by_user: HashMap<String, Vec<usize>>,
    by_group: HashMap<String, Vec<usize>>,
}

impl RuleSet {
    /// Lays rules out.
    pub(crate) fn new(rules: impl Iterator<Item = Arc<AccessRule>>) -> Self {
        let mut rules: Vec<Rule> = rules
            .map(|rule| {
                // What does not parse was refused before; if not, it selects nothing.
                let selector = rule.spec.clusters.selector.as_ref().and_then(|text| text.parse().ok());
                Rule { rule, selector }
            })
            .collect();
        rules.sort_by(|one, other| {
            let strongest = other.spec().role.cmp(&one.spec().role);
            strongest.then_with(|| one.name().cmp(other.name()))
        });
        let (mut by_user, mut by_group) = (HashMap::new(), HashMap::new());
        for (at, rule) in rules.iter().enumerate() {
            let subjects = &rule.spec().subjects;
            for (names, map) in [(&subjects.users, &mut by_user), (&subjects.groups, &mut by_group)] {
                for name in names.iter().collect::<BTreeSet<_>>() {
                    map.entry(name.clone()).or_insert_with(Vec::new).push(at);
                }
            }
        }
        Self { rules, by_user, by_group }
    }

    /// All of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter()
    }

    /// Those about somebody, in their order.
    pub(crate) fn about(&self, principal: &Principal) -> impl Iterator<Item = &Rule> {
        let everybody = self.by_user.get(EVERYBODY);
        // A user who is called as everybody is written is not everybody.
        let own = (principal.user != EVERYBODY).then(|| self.by_user.get(&principal.user)).flatten();
        let groups = principal.groups.iter().filter_map(|group| self.by_group.get(group));
        let found: BTreeSet<usize> =
            everybody.into_iter().chain(own).chain(groups).flatten().copied().collect();
        found.into_iter().filter_map(|at| self.rules.get(at))
    }
}

/// The rules of a file, if they can be.
pub(super) fn declared(rules: &[NewAccessRule]) -> Result<Vec<Arc<AccessRule>>, GatewayConfigError> {
    let mut names = BTreeSet::new();
    let rule = |new: &NewAccessRule| {
        let name = new.name.clone();
        let no = |why: String| GatewayConfigError::Access { name: name.clone(), why };
        check_access(&new.spec).map_err(|error| no(error.to_string()))?;
        if is_built_in(&new.name) {
            return Err(no("the name is that of a rule that is built in; take another".into()));
        }
        if !names.insert(name.clone()) {
            return Err(no("two rules have this name".into()));
        }
        let metadata = RuleMetadata {
            name,
            created: None,
            created_by: String::new(),
            revision: 0,
            origin: RuleOrigin::File,
        };
        Ok(Arc::new(AccessRule::new(metadata, new.spec.clone())))
    };
    rules.iter().map(rule).collect()
}

/// Whether a new rule of the registry may have this name.
pub(crate) fn may_be_named(name: &trunkline_api::RuleName) -> bool {
    !is_built_in(name)
}
