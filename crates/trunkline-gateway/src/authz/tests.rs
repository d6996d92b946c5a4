//! What the rules allow, by example and beside a model that is written another way.

use std::sync::Arc;

use http::Method;
use serde_json::{Value, json};
use trunkline_api::{AccessRule, AccessSpec, Labels, Protection, Role, RuleMetadata, RuleOrigin};
use trunkline_proto::ClusterId;
use trunkline_proto::headers::ActAs;

use super::decide::Allowed;
use super::*;
use crate::authn::Principal;
use crate::route::tests::route_to;
use crate::route::{Kind, Route};

fn rule(name: &str, spec: Value) -> Arc<AccessRule> {
    let metadata = RuleMetadata {
        name: name.parse().unwrap(),
        created: None,
        created_by: String::new(),
        revision: 1,
        origin: RuleOrigin::Registry,
    };
    let spec: AccessSpec = serde_json::from_value(spec).unwrap();
    trunkline_registry::check_access(&spec).unwrap();
    Arc::new(AccessRule::new(metadata, spec))
}

fn set(rules: &[(&str, Value)]) -> RuleSet {
    let own = rules.iter().map(|(name, spec)| rule(name, spec.clone()));
    RuleSet::new(built_in::rules().iter().cloned().chain(own))
}

fn jane() -> Principal {
    Principal::for_test("jane", &["dev"])
}

/// A cluster without labels and protection.
fn plain(id: &ClusterId) -> Place<'_> {
    static NONE: Labels = Labels::new();
    Place {
        id,
        labels: &NONE,
        protection: Protection::None,
        confirmed: false,
        passes_through: false,
        groups: None,
    }
}

fn action(method: &str, path: &str) -> Action {
    let route = route_to(&format!("/clusters/alpha{path}"));
    Action::of(&method.parse().unwrap(), &route)
}

fn upgraded(path: &str) -> Action {
    let route = Route { kind: Kind::Upgrade, ..route_to(&format!("/clusters/alpha{path}")) };
    Action::of(&Method::GET, &route)
}

fn allowed(rules: &RuleSet, who: &Principal, action: &Action) -> bool {
    decide(rules, who, &plain(&"alpha".parse().unwrap()), action, None).is_ok()
}

const POD: &str = "/api/v1/namespaces/web/pods/p";

#[test]
fn t16_every_way_into_a_pod_is_create_whatever_the_method() {
    for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"] {
        for sub in ["exec", "attach", "portforward", "proxy", "proxy/a/b"] {
            let action = action(method, &format!("{POD}/{sub}"));
            assert_eq!(
                (action.verb, action.connects, action.reads()),
                ("create", true, false),
                "{method} {sub}"
            );
        }
    }
    for path in [POD, "/api/v1/pods?watch=1", "/version", "/apis/x.y/v1/z/a/vnc"] {
        assert_eq!((upgraded(path).verb, upgraded(path).reads()), ("create", false), "{path}");
    }
    let viewers = set(&[]);
    let viewer = Principal::for_test("v", &["trunkline:viewers"]);
    assert!(!allowed(&viewers, &viewer, &action("GET", &format!("{POD}/exec"))));
    assert!(!allowed(&viewers, &viewer, &upgraded("/api/v1/pods")));
}

#[test]
fn t16_verbs_are_the_api_servers() {
    for (method, path, verb, object) in [
        ("GET", "/api/v1/pods", "list", "pods"),
        ("GET", "/api/v1/pods?watch=true", "watch", "pods"),
        ("GET", "/api/v1/pods?watch", "watch", "pods"),
        ("GET", "/api/v1/watch/pods", "watch", "pods"),
        ("HEAD", POD, "get", "pods"),
        ("GET", "/api/v1/namespaces/web/pods/p/log?follow=true", "get", "pods/log"),
        ("POST", "/apis/apps/v1/namespaces/web/deployments", "create", "deployments.apps"),
        ("PUT", "/apis/apps/v1/namespaces/web/deployments/d/scale", "update", "deployments.apps/scale"),
        ("PATCH", POD, "patch", "pods"),
        ("DELETE", POD, "delete", "pods"),
        ("DELETE", "/api/v1/namespaces/web/pods", "deletecollection", "pods"),
        ("PURGE", POD, "create", "pods"),
        ("GET", "/version", "get", "/version"),
        ("POST", "/version", "create", "/version"),
    ] {
        let action = action(method, path);
        assert_eq!((action.verb, action.object().as_str()), (verb, object), "{method} {path}");
    }
}

