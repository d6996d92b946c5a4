//! `trunkline audit`: what is asked, what is printed, and how a broken chain ends.

use http::Method;
use serde_json::{Value, json};
use trunkline_api::{AuditChange, AuditEvent};
use trunkline_audit::{AuditLog, Metrics, Options};

use crate::desk::Desk;
use crate::gateway::problem;

fn record(sequence: u64, event: &Value) -> Value {
    json!({
        "sequence": sequence,
        "time": "2026-05-01T08:00:00Z",
        "writer": "w",
        "event": event,
        "previous": "0".repeat(64),
        "hash": "1".repeat(64),
    })
}

fn page(records: Value, older: Option<u64>) -> Value {
    json!({"apiVersion": "trunkline.dev/v1", "kind": "AuditPage", "records": records, "older": older, "newer": 9})
}

/// A folder with a chain in it, and its head.
async fn folder(desk: &Desk) -> String {
    let log = AuditLog::open(&desk.path("audit"), Options::default(), Metrics::default()).unwrap();
    for what in ["register", "lock", "unlock"] {
        let change = AuditChange { user: "jane".into(), what: what.into(), ..AuditChange::default() };
        log.write(&AuditEvent::Change(change)).unwrap().durable().await.unwrap();
    }
    let head = log.head().unwrap();
    format!("{}:{}", head.sequence, head.hash)
}

#[tokio::test(flavor = "multi_thread")]
async fn records_are_columns_for_people_and_the_apis_own_for_scripts() {
    let desk = Desk::signed_in().await;
    let decision = json!({
        "phase": "decision", "user": "mallory\u{1b}[2J", "cluster": "alpha", "verb": "create", "allowed": false,
        "why": "no rule", "request": "r-1",
        "object": {"resource": "pods", "subresource": "exec", "namespace": "web", "name": "front", "path": "/x"},
    });
    let newest = page(json!([record(8, &decision)]), Some(8));
    let older = page(json!([record(7, &json!({"phase": "start", "version": "0.1.0"}))]), None);
    desk.gateway.order("/audit?", 200, newest);
    desk.gateway.order("/audit?before=8", 200, older);
    let outcome = desk.run(&["audit", "query", "--limit", "2"]).await.well();
    let lines: Vec<&str> = outcome.stdout.lines().collect();
    assert!(
        lines[0].starts_with("RECORD") && lines[1].starts_with('7') && lines[2].starts_with('8'),
        "{lines:?}"
    );
    for word in ["mallory[2J", "web/pods/front/exec", "denied: no rule", "r-1"] {
        assert!(lines[2].contains(word), "{word}: {}", lines[2]);
    }
    assert!(!outcome.stdout.contains('\u{1b}'), "nothing drives the terminal");
    let outcome =
        desk.run(&["audit", "query", "--denied", "--user", "mallory", "--since", "1h", "-o", "json"]).await;
    let shown: Value = serde_json::from_str(&outcome.well().stdout).unwrap();
    assert_eq!(shown["kind"], "AuditPage");
    desk.run(&["audit", "query", "--since", "soon"]).await.ended(2, &["how long ago"]);
    desk.gateway.order(
        "/audit",
        409,
        problem(trunkline_api::ProblemReason::NotKept, "no audit log is kept here"),
    );
    desk.run(&["audit", "query"]).await.ended(1, &["no audit log is kept here"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_is_verified_without_a_gateway_and_the_first_fault_is_named() {
    let desk = Desk::new().await;
    let head = folder(&desk).await;
    let verify = ["audit", "verify", "--folder", "audit"];
    let outcome = desk.run(&verify).await.well();
    assert!(outcome.stdout.starts_with("intact: 3 records (1 to 3)"), "{}", outcome.stdout);
    assert!(outcome.stdout.contains(&head), "{}", outcome.stdout);
    desk.run(&[&verify[..], &["--head", &head]].concat()).await.well();

    let file = format!("audit/{:020}.jsonl", 1);
    let whole = desk.read(&file);
    desk.write(&file, whole.replace("\"lock\"", "\"look\""));
    desk.run(&verify).await.ended(1, &["not whole", &file[6..], "line 2", "record 2", "edited"]);
    let outcome = desk.run(&[&verify[..], &["-o", "json"]].concat()).await;
    let verdict: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!((&verdict["intact"], &verdict["fault"]["line"]), (&json!(false), &json!(2)));
    // A clean cut is seen with a head only.
    let lines: Vec<&str> = whole.lines().collect();
    desk.write(&file, format!("{}\n{}\n", lines[0], lines[1]));
    desk.run(&verify).await.well();
    desk.run(&[&verify[..], &["--head", &head]].concat()).await.ended(1, &["cut off", "record 3"]);
    desk.run(&[&verify[..], &["--head", "3"]].concat()).await.ended(2, &["SEQUENCE:HASH"]);
    desk.run(&["audit", "verify", "--folder", "nowhere"]).await.ended(1, &["nowhere"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_gateway_is_asked_to_verify_with_the_head_that_is_given() {
    let desk = Desk::signed_in().await;
    let verdict = |fault: Value| {
        json!({
            "apiVersion": "trunkline.dev/v1", "kind": "AuditVerdict", "writer": "w", "records": 5, "segments": 1,
            "first": 1, "last": 5, "hash": "a", "recordings": 0, "intact": fault.is_null(), "fault": fault,
        })
    };
    desk.gateway.order("/audit/verify", 200, verdict(Value::Null));
    let head = format!("5:{}", "ab".repeat(32));
    desk.run(&["audit", "verify", "--head", &head]).await.well();
    let asked = desk.gateway.asked(&Method::POST, "/audit/verify");
    assert_eq!(asked, [json!({"head": {"sequence": 5, "hash": "ab".repeat(32)}})]);
    let fault = json!({"file": "f.jsonl", "line": 6, "sequence": 6, "why": "it was edited"});
    desk.gateway.order("/audit/verify", 200, verdict(fault));
    desk.run(&["audit", "verify"]).await.ended(1, &["f.jsonl, line 6", "it was edited"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn recordings_are_listed_and_go_into_a_pipe_as_they_are() {
    let desk = Desk::signed_in().await;
    let file = json!({"request": "r-1", "bytes": 12, "modified": "2026-05-01T08:00:00Z", "live": true});
    let list = json!({"apiVersion": "trunkline.dev/v1", "kind": "AuditRecordings", "items": [file]});
    desk.gateway.order("/audit/recordings", 200, list);
    let outcome = desk.run(&["audit", "recordings"]).await.well();
    assert!(outcome.stdout.lines().nth(1).unwrap().starts_with("r-1"), "{}", outcome.stdout);
    desk.gateway.order("/audit/recordings/r-1", 200, json!([1.5, "o", "\u{1b}]0;x\u{7}"]));
    let outcome = desk.run(&["audit", "play", "r-1"]).await.well();
    assert_eq!(serde_json::from_str::<Value>(&outcome.stdout).unwrap()[2], "\u{1b}]0;x\u{7}");
    desk.run(&["audit", "play", "../x"]).await.ended(2, &["no request's id"]);
}
