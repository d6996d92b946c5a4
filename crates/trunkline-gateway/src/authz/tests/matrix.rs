//! 50 users, 50 clusters, 20 things to do: each decision beside that of a model which knows neither the order nor the
//! layout of the rules, and reads them as text.

use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};

use super::*;

const USERS: usize = 50;
const CLUSTERS: usize = 50;

/// What is done: method, path, and in the model's words verb, object, namespace, whether it reads.
const DEEDS: [(&str, &str, &str, &str, &str, bool); 20] = [
    ("GET", "/api/v1/namespaces/n1/pods/p", "get", "pods", "n1", true),
    ("GET", "/api/v1/namespaces/n2/pods", "list", "pods", "n2", true),
    ("GET", "/api/v1/pods?watch=true", "watch", "pods", "", true),
    ("GET", "/api/v1/namespaces/n1/pods/p/log", "get", "pods/log", "n1", true),
    ("GET", "/api/v1/namespaces/n1/pods/p/exec", "create", "pods/exec", "n1", false),
    ("POST", "/api/v1/namespaces/n2/pods/p/attach", "create", "pods/attach", "n2", false),
    ("GET", "/api/v1/namespaces/n1/services/s/proxy/", "create", "services/proxy", "n1", false),
    ("POST", "/api/v1/namespaces/n1/pods", "create", "pods", "n1", false),
    ("PUT", "/api/v1/namespaces/n2/configmaps/c", "update", "configmaps", "n2", false),
    ("PATCH", "/apis/apps/v1/namespaces/n1/deployments/d", "patch", "deployments.apps", "n1", false),
    ("DELETE", "/apis/apps/v1/namespaces/n1/deployments/d", "delete", "deployments.apps", "n1", false),
    ("DELETE", "/api/v1/namespaces/n2/pods", "deletecollection", "pods", "n2", false),
    ("GET", "/api/v1/nodes/n1", "get", "nodes", "", true),
    ("PATCH", "/api/v1/nodes/n1", "patch", "nodes", "", false),
    (
        "POST",
        "/apis/rbac.authorization.k8s.io/v1/clusterroles",
        "create",
        "clusterroles.rbac.authorization.k8s.io",
        "",
        false,
    ),
    (
        "GET",
        "/apis/rbac.authorization.k8s.io/v1/clusterroles",
        "list",
        "clusterroles.rbac.authorization.k8s.io",
        "",
        true,
    ),
    (
        "POST",
        "/apis/certificates.k8s.io/v1/certificatesigningrequests",
        "create",
        "certificatesigningrequests.certificates.k8s.io",
        "",
        false,
    ),
    ("GET", "/version", "get", "/version", "", true),
    ("POST", "/version", "create", "/version", "", false),
    (
        "POST",
        "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
        "create",
        "selfsubjectaccessreviews.authorization.k8s.io",
        "",
        true,
    ),
];

/// The model: what one rule, as JSON, says.
fn model_allows(spec: &Value, groups: &[String], user: &str, cluster: (&str, &Labels), deed: usize) -> bool {
    let (_, path, verb, object, namespace, reads) = DEEDS[deed];
    let list = |field: &str, inner: &str| -> Vec<String> {
        let value = if inner.is_empty() { &spec[field] } else { &spec[field][inner] };
        value.as_array().into_iter().flatten().filter_map(|v| v.as_str().map(str::to_owned)).collect()
    };
    let named = list("subjects", "users").iter().any(|u| u == user)
        || list("subjects", "groups").iter().any(|g| groups.contains(g));
    if !named {
        return false;
    }
    let here = list("clusters", "names").iter().any(|c| c == cluster.0 || c == "*")
        || spec["clusters"]["selector"]
            .as_str()
            .and_then(|s| s.split_once('='))
            .is_some_and(|(key, value)| cluster.1.get(key).is_some_and(|have| have == value));
    let review = object.starts_with("selfsubject");
    let rooted = object.starts_with('/');
    if !here {
        return false;
    }
    let namespaces = list("namespaces", "");
    let inside = namespaces.is_empty()
        || review
        || (rooted && reads)
        || (!rooted && namespaces.iter().any(|n| n == namespace));
    let governed = rooted || path.contains("k8s.io/") || object.split('/').next() == Some("nodes");
    let role = match spec["role"].as_str().unwrap_or("viewer") {
        "admin" => true,
        "viewer" => reads,
        "operator" => reads || !governed,
        "custom" => {
            let verbs = list("verbs", "");
            let resources = list("resources", "");
            let verb = verbs.iter().any(|v| v == "*" || v == verb);
            let resource = resources.is_empty() || resources.iter().any(|r| r == "*" || r == object);
            review || (rooted && reads) || (verb && resource)
        }
        other => panic!("{other}"),
    };
    inside && role
}

