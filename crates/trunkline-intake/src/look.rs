//! Whether a line is a JSON object within the limits, without making anything of it.
//!
//! The parser is the gateway's, so that what is taken here is taken there. Duplicate keys count each; the gateway counts
//! those that are left, so it never refuses what is taken here.

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use trunkline_logs::{MAX_DEPTH, MAX_FIELDS, MAX_RECORD_BYTES, TooMuch};

/// Why a record is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    /// It does not parse.
    #[error("the document is not JSON: it cannot be read at column {0}")]
    NotJson(usize),
    /// It is not even text.
    #[error("the document is not UTF-8")]
    NotText,
    /// It parses, but as something else.
    #[error("the document is JSON, but not an object")]
    NoObject,
    /// There is nothing.
    #[error("the document is empty")]
    Empty,
    /// It does not keep to the limits.
    #[error(transparent)]
    TooMuch(#[from] TooMuch),
}

/// Looks at a document; says how many fields it has.
pub(crate) fn look(line: &[u8]) -> Result<usize, Fault> {
    if line.len() > MAX_RECORD_BYTES {
        return Err(TooMuch::Bytes(line.len()).into());
    }
    let text = std::str::from_utf8(line).map_err(|_| Fault::NotText)?;
    match text.trim_start().as_bytes().first() {
        None => return Err(Fault::Empty),
        Some(b'{') => {}
        // Anything else that parses is no object; what it is matters to nobody.
        Some(_) => {
            let parsed = serde_json::from_str::<de::IgnoredAny>(text);
            return Err(parsed.map_or_else(|error| Fault::NotJson(error.column()), |_| Fault::NoObject));
        }
    }
    let mut seen = Seen { fields: 0, broken: None };
    let mut parser = serde_json::Deserializer::from_str(text);
    let parsed = Level { seen: &mut seen, depth: 0 }.deserialize(&mut parser).and_then(|()| parser.end());
    match (seen.broken, parsed) {
        (Some(limit), _) => Err(limit.into()),
        (None, Err(error)) => Err(Fault::NotJson(error.column())),
        (None, Ok(())) => Ok(seen.fields),
    }
}

/// What was seen so far.
struct Seen {
    fields: usize,
    broken: Option<TooMuch>,
}

/// A value at a depth.
struct Level<'a> {
    seen: &'a mut Seen,
    depth: usize,
}

impl Level<'_> {
    /// One level down, if there may be one.
    fn down<E: de::Error>(&mut self) -> Result<(), E> {
        if self.depth >= MAX_DEPTH {
            return self.breaks(TooMuch::Depth);
        }
        self.depth += 1;
        Ok(())
    }

    fn breaks<E: de::Error>(&mut self, limit: TooMuch) -> Result<(), E> {
        self.seen.broken = Some(limit);
        Err(E::custom(limit))
    }
}

impl<'de> DeserializeSeed<'de> for Level<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, parser: D) -> Result<(), D::Error> {
        parser.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Level<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        self.down()?;
        while map.next_key_seed(Key)?.is_some() {
            self.seen.fields += 1;
            if self.seen.fields > MAX_FIELDS {
                self.breaks(TooMuch::Fields)?;
            }
            map.next_value_seed(Level { seen: self.seen, depth: self.depth })?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        self.down()?;
        while list.next_element_seed(Level { seen: self.seen, depth: self.depth })?.is_some() {}
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
}

/// A field's name.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, parser: D) -> Result<(), D::Error> {
        parser.deserialize_str(self)
    }
}

impl Visitor<'_> for Key {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field's name")
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use rand::{Rng as _, SeedableRng as _};
    use trunkline_logs::parse;

    use super::*;

    #[test]
    fn an_object_within_the_limits_is_taken_and_anything_else_is_told() {
        let deep = |depth: usize| format!("{}{}", "{\"a\":".repeat(depth - 1) + "{}", "}".repeat(depth - 1));
        let wide = |fields: usize| {
            format!("{{{}}}", (0..fields).map(|n| format!("\"{n}\":1")).collect::<Vec<_>>().join(","))
        };
        let long = |bytes: usize| format!("{{\"a\":\"{}\"}}", "x".repeat(bytes - 8));
        for (good, fields) in [
            ("{}", 0),
            (" {\"a\":[1,-2,3.5e3,null,true,\"\\u00e4\"]}\r", 1),
            ("{\"a\":1,\"a\":[{\"b\":2}]}", 3),
            (&deep(MAX_DEPTH), MAX_DEPTH - 1),
            (&wide(MAX_FIELDS), MAX_FIELDS),
            (&long(MAX_RECORD_BYTES), 1),
        ] {
            assert_eq!(look(good.as_bytes()), Ok(fields), "{}", &good[..good.len().min(80)]);
        }
        for (bad, fault) in [
            ("", Fault::Empty),
            (" \r", Fault::Empty),
            ("[]", Fault::NoObject),
            ("7", Fault::NoObject),
            ("null", Fault::NoObject),
            ("{", Fault::NotJson(1)),
            ("{}{}", Fault::NotJson(3)),
            ("{\"a\":01}", Fault::NotJson(7)),
            ("{'a':1}", Fault::NotJson(2)),
            ("{\"a\":1e999}", Fault::NotJson(10)),
            ("{\"a\":\"\\ud800\"}", Fault::NotJson(13)),
            ("nope", Fault::NotJson(2)),
            (&deep(MAX_DEPTH + 1), TooMuch::Depth.into()),
            (&wide(MAX_FIELDS + 1), TooMuch::Fields.into()),
            (&long(MAX_RECORD_BYTES + 1), TooMuch::Bytes(MAX_RECORD_BYTES + 1).into()),
        ] {
            let found = look(bad.as_bytes()).unwrap_err();
            match (found, fault) {
                (Fault::NotJson(_), Fault::NotJson(_)) => {}
                _ => assert_eq!(found, fault, "{}", &bad[..bad.len().min(80)]),
            }
        }
        assert_eq!(look(b"{\"a\":\"\xff\"}"), Err(Fault::NotText));
    }

    #[test]
    fn what_is_taken_here_is_taken_by_the_gateway() {
        let pieces = [
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            "\"a\"",
            "\"b\"",
            "1",
            "-0",
            "1e5",
            "null",
            "true",
            "\"\\u0041\"",
            "\"\\ud83d\\ude00\"",
            "\"\\ud83d\"",
            " ",
            "\"\u{2028}\"",
            "0.1",
            "12345678901234567890123",
        ];
        let mut rng = rand::rngs::StdRng::seed_from_u64(18);
        let mut taken = 0;
        for _ in 0..200_000 {
            let mut line = String::from("{\"a\":");
            for _ in 0..rng.random_range(1..6) {
                line += pieces[rng.random_range(0..pieces.len())];
            }
            line.push('}');
            let there = parse(line.as_bytes()).is_ok();
            assert_eq!(look(line.as_bytes()).is_ok(), there, "{line}");
            taken += usize::from(there);
        }
        assert!(taken > 5_000, "{taken}");
    }
}
