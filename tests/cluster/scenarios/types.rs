//! What a cluster is, and how it becomes something else: a gateway from its chart, as its notes say, in a cluster that is
//! standalone, management and managed in turn, both ways. `docs/how-to/change-cluster-type.md` tells people the same.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::command::{Call, Process, until};
use crate::fleet::{Fleet, Person};
use crate::joining::{self, IMAGE, NO_VOLUMES, admin, bring_image, bring_volumes};
use crate::parts::{Cluster, free_port, scripts};
use crate::stage::Stage;

const HOME: &str = "gamma";
const OTHER: &str = "epsilon";
/// Where the gateway goes.
const NAMESPACE: &str = "trunkline-gateway";
/// How long a pod, or what it does, may take.
const A_WHILE: Duration = Duration::from_secs(90);

pub(crate) async fn a_cluster_changes_its_type_both_ways(stage: &mut Stage) -> Result<String> {
    stage.add_bare(&[HOME, OTHER]).await?;
    for name in [HOME, OTHER] {
        bring_image(stage, stage.cluster(name)?).await?;
    }
    bring_volumes(stage, HOME, "data", 1).await?;
    let person = Person::new(stage)?;
    let ports = Ports { front: free_port()?, tunnel: free_port()? };

    let notes = install(stage, ports).await?;
    let way = Way::open(stage, ports).await?;
    typed(stage, &person, &notes).await?;
    is(&person, "standalone").await?;
    serves_its_own(stage, &person).await.context("standalone")?;

    joining::by_kubectl(stage, &person, OTHER, NO_VOLUMES).await?;
    is(&person, "management").await?;
    way.close().await?;
    admin(stage, HOME, "kubectl")?
        .args(["-n", NAMESPACE, "delete", "pod", "trunkline-gateway-0"])
        .within(A_WHILE)
        .bytes()
        .await?;
    let way = Way::open(stage, ports).await?;
    person.slots_up(OTHER, 2, A_WHILE).await.context("after the gateway's pod was replaced")?;
    is(&person, "management").await?;

    // The other cluster goes to another gateway: a manifest from there is all it takes.
    let hosts = [HOME, OTHER].map(|name| stage.cluster(name).map(Cluster::pods_see_machine_at));
    let fleet = Fleet::start(stage, &hosts.into_iter().collect::<Result<Vec<String>>>()?).await?;
    joining::by_kubectl(stage, &fleet.person, OTHER, NO_VOLUMES).await.context("from gateway to gateway")?;
    person.trunkline(&["clusters", "remove", OTHER, "--yes"]).bytes().await?;
    is(&person, "standalone").await?;

    way.close().await?;
    let uninstall = ["uninstall", "trunkline-gateway", "-n", NAMESPACE, "--wait"];
    admin(stage, HOME, "helm")?.args(uninstall).within(A_WHILE).bytes().await?;
    joining::by_kubectl(stage, &fleet.person, HOME, NO_VOLUMES).await?;
    ensure!(
        agent_says(stage, &fleet.person).await? == "managed",
        "the agent does not say that it is managed"
    );

    for name in [HOME, OTHER] {
        fleet.person.trunkline(&["clusters", "remove", name, "--yes"]).bytes().await?;
        taken_out(stage, &fleet.person, name).await?;
    }
    install(stage, ports).await?;
    let way = Way::open(stage, ports).await?;
    // The volume was left: the same papers are good.
    is(&person, "standalone").await?;
    serves_its_own(stage, &person).await.context("standalone again")?;
    way.close().await?;
    Ok(String::new())
}

/// The ports of this machine that lead to the gateway.
#[derive(Clone, Copy)]
struct Ports {
    front: u16,
    tunnel: u16,
}

/// Installs the gateway's chart and gives its notes.
async fn install(stage: &Stage, ports: Ports) -> Result<String> {
    let restricted = "pod-security.kubernetes.io/enforce=restricted";
    let namespace = ["create", "namespace", NAMESPACE];
    admin(stage, HOME, "kubectl")?.args(namespace).run().await?;
    let label = ["label", "--overwrite", "namespace", NAMESPACE, restricted];
    admin(stage, HOME, "kubectl")?.args(label).bytes().await?;
    let agents_at = stage.cluster(OTHER)?.pods_see_machine_at();
    let said = admin(stage, HOME, "helm")?
        .args(["install", "trunkline-gateway"])
        .arg(scripts().join("../../deploy/helm/trunkline-gateway"))
        .args(["-n", NAMESPACE, "--set", "service.type=ClusterIP,data.storageClass=data"])
        .args(["--set", &format!("image={IMAGE},front.address=localhost:{}", ports.front)])
        .args(["--set", &format!("tunnel.addresses={{{agents_at}:{}}}", ports.tunnel)])
        .within(A_WHILE)
        .text()
        .await?;
    let status = ["-n", NAMESPACE, "rollout", "status", "statefulset/trunkline-gateway", "--timeout=80s"];
    let rolled = admin(stage, HOME, "kubectl")?.args(status).within(A_WHILE).bytes().await;
    if let Err(error) = rolled {
        let pods = ["-n", NAMESPACE, "describe", "pods"];
        let log = ["-n", NAMESPACE, "logs", "trunkline-gateway-0"];
        let mut said = String::new();
        for args in [&pods[..], &log[..]] {
            said += &admin(stage, HOME, "kubectl")?.args(args).run().await.map_or_else(
                |error| error.to_string(),
                |outcome| String::from_utf8_lossy(&outcome.stdout).into_owned(),
            );
        }
        return Err(error.context(said));
    }
    Ok(said)
}

