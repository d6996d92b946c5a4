use serde_json::{Value, json};
use trunkline_logs::{Entry, MAX_RECORD_BYTES};

use super::*;
use crate::budget::Budget;

fn batch() -> Batch {
    Batch::new(Budget::new(64 * 1024 * 1024).begin_at_once([127, 0, 0, 1].into()).unwrap(), 17)
}

type Rejected = Vec<(RecordFault, u64)>;

fn documents(form: Form, body: &[u8]) -> Result<(Vec<Value>, Rejected), Refusal> {
    let records = read(form, body, batch())?;
    let rejected = records.rejected;
    let (records, _held) = records.batch.into_records();
    let document = |bytes| serde_json::from_slice(&Entry::decode(bytes).unwrap().json).unwrap();
    Ok((records.into_iter().map(|record| document(record.bytes)).collect(), rejected))
}

/// Protobuf, by hand.
fn bytes(number: u64, value: &[u8]) -> Vec<u8> {
    let mut length = value.len();
    let mut message = vec![(number << 3 | 2) as u8];
    while length >= 0x80 {
        message.push(length as u8 | 0x80);
        length >>= 7;
    }
    message.push(length as u8);
    [message, value.to_vec()].concat()
}

fn varint(number: u64, value: u8) -> Vec<u8> {
    vec![(number << 3) as u8, value]
}

fn fixed(number: u64, value: u64) -> Vec<u8> {
    [vec![(number << 3 | 1) as u8], value.to_le_bytes().to_vec()].concat()
}

fn text(value: &str) -> Vec<u8> {
    bytes(1, value.as_bytes())
}

fn named(name: &str, value: &[u8]) -> Vec<u8> {
    [bytes(1, name.as_bytes()), bytes(2, value)].concat()
}

fn request(records: &[Vec<u8>]) -> Vec<u8> {
    let records: Vec<u8> = records.iter().flat_map(|record| bytes(2, record)).collect();
    bytes(1, &bytes(2, &records))
}

const TIME: u64 = 1_795_749_300_250_000_123;

fn full_document() -> Value {
    json!({
        "@timestamp": "2026-11-27T03:15:00.250000123Z",
        "message": "hello \"you\"\n",
        "severity_text": "WARN",
        "severity_number": 13,
        "trace.id": "0102030405060708090a0b0c0d0e0f10",
        "span.id": "0102030405060708",
        "event.name": "greeted",
        "attributes": {"http.status": 200, "ok": true, "ratio": 0.5, "raw": "AQI=", "none": null,
            "list": ["a", -1], "map": {"inner": {"x": "y"}}},
        "resource": {"k8s.pod.name": "web-0", "service.name": "web"},
        "scope": {"name": "lib", "version": "1"},
    })
}

#[test]
fn a_record_of_protobuf_makes_a_document_in_whatever_order_its_fields_come() {
    let map = bytes(6, &bytes(1, &named("inner", &bytes(6, &bytes(1, &named("x", &text("y")))))));
    let minus_one = [vec![3 << 3], vec![0xff; 9], vec![1]].concat();
    let list = bytes(5, &[bytes(1, &text("a")), bytes(1, &minus_one)].concat());
    let id: Vec<u8> = (1..=16).collect();
    let parts = [
        fixed(1, TIME),
        varint(2, 13),
        bytes(5, &text("hello \"you\"\n")),
        bytes(6, &named("http.status", &[3 << 3, 200, 1])),
        bytes(6, &named("ok", &varint(2, 1))),
        bytes(6, &named("ratio", &fixed(4, 0.5_f64.to_bits()))),
        bytes(6, &named("raw", &bytes(7, &[1, 2]))),
        bytes(6, &named("none", &[])),
        bytes(6, &named("list", &list)),
        bytes(6, &named("map", &map)),
        bytes(9, &id),
        bytes(10, &id[..8]),
        fixed(11, TIME + 1),
        bytes(12, b"greeted"),
        // Fields that are not known: of every wire type.
        varint(90, 1)[..].iter().take(0).copied().collect(),
        vec![7 << 3, 3, (8 << 3) | 5, 1, 2, 3, 4],
    ];
    let attributes =
        [bytes(1, &named("k8s.pod.name", &text("web-0"))), bytes(1, &named("service.name", &text("web")))];
    let scope = bytes(1, &[bytes(1, b"lib"), bytes(2, b"1")].concat());
    for backwards in [false, true] {
        let mut parts = parts.clone();
        if backwards {
            parts.reverse();
        }
        let records = bytes(2, &parts.concat());
        let resource = bytes(1, &attributes.concat());
        let body = if backwards {
            bytes(1, &[bytes(2, &[records, scope.clone()].concat()), resource].concat())
        } else {
            bytes(1, &[resource, bytes(2, &[scope.clone(), records].concat())].concat())
        };
        let (documents, rejected) = documents(Form::Protobuf, &body).unwrap();
        assert_eq!((documents, rejected), (vec![full_document()], vec![]));
    }
}

