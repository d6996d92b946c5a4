//! A real cluster in pass-through mode: the token of a service account of its own goes through an agent that may do nothing there.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::command::{Call, Outcome};
use crate::fleet::{Fleet, Person};
use crate::joining::{self, NAMESPACE, admin, bring_image};
use crate::parts::scripts;
use crate::stage::Stage;

const CLUSTER: &str = "zeta";
/// Whom its API server takes tokens for beside what every API server does.
const AUDIENCE: &str = "urn:trunkline.test:zeta";
const FLAGS: &str = "--api-audiences=https://kubernetes.default.svc.cluster.local,urn:trunkline.test:zeta";
/// The account whose token goes through.
const ROBOT: &str = "system:serviceaccount:default:robot";
const AGENT: &str = "system:serviceaccount:trunkline:trunkline-agent";
const READY: Duration = Duration::from_secs(40);

pub(crate) async fn a_service_accounts_token_goes_through_an_agent_without_a_right(
    stage: &mut Stage,
) -> Result<String> {
    stage.add_bare_with(&[CLUSTER], FLAGS).await?;
    bring_image(stage, stage.cluster(CLUSTER)?).await?;
    let fleet = Fleet::start(stage, &[stage.cluster(CLUSTER)?.pods_see_machine_at()]).await?;
    let options = ["--ephemeral-spool", "--pass-through", AUDIENCE];
    joining::by_kubectl(stage, &fleet.person, CLUSTER, &options).await?;
    let outcome = play(stage, &fleet.person).await;
    outcome.map_err(|error| error.context(format!("the fleet's gateway says {}", fleet.gateway.log())))
}

async fn play(stage: &Stage, person: &Person) -> Result<String> {
    let status = person.status(CLUSTER).await?;
    ensure!(status["identity"] == "pass-through" && status["state"] == "connected", "{status}");
    ensure!(status["passThrough"][0] == AUDIENCE, "{status}");
    the_agent_has_no_right(stage).await?;

    let direct = |args: &[&str]| Ok::<Call, anyhow::Error>(admin(stage, CLUSTER, "kubectl")?.args(args));
    direct(&["apply", "-f"])?.arg(scripts().join("demo-pod.yaml")).bytes().await?;
    direct(&["create", "serviceaccount", "robot"])?.bytes().await?;
    direct(&["create", "rolebinding", "robot", "--clusterrole=edit", "--serviceaccount=default:robot"])?
        .bytes()
        .await?;
    direct(&["wait", "--for=condition=Ready", "pod/demo", "--timeout=35s"])?.within(READY).bytes().await?;
    person.trunkline(&["kubeconfig", "--all", "--out"]).arg(person.kubeconfig()).bytes().await?;

    // Without a token of the cluster's one is told what to bring.
    let told = refused(person).await?;
    ensure!(told.stderr.contains("brings no token") && told.stderr.contains(AUDIENCE), "{}", told.stderr);

    let file = person.folder().join("robot");
    mint(stage, &file, &["--audience", AUDIENCE]).await?;
    person.trunkline(&["clusters", "token", CLUSTER]).arg(&file).bytes().await?;
    let whoami = person.kubectl(CLUSTER).args(["auth", "whoami", "-o", "json"]).bytes().await?;
    let whoami: Value = serde_json::from_slice(&whoami)?;
    ensure!(whoami["status"]["userInfo"]["username"] == ROBOT, "the cluster sees {whoami}");
    ensure!(!whoami.to_string().contains("trunkline:"), "nothing of ours goes on: {whoami}");

    // What the cluster's own rights are good for: reading, changing, getting into a pod, and no more.
    let through = |args: &[&str]| person.kubectl(CLUSTER).args(args);
    let said = through(&["exec", "demo", "--", "echo", "through"]).text().await?;
    ensure!(said == "through\n", "exec says {said:?}");
    let log = through(&["logs", "demo", "--tail=1"]).text().await?;
    ensure!(log.starts_with("tick "), "the log says {log:?}");
    through(&["create", "configmap", "mine", "--from-literal=a=b"]).bytes().await?;
    through(&["delete", "configmap", "mine"]).bytes().await?;
    let nodes = through(&["get", "nodes"]).run().await?;
    ensure!(nodes.code != Some(0) && nodes.stderr.contains(ROBOT), "{}", nodes.stderr);
    let acting = through(&["get", "pods", "--as", "somebody"]).run().await?;
    ensure!(acting.code != Some(0) && acting.stderr.contains("--as is not carried"), "{}", acting.stderr);

    // For everybody who trusts this API server: not for this cluster alone, and not let through.
    mint(stage, &file, &[]).await?;
    let told = refused(person).await?;
    ensure!(told.stderr.contains("the token is for"), "{}", told.stderr);
    // Made for the cluster, and by nobody it knows: the gateway lets it through, and the cluster does not believe it.
    mint(stage, &file, &["--audience", AUDIENCE]).await?;
    let good = std::fs::read_to_string(&file)?;
    let (signed, signature) = good.rsplit_once('.').context("no token")?;
    let forged: String = signature.chars().rev().collect();
    std::fs::write(&file, format!("{signed}.{forged}"))?;
    let told = refused(person).await?;
    ensure!(told.stderr.contains("logged in"), "{}", told.stderr);
    // The account is gone, and its token with it, however long it was good for.
    std::fs::write(&file, &good)?;
    direct(&["delete", "serviceaccount", "robot"])?.bytes().await?;
    let told = refused(person).await?;
    ensure!(told.stderr.contains("logged in"), "{}", told.stderr);
    person.trunkline(&["clusters", "token", CLUSTER, "--forget"]).bytes().await?;
    Ok(format!("as {ROBOT}"))
}

/// By the cluster's own word, the agent's account may do nothing but keep its own Secret.
async fn the_agent_has_no_right(stage: &Stage) -> Result<()> {
    let can = async |args: &[&str]| -> Result<bool> {
        let asked = admin(stage, CLUSTER, "kubectl")?.args(["auth", "can-i", "--as", AGENT]).args(args);
        Ok(asked.run().await?.stdout == b"yes\n")
    };
    for args in [
        &["impersonate", "users"][..],
        &["impersonate", "groups"],
        &["impersonate", "serviceaccounts"],
        &["list", "nodes"],
        &["list", "pods", "-A"],
        &["get", "secrets", "-n", NAMESPACE],
        &["create", "serviceaccounts/token", "-n", NAMESPACE],
    ] {
        ensure!(!can(args).await?, "the agent may {args:?}");
    }
    let own = ["update", "secrets/trunkline-agent-identity", "-n", NAMESPACE];
    ensure!(can(&own).await?, "the agent may not keep its own Secret");
    Ok(())
}

/// A token of the account in a file.
async fn mint(stage: &Stage, file: &Path, more: &[&str]) -> Result<()> {
    let create = admin(stage, CLUSTER, "kubectl")?.args(["create", "token", "robot", "--duration", "10m"]);
    std::fs::write(file, create.args(more).text().await?)?;
    Ok(())
}

/// What somebody is told who does not get through.
async fn refused(person: &Person) -> Result<Outcome> {
    let outcome = person.kubectl(CLUSTER).args(["get", "pods"]).run().await?;
    ensure!(outcome.code != Some(0), "it got through: {}", String::from_utf8_lossy(&outcome.stdout));
    Ok(outcome)
}