#[test]
fn a_question_is_what_its_request_would_be() {
    for (verb, resource, name, path, method) in [
        ("get", "pods", "p", POD, "GET"),
        ("create", "pods/exec", "p", &format!("{POD}/exec") as &str, "GET"),
        ("delete", "deployments.apps", "d", "/apis/apps/v1/namespaces/web/deployments/d", "DELETE"),
    ] {
        let (asked, sent) = (Action::asked(verb, resource, "web", name).unwrap(), action(method, path));
        assert_eq!((asked.verb, asked.object()), (sent.verb, sent.object()));
        assert_eq!((asked.reads(), asked.connects), (sent.reads(), sent.connects));
        assert_eq!(asked.resource, sent.resource);
    }
    assert!(Action::asked("get", "pods/exec", "web", "p").unwrap().connects, "getting it is no reading");
    for (verb, resource) in [("impersonate", "users"), ("GET", "pods"), ("get", "")] {
        assert!(Action::asked(verb, resource, "", "").is_err(), "{verb} {resource}");
    }
}

#[test]
fn who_is_named_by_no_rule_reaches_nothing() {
    let denied =
        decide(&set(&[]), &jane(), &plain(&"alpha".parse().unwrap()), &action("GET", "/version"), None);
    assert!(denied.unwrap_err().why().contains("no access rule names jane"));
    let elsewhere = set(&[("a", json!({"subjects": {"users": ["jane"]}, "clusters": {"names": ["beta"]}}))]);
    let denied =
        decide(&elsewhere, &jane(), &plain(&"alpha".parse().unwrap()), &action("GET", "/version"), None);
    assert!(denied.unwrap_err().why().contains("no access rule gives jane cluster alpha"));
}

#[test]
fn a_role_decides_what_may_be_done_and_goes_on_as_its_group() {
    let rbac = "/apis/rbac.authorization.k8s.io/v1/clusterroles";
    let review = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    for (role, get, delete, exec, grant, cordon, ask) in [
        ("viewer", true, false, false, false, false, true),
        ("operator", true, true, true, false, false, true),
        ("admin", true, true, true, true, true, true),
    ] {
        let rules = set(&[(
            "r",
            json!({"subjects": {"groups": ["dev"]}, "clusters": {"names": ["*"]}, "role": role}),
        )]);
        for (method, path, expected) in [
            ("GET", POD, get),
            ("DELETE", POD, delete),
            ("POST", &format!("{POD}/exec"), exec),
            ("POST", rbac, grant),
            ("GET", rbac, true),
            ("PATCH", "/api/v1/nodes/n", cordon),
            ("POST", review, ask),
            ("GET", "/openapi/v3", true),
            ("POST", "/openapi/v3", role == "admin"),
        ] {
            assert_eq!(allowed(&rules, &jane(), &action(method, path)), expected, "{role} {method} {path}");
        }
        let yes =
            decide(&rules, &jane(), &plain(&"alpha".parse().unwrap()), &action("GET", POD), None).unwrap();
        assert_eq!((yes.rule.as_str(), yes.role.as_str()), ("r", role));
        assert_eq!(yes.identity.user, "jane");
        assert_eq!(yes.identity.groups, ["dev".to_owned(), format!("trunkline:{role}s")]);
    }
}

