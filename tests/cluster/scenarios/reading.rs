//! get, list, watch, discovery, as kubectl does them.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::callers::Way;
use crate::papers::User::{Jane, Vera};
use crate::same;
use crate::stage::Stage;
use crate::wire::Door;

pub(crate) async fn every_way_leads_to_the_cluster_that_was_named(stage: &mut Stage) -> Result<String> {
    for cluster in ["alpha", "beta"] {
        let nodes = same::kubectl(stage, Jane, cluster, &["get", "nodes", "-o", "name"]).await?;
        ensure!(nodes.stdout == format!("node/{cluster}-node\n").as_bytes(), "{nodes:?}");
    }
    // One name in the path and another in the header: nobody guesses.
    let url = stage.url("alpha", Way::Path, "/version")?;
    let answer =
        stage.curl(Jane, "alpha", Way::Path)?.args(["-H", "x-cluster-id: beta"]).arg(url).text().await?;
    ensure!(answer.contains("AmbiguousCluster"), "{answer}");
    Ok(String::new())
}

pub(crate) async fn no_answer_comes_from_the_other_cluster(stage: &mut Stage) -> Result<String> {
    const WORKERS: usize = 16;
    const EACH: usize = 50;
    // All of them on one connection, so that whatever is mixed up anywhere would show.
    let connection = Door::gateway(stage, Jane, true)?.connect(&stage.tasks).await?;
    let asking = (0..WORKERS).map(async |worker| {
        let mut connection = connection.share()?;
        for n in 0..EACH {
            let cluster = if (worker + n) % 2 == 0 { "alpha" } else { "beta" };
            let answer = connection.get(&format!("/clusters/{cluster}/api/v1/nodes")).await?;
            let nodes: serde_json::Value = serde_json::from_slice(&answer.body)?;
            let name = &nodes["items"][0]["metadata"]["name"];
            ensure!(name == &format!("{cluster}-node"), "{cluster} answered {name}");
        }
        anyhow::Ok(())
    });
    futures_util::future::try_join_all(asking).await?;
    Ok(format!("{} requests in turn on one connection", WORKERS * EACH))
}

pub(crate) async fn the_cluster_sees_the_same_user(stage: &mut Stage) -> Result<String> {
    let mut seen = Vec::new();
    for user in [Jane, Vera] {
        let whoami =
            same::kubectl(stage, user, "alpha", &["auth", "whoami", "-o", "jsonpath={.status.userInfo}"]);
        seen.push(String::from_utf8_lossy(&whoami.await?.stdout).into_owned());
    }
    Ok(seen.join(" and "))
}

pub(crate) async fn get_brings_what_a_direct_get_brings(stage: &mut Stage) -> Result<String> {
    for args in [
        &["get", "namespaces", "-o", "json"][..],
        &["get", "configmap", "kube-root-ca.crt", "-o", "yaml"],
        &["get", "services", "kubernetes", "-o", "json"],
        &["get", "clusterroles", "-o", "name"],
        &["get", "configmap", "no-such-thing"],
        &["get", "no-such-kind"],
        &["auth", "can-i", "--list"],
    ] {
        same::kubectl(stage, Jane, "alpha", args).await?;
    }
    for args in [
        &["get", "pods", "-A", "-o", "wide"][..],
        &["get", "all,configmaps", "-A"],
        &["describe", "clusterrole", "view"],
    ] {
        same::on_every_way(&args.join(" "), async |way| {
            Ok(same::ageless(&stage.kubectl(Jane, "alpha", way).args(args).bytes().await?))
        })
        .await?;
    }
    Ok(String::new())
}

