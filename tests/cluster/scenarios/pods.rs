//! Agents as they are installed: by one command for kubectl and by one for Helm, as pods of a namespace that enforces the
//! restricted profile, with no second token whatever happens to them.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::command::{Call, until};
use crate::fleet::{Fleet, bring_image};
use crate::parts::Cluster;
use crate::stage::Stage;

/// From the command until both pods are ready, and the gateway says so.
const JOINS: Duration = Duration::from_secs(60);
/// Until a pod that was ended or replaced is back.
const COMES_BACK: Duration = Duration::from_secs(90);
const NAMESPACE: &str = "trunkline";

pub(crate) async fn a_manifest_and_a_chart_make_pods_that_need_one_token(
    stage: &mut Stage,
) -> Result<String> {
    let (gamma, epsilon) = ("gamma", "epsilon");
    stage.add_bare(&[gamma, epsilon]).await?;
    for name in [gamma, epsilon] {
        bring_image(stage, stage.cluster(name)?).await?;
    }
    let hosts = [gamma, epsilon].map(|name| stage.cluster(name).map(Cluster::pods_see_machine_at));
    let hosts = hosts.into_iter().collect::<Result<Vec<String>>>()?;
    let fleet = Fleet::start(stage, &hosts).await?;
    let outcome = all_of_it(stage, &fleet, gamma, epsilon).await;
    outcome.map_err(|error| error.context(format!("the fleet's gateway says {}", fleet.gateway.log())))
}

async fn all_of_it(stage: &Stage, fleet: &Fleet, gamma: &str, epsilon: &str) -> Result<String> {
    let began = Instant::now();
    by_kubectl(stage, fleet, gamma).await?;
    let by_kubectl = began.elapsed();
    let began = Instant::now();
    by_helm(stage, fleet, epsilon).await?;
    let by_helm = began.elapsed();
    fleet.trunkline(&["kubeconfig", "--all", "--out"]).arg(fleet.kubeconfig()).bytes().await?;
    for name in [gamma, epsilon] {
        let pods = Pods { stage, fleet, cluster: name };
        pods.are_restricted().await?;
        pods.serve().await?;
        pods.survive().await?;
    }
    upgraded_by_helm(stage, fleet, epsilon).await?;
    applied_again(stage, fleet, gamma).await?;
    Ok(format!(
        "from the registration until both pods are ready: {:.1} s by kubectl, {:.1} s by Helm",
        by_kubectl.as_secs_f32(),
        by_helm.as_secs_f32()
    ))
}

/// Registers a cluster and runs there what is printed for kubectl.
async fn by_kubectl(stage: &Stage, fleet: &Fleet, name: &str) -> Result<()> {
    let said = register(fleet, name).await?;
    let command = line(&said, "kubectl apply ")?;
    admin(stage, name, "kubectl")?.args(command.split_whitespace().skip(1)).bytes().await?;
    ready(stage, fleet, name).await
}

/// The same with what is printed for Helm, in a namespace that enforces the profile from the start.
async fn by_helm(stage: &Stage, fleet: &Fleet, name: &str) -> Result<()> {
    let said = register(fleet, name).await?;
    let restricted = "pod-security.kubernetes.io/enforce=restricted";
    admin(stage, name, "kubectl")?.args(["create", "namespace", NAMESPACE]).bytes().await?;
    admin(stage, name, "kubectl")?.args(["label", "namespace", NAMESPACE, restricted]).bytes().await?;
    let command = line(&said, "helm install ")?;
    let helm = admin(stage, name, "helm")?.args(command.split_whitespace().skip(1)).within(JOINS);
    helm.bytes().await?;
    ready(stage, fleet, name).await
}

async fn register(fleet: &Fleet, name: &str) -> Result<String> {
    let register = ["clusters", "register", name, "--ephemeral-spool", "--no-wait", "--dir"];
    fleet.trunkline(&register).arg(fleet.folder()).text().await
}

/// The command that begins so, of what was printed.
fn line(said: &str, begins: &str) -> Result<String> {
    let found = said.lines().map(str::trim).find(|line| line.starts_with(begins));
    found.map(str::to_owned).with_context(|| format!("no {begins:?} in {said}"))
}

