//! The REST API at the front door: each route in good and in bad, who may, and what no answer holds.

use std::time::Duration;

use http::{Method, Request, StatusCode};
use serde_json::{Value, json};
use trunkline_gateway::{ClusterConfig, Gateway};
use trunkline_runtime::{empty, full};
use trunkline_tests::{Client, FakeUpstream, Logs, Reply, Rig, Wire, eventually};

mod hops;
mod joining;
mod scale;
mod watch;

use watch::Watching;

const SOON: Duration = Duration::from_secs(15);
const CLUSTERS: &str = "/trunkline/v1/clusters";

/// A request without a body.
async fn bare(client: &Client, method: &str, path: &str) -> Reply {
    client.send(Request::builder().method(method).uri(path).body(empty()).unwrap()).await
}

/// Holds that an answer is this no, as every no is told.
fn assert_no(reply: &Reply, status: u16, reason: &str, words: &[&str]) {
    assert_eq!((reply.status.as_u16(), reply.reason().as_str()), (status, reason), "{}", reply.text());
    assert_eq!(reply.field("content-type"), "application/problem+json");
    assert_always(reply);
    let problem = reply.json();
    assert_eq!((&problem["type"], &problem["status"]), (&json!("about:blank"), &json!(status)));
    assert!(!problem["request"].as_str().unwrap().is_empty());
    for word in words {
        assert!(problem["detail"].as_str().unwrap().contains(word), "{word}: {problem}");
    }
}

/// What every answer carries.
fn assert_always(reply: &Reply) {
    for (name, value) in [
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "default-src 'none'"),
    ] {
        assert_eq!(reply.field(name), value, "{name}");
    }
}

