//! Discovery: what can be asked for, in the old form (one document a group) and the aggregated one.
//!
//! Invariant: everything said here is drawn from [`KINDS`], but for the two reviews; all that is said is served.

use http::Response;
use serde_json::{Value, json};
use trunkline_runtime::{Body, full};

use crate::identity::Refusal;
use crate::kinds::{KINDS, group_version};
use crate::route::{object, typed};

/// Groups and their one version. The empty one is served under `/api`.
const GROUPS: [(&str, &str); 5] = [
    ("", "v1"),
    ("apps", "v1"),
    ("authentication.k8s.io", "v1"),
    ("authorization.k8s.io", "v1"),
    ("projectcalico.org", "v3"),
];
const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/// Answers `/version`, `/api`, `/apis` and discovery below; anything else is a 404.
pub(crate) fn answer(segments: &[&str], accept: &str) -> Result<Response<Body>, Refusal> {
    let is_aggregated = accept.contains("as=APIGroupDiscoveryList") && accept.contains("v=v2;");
    let named: Vec<_> = GROUPS[1..].iter().map(|(name, version)| group(name, version)).collect();
    let missing = || Refusal::not_found("the server could not find the requested resource");
    let document = match segments {
        ["version"] => json!({
            "major": "1", "minor": "35", "gitVersion": "v1.35.0+trunkline-sample", "gitCommit": "", "gitTreeState": "",
            "buildDate": "1970-01-01T00:00:00Z", "goVersion": "none", "compiler": "rustc", "platform": "sample",
        }),
        [root @ ("api" | "apis")] if is_aggregated => {
            return Ok(typed(AGGREGATED, full(aggregated(*root == "api").to_string())));
        }
        ["api"] => json!({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}),
        ["apis"] => json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": named}),
        ["api", "v1"] => resources("", "v1"),
        ["apis", name, version] if GROUPS.contains(&(name, version)) => resources(name, version),
        ["apis", name] => named.into_iter().find(|group| group["name"] == *name).ok_or_else(missing)?,
        _ => return Err(missing()),
    };
    Ok(object(&document))
}

fn group(name: &str, version: &str) -> Value {
    let version = json!({"groupVersion": group_version(name, version), "version": version});
    json!({"kind": "APIGroup", "apiVersion": "v1", "name": name, "versions": [version], "preferredVersion": version})
}

fn resources(group: &str, version: &str) -> Value {
    let kinds = KINDS.iter().filter(|kind| kind.group == group).map(|kind| {
        let short: Vec<_> = Some(kind.short).filter(|short| !short.is_empty()).into_iter().collect();
        json!({
            "name": kind.plural, "singularName": kind.kind.to_lowercase(), "namespaced": kind.namespaced,
            "kind": kind.kind, "verbs": ["get", "list", "watch"], "shortNames": short,
            "categories": if kind.kind == "Pod" || kind.kind == "Deployment" { vec!["all"] } else { vec![] },
        })
    });
    let review = match group {
        "authentication.k8s.io" => Some(("selfsubjectreviews", "SelfSubjectReview")),
        "authorization.k8s.io" => Some(("selfsubjectaccessreviews", "SelfSubjectAccessReview")),
        _ => None,
    };
    let review = review.map(|(plural, kind)| {
        json!({
            "name": plural, "singularName": kind.to_lowercase(), "namespaced": false,
            "kind": kind, "verbs": ["create"], "shortNames": [], "categories": [],
        })
    });
    let (version, resources) = (group_version(group, version), kinds.chain(review).collect::<Vec<_>>());
    json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": resources})
}

fn aggregated(is_core: bool) -> Value {
    let of_group = |(group, version): &(&str, &str)| {
        let of_resource = |old: &Value| {
            let scope = if old["namespaced"] == true { "Namespaced" } else { "Cluster" };
            let kind = json!({"group": group, "version": version, "kind": old["kind"]});
            json!({
                "resource": old["name"], "singularResource": old["singularName"], "responseKind": kind,
                "scope": scope, "verbs": old["verbs"], "shortNames": old["shortNames"], "categories": old["categories"],
            })
        };
        let resources = resources(group, version)["resources"].take();
        let resources: Vec<_> = resources.as_array().into_iter().flatten().map(of_resource).collect();
        let versions = [json!({"version": version, "freshness": "Current", "resources": resources})];
        json!({"metadata": {"name": group}, "versions": versions})
    };
    let items: Vec<_> =
        GROUPS.iter().filter(|(group, _)| group.is_empty() == is_core).map(of_group).collect();
    json!({"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items})
}
