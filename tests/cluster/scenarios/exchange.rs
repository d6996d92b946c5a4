//! HTTP itself: both versions, encodings, sizes, `Expect`, as curl sees them.

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;

use crate::callers::Way;
use crate::papers::User::Jane;
use crate::same;
use crate::scenarios::streams::random_bytes;
use crate::stage::Stage;

const VERSIONS: [&str; 2] = ["--http1.1", "--http2"];
/// Fields that are a hop's own, a request's own, or that the gateway adds.
const OWN_FIELDS: [&str; 8] = [
    "audit-id",
    "connection",
    "content-length",
    "content-security-policy",
    "date",
    "keep-alive",
    "transfer-encoding",
    "x-content-type-options",
];
/// The big list: objects and the bytes of each one's data.
const OBJECTS: usize = 60;
const OBJECT_BYTES: usize = 900_000;

/// An answer as curl saw it.
#[derive(Debug, PartialEq)]
struct Fetched {
    status: String,
    fields: Vec<String>,
    body: Vec<u8>,
}

async fn fetch(stage: &Stage, way: Way, args: &[&str], path: &str, body: &[u8]) -> Result<Fetched> {
    let heads = stage.folder().join("heads");
    let call = stage.curl(Jane, "alpha", way)?.arg("--dump-header").arg(&heads).args(args);
    let body = call.arg(stage.url("alpha", way, path)?).input(body).bytes().await?;
    let heads = std::fs::read_to_string(heads)?.replace("\r\n", "\n");
    // The last head: `100 Continue` has one of its own.
    let head = heads.trim_end().rsplit("\n\n").next().unwrap_or_default();
    let (first, rest) = head.split_once('\n').unwrap_or((head, ""));
    let status = first.split(' ').nth(1).unwrap_or_default().to_owned();
    let is_own =
        |line: &str| OWN_FIELDS.contains(&line.split(':').next().unwrap_or_default().to_lowercase().as_str());
    let mut fields: Vec<_> = rest.lines().filter(|line| !is_own(line)).map(str::to_lowercase).collect();
    fields.sort();
    Ok(Fetched { status, fields, body })
}

/// Fetches on every way, by HTTP/1.1 and by HTTP/2, and wants the same answer each time.
async fn fetch_everywhere(stage: &Stage, args: &[&str], path: &str, body: &[u8]) -> Result<Fetched> {
    let mut last = None;
    for version in VERSIONS {
        let args: Vec<&str> = args.iter().copied().chain([version]).collect();
        let direct = fetch(stage, Way::Direct, &args, path, body).await?;
        for way in [Way::Path, Way::Host, Way::Header] {
            let seen = fetch(stage, way, &args, path, body).await?;
            ensure!(
                seen.status == direct.status,
                "{path} {version} {way:?}: {} not {}",
                seen.status,
                direct.status
            );
            ensure!(
                seen.fields == direct.fields,
                "{path} {version} {way:?}: {:?} not {:?}",
                seen.fields,
                direct.fields
            );
            ensure!(
                seen.body == direct.body,
                "{path} {version} {way:?}: another body of {} bytes",
                seen.body.len()
            );
        }
        last = Some(direct);
    }
    last.context("no version")
}

/// A list as it stood at one moment: the same bytes whenever it is asked for.
async fn frozen(stage: &Stage, path: &str) -> Result<String> {
    let direct = fetch(stage, Way::Direct, &[], &format!("{path}?limit=1"), &[]).await?;
    let list: serde_json::Value = serde_json::from_slice(&direct.body)?;
    let version =
        list["metadata"]["resourceVersion"].as_str().context("a list without resourceVersion")?.to_owned();
    Ok(format!("{path}?resourceVersion={version}&resourceVersionMatch=Exact"))
}

pub(crate) async fn answers_are_the_same_byte_for_byte(stage: &mut Stage) -> Result<String> {
    let pods = frozen(stage, "/api/v1/pods").await?;
    fetch_everywhere(stage, &[], &pods, &[]).await?;
    let missing = fetch_everywhere(stage, &[], "/api/v1/namespaces/none/pods/a%20b?x=%2F", &[]).await?;
    let options = fetch_everywhere(stage, &["-X", "OPTIONS"], "/api/v1/pods", &[]).await?;
    Ok(format!("statuses 200, {}, {}", missing.status, options.status))
}

pub(crate) async fn protobuf_is_passed_on(stage: &mut Stage) -> Result<String> {
    let path = frozen(stage, "/api/v1/pods").await?;
    let accept = "accept: application/vnd.kubernetes.protobuf";
    let answer = fetch_everywhere(stage, &["-H", accept], &path, &[]).await?;
    ensure!(answer.body.starts_with(b"k8s\0"), "not protobuf: {:?}", answer.fields);
    Ok(format!("{} bytes", answer.body.len()))
}

pub(crate) async fn compressed_answers_stay_compressed(stage: &mut Stage) -> Result<String> {
    let path = frozen(stage, "/apis/rbac.authorization.k8s.io/v1/clusterroles").await?;
    let plain = fetch_everywhere(stage, &[], &path, &[]).await?;
    let squeezed = fetch_everywhere(stage, &["-H", "accept-encoding: gzip"], &path, &[]).await?;
    ensure!(squeezed.fields.iter().any(|field| field == "content-encoding: gzip"), "{:?}", squeezed.fields);
    let decoded = crate::command::Call::new("gzip").arg("-dc").input(&*squeezed.body).bytes().await?;
    ensure!(decoded == plain.body, "decoded, it is another list");
    Ok(format!("{} bytes in {}", plain.body.len(), squeezed.body.len()))
}