pub(crate) async fn a_list_in_chunks_is_the_list(stage: &mut Stage) -> Result<String> {
    let direct = |args: &[&str]| stage.kubectl(Jane, "alpha", Way::Direct).args(args);
    direct(&["create", "namespace", "many"]).bytes().await?;
    let objects: String = (0..13)
        .map(|n| format!("---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c{n}, namespace: many}}\n"))
        .collect();
    direct(&["apply", "-f", "-"]).input(objects).bytes().await?;
    let list = ["get", "configmaps", "-n", "many", "--chunk-size=2", "-v=6", "-o", "name"];
    let (mut names, mut pages) = (Vec::new(), 0);
    for way in Way::USUAL {
        let outcome = stage.kubectl(Jane, "alpha", way).args(list).run().await?;
        ensure!(outcome.code == Some(0), "{outcome:?}");
        pages = outcome.stderr.matches("limit=2").count();
        ensure!(pages >= 7, "14 objects came in {pages} pages: {}", outcome.stderr);
        names.push(outcome.stdout);
    }
    ensure!(names.iter().all(|list| *list == names[0]), "{names:?}");
    Ok(format!("{} objects in {pages} pages", names[0].split(|byte| *byte == b'\n').count() - 1))
}

pub(crate) async fn a_viewer_may_read_and_not_delete(stage: &mut Stage) -> Result<String> {
    let read = same::kubectl(stage, Vera, "alpha", &["get", "pod", "demo", "-o", "name"]).await?;
    ensure!(read.code == Some(0), "{read:?}");
    let deleted = same::kubectl(stage, Vera, "alpha", &["delete", "pod", "demo"]).await?;
    ensure!(deleted.code == Some(1) && deleted.stderr.contains("(Forbidden)"), "{deleted:?}");
    let secrets = same::kubectl(stage, Vera, "alpha", &["get", "secrets"]).await?;
    ensure!(secrets.code == Some(1), "{secrets:?}");
    Ok(deleted.stderr.trim().to_owned())
}

pub(crate) async fn discovery_and_raw_paths_are_the_same(stage: &mut Stage) -> Result<String> {
    for args in [
        &["api-resources"][..],
        &["api-versions"],
        &["version"],
        &["explain", "deployment.spec.strategy"],
        &["get", "--raw", "/version"],
        &["get", "--raw", "/openapi/v3"],
        &["get", "--raw", "/openapi/v3/apis/apps/v1"],
        &["get", "--raw", "/openapi/v2"],
        &["get", "--raw", "/apis"],
        &["get", "--raw", "/readyz?verbose"],
        &["get", "--raw", "/no/such/path"],
        &["get", "--raw", "/api/v1/namespaces/default/pods/demo:8080/proxy/"],
    ] {
        same::kubectl(stage, Jane, "alpha", args).await?;
    }
    Ok(String::new())
}

pub(crate) async fn a_watch_brings_the_same_events(stage: &mut Stage) -> Result<String> {
    const EVENT: &str = "-o=jsonpath={.type} {.object.metadata.name} {.object.data.step}{\"\\n\"}";
    let direct = |args: &[&str]| stage.kubectl(Jane, "alpha", Way::Direct).args(args);
    direct(&["create", "configmap", "watched", "--from-literal=step=first"]).bytes().await?;
    let watch =
        ["get", "configmaps", "--field-selector=metadata.name=watched", "-w", "--output-watch-events", EVENT];
    let mut watches = Vec::new();
    for way in Way::USUAL {
        let call = stage.kubectl(Jane, "alpha", way).args(watch);
        watches.push(call.start(stage.folder(), &format!("watch-{way:?}"))?);
    }
    for watch in &watches {
        watch.printed("ADDED watched first\n", Duration::from_secs(10)).await?;
    }
    for step in ["second", "third"] {
        let patch = format!("{{\"data\":{{\"step\":\"{step}\"}}}}");
        direct(&["patch", "configmap", "watched", "-p", &patch]).bytes().await?;
    }
    direct(&["delete", "configmap", "watched"]).bytes().await?;
    let mut seen = Vec::new();
    for watch in watches {
        seen.push(watch.printed("DELETED watched third\n", Duration::from_secs(5)).await?);
        watch.kill().await?;
    }
    let expected =
        "ADDED watched first\nMODIFIED watched second\nMODIFIED watched third\nDELETED watched third\n";
    ensure!(seen.iter().all(|events| events == expected), "{seen:?}");
    Ok(String::new())
}
