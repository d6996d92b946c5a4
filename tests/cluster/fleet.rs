//! A gateway with a data folder of its own, which clusters join as users make them: by the command line.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::command::{Call, Process, until};
use crate::joining::IMAGE;
use crate::parts::free_port;
use crate::stage::Stage;

/// How long a gateway may take until it answers.
const ANSWERS: Duration = Duration::from_secs(10);

/// A gateway that clusters can join, and its first user.
pub(crate) struct Fleet {
    pub(crate) gateway: Process,
    pub(crate) person: Person,
    front: u16,
}

/// Somebody with a folder of their own, in which the command line keeps what it remembers.
pub(crate) struct Person {
    folder: PathBuf,
    trunkline: PathBuf,
    bin: PathBuf,
}

impl Fleet {
    /// Starts a gateway that pods reach at these hosts, and signs somebody of `trunkline:admins` in there.
    pub(crate) async fn start(stage: &Stage, hosts: &[String]) -> Result<Self> {
        Self::start_with(stage, hosts, free_port()?, "").await
    }

    /// The same at this port, with more in the gateway's file.
    pub(crate) async fn start_with(stage: &Stage, hosts: &[String], front: u16, more: &str) -> Result<Self> {
        let person = Person::new(stage)?;
        let folder = person.folder();
        let (tunnel, admin) = (free_port()?, free_port()?);
        let addresses: Vec<String> = hosts.iter().map(|host| format!("\"{host}:{tunnel}\"")).collect();
        let config = folder.join("gateway.yaml");
        let text = format!(
            "data: {data}\n\
             front: {{listen: \"127.0.0.1:{front}\", address: \"127.0.0.1:{front}\"}}\n\
             tunnel: {{listen: \"0.0.0.0:{tunnel}\", addresses: [{addresses}]}}\n\
             enrolment: {{image: \"{IMAGE}\"}}\nadmin: 127.0.0.1:{admin}\ndrain_seconds: 10\n{more}",
            data = folder.join("data").display(),
            addresses = addresses.join(", "),
        );
        std::fs::write(&config, text)?;
        let gateway = Call::new(stage.trunkline())
            .args(["gateway", "--config"])
            .arg(config)
            .start(folder, "gateway")?;
        until("the fleet's gateway is ready", ANSWERS, async || {
            let ready = format!("http://127.0.0.1:{admin}/readyz");
            let asked = Call::new("curl").args(["-sf", "--max-time", "2", &ready]).run().await?;
            Ok((asked.code == Some(0)).then_some(()))
        })
        .await
        .with_context(|| gateway.log())?;
        let client = ["pki", "client", "--user", "jane", "--group", "trunkline:admins", "--data"];
        person.trunkline(&client).arg(folder.join("data")).arg("--out").arg(person.papers()).bytes().await?;
        let papers = ["ca.pem", "jane.pem", "jane.key"].map(|name| person.papers().join(name));
        let login = person.trunkline(&["login", &format!("https://127.0.0.1:{front}")]);
        let login = ["--ca", "--certificate", "--key"]
            .iter()
            .zip(&papers)
            .fold(login, |call, (flag, file)| call.arg(flag).arg(file));
        login.bytes().await?;
        Ok(Self { gateway, person, front })
    }

    /// Where browsers find it.
    pub(crate) fn url(&self) -> String {
        url_at(self.front)
    }

    /// An answer of the gateway's REST API.
    pub(crate) async fn rest(&self, method: &str, path: &str, body: &Value) -> Result<Value> {
        let papers = self.person.papers();
        let url = format!("https://127.0.0.1:{}/trunkline/v1{path}", self.front);
        let call =
            Call::new("curl").args(["-sS", "--fail-with-body", "--max-time", "20", "-X", method, &url]);
        let call = [("--cacert", "ca.pem"), ("--cert", "jane.pem"), ("--key", "jane.key")]
            .into_iter()
            .fold(call, |call, (flag, file)| call.arg(flag).arg(papers.join(file)));
        let call = call.args(["-H", "content-type: application/json", "-d", "@-"]).input(body.to_string());
        let outcome = call.run().await?;
        let said = String::from_utf8_lossy(&outcome.stdout);
        anyhow::ensure!(outcome.code == Some(0), "{method} {path}: {} {said}", outcome.stderr);
        Ok(serde_json::from_str(&said)?)
    }
}

/// Where browsers find a gateway at this port.
pub(crate) fn url_at(front: u16) -> String {
    format!("https://127.0.0.1:{front}")
}

impl Person {
    /// Somebody who is signed in nowhere.
    pub(crate) fn new(stage: &Stage) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("user-").tempdir_in(stage.folder())?.keep();
        let kubectl = stage.parts.bin("kubectl");
        let bin = kubectl.parent().context("kubectl is in no folder")?.to_owned();
        Ok(Self { folder, trunkline: stage.trunkline().to_owned(), bin })
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    fn papers(&self) -> PathBuf {
        self.folder.join("papers")
    }

    /// The binary, as they run it; what it writes for kubectl goes to a file of its own.
    pub(crate) fn trunkline(&self, args: &[&str]) -> Call {
        self.as_them(Call::new(&self.trunkline)).args(args)
    }

    /// kubectl in one of the fleet's clusters, through the gateway.
    pub(crate) fn kubectl(&self, cluster: &str) -> Call {
        self.as_them(Call::new(self.bin.join("kubectl"))).args([
            "--kubeconfig",
            &self.kubeconfig().to_string_lossy(),
            "--context",
            cluster,
        ])
    }

    /// Where `trunkline kubeconfig` is to write.
    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.folder.join("kubeconfig")
    }

    /// A program that finds the binary under test, and kubectl, by their names.
    pub(crate) fn as_them(&self, call: Call) -> Call {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let ours = [self.trunkline.parent(), Some(&*self.bin)].into_iter().flatten().map(Path::to_owned);
        let path = std::env::join_paths(ours.chain(std::env::split_paths(&path))).unwrap_or_default();
        call.env("HOME", &self.folder)
            .env("XDG_CONFIG_HOME", self.folder.join("remembered"))
            .env("PATH", path)
    }

    /// What the gateway says of a cluster.
    pub(crate) async fn status(&self, cluster: &str) -> Result<Value> {
        let shown = self.trunkline(&["clusters", "show", cluster, "-o", "json"]).bytes().await?;
        let shown: Value = serde_json::from_slice(&shown)?;
        Ok(shown["status"].clone())
    }

    /// Waits until a cluster has links in so many slots, and gives its status.
    pub(crate) async fn slots_up(&self, cluster: &str, slots: usize, limit: Duration) -> Result<Value> {
        let what = format!("{cluster} is connected in {slots} slots");
        until(&what, limit, async || {
            let status = self.status(cluster).await?;
            let none = Vec::new();
            let known = status["slots"].as_array().unwrap_or(&none);
            let up =
                known.iter().filter(|slot| slot["links"].as_u64().is_some_and(|links| links > 0)).count();
            Ok((up == slots && status["state"] == "connected").then_some(status))
        })
        .await
    }
}
