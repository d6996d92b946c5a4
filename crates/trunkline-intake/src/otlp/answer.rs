//! What OTLP's clients are answered: `ExportLogsServiceResponse`, or `google.rpc.Status`, in the form of the request.

use bytes::Bytes;
use http::StatusCode;
use serde_json::json;

use super::{Form, RecordFault};
use crate::refusal::Refusal;

impl Form {
    /// What stands in `Content-Type`.
    pub(crate) fn media(self) -> &'static str {
        match self {
            Self::Protobuf => "application/x-protobuf",
            Self::Json => "application/json",
        }
    }
}

/// The answer to a request whose good records are kept.
pub(crate) fn accepted(form: Form, rejected: &[(RecordFault, u64)]) -> Bytes {
    let times: u64 = rejected.iter().map(|(_, times)| times).sum();
    let why: Vec<_> = rejected.iter().map(|(fault, times)| format!("{times} rejected: {fault}")).collect();
    match (form, times) {
        (Form::Protobuf, 0) => Bytes::new(),
        (Form::Json, 0) => Bytes::from_static(b"{}"),
        (Form::Protobuf, _) => {
            let mut partial = Vec::new();
            put_varint(1, times, &mut partial);
            put_bytes(2, why.join("; ").as_bytes(), &mut partial);
            let mut message = Vec::new();
            put_bytes(1, &partial, &mut message);
            message.into()
        }
        (Form::Json, _) => {
            let partial = json!({"rejectedLogRecords": times.to_string(), "errorMessage": why.join("; ")});
            json!({ "partialSuccess": partial }).to_string().into()
        }
    }
}

/// The answer to a request of which nothing is kept.
pub(crate) fn refused(form: Form, refusal: &Refusal) -> Bytes {
    let (code, text) = (code(refusal.status()), refusal.to_string());
    match form {
        Form::Protobuf => {
            let mut message = Vec::new();
            put_varint(1, code, &mut message);
            put_bytes(2, text.as_bytes(), &mut message);
            message.into()
        }
        Form::Json => json!({"code": code, "message": text}).to_string().into(),
    }
}

/// `google.rpc.Code`
fn code(status: StatusCode) -> u64 {
    match status {
        StatusCode::UNAUTHORIZED => 16,
        StatusCode::NOT_FOUND => 5,
        StatusCode::METHOD_NOT_ALLOWED => 12,
        StatusCode::REQUEST_TIMEOUT => 4,
        StatusCode::TOO_MANY_REQUESTS => 8,
        _ => 3,
    }
}

fn put_varint(number: u64, value: u64, message: &mut Vec<u8>) {
    varint(number << 3, message);
    varint(value, message);
}

fn put_bytes(number: u64, value: &[u8], message: &mut Vec<u8>) {
    varint(number << 3 | 2, message);
    varint(value.len() as u64, message);
    message.extend_from_slice(value);
}

fn varint(mut value: u64, message: &mut Vec<u8>) {
    while value >= 0x80 {
        message.push(value as u8 | 0x80);
        value >>= 7;
    }
    message.push(value as u8);
}
