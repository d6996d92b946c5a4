//! Putting agents into clusters, as the printed commands do, from an image made of the binary under test.

use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::json;

use crate::command::Call;
use crate::fleet::Person;
use crate::parts::{Cluster, scripts};
use crate::stage::Stage;

/// The image of the binary under test.
pub(crate) const IMAGE: &str = "trunkline.test/trunkline:1";
/// Where agents go.
pub(crate) const NAMESPACE: &str = "trunkline";
/// From the command until both pods are ready, and the gateway says so.
pub(crate) const JOINS: Duration = Duration::from_secs(60);
/// How long an image may take to be made, or to be brought to a node.
const IMAGE_LIMIT: Duration = Duration::from_secs(120);

/// Makes the image of the binary under test and brings it to a cluster's node.
pub(crate) async fn bring_image(stage: &Stage, cluster: &Cluster) -> Result<()> {
    let archive = stage.folder().join("trunkline-image.tar");
    if !archive.exists() {
        let make = Call::new("python3").arg("-B").arg(scripts().join("image/trunkline.py"));
        make.arg(stage.trunkline()).arg(&archive).within(IMAGE_LIMIT).bytes().await?;
    }
    let load = Call::new(scripts().join("load-image")).arg(&cluster.dir).arg(&archive);
    load.within(IMAGE_LIMIT).bytes().await.map(|_| ())
}

/// The pods' volumes where nothing makes any: none, or those of [`bring_volumes`].
pub(crate) const NO_VOLUMES: &[&str] = &["--ephemeral-spool"];
pub(crate) const VOLUMES: &[&str] = &["--storage-class", "spool"];

/// Gives a cluster volumes of a storage class, where nothing makes any for a claim.
pub(crate) async fn bring_volumes(stage: &Stage, name: &str, class: &str, count: usize) -> Result<()> {
    let cluster = stage.cluster(name)?;
    for number in 0..count {
        let path = cluster.dir.join(format!("node/{class}-{number}"));
        std::fs::create_dir_all(&path)?;
        let node = json!({"key": "kubernetes.io/os", "operator": "In", "values": ["linux"]});
        let volume = json!({
            "apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": format!("{class}-{number}")},
            "spec": {
                "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "storageClassName": class,
                "local": {"path": path},
                "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [node]}]}},
            },
        });
        let apply = admin(stage, name, "kubectl")?.args(["apply", "-f", "-"]).input(volume.to_string());
        apply.bytes().await?;
    }
    Ok(())
}

/// Registers a cluster and runs there what is printed for kubectl.
pub(crate) async fn by_kubectl(stage: &Stage, person: &Person, name: &str, spool: &[&str]) -> Result<()> {
    let said = register(person, name, spool).await?;
    let command = line(&said, "kubectl apply ")?;
    admin(stage, name, "kubectl")?.args(command.split_whitespace().skip(1)).bytes().await?;
    ready(stage, person, name).await
}

/// The same with what is printed for Helm, in a namespace that enforces the profile from the start.
pub(crate) async fn by_helm(stage: &Stage, person: &Person, name: &str, spool: &[&str]) -> Result<()> {
    let said = register(person, name, spool).await?;
    let restricted = "pod-security.kubernetes.io/enforce=restricted";
    admin(stage, name, "kubectl")?.args(["create", "namespace", NAMESPACE]).bytes().await?;
    admin(stage, name, "kubectl")?.args(["label", "namespace", NAMESPACE, restricted]).bytes().await?;
    let command = line(&said, "helm upgrade --install ")?;
    let helm = admin(stage, name, "helm")?.args(command.split_whitespace().skip(1)).within(JOINS);
    helm.bytes().await?;
    ready(stage, person, name).await
}

async fn register(person: &Person, name: &str, spool: &[&str]) -> Result<String> {
    let register = person.trunkline(&["clusters", "register", name, "--no-wait", "--dir"]);
    register.arg(person.folder()).args(spool).text().await
}

/// The command that begins so, of what was printed.
fn line(said: &str, begins: &str) -> Result<String> {
    let found = said.lines().map(str::trim).find(|line| line.starts_with(begins));
    found.map(str::to_owned).with_context(|| format!("no {begins:?} in {said}"))
}

async fn ready(stage: &Stage, person: &Person, name: &str) -> Result<()> {
    let status = ["-n", NAMESPACE, "rollout", "status", "statefulset/trunkline-agent", "--timeout=60s"];
    let rolled = admin(stage, name, "kubectl")?.args(status).within(JOINS).bytes().await;
    if let Err(error) = rolled {
        return Err(error.context(pods_say(stage, name).await));
    }
    person.slots_up(name, 2, JOINS).await.map(|_| ())
}

/// What the pods of a cluster say, for a failure.
pub(crate) async fn pods_say(stage: &Stage, name: &str) -> String {
    let mut said = String::new();
    for args in [
        &["-n", NAMESPACE, "describe", "pods"][..],
        &["-n", NAMESPACE, "logs", "-l", "app.kubernetes.io/name=trunkline-agent", "--tail=20", "--prefix"],
    ] {
        if let Ok(call) = admin(stage, name, "kubectl") {
            said += &call.args(args).text().await.unwrap_or_else(|error| error.to_string());
        }
    }
    said
}

/// A program as the cluster's own administrator, straight to the cluster.
pub(crate) fn admin(stage: &Stage, cluster: &str, program: &str) -> Result<Call> {
    Ok(Call::new(stage.parts.bin(program)).env("KUBECONFIG", stage.cluster(cluster)?.kubeconfig()))
}
