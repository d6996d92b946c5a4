//! A log record, and the document that is made of it.

use std::borrow::Cow;
use std::fmt::Write as _;

use jiff::Timestamp;

use super::any::{Any, Named, quote, write_fields};

/// A log record.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Record<'a> {
    /// When it happened, in nanoseconds since 1970; 0 if it does not say.
    pub(crate) time: u64,
    /// When it was seen, likewise.
    pub(crate) observed: u64,
    /// 1 to 24; 0 if it does not say.
    pub(crate) severity: i64,
    pub(crate) severity_text: Cow<'a, str>,
    pub(crate) body: Any<'a>,
    pub(crate) attributes: Vec<Named<'a>>,
    pub(crate) trace: Cow<'a, [u8]>,
    pub(crate) span: Cow<'a, [u8]>,
    pub(crate) event: Cow<'a, str>,
}

impl Default for Record<'_> {
    fn default() -> Self {
        Self {
            time: 0,
            observed: 0,
            severity: 0,
            severity_text: Cow::Borrowed(""),
            body: Any::None,
            attributes: Vec::new(),
            trace: Cow::Borrowed(&[]),
            span: Cow::Borrowed(&[]),
            event: Cow::Borrowed(""),
        }
    }
}

impl Record<'_> {
    /// Writes its document without what its [origin](super::origin) says.
    pub(crate) fn write(&self, text: &mut Vec<u8>) {
        text.extend_from_slice(b"{\"message\":");
        match &self.body {
            Any::None => text.extend_from_slice(b"\"\""),
            Any::Text(body) => quote(body, text),
            other => {
                let mut body = Vec::new();
                other.write(&mut body);
                quote(&String::from_utf8_lossy(&body), text);
            }
        }
        let time = if self.time == 0 { self.observed } else { self.time };
        if time != 0
            && let Ok(moment) = Timestamp::from_nanosecond(time.into())
        {
            field("@timestamp", &format!("{moment:.9}"), text);
        }
        let severity = if self.severity_text.is_empty() { name(self.severity) } else { &self.severity_text };
        field("severity_text", severity, text);
        if self.severity != 0 {
            text.extend_from_slice(format!(",\"severity_number\":{}", self.severity).as_bytes());
        }
        field("trace.id", &hex(&self.trace), text);
        field("span.id", &hex(&self.span), text);
        field("event.name", &self.event, text);
        if !self.attributes.is_empty() {
            text.extend_from_slice(b",\"attributes\":");
            write_fields(&self.attributes, text);
        }
        text.push(b'}');
    }
}

/// A field behind others; nothing if there is no value.
fn field(name: &str, value: &str, text: &mut Vec<u8>) {
    if !value.is_empty() {
        text.extend_from_slice(b",\"");
        text.extend_from_slice(name.as_bytes());
        text.extend_from_slice(b"\":");
        quote(value, text);
    }
}

/// What OpenTelemetry calls a severity that is only numbered.
fn name(severity: i64) -> &'static str {
    match severity {
        1..=4 => "TRACE",
        5..=8 => "DEBUG",
        9..=12 => "INFO",
        13..=16 => "WARN",
        17..=20 => "ERROR",
        21..=24 => "FATAL",
        _ => "",
    }
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    if bytes.iter().any(|byte| *byte != 0) {
        for byte in bytes {
            let _ = write!(text, "{byte:02x}");
        }
    }
    text
}