async fn ready(stage: &Stage, fleet: &Fleet, name: &str) -> Result<()> {
    let status = ["-n", NAMESPACE, "rollout", "status", "statefulset/trunkline-agent", "--timeout=60s"];
    let rolled = admin(stage, name, "kubectl")?.args(status).within(JOINS).bytes().await;
    if let Err(error) = rolled {
        return Err(error.context(pods_say(stage, name).await));
    }
    fleet.slots_up(name, 2, JOINS).await.map(|_| ())
}

/// What the pods of a cluster say, for a failure.
async fn pods_say(stage: &Stage, name: &str) -> String {
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
fn admin(stage: &Stage, cluster: &str, program: &str) -> Result<Call> {
    Ok(Call::new(stage.parts.bin(program)).env("KUBECONFIG", stage.cluster(cluster)?.kubeconfig()))
}

/// The pods of one cluster.
struct Pods<'a> {
    stage: &'a Stage,
    fleet: &'a Fleet,
    cluster: &'a str,
}

impl Pods<'_> {
    fn kubectl(&self, args: &[&str]) -> Result<Call> {
        Ok(admin(self.stage, self.cluster, "kubectl")?.args(["-n", NAMESPACE]).args(args))
    }

    async fn get(&self, what: &str) -> Result<Value> {
        Ok(serde_json::from_slice(&self.kubectl(&["get", what, "-o", "json"])?.bytes().await?)?)
    }

    /// The namespace lets nothing in but what is restricted, and nothing borrows the node's network.
    async fn are_restricted(&self) -> Result<()> {
        let namespace = self.get(&format!("namespace/{NAMESPACE}")).await?;
        let enforced = &namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"];
        ensure!(*enforced == "restricted", "the namespace enforces {enforced}");
        let loose = ["run", "loose", "--image=trunkline.test/busybox:1", "--restart=Never"];
        let refused = self.kubectl(&loose)?.run().await?;
        ensure!(refused.stderr.contains("violates PodSecurity"), "it runs: {}", refused.stderr);
        let pods = self.get("pods").await?;
        let pods = pods["items"].as_array().context("no list")?;
        ensure!(pods.len() == 2, "{} pods", pods.len());
        for pod in pods {
            ensure!(pod["spec"]["hostNetwork"].is_null(), "a pod is on the node's network");
            ensure!(pod["status"]["podIP"] != pod["status"]["hostIP"], "a pod has the node's address");
        }
        Ok(())
    }

    /// Requests get through, and the roles of the gateway's groups work at once.
    async fn serve(&self) -> Result<()> {
        let direct =
            admin(self.stage, self.cluster, "kubectl")?.args(["get", "nodes", "-o", "name"]).text().await?;
        let through = self.fleet.kubectl(self.cluster).args(["get", "nodes", "-o", "name"]).text().await?;
        ensure!(
            !direct.is_empty() && through == direct,
            "through the gateway {through:?}, directly {direct:?}"
        );
        let logs = ["-n", NAMESPACE, "logs", "trunkline-agent-0", "--tail=1"];
        let log = self.fleet.kubectl(self.cluster).args(logs).text().await?;
        ensure!(!log.is_empty(), "the agent's own log is empty");
        Ok(())
    }

    /// A container is killed, a pod deleted, both are rolled: each time they are back by the cluster's key alone.
    async fn survive(&self) -> Result<()> {
        let key = self.key().await?;
        // Nothing can be exec'ed in the pod, where there is no shell: its process is found from the machine.
        let uid = self.uid(0).await?;
        let killed = self.process_of(&uid).await?;
        Call::new("kill").args(["-KILL", &killed]).bytes().await?;
        until("the killed container was started again", COMES_BACK, async || {
            let pod = self.get("pod/trunkline-agent-0").await?;
            let status = &pod["status"]["containerStatuses"][0];
            Ok((status["restartCount"].as_u64() == Some(1) && status["ready"] == true).then_some(()))
        })
        .await?;
        self.back(&key).await.context("after a container was killed")?;

        self.kubectl(&["delete", "pod", "trunkline-agent-1"])?.within(COMES_BACK).bytes().await?;
        self.back(&key).await.context("after a pod was deleted")?;

        self.kubectl(&["rollout", "restart", "statefulset/trunkline-agent"])?.bytes().await?;
        self.back(&key).await.context("after both were rolled")?;

        let used = self.fleet.status(self.cluster).await?;
        ensure!(used["joinExpires"].is_null(), "a token is still to be used: {}", used["joinExpires"]);
        Ok(())
    }

    /// Waits until both pods are there, and sees that requests get through and the key is the same.
    async fn back(&self, key: &Value) -> Result<()> {
        let status = ["rollout", "status", "statefulset/trunkline-agent", "--timeout=90s"];
        if let Err(error) = self.kubectl(&status)?.within(COMES_BACK).bytes().await {
            return Err(error.context(pods_say(self.stage, self.cluster).await));
        }
        self.fleet.slots_up(self.cluster, 2, COMES_BACK).await?;
        ensure!(self.key().await? == *key, "the cluster has another key");
        self.serve().await
    }

    /// The cluster's key as it is kept, to be compared only.
    async fn key(&self) -> Result<Value> {
        let key = self.get("secret/trunkline-agent-identity").await?["data"]["cluster.key"].take();
        ensure!(key.as_str().is_some_and(|key| !key.is_empty()), "the Secret holds no key");
        Ok(key)
    }

    async fn uid(&self, ordinal: usize) -> Result<String> {
        let pod = self.get(&format!("pod/trunkline-agent-{ordinal}")).await?;
        Ok(pod["metadata"]["uid"].as_str().context("no uid")?.to_owned())
    }

    /// The id, on this machine, of the agent's process in a pod.
    async fn process_of(&self, uid: &str) -> Result<String> {
        let of_pod = |entry: &std::path::Path| {
            let cgroup = std::fs::read_to_string(entry.join("cgroup")).unwrap_or_default();
            let command = std::fs::read_to_string(entry.join("cmdline")).unwrap_or_default();
            let mounts = std::fs::read_to_string(entry.join("mountinfo")).unwrap_or_default();
            command.contains("trunkline\0agent") && (cgroup.contains(uid) || mounts.contains(uid))
        };
        let mut processes = std::fs::read_dir("/proc")?.filter_map(Result::ok);
        let found = processes.find(|entry| of_pod(&entry.path()));
        let found = found.with_context(|| format!("no process of the pod {uid}"))?;
        Ok(found.file_name().to_string_lossy().into_owned())
    }
}