#[test]
fn the_strongest_role_that_allows_it_decides_then_the_first_by_name() {
    let rules = set(&[
        ("a-viewer", json!({"subjects": {"users": ["jane"]}, "clusters": {"names": ["*"]}})),
        (
            "c-operator",
            json!({"subjects": {"users": ["jane"]}, "clusters": {"names": ["*"]}, "role": "operator"}),
        ),
        (
            "b-operator",
            json!({"subjects": {"users": ["jane"]}, "clusters": {"names": ["*"]}, "role": "operator", "namespaces": ["db"]}),
        ),
    ]);
    let decides = |path| {
        decide(&rules, &jane(), &plain(&"alpha".parse().unwrap()), &action("GET", path), None).unwrap().rule
    };
    assert_eq!(decides("/api/v1/namespaces/db/pods"), "b-operator");
    assert_eq!(decides(POD), "c-operator");
}

#[test]
fn namespaces_bound_what_is_in_them_and_nothing_else() {
    let rules = set(&[(
        "r",
        json!({"subjects": {"users": ["jane"]}, "clusters": {"names": ["*"]}, "role": "operator", "namespaces": ["web"]}),
    )]);
    for (method, path, expected) in [
        ("GET", POD, true),
        ("DELETE", POD, true),
        ("GET", "/api/v1/namespaces/web", true),
        ("GET", "/api/v1/namespaces/webs/pods", false),
        ("GET", "/api/v1/namespaces", false),
        ("GET", "/api/v1/pods", false),
        ("GET", "/api/v1/nodes/web", false),
        ("GET", "/apis", true),
        ("GET", "/api/v1", true),
        ("POST", "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", true),
    ] {
        assert_eq!(allowed(&rules, &jane(), &action(method, path)), expected, "{method} {path}");
    }
}

#[test]
fn a_custom_role_allows_the_verbs_and_resources_it_names() {
    let rules = set(&[(
        "r",
        json!({"subjects": {"users": ["*"]}, "clusters": {"names": ["*"]}, "role": "custom",
               "verbs": ["get", "patch"], "resources": ["pods", "deployments.apps/scale"]}),
    )]);
    for (method, path, expected) in [
        ("GET", POD, true),
        ("PATCH", POD, true),
        ("DELETE", POD, false),
        ("GET", "/api/v1/namespaces/web/pods", false),
        ("GET", &format!("{POD}/log"), false),
        ("GET", "/api/v1/namespaces/web/secrets/s", false),
        ("PATCH", "/apis/apps/v1/namespaces/web/deployments/d/scale", true),
        ("PATCH", "/apis/apps/v1/namespaces/web/deployments/d", false),
        ("PATCH", "/apis/other/v1/namespaces/web/deployments/d/scale", false),
        ("GET", "/version", true),
    ] {
        assert_eq!(allowed(&rules, &jane(), &action(method, path)), expected, "{method} {path}");
    }
    let yes = decide(&rules, &jane(), &plain(&"alpha".parse().unwrap()), &action("GET", POD), None).unwrap();
    assert_eq!(yes.identity.groups, ["dev"], "a custom role has no group");
}

#[test]
fn no_system_name_leaves_the_gateway_and_our_groups_go_on_by_role_alone() {
    let rules = set(&[("r", json!({"subjects": {"users": ["*"]}, "clusters": {"names": ["*"]}}))]);
    let groups = &[
        "dev",
        "system:masters",
        "System:nodes",
        " system:x",
        "trunkline:admins-not",
        "trunkline:operators",
    ];
    let who = Principal::for_test("jane", groups);
    let alpha = "alpha".parse().unwrap();
    let yes = decide(&rules, &who, &plain(&alpha), &action("GET", POD), None).unwrap();
    assert_eq!(yes.rule, "trunkline-operators");
    assert_eq!(yes.identity.groups, ["dev", "trunkline:admins-not", "trunkline:operators"]);
    for user in ["system:admin", "System:kube-scheduler", " system:x"] {
        let who = Principal::for_test(user, &["trunkline:admins"]);
        assert!(matches!(
            decide(&rules, &who, &plain(&alpha), &action("GET", POD), None),
            Err(Denied::Name(_))
        ));
    }
    let place = Place { groups: Some(&[]), ..plain(&alpha) };
    let yes = decide(&rules, &who, &place, &action("GET", POD), None).unwrap();
    assert_eq!(yes.identity.groups, ["trunkline:operators"], "what the agent may not act for stays here");
}