fn names(list: &Value) -> Vec<&str> {
    list["items"].as_array().unwrap().iter().map(|item| item["metadata"]["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_cluster_is_registered_listed_changed_and_removed() {
    let logs = Logs::capture();
    let rig = Rig::builder().enrolling().cluster("beta").without_agents().start().await;
    let admin = rig.admin();
    let new = json!({"name": "alpha", "labels": {"env": "prod"}, "displayName": "Alpha", "manifest": {"groups": ["dev"]}});
    let reply = admin.post(CLUSTERS, &new).await;
    assert_eq!(reply.status, StatusCode::CREATED, "{}", reply.text());
    assert_always(&reply);
    let (cluster, join) = (reply.json()["cluster"].clone(), reply.json()["join"].clone());
    assert_eq!(
        (&cluster["metadata"]["name"], &cluster["metadata"]["createdBy"]),
        (&json!("alpha"), &json!("root"))
    );
    assert_eq!(
        (&cluster["status"]["state"], &cluster["status"]["origin"]),
        (&json!("joining"), &json!("registry"))
    );
    assert_eq!(cluster["status"]["joinExpires"], join["expires"]);
    assert_eq!(join["pin"], json!(rig.pin().to_string()));
    assert_eq!(join["namespace"], "trunkline");
    let chart = join["chart"].as_str().unwrap();
    let front = format!("https://{}", rig.front());
    assert!(chart.starts_with(&format!("{front}/trunkline/v1/charts/trunkline-agent-")), "{chart}");
    let warnings = join["warnings"].to_string();
    assert!(warnings.contains("tunnel.addresses is not set") && warnings.contains("loopback"), "{warnings}");
    let token = |join: &Value| {
        let manifest = join["manifest"].as_str().unwrap().to_owned();
        let at = manifest.find("tlj_").unwrap();
        manifest[at..at + 47].to_owned()
    };
    let first = token(&join);
    assert!(join["values"].as_str().unwrap().contains(&first));
    assert!(join["manifest"].as_str().unwrap().contains(&rig.tunnel_door(0).to_string()));

    let list = rig.client_as("vera", &["trunkline:viewers"]).get(CLUSTERS).await;
    assert_always(&list);
    assert_eq!((&list.json()["kind"], names(&list.json())), (&json!("ClusterList"), vec!["alpha", "beta"]));
    assert!(!list.text().contains(&first[4..]), "the token is shown once");
    assert_eq!(names(&admin.get(&format!("{CLUSTERS}?selector=env%3Dprod")).await.json()), ["alpha"]);
    assert_eq!(names(&admin.get(&format!("{CLUSTERS}?selector=!env")).await.json()), ["beta"]);

    let path = format!("{CLUSTERS}/alpha");
    let patch = json!({"revision": 1, "labels": {"env": null, "tier": "1"}, "protection": "read-only"});
    let reply = admin.send_json(Method::PATCH, &path, &patch).await;
    assert_eq!(
        (reply.status.as_u16(), &reply.json()["metadata"]["revision"]),
        (200, &json!(2)),
        "{}",
        reply.text()
    );
    let shown = admin.get(&path).await.json();
    assert_eq!(shown["metadata"]["labels"], json!({"tier": "1"}));
    assert_eq!(
        (&shown["spec"]["displayName"], &shown["spec"]["protection"]),
        (&json!("Alpha"), &json!("read-only"))
    );
    assert_no(&admin.send_json(Method::PATCH, &path, &patch).await, 409, "Conflict", &["revision 2"]);

    // A new token with the options of the registration, and with others.
    let reply = bare(&admin, "POST", &format!("{path}/join")).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let second = token(&reply.json()["join"]);
    assert_ne!(second, first);
    assert!(
        reply.json()["join"]["values"].as_str().unwrap().contains("\"dev\""),
        "{}",
        reply.json()["join"]["values"]
    );
    let reply = admin.post(&format!("{path}/join"), &json!({"groups": ["ops"]})).await;
    assert!(reply.json()["join"]["values"].as_str().unwrap().contains("\"ops\""));

    assert_eq!(bare(&admin, "DELETE", &path).await.json()["spec"]["displayName"], "Alpha");
    assert_no(&admin.get(&path).await, 404, "NotFound", &["alpha"]);
    assert_no(&bare(&admin, "DELETE", &path).await, 404, "NotFound", &["alpha"]);
    for what in ["register", "edit", "join", "remove"] {
        let noted = logs.find(|line| {
            line.target == "audit" && line.field("what") == what && line.field("cluster") == "alpha"
        });
        assert!(noted.iter().any(|line| line.field("who") == "root"), "{what}");
    }
    assert!(!logs.says(&[&first[4..]]) && !logs.says(&[&second[4..]]), "no token is logged");
}

#[tokio::test]
async fn who_may_read_and_who_may_change_is_told_by_groups() {
    let logs = Logs::capture();
    let rig = Rig::builder().enrolling().without_agents().access(&[]).start().await;
    let path = format!("{CLUSTERS}/alpha");
    for http2 in [false, true] {
        let stranger = rig.client_showing(None);
        let mut connection = if http2 { stranger.http2().await } else { stranger.http1().await };
        let reply = connection.get(CLUSTERS).await.unwrap();
        assert_no(&reply, 401, "Unauthorized", &["no client certificate"]);
        // A stranger is answered once.
        assert!(connection.get(CLUSTERS).await.is_err());
    }
    let dev = rig.client();
    assert_no(&dev.get(&path).await, 403, "Forbidden", &["trunkline:viewers", "jane"]);
    for group in ["trunkline:viewers", "trunkline:operators"] {
        let reader = rig.client_as("walter", &[group]);
        assert_eq!(reader.get(&path).await.status, 200);
        let lock = format!("{path}/lock");
        for reply in [reader.post(&lock, &json!({})).await, bare(&reader, "DELETE", &path).await] {
            assert_no(&reply, 403, "Forbidden", &["trunkline:admins", "walter"]);
        }
    }
    let lines = logs.find(|line| line.target == "access" && line.field("user") == "walter");
    let said: Vec<_> = lines.iter().map(|line| (line.field("status"), line.field("reason"))).collect();
    assert_eq!(said[..3], [("200", ""), ("403", "Forbidden"), ("403", "Forbidden")], "{said:?}");
    assert_eq!(lines[0].field("path"), path);
    assert_ne!(lines[0].field("sent"), "0");
    // The chart is for everybody.
    let chart = concat!("/trunkline/v1/charts/trunkline-agent-", env!("CARGO_PKG_VERSION"), ".tgz");
    let reply = rig.client_showing(None).get(chart).await;
    assert_eq!((reply.status.as_u16(), reply.field("content-type")), (200, "application/gzip"));
    assert_eq!(reply.body[..2], [0x1f, 0x8b]);
    assert_always(&reply);
    let reply = rig.client_showing(None).get("/trunkline/v1/charts/trunkline-agent-9.9.9.tgz").await;
    assert_no(&reply, 404, "NotFound", &["trunkline-agent-"]);
}

#[tokio::test]
async fn what_cannot_be_is_refused_and_named() {
    let rig = Rig::builder().enrolling().without_agents().start().await;
    let admin = rig.admin();
    let path = format!("{CLUSTERS}/alpha");
    let patched = |body: Value| {
        let (admin, path) = (admin.clone(), path.clone());
        async move { admin.send_json(Method::PATCH, &path, &body).await }
    };
    assert_no(&patched(json!({"colour": "red"})).await, 400, "Invalid", &["colour"]);
    assert_no(&patched(json!({"labels": {"-a": "b"}})).await, 400, "Invalid", &["labels", "-a"]);
    assert_no(&patched(json!({"displayName": "x".repeat(1000)})).await, 400, "Invalid", &["displayName"]);
    assert_no(&patched(json!({"protection": "some"})).await, 400, "Invalid", &["some"]);
    for (new, status, reason, word) in [
        (json!({}), 400, "Invalid", "name"),
        (json!({"name": "Not_A_Label"}), 400, "Invalid", "Not_A_Label"),
        (json!({"name": "new", "colour": 1}), 400, "Invalid", "colour"),
        (
            json!({"name": "new", "manifest": {"groups": ["system:masters"]}}),
            400,
            "Invalid",
            "system:masters",
        ),
        (json!({"name": "alpha"}), 409, "Exists", "alpha-2"),
        (json!({"name": "management"}), 400, "Reserved", "management"),
        (json!([]), 400, "Invalid", "body"),
    ] {
        assert_no(&admin.post(CLUSTERS, &new).await, status, reason, &[word]);
    }
    assert_eq!(names(&admin.get(CLUSTERS).await.json()), ["alpha"], "nothing was registered");
    assert_no(&admin.post(&format!("{path}/lock"), &json!({"why": "x"})).await, 400, "Invalid", &["why"]);
    assert_no(&admin.post(&format!("{path}/unlock"), &json!({"why": "x"})).await, 400, "Invalid", &["why"]);

    for (query, word) in [
        ("colour=red", "colour"),
        ("watch=perhaps", "watch"),
        ("selector=a%20b", "a b"),
        ("watch=true&watch=true", "watch"),
    ] {
        assert_no(&admin.get(&format!("{CLUSTERS}?{query}")).await, 400, "Invalid", &[word]);
    }
    assert_no(&admin.get(&format!("{path}?colour=red")).await, 400, "Invalid", &["colour"]);
    for name in ["ALPHA", "%61lpha", "a_b", "-"] {
        assert_no(&admin.get(&format!("{CLUSTERS}/{name}")).await, 400, "Invalid", &[name]);
    }
    for nowhere in [
        "/trunkline/v1",
        "/trunkline/v1/",
        "/trunkline/v1/nothing",
        "/trunkline/v1/clusters/",
        "/trunkline/v1/clusters/alpha/",
    ] {
        assert_no(&admin.get(nowhere).await, 404, "NotFound", &["docs/api.md"]);
    }

    for (method, path, allow) in [
        ("PUT", CLUSTERS, "GET,HEAD,POST"),
        ("POST", path.as_str(), "GET,HEAD,PATCH,DELETE"),
        ("GET", "/trunkline/v1/pki/rotate", "POST"),
    ] {
        let reply = bare(&admin, method, path).await;
        assert_no(&reply, 405, "MethodNotAllowed", &["allow"]);
        assert_eq!(reply.field("allow"), allow);
    }
    let sent = |kind: &str, body: String| {
        Request::patch(&path).header("content-type", kind).body(full(body)).unwrap()
    };
    assert_no(&admin.send(sent("text/plain", "{}".into())).await, 415, "Invalid", &["application/json"]);
    assert_no(&admin.send(sent("application/json", "{".into())).await, 400, "Invalid", &["line 1"]);
    assert_no(&admin.send(sent("application/json", String::new())).await, 400, "Invalid", &["no body"]);
    let fits = format!("{{{}}}", " ".repeat(64 * 1024 - 2));
    assert_eq!(admin.send(sent("application/json; charset=utf-8", fits.clone())).await.status, 200);
    assert_no(&admin.send(sent("application/json", fits + " ")).await, 413, "TooLarge", &["64 KiB"]);
}

#[tokio::test]
async fn pages_of_other_origins_and_odd_heads_get_nothing() {
    let rig = Rig::builder().enrolling().without_agents().start().await;
    let admin = rig.admin();
    let lock = format!("{CLUSTERS}/alpha/lock");
    for (name, value) in [
        ("origin", "https://evil.test"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        let request = Request::post(&lock).header(name, value).body(empty()).unwrap();
        assert_no(&admin.send(request).await, 403, "Forbidden", &["another origin"]);
    }
    let request = Request::get(CLUSTERS).header("impersonate-user", "root").body(empty()).unwrap();
    assert_no(&admin.send(request).await, 403, "Forbidden", &[]);
    assert_eq!(admin.get(&format!("{CLUSTERS}/alpha")).await.json()["spec"].get("locked"), None);
    let request = Request::post(&lock).header("origin", "https://localhost").body(empty()).unwrap();
    assert_eq!(admin.send(request).await.status, 200, "its own page may");
}

#[tokio::test]
async fn a_request_that_names_a_cluster_by_host_or_header_is_the_clusters() {
    let rig = Rig::start().await;
    let admin = rig.admin();
    let by_header = Request::get(CLUSTERS).header("x-cluster-id", "alpha").body(empty()).unwrap();
    let by_host = Request::get(CLUSTERS).header("host", "alpha.clusters.test").body(empty()).unwrap();
    for (at, request) in [by_header, by_host].into_iter().enumerate() {
        let reply = admin.send(request).await;
        assert_eq!(reply.field("content-security-policy"), "sandbox");
        assert_eq!(rig.upstream("alpha").seen_with(CLUSTERS).len(), at + 1);
    }
    assert_eq!(rig.client_as("v", &["trunkline:viewers"]).get(CLUSTERS).await.json()["kind"], "ClusterList");
}

#[tokio::test]
async fn an_overloaded_gateway_says_so_as_any_other_no() {
    let rig = Rig::builder().without_agents().max_requests(1).start().await;
    let admin = rig.admin();
    let mut watching = Watching::begin(&admin, "").await;
    watching.until_synced().await;
    let reply = admin.get(CLUSTERS).await;
    assert_no(&reply, 503, "Unavailable", &["try again"]);
    assert_eq!(reply.field("retry-after"), "1");
    drop(watching);
    eventually("no request is under way", SOON, || rig.gateway().requests() == 0).await;
    let head = bare(&admin, "HEAD", CLUSTERS).await;
    assert_eq!((head.status.as_u16(), head.body.len()), (200, 0));
}

#[tokio::test]
async fn a_gateway_says_what_it_is_and_who_asks() {
    let rig = Rig::builder().enrolling().without_agents().start().await;
    let status = || async { rig.admin().get("/trunkline/v1/status").await.json() };
    let told = status().await;
    assert_eq!((&told["kind"], &told["clusterType"]), (&json!("GatewayStatus"), &json!("management")));
    assert_eq!((&told["user"], &told["groups"]), (&json!("root"), &json!(["trunkline:admins"])));
    assert_eq!((&told["clusters"], &told["connected"]), (&json!(1), &json!(0)));
    assert_eq!(told["pin"], json!(rig.pin().to_string()));
    assert_eq!((&told["hostSuffix"], &told["management"]), (&json!("clusters.test"), &json!(false)));
    assert_eq!(told["tunnel"], json!([rig.tunnel_door(0).to_string()]));
    bare(&rig.admin(), "DELETE", &format!("{CLUSTERS}/alpha")).await;
    assert_eq!(status().await["clusterType"], "standalone", "without the last managed cluster");
    rig.admin().post(CLUSTERS, &json!({"name": "first"})).await;
    assert_eq!(status().await["clusterType"], "management", "with the first one");
    let document = rig.admin().get("/trunkline/v1/openapi.json").await;
    assert_eq!(document.field("content-type"), "application/json");
    assert!(document.json()["paths"][CLUSTERS]["get"].is_object());
}

#[tokio::test]
async fn what_is_not_the_registrys_is_shown_and_not_changed() {
    let rig = Rig::builder().without_agents().start().await;
    let management = FakeUpstream::start(&rig.paper, Wire::Tls, &rig.tasks).await;
    let mut config = rig.gateway_config();
    config.management = Some(management.config(&rig.paper));
    config.clusters.push(ClusterConfig { id: "zeta".parse().unwrap(), uid: None, pass_through: Vec::new() });
    config.clusters.push(ClusterConfig {
        id: "lambda".parse().unwrap(),
        uid: None,
        pass_through: Vec::new(),
    });
    let gateway = Gateway::bind(config).await.unwrap().serve().unwrap();
    let admin = rig.admin().at(gateway.front());
    let path = |name: &str| format!("{CLUSTERS}/{name}");
    assert_eq!(names(&admin.get(CLUSTERS).await.json()), ["management", "alpha", "lambda", "zeta"]);
    for (name, reason, status) in [("management", "Reserved", 400), ("alpha", "Declared", 409)] {
        let patch = admin.send_json(Method::PATCH, &path(name), &json!({"description": "x"})).await;
        assert_no(&patch, status, reason, &[name]);
        for (method, path) in [
            ("DELETE", path(name)),
            ("POST", path(name) + "/lock"),
            ("POST", path(name) + "/unlock"),
            ("POST", path(name) + "/rotate"),
            ("POST", path(name) + "/join"),
        ] {
            assert_no(&bare(&admin, method, &path).await, status, reason, &[name]);
        }
        assert_no(&admin.post(CLUSTERS, &json!({"name": name})).await, status, reason, &[name]);
    }
    assert_eq!(admin.get(&path("alpha")).await.json()["status"]["origin"], "file");
    let mut watching = Watching::begin(&admin, "").await;
    let shown = watching.until("management", |cluster| cluster["status"]["state"] == "connected").await;
    assert_eq!(shown["status"]["origin"], "management");
    assert!(shown["status"]["kubernetesVersion"].is_string(), "{shown}");
    // Without a data folder there is nothing to issue, and no roots.
    assert_no(&admin.post(CLUSTERS, &json!({"name": "new"})).await, 409, "NotIssuing", &["data"]);
    assert_no(&admin.get("/trunkline/v1/pki").await, 409, "NotIssuing", &["data folder"]);
    assert_eq!(admin.get("/trunkline/v1/status").await.json()["pin"], Value::Null);
    gateway.cut().await;
}

#[tokio::test]
async fn roots_are_rotated_by_order() {
    let rig = Rig::registered("alpha").await;
    let admin = rig.admin();
    let before = admin.get("/trunkline/v1/pki").await.json();
    assert_eq!((&before["rotating"], before["roots"].as_array().unwrap().len()), (&json!(false), 1));
    let viewer = rig.client_as("vera", &["trunkline:viewers"]);
    assert_no(
        &bare(&viewer, "POST", "/trunkline/v1/pki/rotate").await,
        403,
        "Forbidden",
        &["trunkline:admins"],
    );
    let begun = bare(&admin, "POST", "/trunkline/v1/pki/rotate").await;
    assert_eq!((begun.status.as_u16(), &begun.json()["rotating"]), (200, &json!(true)), "{}", begun.text());
    assert_eq!(begun.json()["clusters"][0]["name"], "alpha");
    let ended = bare(&admin, "POST", "/trunkline/v1/pki/finish").await;
    assert_eq!((ended.status.as_u16(), &ended.json()["rotating"]), (200, &json!(false)), "{}", ended.text());
    assert_ne!(ended.json()["roots"][0]["pin"], before["roots"][0]["pin"]);
}
