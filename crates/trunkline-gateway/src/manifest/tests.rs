use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::Path;

use serde_json::Value;
use trunkline_api::{Binding, ManifestOptions};

use super::*;

fn values(options: &ManifestOptions) -> Values {
    let pin = format!("sha256:{}", "0a".repeat(32)).parse().unwrap();
    let addresses = ["gw.example.com:9443".to_owned(), "[2001:db8::1]:443".to_owned()];
    let token = format!("tlj_{}", "A".repeat(43));
    Values::from(&"alpha".parse().unwrap(), options, pin, &addresses, &token, "trunkline:1", 2).unwrap()
}

fn options() -> Vec<ManifestOptions> {
    let plain = ManifestOptions::default();
    vec![
        plain.clone(),
        ManifestOptions {
            without_bindings: vec![Binding::Viewers, Binding::Operators, Binding::Admins],
            ..plain.clone()
        },
        ManifestOptions { without_bindings: vec![Binding::Admins], ephemeral_spool: true, ..plain.clone() },
        ManifestOptions {
            groups: vec![
                "dev".into(),
                "o'neill \"x\": {{ .Values.token }} \\".into(),
                "véra".into(),
                "no".into(),
            ],
            storage_class: Some("fast.ssd".into()),
            image: Some("registry.example.com:5000/a/trunkline@sha256:00".into()),
            ..plain.clone()
        },
        ManifestOptions { logs: true, ..plain.clone() },
        ManifestOptions { log_tail: true, ephemeral_spool: true, ..plain.clone() },
        ManifestOptions { pass_through: vec!["urn:alpha".into()], groups: vec!["*".into()], ..plain },
    ]
}

/// The objects of a manifest, by kind and name.
fn objects(manifest: &str) -> BTreeMap<String, Value> {
    let objects: Vec<Value> = serde_saphyr::from_multiple(manifest).unwrap();
    let name = |object: &Value| {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        format!("{} {}", text(&object["kind"]), text(&object["metadata"]["name"]))
    };
    let count = objects.len();
    let named: BTreeMap<String, Value> = objects.into_iter().map(|object| (name(&object), object)).collect();
    assert_eq!(named.len(), count, "an object is there twice");
    named
}

#[test]
fn every_choice_of_options_makes_the_objects_it_should() {
    for options in options() {
        let objects = objects(&render(&values(&options)).unwrap());
        let mut wanted: BTreeSet<String> = [
            "Namespace trunkline",
            "ServiceAccount trunkline-agent",
            "Role trunkline-agent",
            "RoleBinding trunkline-agent",
            "Secret trunkline-agent-identity",
            "Secret trunkline-agent-join",
            "ConfigMap trunkline-agent",
            "NetworkPolicy trunkline-default-deny",
            "NetworkPolicy trunkline-agent",
            "StatefulSet trunkline-agent",
            "PodDisruptionBudget trunkline-agent",
        ]
        .map(str::to_owned)
        .into();
        let impersonates = options.pass_through.is_empty();
        if impersonates {
            wanted
                .extend(["ClusterRole", "ClusterRoleBinding"].map(|kind| format!("{kind} trunkline-agent")));
        }
        for (binding, name) in [
            (Binding::Viewers, "trunkline-viewers"),
            (Binding::Operators, "trunkline-operators"),
            (Binding::Admins, "trunkline-admins"),
        ] {
            if impersonates && !options.without_bindings.contains(&binding) {
                wanted.insert(format!("ClusterRoleBinding {name}"));
            }
        }
        if options.logs || options.log_tail {
            wanted.extend(["Service trunkline-logs", "NetworkPolicy trunkline-logs"].map(str::to_owned));
        }
        if options.log_tail {
            let kinds = ["Namespace", "ServiceAccount", "ConfigMap", "NetworkPolicy", "DaemonSet"];
            wanted.extend(kinds.map(|kind| format!("{kind} trunkline-tail")));
        }
        assert_eq!(objects.keys().cloned().collect::<BTreeSet<_>>(), wanted, "{options:?}");
        let cluster_wide = ["Namespace", "ClusterRole", "ClusterRoleBinding"];
        for (name, object) in &objects {
            let namespace = object["metadata"]["namespace"].as_str();
            let own = if name.ends_with(" trunkline-tail") { "trunkline-tail" } else { NAMESPACE };
            let within = (!cluster_wide.contains(&object["kind"].as_str().unwrap())).then_some(own);
            assert_eq!(namespace, within, "{name}");
        }
    }
}

