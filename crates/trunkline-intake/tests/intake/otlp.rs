//! OTLP over HTTP: its answers.

use serde_json::{Value, json};

use crate::rig::{Rig, gzip};

const JSON: &str = "User-Agent: test\r\nContent-Type: application/json; charset=utf-8\r\n";
const PROTOBUF: &str = "User-Agent: test\r\nContent-Type: application/x-protobuf\r\n";

fn logs(records: &[Value]) -> Vec<u8> {
    let logs = json!({"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]});
    logs.to_string().into_bytes()
}

#[tokio::test]
async fn good_records_are_kept_and_bad_ones_counted() {
    let rig = Rig::new().await;
    let mut shipper = rig.shipper().await;
    let body = logs(&[json!({"body": {"stringValue": "one"}}), json!(7), json!({"body": {"intValue": "2"}})]);
    let fields = format!("{JSON}Content-Encoding: gzip\r\n");
    let answer = shipper.ask("POST /v1/logs", &fields, &gzip(&body)).await.unwrap();
    assert_eq!(
        (answer.status, answer.json()["partialSuccess"]["rejectedLogRecords"].as_str()),
        (200, Some("1"))
    );
    assert_eq!(rig.texts().await, ["{\"message\":\"one\"}", "{\"message\":\"2\"}"]);
}

#[tokio::test]
async fn a_no_has_the_form_of_its_request() {
    let rig = Rig::new().await;
    let mut shipper = rig.shipper().await;
    let answer = shipper.ask("POST /v1/logs", JSON, b"[]").await.unwrap();
    assert_eq!((answer.status, answer.json()["code"].as_u64()), (400, Some(3)));
    let answer = shipper.ask("POST /v1/logs", PROTOBUF, b"\xff").await.unwrap();
    assert_eq!((answer.status, answer.field("content-type")), (400, Some("application/x-protobuf")));
    assert_eq!(answer.body[..3], [8, 3, 18], "code 3, and a message");
    let answer = shipper.ask("POST /v1/logs", "Content-Type: text/plain\r\n", b"x").await.unwrap();
    assert_eq!(answer.status, 415);
    let answer = shipper.ask("GET /v1/logs", PROTOBUF, b"").await.unwrap();
    assert_eq!(answer.status, 405);
    assert_eq!(rig.kept().await, []);
}
