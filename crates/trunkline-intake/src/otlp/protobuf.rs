//! `opentelemetry.proto.collector.logs.v1` as protobuf. Fields come in any order: Collectors write the last ones first.

use std::borrow::Cow;

use trunkline_logs::TooMuch;

use super::any::{Any, MAX_LEVELS, Named};
use super::origin::{Origin, Part, within};
use super::record::Record;
use super::wire::{Broken, Fields, Value};
use super::{RecordFault, Records};
use crate::look::Fault;
use crate::refusal::Refusal;

impl From<Broken> for Refusal {
    fn from(_: Broken) -> Self {
        Self::Malformed("the body is not an ExportLogsServiceRequest in protobuf".into())
    }
}

impl From<Broken> for RecordFault {
    fn from(_: Broken) -> Self {
        Self::Form
    }
}

/// Reads a request.
pub(crate) fn read(body: &[u8], records: &mut Records) -> Result<(), Refusal> {
    for field in Fields(body) {
        if let (1, resource_logs) = field? {
            resource(resource_logs.bytes()?, records)?;
        }
    }
    Ok(())
}

/// `ResourceLogs`
fn resource(message: &[u8], records: &mut Records) -> Result<(), Refusal> {
    let mut origin = Origin::default();
    for field in Fields(message) {
        if let (1, said) = field? {
            origin.resource = records.part(said_of_resource(said.bytes()?))?;
        }
    }
    for field in Fields(message) {
        if let (2, scope_logs) = field? {
            scope(scope_logs.bytes()?, &mut origin, records)?;
        }
    }
    Ok(())
}

/// `Resource`
fn said_of_resource(message: &[u8]) -> Result<Part, RecordFault> {
    within(message.len())?;
    let mut attributes = Vec::new();
    for field in Fields(message) {
        if let (1, attribute) = field? {
            attributes.push(named(attribute.bytes()?, 0)?);
        }
    }
    Ok(Part::of_resource(&attributes)?)
}

/// `InstrumentationScope`
fn said_of_scope(message: &[u8]) -> Result<Part, RecordFault> {
    let (mut name, mut version) = ("", "");
    for field in Fields(message) {
        match field? {
            (1, value) => name = value.text()?,
            (2, value) => version = value.text()?,
            _ => {}
        }
    }
    Ok(Part::of_scope(name, version)?)
}

/// `ScopeLogs`
fn scope(message: &[u8], origin: &mut Origin, records: &mut Records) -> Result<(), Refusal> {
    origin.scope = Ok(Part::default());
    for field in Fields(message) {
        if let (1, said) = field? {
            origin.scope = records.part(said_of_scope(said.bytes()?))?;
        }
    }
    for field in Fields(message) {
        if let (2, log_record) = field? {
            let log_record = log_record.bytes()?;
            records.add(|| log(log_record), origin)?;
        }
    }
    Ok(())
}

/// `LogRecord`
fn log(message: &[u8]) -> Result<Record<'_>, RecordFault> {
    within(message.len())?;
    let mut record = Record::default();
    for field in Fields(message) {
        match field? {
            (1, value) => record.time = value.fixed64()?,
            (2, value) => record.severity = value.varint()? as i64,
            (3, value) => record.severity_text = value.text()?.into(),
            (5, value) => record.body = any(value.bytes()?, 0)?,
            (6, value) => record.attributes.push(named(value.bytes()?, 0)?),
            (9, value) => record.trace = value.bytes()?.into(),
            (10, value) => record.span = value.bytes()?.into(),
            (11, value) => record.observed = value.fixed64()?,
            (12, value) => record.event = value.text()?.into(),
            _ => {}
        }
    }
    Ok(record)
}

/// `KeyValue`
fn named(message: &[u8], level: usize) -> Result<Named<'_>, RecordFault> {
    let (mut name, mut value) = ("", Any::None);
    for field in Fields(message) {
        match field? {
            (1, key) => name = key.text()?,
            (2, said) => value = any(said.bytes()?, level)?,
            _ => {}
        }
    }
    Ok((name.into(), value))
}

/// `AnyValue`
fn any(message: &[u8], level: usize) -> Result<Any<'_>, RecordFault> {
    if level >= MAX_LEVELS {
        return Err(Fault::from(TooMuch::Depth).into());
    }
    let mut any = Any::None;
    for field in Fields(message) {
        any = match field? {
            (1, value) => Any::Text(value.text()?.into()),
            (2, value) => Any::Truth(value.varint()? != 0),
            (3, value) => Any::Whole(value.varint()? as i64),
            (4, value) => Any::Float(f64::from_bits(value.fixed64()?)),
            (5, value) => Any::List(each(value, |value| any_of(value, level))?),
            (6, value) => Any::Fields(each(value, |value| named(value, level + 1))?),
            (7, value) => Any::Bytes(Cow::Borrowed(value.bytes()?)),
            _ => continue,
        };
    }
    Ok(any)
}

fn any_of(message: &[u8], level: usize) -> Result<Any<'_>, RecordFault> {
    any(message, level + 1)
}

/// `ArrayValue` and `KeyValueList`
fn each<'a, T>(
    value: Value<'a>,
    read: impl Fn(&'a [u8]) -> Result<T, RecordFault>,
) -> Result<Vec<T>, RecordFault> {
    let mut values = Vec::new();
    for field in Fields(value.bytes()?) {
        if let (1, value) = field? {
            values.push(read(value.bytes()?)?);
        }
    }
    Ok(values)
}
