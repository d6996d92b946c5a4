//! The one parser of records: JSON to a tree, within the limits, which are looked at while it reads.
//!
//! A visitor of our own and not `serde_json::Value`'s: that one gives a key of serde_json's own a meaning when some crate of
//! the binary asks for `raw_value`, and begins to count depth anew within it.
//!
//! Of two fields of one name the last counts.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::{MAX_DEPTH, MAX_FIELDS, MAX_RECORD_BYTES, Rejected, TooMuch};

/// Reads the JSON object that these bytes are.
///
/// # Errors
/// When they are none, or one that does not keep to the limits.
pub fn parse(json: &[u8]) -> Result<Map<String, Value>, Rejected> {
    if json.len() > MAX_RECORD_BYTES {
        return Err(TooMuch::Bytes(json.len()).into());
    }
    let (fields, over) = (Cell::new(0), Cell::new(None));
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let read = Tree { depth: 0, fields: &fields, over: &over }.deserialize(&mut deserializer);
    match read.and_then(|value| deserializer.end().map(|()| value)) {
        Ok(Value::Object(map)) => Ok(map),
        Ok(_) => Err(Rejected::NoObject),
        Err(error) => Err(over.get().map_or(Rejected::Json(error), Rejected::TooMuch)),
    }
}

/// A part of a record, so deep.
#[derive(Clone, Copy)]
struct Tree<'a> {
    depth: usize,
    fields: &'a Cell<usize>,
    over: &'a Cell<Option<TooMuch>>,
}

impl Tree<'_> {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth >= MAX_DEPTH {
            return Err(self.too_much(TooMuch::Depth));
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }

    fn too_much<E: serde::de::Error>(self, what: TooMuch) -> E {
        self.over.set(Some(what));
        E::custom(what)
    }
}

impl<'de> DeserializeSeed<'de> for Tree<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Tree<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Value, E> {
        Ok(Value::Bool(truth))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Value, E> {
        Number::from_f64(number).map(Value::Number).ok_or_else(|| E::custom("a number that is none"))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::String(text))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let deeper = self.deeper()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(deeper)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let deeper = self.deeper()?;
        let mut map = Map::new();
        while let Some(name) = entries.next_key::<String>()? {
            self.fields.set(self.fields.get() + 1);
            if self.fields.get() > MAX_FIELDS {
                return Err(self.too_much(TooMuch::Fields));
            }
            map.insert(name, entries.next_value_seed(deeper)?);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn nested(depth: usize) -> String {
        let inner = (1..depth)
            .fold(json!({}), |inner, at| if at % 2 == 0 { json!([inner]) } else { json!({ "a": inner }) });
        inner.to_string()
    }

    #[test]
    fn a_record_is_read_as_it_says() {
        let text = r#"{"a":[1,-2,2.5,true,null,"x\u00e9"],"b":{"c":{}},"a2":18446744073709551615}"#;
        assert_eq!(
            Value::Object(parse(text.as_bytes()).unwrap()),
            serde_json::from_str::<Value>(text).unwrap()
        );
        assert_eq!(parse(br#"{"a":1,"a":2}"#).unwrap()["a"], 2);
        for no in ["", "{", "[1]", "{}{}", r#"{"a":1e999}"#, "nul", r#"{1:2}"#] {
            assert!(parse(no.as_bytes()).is_err(), "{no}");
        }
    }

    #[test]
    fn the_limit_itself_is_within_and_one_more_is_not() {
        let told = |text: &str| parse(text.as_bytes()).map(drop).map_err(|error| error.to_string());
        let wide = |many: usize| Value::Object((0..many).map(|at| (at.to_string(), json!(1))).collect());
        // Odd: the outermost is an object.
        assert_eq!(told(&nested(MAX_DEPTH)), Ok(()));
        assert_eq!(told(&nested(MAX_DEPTH + 2)), Err(TooMuch::Depth.to_string()));
        assert_eq!(told(&wide(MAX_FIELDS).to_string()), Ok(()));
        assert_eq!(told(&wide(MAX_FIELDS + 1).to_string()), Err(TooMuch::Fields.to_string()));
        assert_eq!(told(&json!({"a": [wide(MAX_FIELDS)]}).to_string()), Err(TooMuch::Fields.to_string()));
        let long = json!({"a": "x".repeat(MAX_RECORD_BYTES)}).to_string();
        assert_eq!(told(&long), Err(TooMuch::Bytes(long.len()).to_string()));
    }

    #[test]
    fn no_key_has_a_meaning() {
        let text =
            r#"{"$serde_json::private::RawValue":"{\"cluster\":1}","$serde_json::private::Number":"1"}"#;
        let map = parse(text.as_bytes()).unwrap();
        assert_eq!(map["$serde_json::private::RawValue"], r#"{"cluster":1}"#);
        assert_eq!(map.len(), 2);
    }
}