#[test]
fn the_namespace_comes_first_and_enforces_the_restricted_profile() {
    let manifest = render(&values(&ManifestOptions::default())).unwrap();
    let first = manifest.split("---\n").nth(1).unwrap();
    assert!(first.contains("kind: Namespace"), "{first}");
    let labels = &objects(&manifest)["Namespace trunkline"]["metadata"]["labels"];
    assert_eq!(labels["pod-security.kubernetes.io/enforce"], "restricted");
}

#[test]
fn the_agents_rights_are_the_least_it_needs() {
    let rules = |options: &ManifestOptions, role: &str| {
        objects(&render(&values(options)).unwrap())[role]["rules"].as_array().unwrap().clone()
    };
    let rule = |resource: &str, verbs: &[&str]| serde_json::json!({"apiGroups": [""], "resources": [resource], "verbs": verbs});
    let any = ManifestOptions { groups: vec!["*".into()], ..ManifestOptions::default() };
    assert_eq!(
        rules(&any, "ClusterRole trunkline-agent"),
        [rule("users", &["impersonate"]), rule("groups", &["impersonate"]), rule("nodes", &["list"])]
    );
    let unasked = rules(&ManifestOptions::default(), "ClusterRole trunkline-agent");
    let ours = ["trunkline:viewers", "trunkline:operators", "trunkline:admins"];
    assert_eq!(unasked[1]["resourceNames"], serde_json::json!(ours), "any group only for who asks for it");
    let narrow = &options()[3];
    let listed = rules(narrow, "ClusterRole trunkline-agent");
    assert_eq!(listed[1]["resourceNames"], serde_json::json!(narrow.groups));
    let own = rules(narrow, "Role trunkline-agent");
    assert_eq!(own.len(), 1);
    assert_eq!(own[0]["resourceNames"], serde_json::json!(["trunkline-agent-identity"]));
    assert_eq!(own[0]["verbs"], serde_json::json!(["get", "update"]));
    assert!(!serde_json::to_string(&(listed, own)).unwrap().contains('*'));
}

#[test]
fn only_labelled_pods_reach_the_intake_and_only_when_logs_are_asked_for() {
    let rendered = |options: &ManifestOptions| objects(&render(&values(options)).unwrap());
    let config = |manifest: &BTreeMap<String, Value>| -> Value {
        serde_saphyr::from_str(manifest["ConfigMap trunkline-agent"]["data"]["agent.yaml"].as_str().unwrap())
            .unwrap()
    };
    assert_eq!(config(&rendered(&ManifestOptions::default())).get("logs"), None);
    let manifest = rendered(&ManifestOptions { logs: true, ..ManifestOptions::default() });
    let logs = &config(&manifest)["logs"];
    assert_eq!(logs["listen"], serde_json::json!(["0.0.0.0:9200"]));
    assert_eq!(logs["spool"], serde_json::json!({"folder": "/var/lib/trunkline/spool", "max_mib": 768}));
    let ingress = &manifest["NetworkPolicy trunkline-logs"]["spec"]["ingress"];
    let shipper = serde_json::json!({"podSelector": {"matchLabels": {"trunkline.dev/logs": "shipper"}}});
    let port = serde_json::json!([{"port": 9200, "protocol": "TCP"}]);
    assert_eq!(*ingress, serde_json::json!([{"from": [shipper], "ports": port}]));
    let agents = &manifest["NetworkPolicy trunkline-agent"]["spec"]["ingress"];
    assert_eq!(*agents, serde_json::json!([{"ports": [{"port": 9091, "protocol": "TCP"}]}]));
}

#[test]
fn the_tail_has_no_right_no_token_no_capability_and_writes_its_checkpoint_only() {
    let options = ManifestOptions { log_tail: true, ..ManifestOptions::default() };
    let manifest = objects(&render(&values(&options)).unwrap());
    let bound = manifest.iter().filter(|(name, _)| name.contains("Binding"));
    for (name, binding) in bound {
        assert!(!binding.to_string().contains("trunkline-tail"), "{name}");
    }
    assert_eq!(manifest["ServiceAccount trunkline-tail"]["automountServiceAccountToken"], false);
    let pod = &manifest["DaemonSet trunkline-tail"]["spec"]["template"]["spec"];
    assert_eq!(pod["automountServiceAccountToken"], false);
    for field in ["hostNetwork", "hostPID", "hostIPC"] {
        assert_eq!(pod.get(field), None);
    }
    let container = &pod["containers"][0];
    let security = serde_json::json!({
        "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]},
    });
    assert_eq!(container["securityContext"], security);
    let mounts = container["volumeMounts"].as_array().unwrap();
    let writable: Vec<_> = mounts.iter().filter(|mount| mount["readOnly"] != true).collect();
    assert_eq!(writable.len(), 1);
    assert_eq!(writable[0]["mountPath"], "/var/lib/trunkline-tail");
    let paths: Vec<_> =
        pod["volumes"].as_array().unwrap().iter().filter_map(|v| v["hostPath"]["path"].as_str()).collect();
    assert_eq!(paths, ["/var/log", "/var/lib/trunkline-tail"]);
    let egress = manifest["NetworkPolicy trunkline-tail"]["spec"]["egress"].as_array().unwrap();
    assert_eq!(egress.len(), 2, "DNS and the intake");
    let agent = &manifest["StatefulSet trunkline-agent"];
    assert!(!agent.to_string().contains("hostPath"), "the agent sees no file of its node");
}

