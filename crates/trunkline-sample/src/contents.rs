//! What a sample cluster holds, drawn from its name alone, and the small changes that make it look alive.
//!
//! Invariants:
//! - names, addresses, images and log lines follow from the cluster's name, so two runs show the same cluster and two
//!   clusters differ; only the times are relative to the start;
//! - a round of four ticks leaves as many pods as it found, and at most [`EVENTS_KEPT`] events are kept.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::kinds::{DEPLOYMENTS, EVENTS, Kind, NAMESPACES, PODS, POLICIES, TIERS, text};
use crate::store::Store;

/// How many events are kept; the oldest go first.
const EVENTS_KEPT: usize = 48;

/// A namespace and two workloads that belong there.
const THEMES: [(&str, [&str; 2]); 8] = [
    ("shop", ["storefront", "cart"]),
    ("payments", ["ledger", "card-gateway"]),
    ("search", ["indexer", "suggest"]),
    ("media", ["transcoder", "thumbnails"]),
    ("tracking", ["positions", "geofence"]),
    ("billing", ["invoices", "dunning"]),
    ("identity", ["login", "sessions"]),
    ("analytics", ["collector", "reports"]),
];
/// Which of the four workloads, tier, name, order, and whom it is about.
const RULES: [(usize, &str, &str, u32, &str); 5] = [
    (0, "security", "quarantine", 10, "quarantine == 'true'"),
    (0, "platform", "allow-dns", 20, "k8s-app == 'kube-dns'"),
    (0, "default", "allow-web", 100, "role == 'ingress'"),
    (1, "default", "allow-own-namespace", 110, "all()"),
    (2, "default", "allow-from-front", 120, "role == 'front'"),
];

/// Fills the store of the cluster called `cluster`.
pub(crate) fn fill(store: &Store, cluster: &str) {
    let now = Timestamp::now();
    let first = cluster.bytes().next().map_or(0, |byte| usize::from(byte.wrapping_sub(b'a')) * 3);
    let theme = |i: usize| THEMES[(first + i) % THEMES.len()];
    for namespace in ["default", theme(0).0, theme(1).0, theme(2).0] {
        put_namespace(store, cluster, namespace, now);
    }
    let workloads = [(0, 0), (0, 1), (1, 0), (2, 0)].map(|(i, j)| (theme(i).0, theme(i).1[j]));
    for (namespace, app) in workloads {
        let born = now - days(2 + hash(&[cluster, app]) % 40);
        let spec =
            json!({"selector": {"matchLabels": {"app": app}}, "template": template(app), "strategy": {}});
        let mut deployment = object(&DEPLOYMENTS, cluster, namespace, app, born, spec);
        deployment["metadata"]["labels"] = json!({"app": app});
        put_scaled(store, &mut deployment, 3);
        for ordinal in 0..3 {
            let pod = pod(cluster, namespace, app, ordinal, born);
            let message = format!("Started container {app}");
            store.put(&EVENTS, event(&pod, "Normal", "Started", &message, ordinal, now));
            store.put(&PODS, pod);
        }
    }
    for (tier, order) in [("security", 100), ("platform", 200), ("default", 1_000_000)] {
        let spec = json!({"order": order, "defaultAction": "Deny"});
        store.put(&TIERS, object(&TIERS, cluster, "", tier, now - days(30), spec));
    }
    for (workload, tier, name, order, source) in RULES {
        let (namespace, app) = workloads[workload];
        let rule =
            json!({"action": if order == 10 { "Deny" } else { "Allow" }, "source": {"selector": source}});
        let spec = json!({
            "tier": tier, "order": order, "selector": format!("app == '{app}'"),
            "types": ["Ingress"], "ingress": [rule],
        });
        let name = format!("{tier}.{name}");
        store.put(&POLICIES, object(&POLICIES, cluster, namespace, &name, now - days(20), spec));
    }
}

/// Adds `count` pods in a namespace of their own, for lists that are long.
pub(crate) fn add_pods(store: &Store, cluster: &str, count: u32) {
    let now = Timestamp::now();
    put_namespace(store, cluster, "crowd", now);
    (0..count).for_each(|ordinal| store.put(&PODS, pod(cluster, "crowd", "filler", ordinal, now)));
}

