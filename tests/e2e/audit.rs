//! The audit log behind the REST API: what is done to the fleet is in it before it is done, and nobody looks unseen.

use std::time::{Duration, Instant};

use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use trunkline_runtime::empty;
use trunkline_tests::{Client, Rig, within};

const SOON: Duration = Duration::from_secs(15);
const AUDIT: &str = "/trunkline/v1/audit";
const CLUSTERS: &str = "/trunkline/v1/clusters";

async fn records(client: &Client, query: &str) -> Vec<Value> {
    let reply = client.get(&format!("{AUDIT}?{query}")).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    assert_eq!(reply.json()["kind"], "AuditPage");
    reply.json()["records"].as_array().unwrap().clone()
}

async fn verified(client: &Client, head: &Value) -> Value {
    let reply = client.post(&format!("{AUDIT}/verify"), &json!({"head": head})).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    reply.json()
}

#[tokio::test]
async fn what_is_done_to_the_fleet_is_in_the_log_with_who_and_by_which_request() {
    let rig = Rig::builder().enrolling().without_agents().start().await;
    let admin = rig.admin();
    admin.post(CLUSTERS, &json!({"name": "gamma"})).await;
    admin.post(&format!("{CLUSTERS}/gamma/lock"), &json!({"reason": "leak"})).await;
    admin.post(&format!("{CLUSTERS}/gamma/unlock"), &json!({})).await;
    let again = admin.post(CLUSTERS, &json!({"name": "gamma"})).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    admin.post("/trunkline/v1/pki/rotate", &json!({})).await;

    let all = records(&admin, "after=0").await;
    assert_eq!((&all[0]["event"]["phase"], &all[0]["sequence"]), (&json!("start"), &json!(1)));
    assert_eq!(all[0]["previous"], json!("0".repeat(64)));
    let changes: Vec<&Value> =
        all.iter().map(|record| &record["event"]).filter(|event| event["phase"] == "change").collect();
    let told: Vec<_> = changes
        .iter()
        .filter(|change| change["user"] == "root")
        .map(|change| {
            (change["what"].as_str().unwrap(), change["user"].as_str().unwrap(), change["failed"].is_string())
        })
        .collect();
    assert_eq!(
        told,
        [
            ("register", "root", false),
            ("lock", "root", false),
            ("unlock", "root", false),
            ("register", "root", false),
            ("register", "root", true),
            ("rotate", "root", false),
        ]
    );
    assert_eq!(changes[3]["request"], changes[4]["request"], "what failed is told by its request");
    assert!(changes[4]["failed"].as_str().unwrap().contains("gamma-2"), "{}", changes[4]);
    assert_eq!(changes[4]["request"], again.json()["request"]);
    assert!(changes[..5].iter().all(|change| change["cluster"] == "gamma"));

    let locks = records(&admin, "verb=lock&cluster=gamma&user=root&phase=change&limit=5").await;
    assert_eq!(locks.len(), 1);
    assert!(records(&admin, "user=joe").await.is_empty());
    for bad in ["phase=maybe", "since=yesterday", "limit=many"] {
        assert_eq!(admin.get(&format!("{AUDIT}?{bad}")).await.status, StatusCode::BAD_REQUEST, "{bad}");
    }
}

#[tokio::test]
async fn who_reads_the_log_is_in_the_log_and_others_do_not_read_it() {
    let rig = Rig::builder().enrolling().without_agents().start().await;
    let operator = rig.client_as("olga", &["trunkline:operators"]);
    for path in ["", "/head", "/recordings", "/recordings/x"] {
        assert_eq!(operator.get(&format!("{AUDIT}{path}")).await.status, StatusCode::FORBIDDEN, "{path}");
    }
    let admin = rig.admin();
    records(&admin, "user=jane").await;
    assert_eq!(admin.get(&format!("{AUDIT}/recordings")).await.json()["items"], json!([]));
    assert_eq!(admin.get(&format!("{AUDIT}/recordings/none")).await.status, StatusCode::NOT_FOUND);
    assert_eq!(admin.get(&format!("{AUDIT}/recordings/..")).await.status, StatusCode::NOT_FOUND);
    verified(&admin, &Value::Null).await;
    let wanted = [("query", "user=jane"), ("recordings", ""), ("play", "none"), ("verify", "")];
    let began = Instant::now();
    for (what, query) in wanted {
        let is_it = |read: &Value| {
            read["what"] == what
                && read["query"].as_str().unwrap_or_default() == query
                && read["user"] == "root"
        };
        // What nobody waits for is written a moment later.
        while !records(&admin, "phase=read&after=0&limit=1000")
            .await
            .iter()
            .any(|record| is_it(&record["event"]))
        {
            assert!(began.elapsed() < SOON, "{what} {query} is in no record");
        }
    }
}