#[test]
fn an_agent_in_pass_through_mode_has_no_right_but_to_its_own_secret() {
    let options = options().pop().unwrap();
    let manifest = objects(&render(&values(&options)).unwrap());
    let roles: Vec<&String> = manifest.keys().filter(|name| name.contains("Role")).collect();
    assert_eq!(roles, ["Role trunkline-agent", "RoleBinding trunkline-agent"]);
    let own = manifest["Role trunkline-agent"]["rules"].as_array().unwrap();
    assert_eq!(own.len(), 1);
    assert_eq!(own[0]["resourceNames"], serde_json::json!(["trunkline-agent-identity"]));
    assert!(!serde_json::to_string(&manifest).unwrap().contains("\"impersonate\""));
    let text = manifest["ConfigMap trunkline-agent"]["data"]["agent.yaml"].as_str().unwrap();
    let config: Value = serde_saphyr::from_str(text).unwrap();
    assert_eq!(config["upstream"], serde_json::json!({"in_cluster": true, "identity": "pass-through"}));
    // Pods read it at their start: they are rolled when the mode changes.
    let read_at_start = |options: &ManifestOptions| {
        let manifest = objects(&render(&values(options)).unwrap());
        manifest["StatefulSet trunkline-agent"]["spec"]["template"]["metadata"]["annotations"].clone()
    };
    let ungrouped = ManifestOptions { pass_through: Vec::new(), groups: vec!["*".into()], ..options.clone() };
    assert_ne!(read_at_start(&options), read_at_start(&ungrouped));
}

#[test]
fn the_agents_configuration_says_what_was_asked_for() {
    let options = &options()[3];
    let manifest = objects(&render(&values(options)).unwrap());
    let text = manifest["ConfigMap trunkline-agent"]["data"]["agent.yaml"].as_str().unwrap();
    let config: Value = serde_saphyr::from_str(text).unwrap();
    assert_eq!(config["cluster"], "alpha");
    assert_eq!(
        config["gateway"]["addresses"],
        serde_json::json!(["gw.example.com:9443", "[2001:db8::1]:443"])
    );
    assert_eq!(config["upstream"]["allow"]["groups"], serde_json::json!(options.groups));
    let pod = &manifest["StatefulSet trunkline-agent"]["spec"]["template"]["spec"];
    assert_eq!(pod["containers"][0]["image"], options.image.clone().unwrap());
    assert_eq!(manifest["StatefulSet trunkline-agent"]["spec"]["replicas"], 2);
    let claims = &manifest["StatefulSet trunkline-agent"]["spec"]["volumeClaimTemplates"];
    assert_eq!(claims[0]["spec"]["storageClassName"], "fast.ssd");
    let ports = &manifest["NetworkPolicy trunkline-agent"]["spec"]["egress"][1]["ports"];
    let ports: Vec<u64> =
        ports.as_array().unwrap().iter().map(|port| port["port"].as_u64().unwrap()).collect();
    assert_eq!(ports, [443, 6443, 9443]);
}

#[test]
fn an_upgrade_never_holds_what_the_agent_wrote() {
    let manifest = objects(&render(&values(&ManifestOptions::default())).unwrap());
    let identity = manifest["Secret trunkline-agent-identity"].as_object().unwrap();
    assert!(!identity.contains_key("data") && !identity.contains_key("stringData"));
    assert_eq!(identity["metadata"]["annotations"]["helm.sh/resource-policy"], "keep");
}

