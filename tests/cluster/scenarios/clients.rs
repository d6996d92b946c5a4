//! Clients other than kubectl: helm, client-go, Python, kube-rs.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use futures_util::TryStreamExt as _;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams, WatchEvent, WatchParams};
use kube::config::{KubeConfigOptions, Kubeconfig};

use crate::callers::Way;
use crate::papers::User::Jane;
use crate::parts::scripts;
use crate::same;
use crate::stage::Stage;

const A_WHILE: Duration = Duration::from_secs(60);

pub(crate) async fn helm_installs_upgrades_and_uninstalls(stage: &mut Stage) -> Result<String> {
    let chart = scripts().join("chart");
    let chart = chart.to_string_lossy();
    let steps = [
        &["install", "it", &chart, "--set", "replicas=1", "--wait", "--timeout=50s"][..],
        &["upgrade", "it", &chart, "--set", "replicas=2,greeting=bye", "--wait", "--timeout=50s"],
        &["rollback", "it", "1"],
    ];
    let questions = [
        &["list", "-q"][..],
        &["get", "manifest", "it"],
        &["get", "values", "it", "--revision=2"],
        &["uninstall", "it", "--wait"],
        &["list", "-q"],
    ];
    same::on_every_way("helm", async |way| {
        let helm = |args: &[&str]| {
            stage.program(stage.parts.bin("helm"), Jane, "alpha", way).args(args).within(A_WHILE)
        };
        for args in steps {
            helm(args).bytes().await?;
        }
        let greeting = ["get", "configmap", "it", "-o=jsonpath={.data}"];
        let mut seen = vec![stage.kubectl(Jane, "alpha", Way::Direct).args(greeting).text().await?];
        for args in questions {
            seen.push(helm(args).text().await?);
        }
        Ok(seen)
    })
    .await?;
    Ok(String::new())
}

pub(crate) async fn client_go_sees_the_same(stage: &mut Stage) -> Result<String> {
    let mut runs = 0;
    for mode in ["list-watch", "crud"] {
        for encoding in [None, Some("--protobuf")] {
            for http1 in [None, Some("1")] {
                let call = |way| {
                    let call = stage.program(stage.parts.bin("client-go"), Jane, "alpha", way);
                    let call = call.args(["--mode", mode]).args(encoding);
                    let call =
                        if way == Way::Header { call.args(["--header", "x-cluster-id=alpha"]) } else { call };
                    if http1.is_some() { call.env("DISABLE_HTTP2", "1") } else { call }
                };
                let seen = same::on_every_way(mode, async |way| call(way).text().await).await?;
                ensure!(seen.ends_with("all seen\n") && call(Way::Header).text().await? == seen, "{seen}");
                runs += 4;
            }
        }
    }
    Ok(format!("{runs} runs: JSON and protobuf, HTTP/2 and HTTP/1.1, by path, host and header"))
}

pub(crate) async fn python_sees_the_same(stage: &mut Stage) -> Result<String> {
    let script = scripts().join("python/list_watch.py");
    let seen = same::on_every_way("python", async |way| {
        let call = stage.program(stage.parts.python(), Jane, "alpha", way).arg("-B").arg(&script);
        call.args(["--exec", "demo"]).text().await
    });
    let seen = seen.await?;
    ensure!(seen.ends_with("all seen\n"), "{seen}");
    Ok(String::new())
}

pub(crate) async fn kube_rs_sees_the_same(stage: &mut Stage) -> Result<String> {
    let seen = same::on_every_way("kube-rs", async |way| {
        tokio::time::timeout(A_WHILE, life_of_a_config_map(stage, way)).await.context("not done in time")?
    });
    Ok(seen.await?.join(", "))
}

/// Makes, changes and deletes a ConfigMap while watching it; gives the events.
async fn life_of_a_config_map(stage: &Stage, way: Way) -> Result<Vec<String>> {
    let kubeconfig = Kubeconfig::read_from(stage.kubeconfig(Jane, "alpha", way))?;
    let config = kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
    let maps: Api<ConfigMap> = Api::namespaced(kube::Client::try_from(config)?, "default");
    let before = maps.list(&ListParams::default()).await?.metadata.resource_version.unwrap_or_default();
    let only_it = WatchParams::default().fields("metadata.name=kube-rs");
    let mut events = std::pin::pin!(maps.watch(&only_it, &before).await?);

    let mut object = ConfigMap::default();
    object.metadata.name = Some("kube-rs".into());
    maps.create(&PostParams::default(), &object).await?;
    let patch = Patch::Merge(serde_json::json!({"data": {"step": "patched"}}));
    maps.patch("kube-rs", &PatchParams::default(), &patch).await?;
    maps.delete("kube-rs", &DeleteParams::default()).await?;

    let mut seen = Vec::new();
    while let Some(event) = events.try_next().await? {
        let step = |map: ConfigMap| map.data.and_then(|data| data.get("step").cloned()).unwrap_or_default();
        match event {
            WatchEvent::Added(map) => seen.push(format!("added {}", step(map))),
            WatchEvent::Modified(map) => seen.push(format!("modified {}", step(map))),
            WatchEvent::Deleted(map) => {
                seen.push(format!("deleted {}", step(map)));
                return Ok(seen);
            }
            WatchEvent::Bookmark(_) => {}
            WatchEvent::Error(status) => anyhow::bail!("the watch broke: {status:?}"),
        }
    }
    anyhow::bail!("the watch ended after {seen:?}")
}