#[test]
fn a_record_of_json_makes_the_same_document() {
    let record = json!({
        "timeUnixNano": TIME.to_string(), "observedTimeUnixNano": TIME + 1, "severityNumber": 13,
        "body": {"stringValue": "hello \"you\"\n"}, "eventName": "greeted",
        "attributes": [
            {"key": "http.status", "value": {"intValue": "200"}},
            {"key": "ok", "value": {"boolValue": true}},
            {"key": "ratio", "value": {"doubleValue": 0.5}},
            {"key": "raw", "value": {"bytesValue": "AQI="}},
            {"key": "none"},
            {"key": "list", "value": {"arrayValue": {"values": [{"stringValue": "a"}, {"intValue": -1}]}}},
            {"key": "map", "value": {"kvlistValue": {"values": [{"key": "inner", "value":
                {"kvlistValue": {"values": [{"key": "x", "value": {"stringValue": "y"}}]}}}]}}},
        ],
        "traceId": "0102030405060708090A0b0c0d0e0f10", "spanId": "0102030405060708", "flags": 1, "unknown": [{}],
    });
    let resource = json!({"attributes": [
        {"key": "k8s.pod.name", "value": {"stringValue": "web-0"}},
        {"key": "service.name", "value": {"stringValue": "web"}},
    ]});
    // Resource behind the records: any order is good.
    let body = format!(
        "{{\"resourceLogs\":[{{\"scopeLogs\":[{{\"logRecords\":[{record}],\"scope\":{{\"name\":\"lib\",\"version\":\"1\"}}}}],\
         \"resource\":{resource}}}]}}"
    );
    let (documents, rejected) = documents(Form::Json, body.as_bytes()).unwrap();
    assert_eq!((documents, rejected), (vec![full_document()], vec![]));
}

#[test]
fn what_a_collector_sends_is_taken() {
    // OpenTelemetry Collector 0.165.0, file_log receiver: fields come the last one first, ids are written empty.
    let hex = "0ab30212ae02124352004a00321912080a06696e2e6c6f670a0d6c6f672e66696c652e6e616d652a190a176c696e6520303030303120\
        6f66206f746c7070726f746f5973edd91f54c8eb18124352004a00321912080a06696e2e6c6f670a0d6c6f672e66696c652e6e616d652a190a17\
        6c696e65203030303032206f66206f746c7070726f746f5966fad91f54c8eb18124352004a00321912080a06696e2e6c6f670a0d6c6f672e6669\
        6c652e6e616d652a190a176c696e65203030303033206f66206f746c7070726f746f591efcd91f54c8eb180a5d1207302e3136352e300a526769\
        746875622e636f6d2f6f70656e2d74656c656d657472792f6f70656e74656c656d657472792d636f6c6c6563746f722d636f6e747269622f7265\
        6365697665722f66696c656c6f6772656365697665720a00";
    let body: Vec<u8> =
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect();
    let (documents, rejected) = documents(Form::Protobuf, &body).unwrap();
    assert_eq!((documents.len(), rejected.len()), (3, 0));
    assert_eq!(documents[0]["message"], "line 00001 of otlpproto");
    assert_eq!(documents[2]["attributes"], json!({"log.file.name": "in.log"}));
    assert_eq!(documents[1]["scope"]["version"], "0.165.0");
    assert!(documents[0]["@timestamp"].as_str().unwrap().starts_with("2026-11-2"), "the observed time");
    assert!(documents[0].get("trace.id").is_none() && documents[0].get("resource").is_none());
}