#[test]
fn a_value_that_cannot_be_is_refused_and_named() {
    let plain = ManifestOptions::default();
    let group = |name: &str| ManifestOptions { groups: vec!["dev".into(), name.into()], ..plain.clone() };
    let class = |name: &str| ManifestOptions { storage_class: Some(name.into()), ..plain.clone() };
    let image = |name: &str| ManifestOptions { image: Some(name.into()), ..plain.clone() };
    let both = ManifestOptions { ephemeral_spool: true, ..class("fast") };
    for (options, field) in [
        (group(""), "manifest.groups"),
        (group("a\nb"), "manifest.groups"),
        (group("a\u{2028}b"), "manifest.groups"),
        (group("a\u{0}"), "manifest.groups"),
        (group(" a"), "manifest.groups"),
        (group(&"a".repeat(1025)), "manifest.groups"),
        (group("system:masters"), "manifest.groups"),
        (group("System:nodes"), "manifest.groups"),
        (class(""), "manifest.storageClass"),
        (class("a\"\nb"), "manifest.storageClass"),
        (class("-a"), "manifest.storageClass"),
        (both, "manifest.storageClass"),
        (image(""), "manifest.image"),
        (image("a b"), "manifest.image"),
        (image("a\"\n  privileged: true"), "manifest.image"),
        (image("-a"), "manifest.image"),
        (image(&"a".repeat(513)), "manifest.image"),
    ] {
        let error = check(&options).unwrap_err().to_string();
        assert!(error.starts_with(field), "{options:?}: {error}");
    }
    let pin = format!("sha256:{}", "0a".repeat(32)).parse().unwrap();
    let cluster = "alpha".parse().unwrap();
    for addresses in [vec![], vec!["gw".to_owned()], vec!["gw:1\"\n".to_owned()], vec!["gw:0".to_owned()]] {
        assert!(Values::from(&cluster, &plain, pin, &addresses, "t", "i", 2).is_err(), "{addresses:?}");
    }
    let addresses = ["gw:1".to_owned()];
    for (token, image) in [("", "i"), ("a\nb", "i"), ("t", ""), ("t", "a b")] {
        assert!(
            Values::from(&cluster, &plain, pin, &addresses, token, image, 2).is_err(),
            "{token:?} {image:?}"
        );
    }
}

#[test]
fn helms_values_are_those_of_the_manifest_but_for_the_namespace() {
    for options in options() {
        let values = values(&options);
        let text = values_yaml(&values).unwrap();
        let read: Value = serde_saphyr::from_str(&text).unwrap();
        assert_eq!(read, serde_json::to_value(&values).unwrap(), "{text}");
        assert_eq!(read["createNamespace"], false);
    }
}

#[test]
fn the_charts_own_values_name_the_same_fields() {
    fn fields(value: &Value, path: &str, out: &mut BTreeSet<String>) {
        match value {
            Value::Object(inner) => {
                for (name, value) in inner {
                    fields(value, &format!("{path}.{name}"), out);
                }
            }
            _ => _ = out.insert(path.to_owned()),
        }
    }
    let of = |value: &Value| {
        let mut all = BTreeSet::new();
        fields(value, "", &mut all);
        all
    };
    let file = |name: &str| chart::FILES.iter().find(|(file, _)| *file == name).unwrap().1;
    let own: Value = serde_saphyr::from_str(file("values.yaml")).unwrap();
    let ours = serde_json::to_value(values(&ManifestOptions::default())).unwrap();
    assert_eq!(of(&own), of(&ours));
    let chart: Value = serde_saphyr::from_str(file("Chart.yaml")).unwrap();
    assert_eq!(chart["version"], chart::VERSION);
    assert_eq!(chart["appVersion"], chart::VERSION);
    assert!(own["image"].as_str().unwrap().ends_with(&format!(":{}", chart::VERSION)));
}

#[test]
fn the_chart_that_is_served_is_the_folder_and_the_same_bytes_each_time() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/helm/trunkline-agent");
    let mut there = BTreeMap::new();
    for (below, prefix) in [(folder.clone(), ""), (folder.join("templates"), "templates/")] {
        for entry in std::fs::read_dir(below).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_file() {
                let name = format!("trunkline-agent/{prefix}{}", entry.file_name().to_str().unwrap());
                there.insert(name, std::fs::read(entry.path()).unwrap());
            }
        }
    }
    let packed = chart_tgz().unwrap();
    assert_eq!(packed, chart_tgz().unwrap());
    assert_eq!(packed.as_ptr(), chart_tgz().unwrap().as_ptr(), "it is packed once");
    let mut served = BTreeMap::new();
    for entry in tar::Archive::new(flate2::read::GzDecoder::new(&packed[..])).entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().to_str().unwrap().to_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        served.insert(name, bytes);
    }
    assert_eq!(served, there);
}