#[tokio::test]
async fn the_chain_is_whole_over_restarts_and_a_head_that_was_kept_is_in_it() {
    let mut rig = Rig::builder().enrolling().without_agents().start().await;
    let admin = rig.admin();
    admin.post(CLUSTERS, &json!({"name": "alpha"})).await;
    let head = admin.get(&format!("{AUDIT}/head")).await.json();
    let claim = json!({"sequence": head["sequence"], "hash": head["hash"]});
    rig.take_gateway(0).unwrap().drain().await;
    let offline = trunkline_audit::verify(&rig.data(0).join("audit"), None).unwrap();
    assert!(offline.intact && offline.last >= 3, "{offline:?}");
    rig.start_gateway(0).await;
    let admin = rig.admin();
    let verdict = verified(&admin, &claim).await;
    assert_eq!((&verdict["intact"], &verdict["first"]), (&json!(true), &json!(1)), "{verdict}");
    assert_eq!(verdict["writer"], head["writer"]);
    let phases: Vec<_> = records(&admin, "after=0")
        .await
        .iter()
        .map(|record| record["event"]["phase"].as_str().unwrap().to_owned())
        .filter(|phase| phase == "start" || phase == "stop")
        .collect();
    assert_eq!(phases, ["start", "stop", "start"]);
    let forged = json!({"sequence": head["sequence"], "hash": "0".repeat(64)});
    let verdict = verified(&admin, &forged).await;
    assert_eq!(
        (&verdict["intact"], &verdict["fault"]["sequence"]),
        (&json!(false), &head["sequence"]),
        "{verdict}"
    );
    let later = json!({"sequence": 1_000_000, "hash": "0".repeat(64)});
    assert!(verified(&admin, &later).await["fault"]["why"].as_str().unwrap().contains("cut off"));
}

#[tokio::test]
async fn who_follows_hears_of_what_comes() {
    let rig = Rig::builder().enrolling().without_agents().start().await;
    let admin = rig.admin();
    let mut connection = admin.http2().await;
    let request = Request::get(format!("{AUDIT}?follow=true&phase=change")).body(empty()).unwrap();
    let response = connection.send(request).await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut body = response.into_body();
    admin.post(CLUSTERS, &json!({"name": "alpha"})).await;
    let mut text = String::new();
    while !text.contains("data: ") || !text.ends_with("\n\n") {
        let frame = within("an event", SOON, body.frame()).await.unwrap().unwrap();
        text.push_str(std::str::from_utf8(frame.data_ref().unwrap()).unwrap());
    }
    let (_, event) = text.split_once("data: ").unwrap();
    let record: Value = serde_json::from_str(event.trim()).unwrap();
    assert_eq!(
        (&record["event"]["what"], &record["event"]["cluster"]),
        (&json!("register"), &json!("alpha"))
    );
}

#[tokio::test]
async fn an_agent_that_joins_is_in_the_log_by_its_key() {
    let rig = Rig::registered("alpha").await;
    rig.wait_for_links(1).await;
    let admin = rig.admin();
    let enrolled = records(&admin, "verb=enrol").await;
    let event = &enrolled[0]["event"];
    assert_eq!(event["cluster"], "alpha");
    assert!(event["user"].as_str().unwrap().starts_with("sha256:"), "{event}");
    assert!(event["subject"].as_str().unwrap().contains("join token"), "{event}");
}

#[tokio::test]
async fn a_gateway_without_a_data_folder_says_that_it_keeps_none() {
    let rig = Rig::start().await;
    let admin = rig.admin();
    for path in ["", "?follow=true", "/head", "/recordings"] {
        let reply = admin.get(&format!("{AUDIT}{path}")).await;
        assert_eq!((reply.status.as_u16(), reply.reason().as_str()), (409, "NotKept"), "{path}");
    }
}
