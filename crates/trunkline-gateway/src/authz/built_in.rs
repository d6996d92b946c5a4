//! The rules that every gateway has: what membership of the three groups allows.
//!
//! The first administrator is in `trunkline:admins` by a certificate or by the first-run code, and makes the others' rules.

use std::sync::{Arc, LazyLock};

use trunkline_api::{
    AccessRule, AccessSpec, FleetRole, Role, RuleClusters, RuleMetadata, RuleName, RuleOrigin, Subjects,
};
use trunkline_proto::MANAGEMENT;

/// The built-in rules.
pub(super) fn rules() -> &'static [Arc<AccessRule>] {
    static RULES: LazyLock<Vec<Arc<AccessRule>>> = LazyLock::new(|| {
        [
            ("trunkline-admins", Role::Admin, FleetRole::Admin),
            ("trunkline-operators", Role::Operator, FleetRole::Viewer),
            ("trunkline-viewers", Role::Viewer, FleetRole::Viewer),
        ]
        .into_iter()
        .filter_map(|(name, role, fleet)| rule(name.parse().ok()?, role, fleet))
        .map(Arc::new)
        .collect()
    });
    &RULES
}

fn rule(name: RuleName, role: Role, fleet: FleetRole) -> Option<AccessRule> {
    let metadata = RuleMetadata {
        name,
        created: None,
        created_by: String::new(),
        revision: 0,
        origin: RuleOrigin::BuiltIn,
    };
    let spec = AccessSpec {
        subjects: Subjects { groups: vec![role.group()?.to_owned()], ..Subjects::default() },
        clusters: RuleClusters { names: vec!["*".into(), MANAGEMENT.into()], selector: None },
        role,
        fleet,
        ..AccessSpec::default()
    };
    Some(AccessRule::new(metadata, spec))
}

/// Whether a rule of this name is built in.
pub(super) fn is_built_in(name: &RuleName) -> bool {
    rules().iter().any(|rule| rule.metadata.name == *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_three_and_each_can_be() {
        assert_eq!(rules().len(), 3);
        for rule in rules() {
            trunkline_registry::check_access(&rule.spec).unwrap();
            assert!(is_built_in(&rule.metadata.name));
        }
    }
}
