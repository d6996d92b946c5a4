//! Agents as they are installed: by one command for kubectl and by one for Helm, as pods of a namespace that enforces the
//! restricted profile, with no second token whatever happens to them.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::command::{Call, until};
use crate::fleet::{Fleet, Person};
use crate::joining::{
    self, JOINS, NAMESPACE, NO_VOLUMES, VOLUMES, admin, bring_image, bring_volumes, pods_say,
};
use crate::parts::{Cluster, scripts};
use crate::stage::Stage;

/// Until a pod that was ended or replaced is back.
const COMES_BACK: Duration = Duration::from_secs(90);

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
    bring_volumes(stage, epsilon, "spool", 2).await?;
    let outcome = all_of_it(stage, &fleet.person, gamma, epsilon).await;
    outcome.map_err(|error| error.context(format!("the fleet's gateway says {}", fleet.gateway.log())))
}

async fn all_of_it(stage: &Stage, person: &Person, gamma: &str, epsilon: &str) -> Result<String> {
    let began = Instant::now();
    joining::by_kubectl(stage, person, gamma, NO_VOLUMES).await?;
    let by_kubectl = began.elapsed();
    let began = Instant::now();
    joining::by_helm(stage, person, epsilon, VOLUMES).await?;
    let by_helm = began.elapsed();
    person.trunkline(&["kubeconfig", "--all", "--out"]).arg(person.kubeconfig()).bytes().await?;
    for name in [gamma, epsilon] {
        let pods = Pods { stage, person, cluster: name };
        pods.are_restricted().await?;
        pods.serve().await?;
        pods.survive().await?;
    }
    others_sign_in(stage, person, gamma).await?;
    upgraded_by_helm(stage, person, epsilon).await?;
    applied_again(stage, person, gamma).await?;
    Ok(format!(
        "from the registration until both pods are ready: {:.1} s by kubectl, {:.1} s by Helm",
        by_kubectl.as_secs_f32(),
        by_helm.as_secs_f32()
    ))
}

/// Helm and a program made with client-go come in by the kubeconfig as kubectl does: by the exec plugin, with nothing
/// secret in the file.
async fn others_sign_in(stage: &Stage, person: &Person, cluster: &str) -> Result<()> {
    let text = std::fs::read_to_string(person.kubeconfig())?;
    ensure!(
        text.contains("exec:") && !text.contains("PRIVATE KEY") && !text.contains("client-key"),
        "{text}"
    );
    let program =
        |name: &str| person.as_them(Call::new(stage.parts.bin(name))).env("KUBECONFIG", person.kubeconfig());
    let chart = scripts().join("chart");
    let helm = |args: &[&str]| program("helm").args(["--kube-context", cluster, "-n", "default"]).args(args);
    helm(&["install", "plugged", &chart.to_string_lossy(), "--set", "replicas=0"]).bytes().await?;
    let listed = helm(&["list", "-q"]).text().await?;
    ensure!(listed == "plugged\n", "helm lists {listed:?}");
    helm(&["uninstall", "plugged"]).bytes().await?;
    for mode in ["list-watch", "crud"] {
        let seen = program("client-go").args(["--context", cluster, "--mode", mode]).text().await?;
        ensure!(seen.ends_with("all seen\n"), "client-go, {mode}: {seen}");
    }
    Ok(())
}

/// The pods of one cluster.
struct Pods<'a> {
    stage: &'a Stage,
    person: &'a Person,
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
        let through = self.person.kubectl(self.cluster).args(["get", "nodes", "-o", "name"]).text().await?;
        ensure!(
            !direct.is_empty() && through == direct,
            "through the gateway {through:?}, directly {direct:?}"
        );
        let logs = ["-n", NAMESPACE, "logs", "trunkline-agent-0", "--tail=1"];
        let log = self.person.kubectl(self.cluster).args(logs).text().await?;
        ensure!(!log.is_empty(), "the agent's own log is empty");
        Ok(())
    }

    /// A container is killed, a pod deleted, both are rolled: each time they are back by the cluster's key alone.
    async fn survive(&self) -> Result<()> {
        let key = self.key().await?;
        // Nothing can be exec'ed in the pod, where there is no shell: its process is found from the machine.
        let uid = self.uid(0).await?;
        let killed = Self::process_of(&uid)?;
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

        let used = self.person.status(self.cluster).await?;
        ensure!(used["joinExpires"].is_null(), "a token is still to be used: {}", used["joinExpires"]);
        Ok(())
    }

    /// Waits until both pods are there, and sees that requests get through and the key is the same.
    async fn back(&self, key: &Value) -> Result<()> {
        let status = ["rollout", "status", "statefulset/trunkline-agent", "--timeout=90s"];
        if let Err(error) = self.kubectl(&status)?.within(COMES_BACK).bytes().await {
            return Err(error.context(pods_say(self.stage, self.cluster).await));
        }
        self.person.slots_up(self.cluster, 2, COMES_BACK).await?;
        ensure!(self.key().await? == *key, "the cluster has another key");
        // A request may meet a link that fell silent as its pod went; it is told so, and the next one gets through.
        until("requests get through again", COMES_BACK, async || Ok(self.serve().await.ok())).await
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
    fn process_of(uid: &str) -> Result<String> {
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
async fn upgraded_by_helm(stage: &Stage, person: &Person, name: &str) -> Result<()> {
    let pods = Pods { stage, person, cluster: name };
    let key = pods.key().await?;
    let chart = scripts().join("../../deploy/helm/trunkline-agent");
    let values = person.folder().join(format!("trunkline-agent-{name}.values.yaml"));
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
    // As the chart's notes say.
    admin(stage, name, "kubectl")?
        .args(["delete", "namespace", NAMESPACE])
        .within(COMES_BACK)
        .bytes()
        .await?;
    Ok(())
}

/// The same manifest again changes nothing, and what takes the agent out leaves nothing.
async fn applied_again(stage: &Stage, person: &Person, name: &str) -> Result<()> {
    let pods = Pods { stage, person, cluster: name };
    let key = pods.key().await?;
    let manifest = person.folder().join(format!("trunkline-agent-{name}.yaml"));
    admin(stage, name, "kubectl")?.args(["apply", "-f"]).arg(&manifest).bytes().await?;
    pods.back(&key).await.context("after the manifest was applied again")?;
    let delete = admin(stage, name, "kubectl")?.args(["delete", "--wait", "-f"]).arg(&manifest);
    delete.within(COMES_BACK).bytes().await?;
    let left = ["get", "all,secret,configmap", "-n", NAMESPACE, "--ignore-not-found", "-o", "name"];
    let left = admin(stage, name, "kubectl")?.args(left).text().await?;
    ensure!(left.is_empty(), "left behind: {left}");
    Ok(())
}
