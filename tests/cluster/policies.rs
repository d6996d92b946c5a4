//! Policies as clusters with Calico have them: its custom resources in both of its groups, those of the network policy API,
//! and some of each. What is defined here is how the kinds are called and shown; the rest of a spec is kept as it is sent.

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::joining::admin;
use crate::stage::Stage;

const CALICO: &str = "projectcalico.org";
const CALICO_STORED: &str = "crd.projectcalico.org";
const POLICY: &str = "policy.networking.k8s.io";

/// Defines the kinds in a cluster, and makes policies of them that name the cluster.
pub(crate) async fn bring_policies(stage: &Stage, cluster: &str) -> Result<()> {
    let kinds: Vec<Value> = [
        (CALICO, "v3", "Tier", "tiers", false),
        (CALICO, "v3", "GlobalNetworkPolicy", "globalnetworkpolicies", false),
        (CALICO, "v3", "NetworkPolicy", "networkpolicies", true),
        (CALICO, "v3", "StagedNetworkPolicy", "stagednetworkpolicies", true),
        (CALICO_STORED, "v1", "Tier", "tiers", false),
        (CALICO_STORED, "v1", "GlobalNetworkPolicy", "globalnetworkpolicies", false),
        (CALICO_STORED, "v1", "NetworkPolicy", "networkpolicies", true),
        (POLICY, "v1alpha1", "AdminNetworkPolicy", "adminnetworkpolicies", false),
        (POLICY, "v1alpha2", "ClusterNetworkPolicy", "clusternetworkpolicies", false),
    ]
    .map(kind)
    .into();
    apply(stage, cluster, &kinds).await?;
    let kubectl = admin(stage, cluster, "kubectl")?;
    kubectl.args(["wait", "--for=condition=Established", "crd", "--all", "--timeout=30s"]).bytes().await?;
    apply(stage, cluster, &policies(cluster)).await
}

fn kind((group, version, kind, plural, namespaced): (&str, &str, &str, &str, bool)) -> Value {
    let free = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        // The network policy API's groups are guarded, and want to know where a definition was approved.
        "metadata": {"name": format!("{plural}.{group}"), "annotations": {
            "api-approved.kubernetes.io": "https://github.com/kubernetes-sigs/network-policy-api/pull/30",
        }},
        "spec": {
            "group": group, "scope": if namespaced { "Namespaced" } else { "Cluster" },
            "names": {"kind": kind, "plural": plural, "singular": kind.to_lowercase(), "listKind": format!("{kind}List")},
            "versions": [{
                "name": version, "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": free, "status": free}}},
            }],
        },
    })
}

fn policies(cluster: &str) -> Vec<Value> {
    let allow = |from: &str| json!([{"action": "Allow", "source": {"selector": from}}, {"action": "Deny"}]);
    let named = |version: &str, kind: &str, name: &str, spec: Value| json!({"apiVersion": version, "kind": kind, "metadata": {"name": name}, "spec": spec});
    let mut made = Vec::new();
    for version in ["projectcalico.org/v3", "crd.projectcalico.org/v1"] {
        made.push(named(version, "Tier", "default", json!({"order": 1_000_000})));
        made.push(named(version, "Tier", "security", json!({"order": 100, "defaultAction": "Pass"})));
        made.push(named(version, "Tier", &format!("of-{cluster}"), json!({"order": 300})));
        let spec = json!({
            "tier": "security", "order": 10, "selector": "all()", "types": ["Ingress"], "ingress": allow("app == 'demo'"),
        });
        made.push(named(version, "GlobalNetworkPolicy", "security.quarantine", spec));
        let spec = json!({"tier": format!("of-{cluster}"), "selector": format!("cluster == '{cluster}'"), "egress": [{"action": "Allow"}]});
        made.push(named(version, "NetworkPolicy", &format!("of-{cluster}.only-here"), spec));
    }
    let spec =
        json!({"tier": "default", "order": 20, "selector": "app == 'demo'", "ingress": allow("all()")});
    made.push(named("projectcalico.org/v3", "StagedNetworkPolicy", "default.soon", spec));
    let spec =
        json!({"podSelector": {"matchLabels": {"app": "demo"}}, "policyTypes": ["Ingress"], "ingress": [{}]});
    made.push(named("networking.k8s.io/v1", "NetworkPolicy", "demo", spec));
    let spec = json!({
        "priority": 50, "subject": {"namespaces": {}},
        "ingress": [{"name": "none", "action": "Deny", "from": [{"namespaces": {"matchLabels": {"evil": "yes"}}}]}],
    });
    made.push(named(
        "policy.networking.k8s.io/v1alpha1",
        "AdminNetworkPolicy",
        &format!("admin-{cluster}"),
        spec,
    ));
    let spec = json!({
        "tier": "Admin", "priority": 7, "subject": {"namespaces": {}},
        "egress": [{"action": "Accept", "to": [{"namespaces": {}}]}],
    });
    made.push(named(
        "policy.networking.k8s.io/v1alpha2",
        "ClusterNetworkPolicy",
        &format!("cluster-{cluster}"),
        spec,
    ));
    made
}

async fn apply(stage: &Stage, cluster: &str, objects: &[Value]) -> Result<()> {
    let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
    let apply = admin(stage, cluster, "kubectl")?.args(["apply", "-f", "-"]).input(list.to_string());
    apply.bytes().await.map(|_| ()).with_context(|| format!("no policies in {cluster}"))
}
