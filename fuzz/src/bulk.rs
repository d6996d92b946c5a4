//! The length of the pieces in which it comes, as a first line; then a body of `_bulk`.
//!
//! What is kept are documents of the body as they came, and nothing else; each item is judged by itself; and all of it is the
//! same however the body is cut into pieces. Worked out here by splitting at newlines and parsing whole documents.

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use trunkline_intake::bare;
use trunkline_logs::{MAX_RECORD_BYTES, OwnId, parse};

use crate::lines::first_line;

/// What a document needs at least to break the limit of fields by the same one again and again.
const REPEATED: usize = 4000;

/// Reads a bulk.
pub fn bulk(input: &[u8]) {
    let (piece, body) = first_line(input);
    let read = bare::bulk(body, piece.parse().unwrap_or(usize::MAX));
    assert_eq!(read, bare::bulk(body, usize::MAX), "in pieces of {piece}");
    let Some(expected) = expect(body) else {
        assert!(read.is_err(), "a body that is none was read");
        return;
    };
    let (entries, items) = match read {
        Ok(read) => read,
        Err(why) => {
            assert!(expected.is_empty(), "{why}");
            return;
        }
    };
    assert_eq!(items.len(), expected.len());
    let mut entries = entries.into_iter();
    for (item, expected) in items.iter().zip(expected) {
        assert_eq!(item.op, expected.op);
        assert!(item.id.as_ref().is_none_or(|id| Some(id) == expected.id.as_ref()));
        if item.fault.is_some() {
            assert!(expected.document.is_none_or(|document| document.len() >= REPEATED), "{item:?}");
            continue;
        }
        let entry = entries.next().expect("an entry for each item that is kept");
        assert_eq!(Some(&entry.json[..]), expected.document);
        assert_eq!(entry.own_id, expected.id.as_deref().map(OwnId::of));
    }
    assert!(entries.next().is_none(), "something is kept that is no item");
}

/// An item, with its document if that is to be kept.
struct Expected<'a> {
    op: String,
    id: Option<String>,
    document: Option<&'a [u8]>,
}

/// What is to become of a body; nothing if it is none.
fn expect(body: &[u8]) -> Option<Vec<Expected<'_>>> {
    let mut lines: Vec<&[u8]> = body.split(|byte| *byte == b'\n').collect();
    if !lines.pop()?.is_empty() {
        return None;
    }
    let (mut lines, mut items) = (lines.into_iter(), Vec::new());
    while let Some(line) = lines.next() {
        if line.len() <= MAX_RECORD_BYTES && line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        if line.len() > 16 * 1024 {
            return None;
        }
        let Pairs(actions): Pairs<Pairs<Parameter>> =
            serde_json::from_str(std::str::from_utf8(line).ok()?).ok()?;
        let [(op, Pairs(parameters))] = actions.as_slice() else { return None };
        let ids: Vec<&Value> =
            parameters.iter().filter(|(name, _)| name == "_id").map(|(_, Parameter(id))| id).collect();
        let id = match ids.as_slice() {
            [] | [Value::Null] => None,
            [Value::String(text)] => Some(text.clone()),
            [Value::Bool(truth)] => Some(truth.to_string()),
            [Value::Number(number)] if number.is_f64() => number.as_f64().map(|number| number.to_string()),
            [Value::Number(number)] => Some(number.to_string()),
            _ => return None,
        };
        let document = match op.as_str() {
            "delete" => None,
            "update" => lines.next().map(|_| None)?,
            "index" | "create" => {
                let document = lines.next()?;
                let document = document.strip_suffix(b"\r").unwrap_or(document);
                let length = id.as_ref().map_or(1, String::len);
                Some(document).filter(|document| (1..=512).contains(&length) && is_kept(document))
            }
            _ => return None,
        };
        items.push(Expected { op: op.clone(), id, document });
    }
    Some(items)
}

fn is_kept(document: &[u8]) -> bool {
    parse(document).is_ok()
}

/// An object's fields, those that are there twice twice.
struct Pairs<T>(Vec<(String, T)>);

impl<'de, T: Named<'de>> Deserialize<'de> for Pairs<T> {
    fn deserialize<D: Deserializer<'de>>(parser: D) -> Result<Self, D::Error> {
        parser.deserialize_map(PairsVisitor(std::marker::PhantomData))
    }
}

struct PairsVisitor<T>(std::marker::PhantomData<T>);

impl<'de, T: Named<'de>> Visitor<'de> for PairsVisitor<T> {
    type Value = Pairs<T>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs<T>, A::Error> {
        let mut pairs = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            let value = T::read(&name, &mut map)?;
            pairs.push((name, value));
        }
        Ok(Pairs(pairs))
    }
}

/// A value that is read by its name.
trait Named<'de>: Sized {
    fn read<A: MapAccess<'de>>(name: &str, map: &mut A) -> Result<Self, A::Error>;
}

impl<'de, T: Named<'de>> Named<'de> for Pairs<T> {
    fn read<A: MapAccess<'de>>(_: &str, map: &mut A) -> Result<Self, A::Error> {
        map.next_value()
    }
}

/// An `_id`; anything else is read past.
struct Parameter(Value);

impl<'de> Named<'de> for Parameter {
    fn read<A: MapAccess<'de>>(name: &str, map: &mut A) -> Result<Self, A::Error> {
        if name == "_id" {
            return map.next_value().map(Self);
        }
        map.next_value::<IgnoredAny>().map(|_| Self(Value::Null))
    }
}
