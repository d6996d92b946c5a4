//! Real sign-in: Dex, a real browser, `trunkline login`, and kubectl with the exec plugin at a real cluster.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::callers::Way;
use crate::command::{Call, until};
use crate::fleet::Person;
use crate::issuer::{Dex, USER};
use crate::papers::User;
use crate::parts::free_port;
use crate::stage::Stage;

const ANSWERS: Duration = Duration::from_secs(10);
const SIGNS_IN: Duration = Duration::from_secs(120);
/// A token is good for 65 s, and renewed when it has less than 60 s left.
const RENEWED: Duration = Duration::from_secs(20);

pub(crate) async fn somebody_signs_in_with_a_browser_and_uses_kubectl(stage: &mut Stage) -> Result<String> {
    let person = Person::new(stage)?;
    let folder = person.folder().to_owned();
    let (front, tunnel, admin) = (free_port()?, free_port()?, free_port()?);
    let url = format!("https://127.0.0.1:{front}");
    let dex = Dex::start(stage, &folder, &url).await?;
    let alpha = stage.cluster("alpha")?.kubeconfig();
    let text = format!(
        "data: {}\nfront: {{listen: \"127.0.0.1:{front}\", address: \"127.0.0.1:{front}\"}}\n\
         tunnel: {{listen: \"127.0.0.1:{tunnel}\"}}\nadmin: 127.0.0.1:{admin}\ndrain_seconds: 5\n\
         management: {{kubeconfig: {}}}\n{}",
        folder.join("data").display(),
        alpha.display(),
        dex.config(stage),
    );
    std::fs::write(folder.join("gateway.yaml"), text)?;
    let gateway = Call::new(stage.trunkline())
        .args(["gateway", "--config"])
        .arg(folder.join("gateway.yaml"))
        .start(&folder, "gateway")?;
    let ready = format!("http://127.0.0.1:{admin}/readyz");
    until("the gateway is ready", ANSWERS, async || {
        let asked = Call::new("curl").args(["-sf", "--max-time", "2", &ready]).run().await?;
        Ok((asked.code == Some(0)).then_some(()))
    })
    .await
    .with_context(|| gateway.log())?;
    // The roots of its certificate come with any certificate that it issues.
    let papers = folder.join("papers");
    let client = ["pki", "client", "--user", "nobody", "--group", "none", "--data"];
    person.trunkline(&client).arg(folder.join("data")).arg("--out").arg(&papers).bytes().await?;

    let played = play(stage, &person, &dex, &url).await;
    let logs = format!("{}\n{}\n{}", gateway.log(), dex.process.log(), dex.browser_log());
    gateway.kill().await?;
    dex.process.kill().await?;
    played.with_context(|| logs)
}

async fn play(stage: &Stage, person: &Person, dex: &Dex, url: &str) -> Result<String> {
    let ca = person.folder().join("papers/ca.pem");
    let port = dex.callback.to_string();
    let login = person
        .trunkline(&["login", url, "--callback-port", &port, "--ca"])
        .arg(&ca)
        .env("BROWSER", dex.browser(stage)?)
        .within(SIGNS_IN)
        .run()
        .await?;
    ensure!(login.code == Some(0), "login: {}", login.stderr);
    ensure!(login.stderr.contains(&format!("as {USER} (trunkline:viewers)")), "{}", login.stderr);

    // The cluster decides what she may do, and sees her under her own name.
    let bind = ["create", "clusterrolebinding", "dex-alice", "--clusterrole=view", "--user", USER];
    stage.kubectl(User::Jane, "alpha", Way::Direct).args(bind).bytes().await?;
    person.trunkline(&["kubeconfig", "--out"]).arg(person.kubeconfig()).bytes().await?;
    let kubeconfig = std::fs::read_to_string(person.kubeconfig())?;
    let first = token(person).await?;
    ensure!(!kubeconfig.contains(&first), "the token stands in the kubeconfig");
    let who = person.kubectl("management").args(["auth", "whoami", "-o", "json"]).bytes().await?;
    let who: Value = serde_json::from_slice(&who)?;
    let info = &who["status"]["userInfo"];
    ensure!(info["username"] == USER, "{who}");
    ensure!(info["groups"].to_string().contains("trunkline:viewers"), "{who}");
    let pods = person.kubectl("management").args(["get", "pods", "-A", "-o", "name"]).text().await?;
    ensure!(pods.contains("pod/demo"), "{pods}");
    let denied = person.kubectl("management").args(["delete", "pod", "demo", "-n", "default"]).run().await?;
    ensure!(denied.code != Some(0) && denied.stderr.contains(USER), "{}", denied.stderr);

    // Dex renews it, and kubectl goes on.
    let renewed = until("a renewed token", RENEWED, async || {
        let now = token(person).await?;
        Ok((now != first).then_some(now))
    });
    renewed.await?;
    person.kubectl("management").args(["get", "pods", "-n", "default"]).bytes().await?;

    // The same browser on a page of the gateway's: a session by cookie that its scripts do not see.
    let page = format!("{url}/trunkline/v1/auth/login?return=/ui/");
    let seen = dex.visit(stage, &page, "/trunkline/v1/auth/session").await?;
    ensure!(seen["address"] == format!("{url}/ui/"), "{seen}");
    let session: Value = serde_json::from_str(seen["fetched"].as_str().unwrap_or_default())
        .with_context(|| seen.to_string())?;
    ensure!(session["user"] == USER && session["how"] == "web" && session["csrf"].is_string(), "{session}");
    ensure!(seen["scripts_see"] == "", "a script sees a cookie: {seen}");

    let account = by_service_account(stage, person, url).await?;
    Ok(format!("as {USER}; renewed by Dex; in a browser by cookie; {account}"))
}

/// A service account of the real cluster comes in by a token that the cluster's API server judges.
async fn by_service_account(stage: &Stage, person: &Person, url: &str) -> Result<String> {
    let direct = |args: &[&str]| stage.kubectl(User::Jane, "alpha", Way::Direct).args(args);
    let minted = direct(&["create", "token", "default", "-n", "default", "--duration", "10m"]).text().await?;
    let file = person.folder().join("account");
    std::fs::write(&file, minted.trim())?;
    let login = person.trunkline(&["login", url, "--token-file"]).arg(&file).run().await?;
    ensure!(login.code == Some(0), "{}", login.stderr);
    let name = "trunkline:sa:default:default";
    ensure!(login.stderr.contains(name), "{}", login.stderr);
    // One that is of nobody any more.
    direct(&["create", "serviceaccount", "gone", "-n", "default"]).bytes().await?;
    let minted = direct(&["create", "token", "gone", "-n", "default"]).text().await?;
    direct(&["delete", "serviceaccount", "gone", "-n", "default"]).bytes().await?;
    std::fs::write(&file, minted.trim())?;
    let refused = person.trunkline(&["status"]).run().await?;
    ensure!(
        refused.code == Some(3) && refused.stderr.contains("does not know the token"),
        "{}",
        refused.stderr
    );
    Ok(format!("and as {name}"))
}

/// What kubectl is given now.
async fn token(person: &Person) -> Result<String> {
    let given: Value = serde_json::from_slice(&person.trunkline(&["credential"]).bytes().await?)?;
    given["status"]["token"].as_str().map(str::to_owned).context("no token is given")
}