#[test]
fn a_body_that_is_no_text_is_its_json() {
    let body = request(&[bytes(5, &bytes(6, &bytes(1, &named("a", &varint(2, 1))))), vec![]]);
    let (documents, _) = documents(Form::Protobuf, &body).unwrap();
    assert_eq!(documents, [json!({"message": "{\"a\":true}"}), json!({"message": ""})]);
}

#[test]
fn no_field_of_an_application_stands_beside_the_resource() {
    let names = [
        "kubernetes",
        "kubernetes.namespace",
        "k8s.namespace.name",
        "namespace",
        "resource",
        "cluster",
        "trunkline",
    ];
    let attributes: Vec<u8> = names
        .iter()
        .flat_map(|name| bytes(6, &named(name, &bytes(6, &bytes(1, &named(name, &text("forged")))))))
        .collect();
    let body = bytes(5, &bytes(6, &bytes(1, &named("kubernetes.namespace", &text("forged")))));
    let record = bytes(2, &[attributes, body, bytes(12, b"kubernetes.namespace")].concat());
    let said = bytes(1, &bytes(1, &named("k8s.namespace.name", &text("shop"))));
    let (documents, _) = documents(Form::Protobuf, &bytes(1, &[said, bytes(2, &record)].concat())).unwrap();
    let mut roots: Vec<_> = documents[0].as_object().unwrap().keys().map(String::as_str).collect();
    roots.sort_unstable();
    assert_eq!(roots, ["attributes", "event.name", "message", "resource"]);
    assert_eq!(documents[0]["resource"], json!({"k8s.namespace.name": "shop"}));
}

#[test]
fn a_record_that_cannot_be_kept_is_rejected_by_itself() {
    let good = bytes(5, &text("good"));
    let nest = |levels: usize| (0..levels).fold(text("x"), |inner, _| bytes(5, &bytes(1, &inner)));
    let records = [
        good.clone(),
        bytes(6, &named("deep", &nest(29))),
        bytes(6, &named("deep", &nest(31))),
        bytes(6, &named("deep", &nest(5000))),
        bytes(5, &text(&"x".repeat(MAX_RECORD_BYTES))),
        (0..1200).flat_map(|n| bytes(6, &named(&n.to_string(), &[]))).collect(),
        bytes(5, &bytes(1, &[0xff])),
        vec![1 << 3, 5],
        good,
    ];
    let (documents, rejected) = documents(Form::Protobuf, &request(&records)).unwrap();
    assert_eq!(documents.len(), 3);
    let counts: Vec<_> = rejected.iter().map(|(fault, times)| (fault.reason(), *times)).collect();
    assert_eq!(counts, [("too_large", 4), ("not_otlp", 2)]);
    let answer: Value = serde_json::from_slice(&accepted(Form::Json, &rejected)).unwrap();
    assert_eq!(answer["partialSuccess"]["rejectedLogRecords"], "6");
    assert!(answer["partialSuccess"]["errorMessage"].as_str().unwrap().contains("nested deeper than 32"));
    let answer = accepted(Form::Protobuf, &rejected);
    assert_eq!((answer[0], &answer[2..5]), (10, &[8, 6, 18][..]), "partial_success, 6, error_message");
    assert_eq!((accepted(Form::Protobuf, &[]).len(), &accepted(Form::Json, &[])[..]), (0, &b"{}"[..]));
}

#[test]
fn a_json_record_that_is_none_is_rejected_by_itself() {
    let deep = format!("{}{{}}{}", "{\"arrayValue\":{\"values\":[".repeat(60), "]}}".repeat(60));
    let logs = format!(
        "{{\"body\":{{\"stringValue\":\"good\"}}}},7,{{\"traceId\":\"xy\"}},{{\"timeUnixNano\":\"soon\"}},{{\"body\":{deep}}}"
    );
    let body = format!("{{\"resourceLogs\":[{{\"scopeLogs\":[{{\"logRecords\":[{logs}]}}]}},{{}}]}}");
    let (documents, rejected) = documents(Form::Json, body.as_bytes()).unwrap();
    assert_eq!(documents, [json!({"message": "good"})]);
    assert_eq!(rejected.iter().map(|(_, times)| times).sum::<u64>(), 4);
}

