//! May this principal go there, and as whom. Pure.
//!
//! Here stands what holds for everybody. What a user may do inside a cluster, the cluster's own RBAC decides on
//! the impersonated identity.

use trunkline_proto::Identity;

use crate::authn::Principal;
use crate::refusal::Refusal;
use crate::route::Route;

/// The identity to act as, or why not.
///
/// No `system:` name leaves the gateway: such groups are left out, such a user is refused. The API server adds
/// `system:authenticated` by itself.
pub(crate) fn permit(
    principal: &Principal,
    route: &Route,
    allow_node_proxy: bool,
) -> Result<Identity, Refusal> {
    if is_system(&principal.user) {
        return Err(Refusal::AccessDenied {
            why: format!("{:?} is a name of Kubernetes' own and is served by no gateway", principal.user),
        });
    }
    if route.facts.node_proxy && !allow_node_proxy {
        return Err(Refusal::AccessDenied {
            why: "nodes/proxy is not served, since whoever may read there may run code on the node; set \
                  front.allow_node_proxy to serve it"
                .into(),
        });
    }
    Ok(Identity {
        user: principal.user.clone(),
        groups: principal.groups.iter().filter(|group| !is_system(group)).cloned().collect(),
        ..Identity::default()
    })
}

fn is_system(name: &str) -> bool {
    name.trim_start().to_ascii_lowercase().starts_with("system:")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::tests::route_to;

    fn principal(user: &str, groups: &[&str]) -> Principal {
        Principal::for_test(user, groups)
    }

    #[test]
    fn no_system_name_leaves_the_gateway() {
        let route = route_to("/clusters/alpha/api");
        let jane = principal("jane", &["dev", "system:masters", "System:nodes"]);
        assert_eq!(permit(&jane, &route, false).unwrap().groups, ["dev"]);
        for user in ["system:admin", "System:kube-scheduler", " system:x"] {
            assert!(permit(&principal(user, &[]), &route, false).is_err(), "{user}");
        }
    }

    #[test]
    fn node_proxy_is_served_only_when_asked_for() {
        let route = route_to("/clusters/alpha/api/v1/nodes/n/proxy/pods");
        assert!(permit(&principal("jane", &[]), &route, false).is_err());
        assert!(permit(&principal("jane", &[]), &route, true).is_ok());
    }
}