#[test]
fn a_rule_may_name_the_identity_to_go_on_as() {
    let rules = set(&[(
        "r",
        json!({"subjects": {"users": ["jane"]}, "clusters": {"names": ["*"]}, "role": "admin",
               "identity": {"user": "robot", "groups": ["only"]}}),
    )]);
    let yes = decide(&rules, &jane(), &plain(&"alpha".parse().unwrap()), &action("GET", POD), None).unwrap();
    assert_eq!((yes.identity.user.as_str(), yes.identity.groups), ("robot", vec!["only".to_owned()]));
}

#[test]
fn a_rule_that_gives_another_identity_opens_no_cluster_in_pass_through_mode() {
    let as_robot = (
        "a-robot",
        json!({"subjects": {"users": ["jane"]}, "clusters": {"names": ["*"]}, "role": "admin",
                                      "identity": {"user": "robot"}}),
    );
    let alpha: ClusterId = "alpha".parse().unwrap();
    let place = Place { passes_through: true, ..plain(&alpha) };
    let denied = decide(&set(std::slice::from_ref(&as_robot)), &jane(), &place, &action("GET", POD), None)
        .unwrap_err();
    assert!(denied.why().contains("one's own token says who one is"), "{}", denied.why());
    let plainly = ("b-plain", json!({"subjects": {"users": ["jane"]}, "clusters": {"names": ["*"]}}));
    let yes = decide(&set(&[as_robot, plainly]), &jane(), &place, &action("GET", POD), None).unwrap();
    assert_eq!(yes.rule, "b-plain", "another rule may, and no more than it allows");
    let bob = ActAs { user: "bob".into(), groups: vec![] };
    let anybody = (
        "c-act",
        json!({"subjects": {"users": ["jane"]}, "clusters": {"names": ["*"]}, "actAs": {"users": ["*"]}}),
    );
    let denied = decide(&set(&[anybody]), &jane(), &place, &action("GET", POD), Some(&bob)).unwrap_err();
    assert!(denied.why().contains("--as is not carried"), "{}", denied.why());
    let stranger = decide(&set(&[]), &jane(), &place, &action("GET", POD), Some(&bob)).unwrap_err();
    assert!(!stranger.why().contains("pass-through"), "{}", stranger.why());
}

#[test]
fn acting_as_somebody_needs_a_rule_that_says_as_whom() {
    let rules = set(&[
        (
            "a",
            json!({"subjects": {"users": ["jane"]}, "clusters": {"names": ["*"]}, "role": "operator",
                   "actAs": {"users": ["bob", "*"], "groups": ["dev"]}}),
        ),
        ("b", json!({"subjects": {"users": ["jane"]}, "clusters": {"names": ["*"]}, "role": "admin"})),
    ]);
    let alpha = "alpha".parse().unwrap();
    let ask = |method, user: &str, groups: &[&str]| {
        let groups = groups.iter().map(|group| (*group).to_owned()).collect();
        let act_as = ActAs { user: user.into(), groups };
        decide(&rules, &jane(), &plain(&alpha), &action(method, POD), Some(&act_as))
    };
    let yes = ask("DELETE", "bob", &["dev"]).unwrap();
    assert_eq!((yes.rule.as_str(), yes.identity.user.as_str()), ("a", "bob"));
    assert_eq!(yes.identity.groups, ["dev"], "as whom, and nothing beside");
    assert!(ask("GET", "anybody", &[]).is_ok());
    for (user, groups) in [
        ("system:admin", &[][..]),
        ("System:admin", &[]),
        ("trunkline:sa:x:y", &[]),
        ("bob", &["ops"]),
        ("bob", &["dev", "trunkline:admins"]),
        ("bob", &["system:masters"]),
    ] {
        assert!(ask("GET", user, groups).is_err(), "{user} {groups:?}");
    }
    let rules = set(&[]);
    let admin = Principal::for_test("root", &["trunkline:admins"]);
    let bob = ActAs { user: "bob".into(), groups: vec![] };
    assert!(decide(&rules, &admin, &plain(&alpha), &action("GET", POD), Some(&bob)).is_err());
}