#[test]
fn a_request_that_is_none_spoils_as_a_whole() {
    let good = request(&[bytes(5, &text("good"))]);
    for body in
        [&good[..good.len() - 1], &[0x0b], &[0x0a, 0xff], &[0x08, 1, 0x0a, 1, 0xff], &[0, 0], &[0xff; 20]]
    {
        let refusal = documents(Form::Protobuf, body).unwrap_err();
        assert!(refusal.to_string().contains("ExportLogsServiceRequest"), "{body:?}");
    }
    for body in [
        "",
        "[]",
        "{\"resourceLogs\":7}",
        "{\"resourceLogs\":[7]}",
        "{\"resourceLogs\":[{\"resource\":7}]}",
        "{",
        "{}x",
    ] {
        let refusal = documents(Form::Json, body.as_bytes()).unwrap_err();
        let answer: Value = serde_json::from_slice(&refused(Form::Json, &refusal)).unwrap();
        assert_eq!(answer["code"], 3, "{body}");
    }
    for body in ["{}", "{\"resourceLogs\":null}", "{\"resourceLogs\":[]}", "{\"other\":1}"] {
        assert_eq!(documents(Form::Json, body.as_bytes()).unwrap().0.len(), 0);
    }
    assert_eq!(documents(Form::Protobuf, &[]).unwrap().0.len(), 0);
}

#[test]
fn a_resource_that_is_repeated_for_each_record_cannot_grow_a_request_beyond_its_limit() {
    let attribute = named("a", &text(&"x".repeat(100_000)));
    let records: Vec<u8> = std::iter::repeat_n(bytes(2, &[]), 10_000).flatten().collect();
    let body = bytes(1, &[bytes(1, &bytes(1, &attribute)), bytes(2, &records)].concat());
    assert!(body.len() < 200_000);
    assert_eq!(documents(Form::Protobuf, &body).unwrap_err(), Refusal::TooMuch);
}

/// A resource with so many attributes, the text of each so long.
fn resource(attributes: usize, length: usize) -> Vec<Vec<u8>> {
    (0..attributes).map(|n| bytes(1, &named(&format!("a{n}"), &text(&"x".repeat(length))))).collect()
}

#[test]
fn a_resource_costs_once_and_not_once_for_each_of_its_records() {
    let empty: Vec<u8> = bytes(2, &[]).repeat(MAX_ITEMS);
    let json_records = ["{}"; MAX_ITEMS].join(",");
    let long = "x".repeat(240);
    // As large as it may be, with hardly room for a record's own; and too large, too wide or too deep.
    for (attributes, length, kept) in
        [(990, 240, 0), (1_001, 1, 0), (1, MAX_RECORD_BYTES - 14, 0), (1, 20, MAX_ITEMS)]
    {
        let said = resource(attributes, length).concat();
        let body = bytes(1, &[bytes(1, &said), bytes(2, &empty)].concat());
        let read = read(Form::Protobuf, &body, batch());
        judge(read, &body, kept, attributes);
        let value = if length == 240 { long.clone() } else { "x".repeat(length) };
        let said: Vec<_> = (0..attributes)
            .map(|n| json!({"key": format!("a{n}"), "value": {"stringValue": value}}))
            .collect();
        let body = format!(
            "{{\"resourceLogs\":[{{\"resource\":{},\"scopeLogs\":[{{\"logRecords\":[{json_records}]}}]}}]}}",
            json!({"attributes": said})
        );
        judge(super::read(Form::Json, body.as_bytes(), batch()), body.as_bytes(), kept, attributes);
    }

    fn judge(read: Result<Records, Refusal>, body: &[u8], kept: usize, attributes: usize) {
        match read {
            // As many copies as the request may have in memory, and no more.
            Err(refusal) => assert_eq!((refusal, attributes), (Refusal::TooMuch, 990)),
            Ok(records) => {
                let rejected: u64 = records.rejected.iter().map(|(_, times)| times).sum();
                assert_eq!(
                    (records.batch.len(), rejected),
                    (kept, (MAX_ITEMS - kept) as u64),
                    "{attributes}"
                );
                let own = MAX_ITEMS * "{\"message\":\"\"}".len();
                assert!(records.written <= own + 2 * body.len(), "{} of {}", records.written, body.len());
            }
        }
    }
}