/// Makes change number `serial`.
pub(crate) fn tick(store: &Store, cluster: &str, serial: u32) {
    let now = Timestamp::now();
    let (round, step) = (serial as usize / 4, serial % 4);
    let (deployments, pods) = (store.all(&DEPLOYMENTS), store.all(&PODS));
    let mut deployment = Value::clone(&deployments[round % deployments.len()]);
    let mut victim = Value::clone(&pods[round * 5 % pods.len()]);
    let (namespace, app) = (text(&deployment, "/metadata/namespace"), text(&deployment, "/metadata/name"));
    let news = match step {
        0 => {
            // Ordinals of the first pods are small: a later pod never takes the name of one of them.
            store.put(&PODS, pod(cluster, namespace, app, 1000 + serial, now));
            let message = format!("Scaled up replica set {app} from 3 to 4");
            put_scaled(store, &mut deployment, 4);
            event(&deployment, "Normal", "ScalingReplicaSet", &message, serial, now)
        }
        1 => {
            restart(&mut victim, now);
            store.put(&PODS, victim.clone());
            event(&victim, "Normal", "Started", "Restarted after it ran out of memory", serial, now)
        }
        2 => {
            let spare = pod(cluster, namespace, app, 1000 + serial - 2, now);
            store.remove(&PODS, &spare);
            let message = format!("Scaled down replica set {app} from 4 to 3");
            put_scaled(store, &mut deployment, 3);
            event(&deployment, "Normal", "ScalingReplicaSet", &message, serial, now)
        }
        _ => event(&victim, "Warning", "Unhealthy", "Readiness probe failed: statuscode: 503", serial, now),
    };
    store.put(&EVENTS, news);
    let mut events = store.all(&EVENTS);
    events.sort_by_key(|event| text(event, "/metadata/resourceVersion").parse().unwrap_or(0_u64));
    let surplus = events.len().saturating_sub(EVENTS_KEPT);
    events[..surplus].iter().for_each(|old| store.remove(&EVENTS, old));
}

