//! When something happened, in the many ways that shippers write it.

use jiff::Timestamp;
use serde_json::Value;

/// How far behind its receipt a record's time is believed, in milliseconds: seven days.
pub const MAX_BEHIND: i64 = 7 * 24 * 60 * 60 * 1000;
/// How far ahead of its receipt a record's time is believed, in milliseconds: five minutes.
pub const MAX_AHEAD: i64 = 5 * 60 * 1000;

/// Numbers from here on are milliseconds, from a million times that nanoseconds; those below are seconds.
const MILLISECONDS: f64 = 1e11;
const NANOSECONDS: f64 = 1e17;

/// The moment that a value says, in milliseconds since 1970: RFC 3339 (with `T` or a space, and any zone), or seconds,
/// milliseconds or nanoseconds since 1970 as a number.
pub fn parse_time(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) if text.len() <= 64 => {
            text.parse::<Timestamp>().ok().map(|moment| moment.as_millisecond())
        }
        Value::Number(number) => {
            let number = number.as_f64()?;
            let milliseconds = match number.abs() {
                size if size < MILLISECONDS => number * 1e3,
                size if size < NANOSECONDS => number,
                _ => number / 1e6,
            };
            Timestamp::from_millisecond(milliseconds.round() as i64)
                .ok()
                .map(|moment| moment.as_millisecond())
        }
        _ => None,
    }
}

/// A moment as RFC 3339 with milliseconds, in UTC.
pub(crate) fn written(milliseconds: i64) -> String {
    let moment = Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::UNIX_EPOCH);
    format!("{moment:.3}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_way_of_writing_one_moment_is_read() {
        for value in [
            json!("2026-11-27T03:15:00.250Z"),
            json!("2026-11-27 04:15:00.25+01:00"),
            json!("2026-11-27T03:15:00.250000123Z"),
            json!(1_795_749_300.25),
            json!(1_795_749_300_250_i64),
            json!(1_795_749_300_250_000_000_i64),
        ] {
            assert_eq!(
                parse_time(&value).map(written).as_deref(),
                Some("2026-11-27T03:15:00.250Z"),
                "{value}"
            );
        }
        for no in [
            json!("yesterday"),
            json!("2026-11-27"),
            json!(null),
            json!([1]),
            json!(1e300),
            json!("x".repeat(99)),
        ] {
            assert_eq!(parse_time(&no), None, "{no}");
        }
    }
}
