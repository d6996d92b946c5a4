//! What is told of an action and of a no; and which rules are in force, of a file's and a registry's.

use trunkline_api::NewAccessRule;

use super::*;

fn declared(rules: Value) -> Vec<NewAccessRule> {
    serde_json::from_value(rules).unwrap()
}

fn names(access: &Access) -> Vec<String> {
    access.rules().iter().map(|rule| rule.name().to_owned()).collect()
}

#[test]
fn an_action_is_told_with_its_namespace_where_it_has_one() {
    for (method, path, told) in [
        ("POST", &format!("{POD}/exec") as &str, "create pods/exec in namespace web"),
        ("DELETE", "/apis/apps/v1/namespaces/web/deployments/d", "delete deployments.apps in namespace web"),
        ("GET", "/api/v1/nodes", "list nodes"),
        ("GET", "/version", "get /version"),
    ] {
        assert_eq!(action(method, path).told(), told);
    }
}

#[test]
fn who_types_sits_before_exec_and_attach() {
    let interactive = |sub: &str| upgraded(&format!("{POD}/{sub}")).is_interactive();
    assert!(interactive("exec") && interactive("attach"));
    assert!(!interactive("portforward") && !interactive("proxy/a") && !action("GET", POD).is_interactive());
}

#[test]
fn a_review_of_oneself_is_just_that() {
    let review = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    assert!(action("POST", review).is_about_oneself() && action("POST", review).reads());
    for (method, path) in [
        ("DELETE", review),
        ("POST", &format!("{review}/x/status") as &str),
        ("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews"),
        ("POST", "/apis/other/v1/selfsubjectaccessreviews"),
        ("GET", "/version"),
    ] {
        assert!(!action(method, path).is_about_oneself(), "{method} {path}");
    }
    assert!(!upgraded(review).is_about_oneself());
}

#[test]
fn a_no_to_acting_as_somebody_does_not_repeat_as_whom() {
    let rules = set(&[("r", json!({"subjects": {"users": ["jane"]}, "clusters": {"names": ["alpha"]}}))]);
    let (alpha, bob) = ("alpha".parse().unwrap(), ActAs { user: "bob".into(), groups: Vec::new() });
    let no = decide(&rules, &jane(), &plain(&alpha), &action("GET", POD), Some(&bob)).unwrap_err();
    assert!(
        no.why().contains("lets jane get pods in namespace web in cluster alpha as the user and"),
        "{no:?}"
    );
    assert!(!no.why().contains("bob"), "{no:?}");
}

#[test]
fn who_is_called_as_everybody_is_written_is_not_everybody() {
    let rules = set(&[("r", json!({"subjects": {"users": ["*"]}, "clusters": {"names": ["*"]}}))]);
    assert!(allowed(&rules, &Principal::for_test("*", &[]), &action("GET", POD)));
    assert!(allowed(&rules, &jane(), &action("GET", POD)));
    let grouped = set(&[("r", json!({"subjects": {"groups": ["ops"]}, "clusters": {"names": ["*"]}}))]);
    assert!(!allowed(&grouped, &jane(), &action("GET", POD)));
}

#[test]
fn a_files_rules_are_in_force_beside_the_built_in_and_replaced_by_newer_ones() {
    let registry = Registry::in_memory().unwrap();
    let spec = json!({"subjects": {"users": ["jane"]}, "clusters": {"names": ["*"]}});
    let access = Access::new(registry, &declared(json!([{"name": "one", "spec": spec}]))).unwrap();
    let mut changes = access.changes();
    assert_eq!(names(&access), ["trunkline-admins", "trunkline-operators", "one", "trunkline-viewers"]);
    assert!(access.is_declared(&"one".parse().unwrap()));
    assert!(!access.is_declared(&"two".parse().unwrap()));
    let before = *changes.borrow_and_update();
    access.follow(&declared(json!([{"name": "two", "spec": spec}]))).unwrap();
    assert_eq!(names(&access), ["trunkline-admins", "trunkline-operators", "trunkline-viewers", "two"]);
    assert!(*changes.borrow() > before, "who waits for other rules is told");
    assert!(!access.is_declared(&"one".parse().unwrap()));
    assert!(access.follow(&declared(json!([{"name": "trunkline-admins", "spec": spec}]))).is_err());
    assert!(access.is_declared(&"two".parse().unwrap()), "those before stay in force");
}

#[tokio::test]
async fn of_a_name_in_the_file_and_in_the_registry_the_files_rule_counts() {
    let registry = Registry::in_memory().unwrap();
    let of = |user: &str| json!({"subjects": {"users": [user]}, "clusters": {"names": ["*"]}});
    for new in declared(json!([{"name": "both", "spec": of("bob")}, {"name": "kept", "spec": of("bob")}])) {
        registry.put_rule(&new, "root", jiff::Timestamp::UNIX_EPOCH).await.unwrap();
    }
    let access = Access::new(registry, &declared(json!([{"name": "both", "spec": of("jane")}]))).unwrap();
    let rules = access.rules();
    let own: Vec<_> = rules.iter().filter(|rule| !rule.name().starts_with("trunkline-")).collect();
    assert_eq!(own.iter().map(|rule| rule.name()).collect::<Vec<_>>(), ["both", "kept"]);
    assert_eq!(own[0].spec().subjects.users, ["jane"]);
}

#[test]
fn a_files_rules_have_names_of_their_own_and_can_be() {
    let spec = json!({"subjects": {"users": ["jane"]}, "clusters": {"names": ["*"]}});
    let can_be = |rules: Value| check_rules(&declared(rules)).is_ok();
    assert!(can_be(json!([{"name": "a", "spec": spec}, {"name": "b", "spec": spec}])));
    assert!(!can_be(json!([{"name": "a", "spec": spec}, {"name": "a", "spec": spec}])));
    assert!(!can_be(json!([{"name": "trunkline-viewers", "spec": spec}])));
    let nobody = json!({"subjects": {}, "clusters": {"names": ["*"]}});
    assert!(!can_be(json!([{"name": "a", "spec": nobody}])));
    assert!(may_be_named(&"team-a".parse().unwrap()));
    assert!(!may_be_named(&"trunkline-operators".parse().unwrap()));
}
