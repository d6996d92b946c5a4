//! The charts: what Helm makes of the agent's is what the gateway hands out for kubectl.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::command::Call;
use crate::fleet::Fleet;
use crate::parts::scripts;
use crate::stage::Stage;

pub(crate) async fn helm_makes_the_objects_of_the_manifest(stage: &mut Stage) -> Result<String> {
    let fleet = Fleet::start(stage, &["127.0.0.1".to_owned(), "gw.example.com".to_owned()]).await?;
    let chart = deploy().join("trunkline-agent");
    let mut compared = 0;
    for (number, options) in matrix().into_iter().enumerate() {
        let name = format!("c{number}");
        let body = json!({"name": name, "manifest": options});
        let registered = fleet.rest("POST", "/clusters", &body).await?;
        let text =
            |field: &str| registered["join"][field].as_str().map(str::to_owned).context("no such field");
        let values = fleet.person.folder().join(format!("{name}.values.yaml"));
        std::fs::write(&values, text("values")?)?;
        let lint =
            Call::new(stage.parts.bin("helm")).args(["lint", "--strict"]).arg(&chart).arg("-f").arg(&values);
        lint.text().await?;
        let template = Call::new(stage.parts.bin("helm"))
            .args(["template", "trunkline-agent"])
            .arg(&chart)
            .args([
                "--namespace",
                "trunkline",
                "--kube-version",
                "1.35.0",
                "--set",
                "createNamespace=true",
                "-f",
            ])
            .arg(&values);
        let helms = objects(&template.text().await?).with_context(|| format!("Helm's of {options}"))?;
        let ours = objects(&text("manifest")?).with_context(|| format!("ours of {options}"))?;
        ensure!(
            helms.keys().eq(ours.keys()),
            "{options}: Helm makes {:?}, the manifest has {:?}",
            helms.keys(),
            ours.keys()
        );
        for (name, object) in &ours {
            ensure!(helms[name] == *object, "{options}: {name}: Helm's is {}, ours {object}", helms[name]);
        }
        compared += ours.len();
    }
    Ok(format!("{compared} objects"))
}

pub(crate) async fn a_chart_without_groups_gives_the_right_to_none(stage: &mut Stage) -> Result<String> {
    for (chart, groups) in [("trunkline-agent", "groups=[]"), ("trunkline-gateway", "management.groups=[]")] {
        let rendered = Call::new(stage.parts.bin("helm"))
            .args(["template", chart, "-n", "trunkline", "--kube-version", "1.35.0"])
            .args(["--set", "front.address=gw.example.com", "--set-json", groups])
            .arg(deploy().join(chart));
        let objects = objects(&rendered.text().await?)?;
        let role = objects.get(&format!("ClusterRole {chart}")).context("no role")?;
        let rules = role["rules"].as_array().context("no rules")?;
        let of_groups = rules.iter().filter(|rule| rule["resources"] == json!(["groups"])).count();
        ensure!(of_groups == 0 && !rules.is_empty(), "{chart}: {role}");
    }
    Ok(String::new())
}