/// What leads from this machine to the gateway's pod, in place of a load balancer.
struct Way(Process);

impl Way {
    async fn open(stage: &Stage, ports: Ports) -> Result<Self> {
        let wait =
            ["-n", NAMESPACE, "wait", "--for=condition=Ready", "pod/trunkline-gateway-0", "--timeout=80s"];
        until("the gateway's pod is ready", A_WHILE, async || {
            Ok((admin(stage, HOME, "kubectl")?.args(wait).within(A_WHILE).run().await?.code == Some(0))
                .then_some(()))
        })
        .await?;
        let addresses = format!("127.0.0.1,{}", stage.cluster(OTHER)?.pods_see_machine_at());
        let forward = admin(stage, HOME, "kubectl")?
            .args(["-n", NAMESPACE, "port-forward", "pod/trunkline-gateway-0", "--address", &addresses])
            .args([format!("{}:8443", ports.front), format!("{}:9443", ports.tunnel)])
            .start(stage.folder(), "gateway-forward")?;
        until("the way to the gateway's pod is open", A_WHILE, async || {
            let door = tokio::net::TcpStream::connect(("127.0.0.1", ports.front)).await;
            Ok(door.ok().map(|_| ()))
        })
        .await?;
        Ok(Self(forward))
    }

    async fn close(self) -> Result<()> {
        self.0.kill().await
    }
}

/// Types what the notes say, up to where a cluster would be registered.
async fn typed(stage: &Stage, person: &Person, notes: &str) -> Result<()> {
    let begins =
        |line: &&str| ["kubectl ", "for ", "trunkline login "].iter().any(|word| line.starts_with(word));
    // Setting up asks for the code and a password at a terminal; with files it is tried elsewhere (`tests/cli`).
    let asks = |line: &&str| line.ends_with(" --setup");
    let lines = notes.lines().map(str::trim).filter(begins);
    let commands: Vec<&str> = lines.filter(|line| !asks(line)).collect();
    ensure!(commands.len() >= 6, "the notes say only {commands:?}");
    for command in commands {
        let shell = person.as_them(Call::new("bash")).args(["-euc", command]);
        let shell = shell.env("USER", "jane").env("KUBECONFIG", stage.cluster(HOME)?.kubeconfig());
        let shell = shell.within(A_WHILE).inside(person.folder());
        shell.bytes().await.with_context(|| format!("the notes say {command:?}"))?;
    }
    Ok(())
}

/// The gateway says that its cluster is of this type.
async fn is(person: &Person, wanted: &str) -> Result<()> {
    let said = person.trunkline(&["status", "-o", "json"]).bytes().await?;
    let said: Value = serde_json::from_slice(&said)?;
    ensure!(said["clusterType"] == wanted, "not {wanted}: {said}");
    Ok(())
}

/// The gateway leads to its own cluster.
async fn serves_its_own(stage: &Stage, person: &Person) -> Result<()> {
    person.trunkline(&["kubeconfig", "--all", "--out"]).arg(person.kubeconfig()).bytes().await?;
    let nodes = ["get", "nodes", "-o", "name"];
    let through = person.kubectl("management").args(nodes).text().await?;
    let direct = admin(stage, HOME, "kubectl")?.args(nodes).text().await?;
    ensure!(!direct.is_empty() && through == direct, "through the gateway {through:?}, directly {direct:?}");
    Ok(())
}

/// Takes an agent out of a cluster with the manifest that brought it.
async fn taken_out(stage: &Stage, person: &Person, name: &str) -> Result<()> {
    let manifest = person.folder().join(format!("trunkline-agent-{name}.yaml"));
    let delete = admin(stage, name, "kubectl")?.args(["delete", "--wait", "-f"]).arg(manifest);
    delete.within(A_WHILE).bytes().await.map(|_| ())
}

/// What an agent in the home cluster says it is.
async fn agent_says(stage: &Stage, person: &Person) -> Result<String> {
    let port = free_port()?;
    let forward = admin(stage, HOME, "kubectl")?
        .args(["-n", joining::NAMESPACE, "port-forward", "pod/trunkline-agent-0", &format!("{port}:9091")])
        .start(stage.folder(), "agent-forward")?;
    let said = until("the agent says what it is", A_WHILE, async || {
        let asked =
            person.trunkline(&["status", "--agent", &format!("http://127.0.0.1:{port}"), "-o", "json"]);
        let asked = asked.run().await?;
        Ok((asked.code == Some(0)).then_some(asked.stdout))
    })
    .await?;
    forward.kill().await?;
    let said: Value = serde_json::from_slice(&said)?;
    Ok(said["clusterType"].as_str().unwrap_or_default().to_owned())
}
