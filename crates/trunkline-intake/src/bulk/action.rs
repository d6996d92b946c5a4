//! The line before a document: what is to be done with it, and under which `_id`.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

/// What an action does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Index,
    Create,
    Update,
    Delete,
}

/// What is looked at of a line with an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Action {
    pub(crate) op: Op,
    pub(crate) id: Option<Box<str>>,
}

impl Op {
    const ALL: [Self; 4] = [Self::Index, Self::Create, Self::Update, Self::Delete];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Index => "index",
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Action {
    /// Reads a line.
    ///
    /// # Errors
    /// Says what was expected.
    pub(crate) fn read(line: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(line).map_err(|_| "expected UTF-8".to_owned())?;
        serde_json::from_str(text).map_err(|error| {
            let text = error.to_string();
            // The line is the body's and not the parser's.
            let what = text.rsplit_once(" at line ").map_or(text.as_str(), |(what, _)| what);
            format!("{what}, at column {}", error.column())
        })
    }
}

impl<'de> Deserialize<'de> for Action {
    fn deserialize<D: Deserializer<'de>>(parser: D) -> Result<Self, D::Error> {
        parser.deserialize_map(Line)
    }
}

struct Line;

impl<'de> Visitor<'de> for Line {
    type Value = Action;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with one action: index or create")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Action, A::Error> {
        let Some(op) = map.next_key()? else {
            return Err(de::Error::custom("expected an action, but there is none"));
        };
        let Parameters(id) = map.next_value()?;
        if map.next_key::<IgnoredAny>()?.is_some() {
            return Err(de::Error::custom("expected one action, but there are several"));
        }
        Ok(Action { op, id })
    }
}

impl<'de> Deserialize<'de> for Op {
    fn deserialize<D: Deserializer<'de>>(parser: D) -> Result<Self, D::Error> {
        let Text(name) = Text::deserialize(parser)?;
        Self::ALL.into_iter().find(|op| op.name() == name).ok_or_else(|| {
            let name: String = name.chars().take(64).collect();
            de::Error::custom(format!("expected index, create, update or delete, but found [{name}]"))
        })
    }
}

/// An action's parameters: of all of them, the `_id`.
struct Parameters(Option<Box<str>>);

impl<'de> Deserialize<'de> for Parameters {
    fn deserialize<D: Deserializer<'de>>(parser: D) -> Result<Self, D::Error> {
        parser.deserialize_map(ParametersVisitor)
    }
}

struct ParametersVisitor;

impl<'de> Visitor<'de> for ParametersVisitor {
    type Value = Parameters;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with the action's parameters")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Parameters, A::Error> {
        let mut id = None;
        while let Some(Text(name)) = map.next_key()? {
            if name == "_id" {
                let Id(value) = map.next_value()?;
                if id.replace(value).is_some() {
                    return Err(de::Error::custom("expected one _id, but there are several"));
                }
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Parameters(id.flatten()))
    }
}

/// A text that is borrowed where it can be.
struct Text<'de>(Cow<'de, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(parser: D) -> Result<Self, D::Error> {
        parser.deserialize_str(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Owned(text.to_owned())))
    }
}

/// An `_id`: a text, or what Elasticsearch makes one of.
struct Id(Option<Box<str>>);

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(parser: D) -> Result<Self, D::Error> {
        parser.deserialize_any(IdVisitor)
    }
}

struct IdVisitor;

impl Visitor<'_> for IdVisitor {
    type Value = Id;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a simple value for _id")
    }

    fn visit_str<E>(self, text: &str) -> Result<Id, E> {
        Ok(Id(Some(text.into())))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Id, E> {
        Ok(Id(Some(number.to_string().into())))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Id, E> {
        Ok(Id(Some(number.to_string().into())))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Id, E> {
        Ok(Id(Some(number.to_string().into())))
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Id, E> {
        Ok(Id(Some(truth.to_string().into())))
    }

    fn visit_unit<E>(self) -> Result<Id, E> {
        Ok(Id(None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_an_action_its_kind_and_its_id_are_looked_at() {
        let read =
            |line: &str| Action::read(line.as_bytes()).map(|action| (action.op, action.id.map(String::from)));
        let id = |id: &str| Some(id.to_owned());
        for (line, op, own) in [
            (r#"{"index":{}}"#, Op::Index, None),
            (
                r#" {"create" : {"_index":"x","pipeline":"p","_id":"17","dynamic_templates":{"a":["b"]}} } "#,
                Op::Create,
                id("17"),
            ),
            (r#"{"cre\u0061te":{"\u005fid":"a\nb"}}"#, Op::Create, id("a\nb")),
            (r#"{"index":{"_id":17}}"#, Op::Index, id("17")),
            (r#"{"index":{"_id":true}}"#, Op::Index, id("true")),
            (r#"{"index":{"_id":null}}"#, Op::Index, None),
            (r#"{"index":{"_id":""}}"#, Op::Index, id("")),
            (r#"{"update":{"_id":"1"}}"#, Op::Update, id("1")),
            (r#"{"delete":{"_id":"1"}}"#, Op::Delete, id("1")),
        ] {
            assert_eq!(read(line), Ok((op, own)), "{line}");
        }
        for (line, word) in [
            ("{}", "none"),
            ("[]", "one action"),
            ("7", "one action"),
            ("{", "EOF"),
            (r#"{"put":{}}"#, "[put]"),
            (r#"{"message":"hello"}"#, "[message]"),
            (r#"{"index":7}"#, "parameters"),
            (r#"{"index":{}}x"#, "trailing"),
            (r#"{"index":{},"create":{}}"#, "several"),
            (r#"{"index":{},"index":{}}"#, "several"),
            (r#"{"index":{"_id":"1","_id":"2"}}"#, "several"),
            (r#"{"index":{"_id":[]}}"#, "simple value"),
            (r#"{"index":{"_id":{}}}"#, "simple value"),
            (r#"{"index"}"#, "expected"),
        ] {
            let why = read(line).unwrap_err();
            assert!(why.contains(word), "{line}: {why}");
        }
        assert!(Action::read(b"{\"index\":{\"a\":\"\xff\"}}").is_err());
    }
}