#[test]
fn a_protected_cluster_is_not_changed_by_anybody() {
    let alpha = "alpha".parse().unwrap();
    let admin = Principal::for_test("root", &["trunkline:admins"]);
    let ask = |protection, confirmed, action: &Action| {
        decide(&set(&[]), &admin, &Place { protection, confirmed, ..plain(&alpha) }, action, None)
    };
    let (read, change, exec) = (action("GET", POD), action("DELETE", POD), upgraded(&format!("{POD}/exec")));
    for (protection, confirmed, may) in [
        (Protection::None, false, true),
        (Protection::Confirm, false, false),
        (Protection::Confirm, true, true),
        (Protection::ReadOnly, false, false),
        (Protection::ReadOnly, true, false),
    ] {
        assert!(ask(protection, confirmed, &read).is_ok());
        assert_eq!(ask(protection, confirmed, &change).is_ok(), may, "{protection:?} {confirmed}");
        assert_eq!(ask(protection, confirmed, &exec).is_ok(), may, "{protection:?} {confirmed}");
    }
    assert!(matches!(ask(Protection::ReadOnly, true, &change), Err(Denied::Protected(_))));
    assert!(matches!(ask(Protection::Confirm, false, &change), Err(Denied::Unconfirmed(_))));
}

#[test]
fn a_star_is_every_managed_cluster_and_management_is_named() {
    let labels: Labels = [("env".to_owned(), "prod".to_owned())].into();
    let may = |clusters: Value, id: &str, labels: &Labels| {
        let rules = set(&[("r", json!({"subjects": {"users": ["jane"]}, "clusters": clusters}))]);
        let id = id.parse().unwrap();
        decide(&rules, &jane(), &Place { labels, ..plain(&id) }, &action("GET", POD), None).is_ok()
    };
    assert!(may(json!({"names": ["*"]}), "alpha", &labels));
    assert!(!may(json!({"names": ["*"]}), "management", &labels));
    assert!(may(json!({"names": ["management"]}), "management", &labels));
    assert!(may(json!({"selector": "env=prod"}), "alpha", &labels));
    assert!(!may(json!({"selector": "env!=prod"}), "alpha", &labels));
    assert!(!may(json!({"selector": "env=prod"}), "management", &labels));
    assert!(may(json!({"selector": "env=dev", "names": ["alpha"]}), "alpha", &labels));
}

#[test]
fn why_is_told_for_each_rule_about_somebody() {
    let rules = set(&[
        ("near", json!({"subjects": {"users": ["jane"]}, "clusters": {"names": ["alpha"]}})),
        ("far", json!({"subjects": {"groups": ["dev"]}, "clusters": {"names": ["beta"]}, "role": "admin"})),
        ("others", json!({"subjects": {"groups": ["ops"]}, "clusters": {"names": ["*"]}, "role": "admin"})),
    ]);
    let alpha = "alpha".parse().unwrap();
    let told: Vec<_> = explain(&rules, &jane(), &plain(&alpha), &action("DELETE", POD), None)
        .into_iter()
        .map(|considered| (considered.rule.to_owned(), considered.why_not.unwrap_or_default()))
        .collect();
    assert_eq!(
        told,
        [
            ("far".to_owned(), "it is for other clusters"),
            ("near".to_owned(), "its role, viewer, is for reading")
        ]
    );
    let why = decide(&rules, &jane(), &plain(&alpha), &action("DELETE", POD), None).unwrap_err();
    assert!(why.why().contains("viewer, is for reading"), "the rule that comes nearest is told: {why:?}");
    assert!(why.why().contains("trunkline access test jane alpha delete pods"), "{why:?}");
}

mod matrix;
mod words;