/// An upgrade by Helm changes what it is told to, and leaves the key alone.
async fn upgraded_by_helm(stage: &Stage, fleet: &Fleet, name: &str) -> Result<()> {
    let pods = Pods { stage, fleet, cluster: name };
    let key = pods.key().await?;
    let chart = crate::parts::scripts().join("../../deploy/helm/trunkline-agent");
    let values = fleet.folder().join(format!("trunkline-agent-{name}.values.yaml"));
    let upgrade = admin(stage, name, "helm")?
        .args(["upgrade", "trunkline-agent"])
        .arg(chart)
        .args(["-n", NAMESPACE, "--set", "bindings.operators=false", "-f"])
        .arg(values);
    upgrade.within(JOINS).bytes().await?;
    pods.back(&key).await.context("after helm upgrade")?;
    let operators = ["get", "clusterrolebinding", "trunkline-operators"];
    let gone = admin(stage, name, "kubectl")?.args(operators).run().await?;
    ensure!(gone.stderr.contains("not found"), "the binding that was left out is there: {}", gone.stderr);

    let uninstall =
        admin(stage, name, "helm")?.args(["uninstall", "trunkline-agent", "-n", NAMESPACE, "--wait"]);
    uninstall.within(COMES_BACK).bytes().await?;
    ensure!(pods.key().await? == key, "helm uninstall took the key");
    Ok(())
}

/// The same manifest again changes nothing, and what takes the agent out leaves nothing.
async fn applied_again(stage: &Stage, fleet: &Fleet, name: &str) -> Result<()> {
    let pods = Pods { stage, fleet, cluster: name };
    let key = pods.key().await?;
    let manifest = fleet.folder().join(format!("trunkline-agent-{name}.yaml"));
    admin(stage, name, "kubectl")?.args(["apply", "-f"]).arg(&manifest).bytes().await?;
    pods.back(&key).await.context("after the manifest was applied again")?;
    let delete = admin(stage, name, "kubectl")?.args(["delete", "--wait", "-f"]).arg(&manifest);
    delete.within(COMES_BACK).bytes().await?;
    let left = ["get", "all,secret,configmap", "-n", NAMESPACE, "--ignore-not-found", "-o", "name"];
    let left = admin(stage, name, "kubectl")?.args(left).text().await?;
    ensure!(left.is_empty(), "left behind: {left}");
    Ok(())
}