pub(crate) async fn a_list_of_50_mb_is_the_same(stage: &mut Stage) -> Result<String> {
    stage.kubectl(Jane, "alpha", Way::Direct).args(["create", "namespace", "big"]).bytes().await?;
    let path = "/api/v1/namespaces/big/configmaps";
    for n in 0..OBJECTS {
        let object = config_map(&format!("c{n}"), OBJECT_BYTES);
        // Some are made through the gateway, of which nothing may be seen in the list.
        let way = Way::ALL[n % Way::ALL.len()];
        let made = fetch(stage, way, &JSON_POST, path, object.as_bytes()).await?;
        ensure!(made.status == "201", "{way:?}: {}", String::from_utf8_lossy(&made.body));
    }
    let list = fetch_everywhere(stage, &[], &frozen(stage, path).await?, &[]).await?;
    ensure!(list.body.len() > 50_000_000, "{} bytes", list.body.len());
    let names =
        same::kubectl(stage, Jane, "alpha", &["get", "configmaps", "-n", "big", "-o", "name"]).await?;
    ensure!(names.code == Some(0), "{}", names.stderr);
    Ok(format!("{} bytes", list.body.len()))
}

const JSON_POST: [&str; 4] = ["-H", "content-type: application/json", "--data-binary", "@-"];

pub(crate) async fn large_requests_meet_the_clusters_own_limits(stage: &mut Stage) -> Result<String> {
    let maps = "/api/v1/namespaces/default/configmaps?dryRun=All";
    let deployments = "/apis/apps/v1/namespaces/default/deployments";
    let mut statuses = Vec::new();
    for (path, body) in [
        (maps, config_map("large", 1_000_000)),
        (maps, config_map("large", 2_900_000)), // more than a ConfigMap may hold
        (maps, config_map("large", 3_200_000)), // more than a request may hold
        (deployments, deployment("large", 1_900_000)), // more than etcd takes
    ] {
        for (expect, version) in [("expect:", "--http2"), ("expect: 100-continue", "--http1.1")] {
            let args: Vec<&str> = JSON_POST.into_iter().chain(["-H", expect, version]).collect();
            let answer = same::on_every_way(expect, async |way| {
                let mut answer = fetch(stage, way, &args, path, body.as_bytes()).await?;
                if answer.status == "201" {
                    answer.body.clear();
                }
                Ok((answer.status, answer.body))
            });
            statuses.push(answer.await.with_context(|| format!("{} bytes", body.len()))?.0);
        }
    }
    Ok(statuses.join(" "))
}

pub(crate) async fn an_object_of_3_mib_is_the_same(stage: &mut Stage) -> Result<String> {
    // A control character is one byte to etcd and six in JSON: so an object that etcd takes is 3 MiB to a client, as
    // much as the API server takes.
    let empty = control_characters("three", 0).len();
    let object = control_characters("three", (3 * 1024 * 1024 - empty) / 6);
    let name = "/api/v1/namespaces/default/configmaps/three";
    let mut sizes = Vec::new();
    for version in VERSIONS {
        for way in [Way::Path, Way::Host, Way::Header] {
            let args: Vec<&str> = JSON_POST.into_iter().chain([version]).collect();
            let maps = "/api/v1/namespaces/default/configmaps";
            let made = fetch(stage, way, &args, maps, object.as_bytes()).await?;
            ensure!(made.status == "201", "{version} {way:?}: {}", String::from_utf8_lossy(&made.body));
            sizes.push(fetch_everywhere(stage, &[], name, b"").await?.body.len());
            let gone = fetch(stage, way, &["-X", "DELETE", version], name, b"").await?;
            ensure!(gone.status == "200", "{version} {way:?}: DELETE answered {}", gone.status);
        }
    }
    ensure!(sizes.iter().all(|size| *size >= 3 * 1024 * 1024), "{sizes:?}");
    Ok(format!("{} bytes up, {} bytes down", object.len(), sizes.first().unwrap_or(&0)))
}

pub(crate) async fn an_upload_waits_for_100_continue(stage: &mut Stage) -> Result<String> {
    let object = config_map("awaited", 800_000);
    for way in Way::ALL {
        let call = stage.curl(Jane, "alpha", way)?.args(["-v", "--http1.1", "--expect100-timeout", "20"]);
        let call = call.args(JSON_POST).args(["-H", "expect: 100-continue"]);
        let url = stage.url("alpha", way, "/api/v1/namespaces/default/configmaps?dryRun=All")?;
        let outcome = call.arg(url).input(object.as_bytes()).run().await?;
        let interim = outcome.stderr.contains("HTTP/1.1 100 Continue");
        ensure!(interim && outcome.stderr.contains("HTTP/1.1 201"), "{way:?}: {}", outcome.stderr);
    }
    Ok(String::new())
}

fn text_of(bytes: usize) -> String {
    base64::engine::general_purpose::STANDARD.encode(random_bytes(bytes * 3 / 4))
}

fn control_characters(name: &str, count: usize) -> String {
    serde_json::json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name},
        "data": {"text": "\u{1}".repeat(count)}})
    .to_string()
}

fn config_map(name: &str, bytes: usize) -> String {
    serde_json::json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name},
        "data": {"text": text_of(bytes)}})
    .to_string()
}

fn deployment(name: &str, bytes: usize) -> String {
    serde_json::json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": {
        "replicas": 0, "selector": {"matchLabels": {"app": name}}, "template": {
            "metadata": {"labels": {"app": name}},
            "spec": {"containers": [{"name": "main", "image": "none",
                "env": [{"name": "TEXT", "value": text_of(bytes)}]}]}}}})
    .to_string()
}
