//! The same as JSON: field names in camelCase, numbers of 64 bits as texts too, ids in hexadecimal digits.
//!
//! Lists of resources, scopes and records are walked through as text, one element at a time.

use std::borrow::Cow;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::{self, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::any::{Any, Named};
use super::origin::{Origin, Part, within};
use super::record::Record;
use super::{RecordFault, Records};
use crate::look::Fault;
use crate::refusal::Refusal;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    #[serde(borrow, default)]
    resource_logs: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResourceLogs<'a> {
    #[serde(borrow, default)]
    resource: Option<&'a RawValue>,
    #[serde(borrow, default)]
    scope_logs: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
struct Resource {
    #[serde(default)]
    attributes: Option<Vec<KeyValue>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ScopeLogs<'a> {
    #[serde(borrow, default)]
    scope: Option<&'a RawValue>,
    #[serde(borrow, default)]
    log_records: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
struct Scope {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    version: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LogRecord {
    #[serde(default)]
    time_unix_nano: Option<Number>,
    #[serde(default)]
    observed_time_unix_nano: Option<Number>,
    #[serde(default)]
    severity_number: Option<Number>,
    #[serde(default)]
    severity_text: Option<String>,
    #[serde(default)]
    body: Option<AnyValue>,
    #[serde(default)]
    attributes: Option<Vec<KeyValue>>,
    #[serde(default)]
    trace_id: Option<String>,
    #[serde(default)]
    span_id: Option<String>,
    #[serde(default)]
    event_name: Option<String>,
}

#[derive(Deserialize)]
struct KeyValue {
    #[serde(default)]
    key: String,
    #[serde(default)]
    value: Option<AnyValue>,
}

/// Reads a request.
pub(crate) fn read(body: &[u8], records: &mut Records) -> Result<(), Refusal> {
    let text = std::str::from_utf8(body).map_err(|_| malformed("it is not UTF-8"))?;
    let request: Request<'_> = object(text)?;
    each(request.resource_logs, &mut |resource_logs| {
        let said: ResourceLogs<'_> = object(resource_logs.get())?;
        let resource = records
            .part(part(said.resource, |said: Resource| Part::of_resource(&named(said.attributes)))?)?;
        let mut origin = Origin { resource, ..Origin::default() };
        each(said.scope_logs, &mut |scope_logs| {
            let said: ScopeLogs<'_> = object(scope_logs.get())?;
            origin.scope = records.part(part(said.scope, |said: Scope| {
                Part::of_scope(&said.name.unwrap_or_default(), &said.version.unwrap_or_default())
            })?)?;
            each(said.log_records, &mut |log_record| records.add(|| log(log_record.get()), &origin))
        })
    })
}

fn malformed(why: impl fmt::Display) -> Refusal {
    Refusal::Malformed(format!("the body is not an ExportLogsServiceRequest in JSON: {why}"))
}

/// A message is an object; a list of its values in their order, which the parser would take, is none.
fn object<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Refusal> {
    if !text.trim_start().starts_with('{') {
        return Err(malformed("an object was expected"));
    }
    serde_json::from_str(text).map_err(malformed)
}

/// What a resource or a scope says; what is longer than any record may be is not looked into.
fn part<'a, T: Deserialize<'a>>(
    said: Option<&'a RawValue>,
    make: impl FnOnce(T) -> Result<Part, Fault>,
) -> Result<Result<Part, RecordFault>, Refusal> {
    let text = said.map_or("null", RawValue::get);
    if text == "null" {
        return Ok(Ok(Part::default()));
    }
    if let Err(fault) = within(text.len()) {
        return Ok(Err(fault.into()));
    }
    Ok(make(object(text)?).map_err(RecordFault::from))
}

fn log(text: &str) -> Result<Record<'static>, RecordFault> {
    within(text.len())?;
    let said: LogRecord = object(text).map_err(|_| RecordFault::Form)?;
    let nanoseconds =
        |number: Option<Number>| number.map_or(0, |Number(number)| u64::try_from(number).unwrap_or(0));
    Ok(Record {
        time: nanoseconds(said.time_unix_nano),
        observed: nanoseconds(said.observed_time_unix_nano),
        severity: said.severity_number.map_or(0, |Number(number)| i64::try_from(number).unwrap_or(0)),
        severity_text: said.severity_text.unwrap_or_default().into(),
        body: said.body.map_or(Any::None, |AnyValue(any)| any),
        attributes: named(said.attributes),
        trace: bytes(said.trace_id)?.into(),
        span: bytes(said.span_id)?.into(),
        event: said.event_name.unwrap_or_default().into(),
    })
}

fn named(attributes: Option<Vec<KeyValue>>) -> Vec<Named<'static>> {
    let named = |KeyValue { key, value }| (Cow::Owned(key), value.map_or(Any::None, |AnyValue(any)| any));
    attributes.unwrap_or_default().into_iter().map(named).collect()
}

/// The bytes of hexadecimal digits.
fn bytes(text: Option<String>) -> Result<Vec<u8>, RecordFault> {
    let text = text.unwrap_or_default();
    if !text.len().is_multiple_of(2) || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(RecordFault::Form);
    }
    let pair = |at: usize| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
    (0..text.len()).step_by(2).map(|at| pair(at).ok_or(RecordFault::Form)).collect()
}

