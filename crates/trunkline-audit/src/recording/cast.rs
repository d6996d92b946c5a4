//! The lines of an asciicast v2 file, <https://docs.asciinema.org/manual/asciicast/v2/>.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

/// The first line. The size is a terminal's usual one until a resize says otherwise.
pub(super) fn header(title: &str, when: Timestamp) -> String {
    let header = json!({
        "version": 2,
        "width": 80,
        "height": 24,
        "timestamp": when.as_second(),
        "title": title,
    });
    format!("{header}\n")
}

/// A line for something that happened: `o` for output, `i` for input, `r` for another size.
pub(super) fn event(time: Duration, kind: char, text: &str) -> String {
    let (seconds, micros) = (time.as_secs(), time.subsec_micros());
    format!("[{seconds}.{micros:06},\"{kind}\",{}]\n", json!(text))
}

/// Bytes that are mostly UTF-8, as text: a character that comes in pieces is whole, what is none is U+FFFD.
#[derive(Debug, Default)]
pub(super) struct Text {
    /// The beginning of a character, at most three bytes.
    begun: Vec<u8>,
}

impl Text {
    pub(super) fn take(&mut self, bytes: &[u8]) -> String {
        let whole;
        let mut left = if self.begun.is_empty() {
            bytes
        } else {
            whole = [self.begun.as_slice(), bytes].concat();
            self.begun.clear();
            &whole
        };
        let mut text = String::with_capacity(left.len());
        loop {
            let error = match std::str::from_utf8(left) {
                Ok(good) => {
                    text.push_str(good);
                    return text;
                }
                Err(error) => error,
            };
            let (good, rest) = left.split_at_checked(error.valid_up_to()).unwrap_or((left, &[]));
            text.push_str(std::str::from_utf8(good).unwrap_or_default());
            let Some(bad) = error.error_len() else {
                self.begun.extend_from_slice(rest);
                return text;
            };
            text.push(char::REPLACEMENT_CHARACTER);
            left = rest.get(bad..).unwrap_or_default();
        }
    }

    /// What is left of a character that never came whole.
    pub(super) fn end(&mut self) -> String {
        let begun = std::mem::take(&mut self.begun);
        if begun.is_empty() { String::new() } else { char::REPLACEMENT_CHARACTER.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::{Rng as _, SeedableRng as _};

    use super::*;

    #[test]
    fn text_is_the_same_however_its_bytes_come() {
        let mut random = StdRng::seed_from_u64(42);
        for _ in 0..2_000 {
            let mut bytes: Vec<u8> = "aé東😀\u{7}".repeat(random.random_range(0..5)).into_bytes();
            for _ in 0..random.random_range(0..4) {
                let at = random.random_range(0..=bytes.len());
                bytes.insert(at, random.random());
            }
            let mut text = Text::default();
            let mut in_pieces = String::new();
            let mut left = bytes.as_slice();
            while !left.is_empty() {
                let (piece, rest) = left.split_at(random.random_range(1..=4).min(left.len()));
                in_pieces.push_str(&text.take(piece));
                left = rest;
            }
            in_pieces.push_str(&text.end());
            assert_eq!(in_pieces, String::from_utf8_lossy(&bytes), "{bytes:?}");
        }
    }

    #[test]
    fn every_line_is_whole_json() {
        let line = event(Duration::from_micros(1_000_002), 'o', "a\n\u{1b}]0;\u{7}\"");
        assert!(line.ends_with('\n') && line.matches('\n').count() == 1, "{line:?}");
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(value, json!([1.000002, "o", "a\n\u{1b}]0;\u{7}\""]));
        let head: serde_json::Value = serde_json::from_str(&header("x", Timestamp::UNIX_EPOCH)).unwrap();
        assert_eq!((&head["version"], &head["timestamp"]), (&json!(2), &json!(0)));
    }
}
