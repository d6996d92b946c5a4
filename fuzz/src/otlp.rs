//! `json` or `protobuf` as a first line, then an `ExportLogsServiceRequest`; `hex` for protobuf that can be read.
//!
//! Whatever is kept is one JSON object a record, within the limits, with a message, and not much longer than its request says
//! it is; nothing is kept of a request that is none.

use serde_json::Value;
use trunkline_intake::bare;
use trunkline_logs::parse;

use crate::lines::first_line;

/// Reads a request.
pub fn otlp(input: &[u8]) {
    let (form, body) = first_line(input);
    let body = if form == "hex" { unhex(body) } else { body.to_vec() };
    let read = bare::otlp(form == "json", &body);
    if form == "json" && serde_json::from_slice::<serde::de::IgnoredAny>(&body).is_err() {
        assert!(read.is_err(), "what is no JSON was read");
    }
    let Ok((entries, rejected)) = read else { return };
    assert!(entries.len() as u64 + rejected <= body.len() as u64, "more records than bytes");
    for entry in entries {
        assert!(entry.own_id.is_none());
        let document = Value::Object(parse(&entry.json).expect("a document is a record"));
        assert!(document["message"].is_string());
        let ours = [
            "message",
            "@timestamp",
            "severity_text",
            "severity_number",
            "trace.id",
            "span.id",
            "event.name",
            "attributes",
            "resource",
            "scope",
        ];
        let fields = document.as_object().expect("a document is an object");
        assert!(fields.keys().all(|name| ours.contains(&name.as_str())), "{fields:?}");
    }
}

/// The bytes of hexadecimal digits; anything else between them is skipped.
fn unhex(text: &[u8]) -> Vec<u8> {
    let digits: Vec<u8> =
        text.iter().filter_map(|byte| char::from(*byte).to_digit(16)).map(|digit| digit as u8).collect();
    digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}