/// Walks through a list; nothing, or null, is an empty one.
fn each(
    list: Option<&RawValue>,
    visit: &mut dyn FnMut(&RawValue) -> Result<(), Refusal>,
) -> Result<(), Refusal> {
    let Some(list) = list else { return Ok(()) };
    let mut walk = Walk { visit, stopped: None };
    let walked = serde_json::Deserializer::from_str(list.get()).deserialize_seq(&mut walk);
    match (walk.stopped, walked) {
        (Some(refusal), _) => Err(refusal),
        (None, walked) => walked.map_err(malformed),
    }
}

struct Walk<'v> {
    visit: &'v mut dyn FnMut(&RawValue) -> Result<(), Refusal>,
    stopped: Option<Refusal>,
}

impl<'de> Visitor<'de> for &mut Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(element) = list.next_element::<&RawValue>()? {
            if let Err(refusal) = (self.visit)(element) {
                self.stopped = Some(refusal);
                return Err(de::Error::custom("stopped"));
            }
        }
        Ok(())
    }
}

/// A whole number, or a text of one.
struct Number(i128);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(parser: D) -> Result<Self, D::Error> {
        parser.deserialize_any(NumberVisitor)
    }
}

struct NumberVisitor;

impl Visitor<'_> for NumberVisitor {
    type Value = Number;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number, or a text of one")
    }

    fn visit_u64<E>(self, number: u64) -> Result<Number, E> {
        Ok(Number(number.into()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Number, E> {
        Ok(Number(number.into()))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Number, E> {
        text.parse().map(Number).map_err(|_| E::custom("no whole number"))
    }
}

/// A value, told by the name of its one field.
struct AnyValue(Any<'static>);

impl<'de> Deserialize<'de> for AnyValue {
    fn deserialize<D: Deserializer<'de>>(parser: D) -> Result<Self, D::Error> {
        parser.deserialize_map(AnyVisitor)
    }
}

struct AnyVisitor;

#[derive(Deserialize)]
struct Values<T> {
    #[serde(default = "Vec::new")]
    values: Vec<T>,
}

impl<'de> Visitor<'de> for AnyVisitor {
    type Value = AnyValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an AnyValue")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<AnyValue, A::Error> {
        let mut any = Any::None;
        while let Some(kind) = map.next_key::<String>()? {
            any = match kind.as_str() {
                "stringValue" => Any::Text(map.next_value::<String>()?.into()),
                "boolValue" => Any::Truth(map.next_value()?),
                "intValue" => {
                    let Number(number) = map.next_value()?;
                    Any::Whole(i64::try_from(number).map_err(|_| de::Error::custom("more than 64 bits"))?)
                }
                "doubleValue" => map.next_value::<Float>()?.0,
                "bytesValue" => {
                    let text: String = map.next_value()?;
                    let bytes = STANDARD.decode(text).map_err(|_| de::Error::custom("no base64"))?;
                    Any::Bytes(bytes.into())
                }
                "arrayValue" => {
                    let list: Values<AnyValue> = map.next_value()?;
                    Any::List(list.values.into_iter().map(|AnyValue(any)| any).collect())
                }
                "kvlistValue" => {
                    let list: Values<KeyValue> = map.next_value()?;
                    Any::Fields(named(Some(list.values)))
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
        }
        Ok(AnyValue(any))
    }
}

/// A number, or a text of one, or of none: `NaN`, `Infinity`.
struct Float(Any<'static>);

impl<'de> Deserialize<'de> for Float {
    fn deserialize<D: Deserializer<'de>>(parser: D) -> Result<Self, D::Error> {
        parser.deserialize_any(FloatVisitor)
    }
}

struct FloatVisitor;

impl Visitor<'_> for FloatVisitor {
    type Value = Float;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, or a text of one")
    }

    fn visit_f64<E>(self, number: f64) -> Result<Float, E> {
        Ok(Float(Any::Float(number)))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Float, E> {
        Ok(Float(Any::Float(number as f64)))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Float, E> {
        Ok(Float(Any::Float(number as f64)))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Float, E> {
        text.parse().map(|number| Float(Any::Float(number))).map_err(|_| E::custom("no number"))
    }
}
