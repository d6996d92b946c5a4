//! A value of OTLP: what bodies and attributes hold.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use trunkline_logs::MAX_DEPTH;

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Any<'a> {
    None,
    Text(Cow<'a, str>),
    Truth(bool),
    Whole(i64),
    Float(f64),
    Bytes(Cow<'a, [u8]>),
    List(Vec<Self>),
    Fields(Vec<Named<'a>>),
}

/// A value and its name.
pub(crate) type Named<'a> = (Cow<'a, str>, Any<'a>);

/// How deep values may lie in each other: deeper ones would break the record's own limit.
pub(crate) const MAX_LEVELS: usize = MAX_DEPTH;

impl Any<'_> {
    /// Writes it as JSON.
    pub(crate) fn write(&self, text: &mut Vec<u8>) {
        match self {
            Self::None => text.extend_from_slice(b"null"),
            Self::Text(value) => quote(value, text),
            Self::Truth(value) => text.extend_from_slice(if *value { b"true" } else { b"false" }),
            Self::Whole(value) => text.extend_from_slice(value.to_string().as_bytes()),
            Self::Float(value) if value.is_finite() => put(value, text),
            Self::Float(value) => quote(&value.to_string(), text),
            Self::Bytes(value) => quote(&STANDARD.encode(value), text),
            Self::List(values) => {
                text.push(b'[');
                for (at, value) in values.iter().enumerate() {
                    if at > 0 {
                        text.push(b',');
                    }
                    value.write(text);
                }
                text.push(b']');
            }
            Self::Fields(fields) => write_fields(fields, text),
        }
    }
}

/// Writes an object of these fields.
pub(crate) fn write_fields(fields: &[Named<'_>], text: &mut Vec<u8>) {
    text.push(b'{');
    for (at, (name, value)) in fields.iter().enumerate() {
        if at > 0 {
            text.push(b',');
        }
        quote(name, text);
        text.push(b':');
        value.write(text);
    }
    text.push(b'}');
}

/// Writes a text as JSON.
pub(crate) fn quote(value: &str, text: &mut Vec<u8>) {
    put(&value, text);
}

/// Writes what always can be: numbers and texts.
fn put<T: serde::Serialize>(value: &T, text: &mut Vec<u8>) {
    let _ = serde_json::to_writer(text, value);
}