/// A time as Kubernetes writes it.
pub(crate) fn seconds(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A number drawn from words (FNV-1a, with a last stir so that every bit counts).
pub(crate) fn hash(words: &[&str]) -> u64 {
    let bytes = words.iter().flat_map(|word| word.bytes().chain([0]));
    let mix = |sum: u64, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    let sum = bytes.fold(0xcbf2_9ce4_8422_2325, mix);
    (sum ^ (sum >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 3
}

/// Pod number `ordinal` of a workload.
fn pod(cluster: &str, namespace: &str, app: &str, ordinal: u32, born: Timestamp) -> Value {
    let seed = hash(&[cluster, namespace, app, &ordinal.to_string()]);
    let revision = letters(hash(&[cluster, app]), 10);
    let (set, started) = (format!("{app}-{revision}"), seconds(born));
    let name = format!("{set}-{}", letters(seed, 5));
    let mut pod = object(&PODS, cluster, namespace, &name, born, template(app)["spec"].take());
    pod["metadata"]["labels"] = json!({"app": app, "pod-template-hash": revision});
    let owner = uid(hash(&[cluster, &set]));
    pod["metadata"]["ownerReferences"] = json!([{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": set, "uid": owner, "controller": true}]);
    pod["spec"]["nodeName"] = json!(format!("{cluster}-worker-{}", seed % 3 + 1));
    let ip = format!("10.{}.{}.{}", 64 + hash(&[cluster]) % 64, seed % 200, seed / 256 % 250 + 2);
    let condition = |kind: &str| json!({"type": kind, "status": "True", "lastTransitionTime": started});
    let conditions = ["Initialized", "Ready", "ContainersReady", "PodScheduled"].map(condition);
    pod["status"] = json!({
        "phase": "Running", "qosClass": "Burstable", "startTime": started, "podIP": ip, "podIPs": [{"ip": ip}],
        "hostIP": format!("192.168.7.{}", seed % 3 + 11), "conditions": conditions,
        "containerStatuses": [{
            "name": app, "image": pod["spec"]["containers"][0]["image"], "imageID": "",
            "containerID": format!("sample://{seed:016x}"), "ready": true, "started": true, "restartCount": 0,
            "state": {"running": {"startedAt": started}},
        }],
    });
    pod
}

fn restart(pod: &mut Value, now: Timestamp) {
    let status = &mut pod["status"]["containerStatuses"][0];
    let before = status["state"]["running"]["startedAt"].take();
    status["restartCount"] = json!(status["restartCount"].as_u64().unwrap_or_default() + 1);
    status["lastState"]["terminated"] =
        json!({"exitCode": 137, "reason": "OOMKilled", "startedAt": before, "finishedAt": seconds(now)});
    status["state"]["running"]["startedAt"] = json!(seconds(now));
}

fn put_scaled(store: &Store, deployment: &mut Value, replicas: u32) {
    deployment["spec"]["replicas"] = json!(replicas);
    for count in ["replicas", "updatedReplicas", "readyReplicas", "availableReplicas"] {
        deployment["status"][count] = json!(replicas);
    }
    store.put(&DEPLOYMENTS, deployment.clone());
}

/// An event about a pod or a deployment; `serial` keeps names of events apart.
fn event(about: &Value, type_: &str, reason: &str, message: &str, serial: u32, at: Timestamp) -> Value {
    let (meta, seen) = (&about["metadata"], seconds(at));
    let (namespace, subject) = (text(about, "/metadata/namespace"), text(about, "/metadata/name"));
    let name = format!("{subject}.{:016x}", hash(&[&serial.to_string(), reason]));
    let from = if about["kind"] == "Pod" { "kubelet" } else { "deployment-controller" };
    let own = object(&EVENTS, "", namespace, &name, at, Value::Null)["metadata"].take();
    json!({
        "apiVersion": "v1", "kind": "Event", "metadata": own,
        "type": type_, "reason": reason, "message": message, "count": 1, "firstTimestamp": seen, "lastTimestamp": seen,
        "source": {"component": from},
        "involvedObject": {
            "kind": about["kind"], "apiVersion": about["apiVersion"], "namespace": namespace,
            "name": meta["name"], "uid": meta["uid"],
        },
    })
}

fn template(app: &str) -> Value {
    json!({"metadata": {"labels": {"app": app}}, "spec": {
        "serviceAccountName": "default", "restartPolicy": "Always", "terminationGracePeriodSeconds": 30,
        "containers": [{
            "name": app, "image": format!("registry.sample.invalid/{app}:1.{}", hash(&[app]) % 20),
            "ports": [{"containerPort": 8080, "protocol": "TCP"}], "env": [{"name": "APP", "value": app}],
            "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}},
        }],
    }})
}

fn put_namespace(store: &Store, cluster: &str, name: &str, now: Timestamp) {
    let mut namespace = object(&NAMESPACES, cluster, "", name, now - days(60), json!({}));
    namespace["metadata"]["labels"] = json!({"kubernetes.io/metadata.name": name});
    namespace["status"] = json!({"phase": "Active"});
    store.put(&NAMESPACES, namespace);
}

fn object(kind: &Kind, cluster: &str, namespace: &str, name: &str, born: Timestamp, spec: Value) -> Value {
    let uid = uid(hash(&[cluster, kind.plural, namespace, name]));
    let meta = json!({"name": name, "uid": uid, "creationTimestamp": seconds(born)});
    let mut object = json!({"apiVersion": kind.api_version(), "kind": kind.kind, "metadata": meta});
    if kind.namespaced {
        object["metadata"]["namespace"] = json!(namespace);
    }
    if !spec.is_null() {
        object["spec"] = spec;
    }
    object
}

fn uid(seed: u64) -> String {
    let hex = format!("{:016x}{:016x}", seed, seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    format!("{}-{}-4{}-8{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
}

/// The tail of a generated name, in the letters that Kubernetes uses.
fn letters(mut seed: u64, count: usize) -> String {
    let mut draw = || {
        seed /= 27;
        char::from(b"bcdfghjklmnpqrstvwxz2456789"[(seed % 27) as usize])
    };
    (0..count).map(|_| draw()).collect()
}

fn days(count: u64) -> SignedDuration {
    SignedDuration::from_hours(24 * i64::try_from(count).unwrap_or_default())
}
