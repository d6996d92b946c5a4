//! How much a record may be: what the intake looks at before it says yes, and the gateway again.

use serde_json::Value;

/// The longest record, in bytes of its JSON text.
pub const MAX_RECORD_BYTES: usize = 256 * 1024;
/// How deep objects and lists may lie in each other.
pub const MAX_DEPTH: usize = 32;
/// The most fields of a record, at all depths together.
pub const MAX_FIELDS: usize = 1000;
/// The most [terms](crate::Document::terms) of a document; what is beyond is kept but not found by its field.
pub const MAX_TERMS: usize = 64;
/// The longest term, path and value together, in bytes; a longer one is kept but not found by its field.
pub const MAX_TERM_BYTES: usize = 256;

/// Which limit a record does not keep to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TooMuch {
    /// Its text is longer than [`MAX_RECORD_BYTES`].
    #[error("the record is {0} bytes long, more than {MAX_RECORD_BYTES}")]
    Bytes(usize),
    /// Objects and lists lie deeper than [`MAX_DEPTH`].
    #[error("the record is nested deeper than {MAX_DEPTH}")]
    Depth,
    /// There are more fields than [`MAX_FIELDS`].
    #[error("the record has more than {MAX_FIELDS} fields")]
    Fields,
}

/// Whether a parsed record keeps to depth and number of fields.
///
/// # Errors
/// The limit that it does not keep to.
pub fn within_limits(value: &Value) -> Result<(), TooMuch> {
    look(value, 0, &mut 0)
}

fn look(value: &Value, depth: usize, fields: &mut usize) -> Result<(), TooMuch> {
    match value {
        Value::Object(map) => {
            if depth >= MAX_DEPTH {
                return Err(TooMuch::Depth);
            }
            *fields += map.len();
            if *fields > MAX_FIELDS {
                return Err(TooMuch::Fields);
            }
            map.values().try_for_each(|value| look(value, depth + 1, fields))
        }
        Value::Array(list) => {
            if depth >= MAX_DEPTH {
                return Err(TooMuch::Depth);
            }
            list.iter().try_for_each(|value| look(value, depth + 1, fields))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn nested(depth: usize) -> Value {
        (1..depth)
            .fold(json!({}), |inner, at| if at % 2 == 0 { json!([inner]) } else { json!({ "a": inner }) })
    }

    #[test]
    fn the_limit_itself_is_within_and_one_more_is_not() {
        assert_eq!(within_limits(&nested(MAX_DEPTH)), Ok(()));
        assert_eq!(within_limits(&nested(MAX_DEPTH + 1)), Err(TooMuch::Depth));
        let wide = |many: usize| Value::Object((0..many).map(|at| (at.to_string(), json!(1))).collect());
        assert_eq!(within_limits(&wide(MAX_FIELDS)), Ok(()));
        assert_eq!(within_limits(&wide(MAX_FIELDS + 1)), Err(TooMuch::Fields));
        assert_eq!(within_limits(&json!([wide(MAX_FIELDS), { "a": 1 }])), Err(TooMuch::Fields));
    }
}
