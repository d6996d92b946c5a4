//! Inputs as lines of text.

use http::{HeaderMap, HeaderName, HeaderValue};

/// The first line of an input, and what follows it.
pub(crate) fn first_line(input: &[u8]) -> (&str, &[u8]) {
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    let rest = input.get(end + 1..).unwrap_or_default();
    (std::str::from_utf8(&input[..end]).unwrap_or_default(), rest)
}

/// A head's fields, `name: value` on each line; lines that are none are left out.
pub(crate) fn fields(lines: &[u8]) -> HeaderMap {
    let mut fields = HeaderMap::new();
    for line in lines.split(|byte| *byte == b'\n') {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let value = line[colon + 1..].strip_prefix(b" ").unwrap_or(&line[colon + 1..]);
        let (Ok(name), Ok(value)) = (HeaderName::from_bytes(&line[..colon]), HeaderValue::from_bytes(value))
        else {
            continue;
        };
        if fields.try_append(name, value).is_err() {
            break;
        }
    }
    fields
}

/// A field's name as servers read it that take `_` for `-`.
pub(crate) fn folded(name: &HeaderName) -> String {
    name.as_str().to_ascii_lowercase().replace('_', "-")
}