fn a_rule(random: &mut StdRng) -> Value {
    let users: Vec<String> =
        (0..random.random_range(0..3)).map(|_| format!("u{}", random.random_range(0..USERS))).collect();
    let groups: Vec<String> =
        (0..random.random_range(1..3)).map(|_| format!("g{}", random.random_range(0..12))).collect();
    let mut spec = json!({"subjects": {"users": users, "groups": groups}});
    spec["clusters"] = match random.random_range(0..10) {
        0 => json!({"names": ["*"]}),
        1..5 => json!({"selector": format!("env={}", ["prod", "dev", "test"].choose(random).unwrap())}),
        _ => {
            let names: Vec<String> = (0..random.random_range(1..6))
                .map(|_| format!("c{}", random.random_range(0..CLUSTERS)))
                .collect();
            json!({"names": names})
        }
    };
    if random.random_bool(0.3) {
        let namespace = if random.random_bool(0.5) { "n1" } else { "n2" };
        spec["namespaces"] = json!([namespace]);
    }
    let role = *["viewer", "viewer", "operator", "admin", "custom"].choose(random).unwrap();
    spec["role"] = json!(role);
    if role == "custom" {
        let all = ["*", "get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"];
        let verbs: Vec<_> = all.choose_multiple(random, 3).collect();
        spec["verbs"] = json!(verbs);
        if random.random_bool(0.6) {
            let all = ["*", "pods", "pods/exec", "pods/log", "deployments.apps", "nodes", "configmaps"];
            spec["resources"] = json!(all.choose_multiple(random, 2).collect::<Vec<_>>());
        }
    }
    spec
}

#[test]
fn t07_fifty_users_in_fifty_clusters_are_allowed_what_a_model_allows_them() {
    let (mut asked, mut yes) = (0, 0);
    let seeds: u64 = if std::env::var_os("TRUNKLINE_PROVE").is_some() { 40 } else { 1 };
    for seed in 0..seeds {
        let mut random = StdRng::seed_from_u64(seed);
        let specs: Vec<(String, Value)> = (0..60).map(|n| (format!("r{n}"), a_rule(&mut random))).collect();
        let rules = RuleSet::new(specs.iter().map(|(name, spec)| rule(name, spec.clone())));
        let users: Vec<Principal> = (0..USERS)
            .map(|n| {
                let groups: Vec<String> = (0..random.random_range(0..4))
                    .map(|_| format!("g{}", random.random_range(0..12)))
                    .collect();
                Principal { groups, ..Principal::for_test(&format!("u{n}"), &[]) }
            })
            .collect();
        let clusters: Vec<(ClusterId, Labels)> = (0..CLUSTERS)
            .map(|n| {
                let env = ["prod", "dev", "test", "none"].choose(&mut random).unwrap();
                (format!("c{n}").parse().unwrap(), [("env".to_owned(), (*env).to_owned())].into())
            })
            .collect();
        let deeds: Vec<Action> = DEEDS.iter().map(|deed| action(deed.0, deed.1)).collect();
        for who in &users {
            for (id, labels) in &clusters {
                for (at, deed) in deeds.iter().enumerate() {
                    let place = Place { labels, ..plain(id) };
                    let decision = decide(&rules, who, &place, deed, None);
                    let allowing: Vec<&(String, Value)> = specs
                        .iter()
                        .filter(|(_, spec)| {
                            model_allows(spec, &who.groups, &who.user, (id.as_str(), labels), at)
                        })
                        .collect();
                    asked += 1;
                    match decision {
                        Ok(Allowed { rule, role, identity, .. }) => {
                            yes += 1;
                            let by = allowing.iter().find(|(name, _)| *name == rule);
                            let (_, spec) =
                                by.unwrap_or_else(|| panic!("{rule} allows {who:?} {id} {deed:?}"));
                            assert_eq!(spec["role"], role.as_str());
                            assert_eq!(identity.user, who.user);
                            let strongest = allowing.iter().any(|(_, spec)| spec["role"] == "admin");
                            assert!(!strongest || role == Role::Admin, "{rule} is not the strongest");
                        }
                        Err(_) => assert!(allowing.is_empty(), "{allowing:?} allow {who:?} {id} {deed:?}"),
                    }
                }
            }
        }
    }
    assert_eq!(asked, seeds as usize * USERS * CLUSTERS * DEEDS.len());
    println!("{asked} decisions as the model's, {yes} of them yes");
    assert!(yes > asked / 5 && yes < asked * 4 / 5, "the rules say both: {yes} of {asked}");
}
