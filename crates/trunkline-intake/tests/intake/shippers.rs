//! Requests of real shippers, as they came over the wire (tests/harness/shippers).

use serde_json::Value;

use crate::rig::{Answer, Rig, Shipper, gzip};

fn fixture(name: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/harness/shippers");
    std::fs::read_to_string(format!("{folder}/{name}")).unwrap()
}

/// Requests without bodies, one behind another.
async fn ask_all(shipper: &mut Shipper, text: &str) -> Vec<(String, u16, Value)> {
    let mut answers = Vec::new();
    for head in text.split("\n\n").map(str::trim).filter(|head| !head.is_empty()) {
        let line = head.lines().next().unwrap().to_owned();
        shipper.write(format!("{}\r\n\r\n", head.replace('\n', "\r\n")).as_bytes()).await;
        if line.starts_with("HEAD") {
            answers.push((line, shipper.answer_to_head().await, Value::Null));
        } else {
            let answer = shipper.answer().await.unwrap();
            assert_eq!(answer.field("x-elastic-product"), Some("Elasticsearch"));
            let json = serde_json::from_slice(&answer.body).unwrap_or_default();
            answers.push((line, answer.status, json));
        }
    }
    answers
}

/// A request with a body; packed, if its head says so.
async fn ask(shipper: &mut Shipper, text: &str, body: impl Fn(&str) -> Vec<u8>) -> Answer {
    let (head, rest) = text.split_once("\n\n").unwrap();
    let mut body = body(rest);
    if head.contains("Content-Encoding: gzip") {
        body = gzip(&body);
    }
    let head = head.replace('\n', "\r\n");
    shipper.write(format!("{head}\r\nContent-Length: {}\r\n\r\n", body.len()).as_bytes()).await;
    shipper.write(&body).await;
    shipper.answer().await.unwrap()
}

fn as_it_is(text: &str) -> Vec<u8> {
    text.as_bytes().to_vec()
}

#[tokio::test]
async fn filebeat_with_its_default_settings_finds_all_it_looks_for_and_hands_in() {
    let rig = Rig::new().await;
    let mut shipper = rig.shipper().await;
    let answers = ask_all(&mut shipper, &fixture("filebeat-connect.http")).await;
    assert!(answers.len() >= 7, "{answers:?}");
    for (line, status, _) in &answers {
        assert_eq!(*status, 200, "{line}");
    }
    assert_eq!(answers[0].2["version"]["number"], "8.19.0");
    assert_eq!(answers[1].2["license"]["status"], "active");
    assert_eq!(rig.kept().await, [], "none of it is kept");
    let answer = ask(&mut shipper, &fixture("filebeat-bulk.http"), as_it_is).await;
    assert_eq!((answer.status, answer.items()), (200, vec![201; 3]));
    let texts = rig.texts().await;
    assert_eq!(texts.len(), 3);
    assert!(texts[0].contains("\"message\":\"line 00001"), "{}", texts[0]);
}

#[tokio::test]
async fn rsyslog_hands_in_with_an_empty_line_behind_each_document() {
    let rig = Rig::new().await;
    let mut shipper = rig.shipper().await;
    let answers = ask_all(&mut shipper, &fixture("rsyslog-health.http")).await;
    assert_eq!(answers[0].1, 200);
    let answer = ask(&mut shipper, &fixture("rsyslog-bulk.http"), as_it_is).await;
    assert_eq!((answer.status, answer.items()), (200, vec![201; 3]));
    assert_eq!(answer.json()["errors"], false);
    assert!(rig.kept().await.iter().all(|entry| entry.own_id.is_some()), "its _id is looked at");
}

#[tokio::test]
async fn a_collector_hands_in_as_protobuf_and_as_json() {
    let rig = Rig::new().await;
    let mut shipper = rig.shipper().await;
    let hex = |text: &str| {
        let digits: String = text.split_whitespace().collect();
        (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
    };
    let answer = ask(&mut shipper, &fixture("otlp-protobuf.http"), hex).await;
    assert_eq!((answer.status, answer.body.len()), (200, 0));
    assert_eq!(answer.field("content-type"), Some("application/x-protobuf"));
    let answer = ask(&mut shipper, &fixture("otlp-json.http"), as_it_is).await;
    assert_eq!((answer.status, &answer.body[..]), (200, &b"{}"[..]));
    let texts = rig.texts().await;
    assert_eq!(texts.len(), 6);
    assert!(texts.iter().all(|text| text.contains("\"message\":\"line 0000") && text.contains("@timestamp")));
}

/// What others ask before their first bulk, from their sources and documentation.
#[tokio::test]
async fn what_other_shippers_ask_first_makes_them_start() {
    let rig = Rig::new().await;
    let mut shipper = rig.shipper().await;
    for (who, line) in [
        ("Logstash", "HEAD /"),
        ("Logstash", "GET /_license"),
        ("Logstash", "HEAD /_index_template/ecs-logstash"),
        ("Logstash, sniffing", "GET /_nodes/http"),
        ("Logstash, ILM", "GET /_ilm/policy/logstash-policy"),
        ("Logstash, ILM", "HEAD /_alias/ecs-logstash"),
        ("Fluentd", "GET /_template/fluentd"),
        ("Fluentd", "GET /_index_template/fluentd"),
        ("Fluentd", "HEAD /logs"),
        ("Fluentd, data stream", "GET /_data_stream/logs-x"),
        ("Fluentd, ILM", "GET /_xpack"),
        ("OpenTelemetry Collector", "GET /_nodes/http"),
        ("Vector", "GET /_cluster/health"),
        ("Vector", "GET /"),
        ("Metricbeat and others", "GET /_ingest/pipeline/x"),
    ] {
        shipper.write(format!("{line} HTTP/1.1\r\nHost: intake:9200\r\n\r\n").as_bytes()).await;
        let status = if line.starts_with("HEAD") {
            shipper.answer_to_head().await
        } else {
            shipper.answer().await.unwrap().status
        };
        assert_eq!(status, 200, "{who}: {line}");
    }
    let template = format!("{{\"template\":\"{}\"}}", "x".repeat(500_000));
    for _ in 0..2 {
        let json = "Content-Type: application/json\r\n";
        let answer = shipper.ask("PUT /_index_template/fluentd", json, template.as_bytes()).await;
        assert_eq!(answer.unwrap().json()["acknowledged"], true, "and on the same connection again");
    }
    assert_eq!(rig.kept().await, []);
}