pub(crate) async fn the_gateways_chart_is_clean(stage: &mut Stage) -> Result<String> {
    let chart = deploy().join("trunkline-gateway");
    let helm = |args: &[&str]| Call::new(stage.parts.bin("helm")).args(args).arg(&chart);
    for front in ["gw.example.com", "gw.example.com:8443", "192.0.2.1", "[2001:db8::1]:8443"] {
        let front = format!("front.address={front}");
        helm(&["lint", "--strict", "--set", &front]).bytes().await?;
        let narrow =
            "management.groups={dev,ops},management.bindings.admins=false,front.hostSuffix=k8s.example.com";
        let logs = "logs.enabled=true,logs.intake.enabled=true";
        let kinds = "logs.intake.datasets={logs,audit},logs.intake.namespaces={apps},logs.elasticsearch.urls={http://search:9200}";
        for set in [
            front.clone(),
            format!("{front},management.enabled=false"),
            format!("{front},{narrow}"),
            format!("{front},{logs}"),
            format!("{front},{logs},{kinds},logs.intake.port=9201"),
        ] {
            let rendered =
                helm(&["template", "gw", "-n", "trunkline", "--kube-version", "1.35.0", "--set", &set]);
            let objects = objects(&rendered.text().await?)?;
            let intake = objects.get("Service trunkline-logs");
            ensure!(intake.is_some() == set.contains("intake"), "{set}: {intake:?}");
            ensure!(intake.is_some() == objects.contains_key("NetworkPolicy trunkline-logs"), "{set}");
            // The way to a store of its own is open at the store's port, and at no other.
            let network = objects.get("NetworkPolicy trunkline-gateway").context("no network policy")?;
            let to_the_store = json!({"ports": [{"port": 9200, "protocol": "TCP"}]});
            let egress = network["spec"]["egress"].as_array().context("no egress")?;
            ensure!(egress.contains(&to_the_store) == set.contains("elasticsearch"), "{set}: {egress:?}");
            let config = objects.get("ConfigMap trunkline-gateway").context("no configuration")?;
            let config = config["data"]["gateway.yaml"].as_str().context("no file")?;
            let file = stage.folder().join("chart-gateway.yaml");
            // Here is no pod; what stands in the file beside that is checked.
            let kubeconfig = format!("kubeconfig: {}", stage.cluster("alpha")?.kubeconfig().display());
            std::fs::write(&file, config.replace("in_cluster: true", &kubeconfig))?;
            Call::new(stage.trunkline()).args(["config", "check", "gateway"]).arg(file).bytes().await?;
        }
    }
    // What is secret is mounted from what the values name, and the configuration says where.
    let secrets = "front.address=gw.example.com,logs.enabled=true,logs.intake.enabled=true,logs.intake.tokenSecret=shippers,logs.intake.tlsSecret=shown";
    let rendered = helm(&["template", "gw", "--kube-version", "1.35.0", "--set", secrets]);
    let objects = objects(&rendered.text().await?)?;
    let pod = &objects.get("StatefulSet trunkline-gateway").context("no pod")?["spec"]["template"]["spec"];
    let config = objects.get("ConfigMap trunkline-gateway").context("no configuration")?["data"].to_string();
    for (secret, file) in [("shippers", "/run/intake-token/token"), ("shown", "/run/intake-tls/tls.crt")] {
        let volumes = pod["volumes"].as_array().context("no volumes")?;
        let volume = volumes.iter().find(|volume| volume["secret"]["secretName"] == secret);
        let name = &volume.with_context(|| format!("{secret} is no volume"))?["name"];
        let mounts = pod["containers"][0]["volumeMounts"].as_array().context("no mounts")?;
        let mount = mounts.iter().find(|mount| mount["name"] == *name).context("it is not mounted")?;
        let at = mount["mountPath"].as_str().context("nowhere")?;
        ensure!(file.starts_with(at) && config.contains(file), "{secret} at {at}: {config}");
    }
    // What shippers bring fills no volume but its own.
    let claim = objects.get("PersistentVolumeClaim trunkline-gateway-intake").context("no claim")?;
    ensure!(claim["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep", "{claim}");
    let mounts = pod["containers"][0]["volumeMounts"].as_array().context("no mounts")?;
    let at = mounts.iter().find(|mount| mount["name"] == "intake").context("it is not mounted")?;
    let folder = format!("folder: {}\\n", at["mountPath"].as_str().context("nowhere")?);
    ensure!(pod.to_string().contains("trunkline-gateway-intake") && config.contains(&folder), "{config}");
    for port in ["8443", "9443", "9090"] {
        let set = format!("{secrets},logs.intake.port={port}");
        let taken = helm(&["template", "gw", "--kube-version", "1.35.0", "--set", &set]).run().await?;
        ensure!(taken.stderr.contains("which is a port of the gateway's own"), "{port}: {}", taken.stderr);
    }
    let nowhere = helm(&["template", "gw", "--kube-version", "1.35.0"]).run().await?;
    ensure!(nowhere.stderr.contains("front.address is empty"), "{}", nowhere.stderr);
    Ok(String::new())
}

fn deploy() -> std::path::PathBuf {
    scripts().join("../../deploy/helm")
}

/// Options that between them take each branch of the templates both ways.
fn matrix() -> Vec<Value> {
    vec![
        json!({}),
        json!({"withoutBindings": ["viewers"], "ephemeralSpool": true}),
        json!({"withoutBindings": ["viewers", "operators", "admins"], "storageClass": "fast.ssd"}),
        json!({"groups": ["dev"]}),
        json!({"groups": ["*"]}),
        json!({"passThrough": ["urn:c5"], "groups": ["dev"]}),
        json!({
            "groups": ["a b", "o'neill \"x\": {{ .Values.token }} \\", "véra", "no", "1e3", "~", "#x", "- y", "*"],
            "withoutBindings": ["operators"],
            "image": "registry.example.com:5000/a/trunkline@sha256:00",
        }),
    ]
}

/// The objects of a text of YAML documents, by kind and name.
fn objects(text: &str) -> Result<BTreeMap<String, Value>> {
    let mut objects = BTreeMap::new();
    for object in serde_saphyr::from_multiple::<Value>(text)?.into_iter().filter(|object| !object.is_null()) {
        let name = format!(
            "{} {}",
            object["kind"].as_str().context("no kind")?,
            object["metadata"]["name"].as_str().context("no name")?
        );
        ensure!(objects.insert(name.clone(), object).is_none(), "{name} is there twice");
    }
    Ok(objects)
}
