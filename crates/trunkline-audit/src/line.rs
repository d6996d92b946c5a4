//! A record as it is kept: one line of JSON, whose last field is the SHA-256 of the line without that field.
//!
//! ```text
//! {"sequence":2,"time":"…","writer":"…","event":{…},"previous":"<hash of 1>","hash":"<hash of 2>"}
//! ```
//!
//! The hash is over the bytes as they stand, so that nothing depends on how anybody writes JSON; and over `previous`,
//! so that it stands for all that came before. `sed 's/,"hash":"[0-9a-f]*"}$/}/' | sha256sum` computes it.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use trunkline_api::AuditRecording;

/// The longest line, in bytes. An event is at most half of it.
pub(crate) const MAX_LINE: usize = 512 * 1024;
/// Before the hash, and after it.
const BEFORE: &[u8] = br#","hash":""#;
const AFTER: &[u8] = br#""}"#;
const HEX: usize = 64;

/// A SHA-256.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hash([u8; 32]);

impl Hash {
    /// What stands before the first record.
    pub(crate) const NONE: Self = Self([0; 32]);

    /// Of some bytes.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

impl From<Sha256> for Hash {
    fn from(hasher: Sha256) -> Self {
        Self(hasher.finalize().into())
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Hash {
    type Err = &'static str;

    /// Exactly 64 lower-case hex digits: two ways to write one hash would be two lines for one record.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digit = |byte: &u8| match byte {
            b'0'..=b'9' => Some(byte - b'0'),
            b'a'..=b'f' => Some(byte - b'a' + 10),
            _ => None,
        };
        let mut hash = [0; 32];
        if text.len() != HEX {
            return Err("a hash is 64 hex digits");
        }
        for (byte, pair) in hash.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let [high, low] = pair else { return Err("a hash is 64 hex digits") };
            let (Some(high), Some(low)) = (digit(high), digit(low)) else {
                return Err("a hash is 64 lower-case hex digits");
            };
            *byte = high << 4 | low;
        }
        Ok(Self(hash))
    }
}

/// Appends a record's line to `lines`, and returns its hash.
pub(crate) fn append(
    lines: &mut Vec<u8>,
    sequence: u64,
    time: Timestamp,
    writer: &str,
    event: &str,
    previous: Hash,
) -> Hash {
    let begin = lines.len();
    let body = format!(
        r#"{{"sequence":{sequence},"time":"{time}","writer":"{writer}","event":{event},"previous":"{previous}"}}"#
    );
    lines.extend_from_slice(body.as_bytes());
    let hash = Hash::of(lines.get(begin..).unwrap_or_default());
    lines.pop();
    lines.extend_from_slice(BEFORE);
    lines.extend_from_slice(hash.to_string().as_bytes());
    lines.extend_from_slice(AFTER);
    lines.push(b'\n');
    hash
}

/// What a verification reads of a record.
#[derive(Debug, Deserialize)]
pub(crate) struct Link {
    pub(crate) sequence: u64,
    pub(crate) time: Timestamp,
    pub(crate) writer: String,
    event: Marks,
    previous: String,
}

/// What of an event bears on the chain. The rest may be newer than what is known here.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Marks {
    phase: String,
    through: u64,
    recordings: Vec<String>,
    recording: Option<AuditRecording>,
}

/// A line that is whole in itself.
#[derive(Debug)]
pub(crate) struct Checked {
    pub(crate) link: Link,
    pub(crate) previous: Hash,
    pub(crate) hash: Hash,
}

impl Checked {
    /// A recording that this record vouches for.
    pub(crate) fn recording(&self) -> Option<&AuditRecording> {
        let event = &self.link.event;
        event.recording.as_ref().filter(|_| matches!(event.phase.as_str(), "end" | "repair"))
    }

    /// Up to which record, and which recordings, are removed from here on.
    pub(crate) fn trimmed(&self) -> Option<(u64, &[String])> {
        let event = &self.link.event;
        (event.phase == "trim").then_some((event.through, &event.recordings))
    }
}

/// Reads a line, without its line break, if its hash is right.
pub(crate) fn check(line: &[u8]) -> Result<Checked, String> {
    let (body, hash) = split(line).ok_or("the line does not end in a hash")?;
    let is = Hash::of(&body);
    if is != hash {
        return Err("the hash is not that of the line: it was edited".into());
    }
    let link: Link =
        serde_json::from_slice(&body).map_err(|error| format!("the line is no record: {error}"))?;
    let previous = link.previous.parse().map_err(|why| format!("previous: {why}"))?;
    Ok(Checked { link, previous, hash })
}

/// A line without its hash, and its hash.
fn split(line: &[u8]) -> Option<(Vec<u8>, Hash)> {
    let rest = line.strip_suffix(AFTER)?;
    let (rest, hex) = rest.split_at_checked(rest.len().checked_sub(HEX)?)?;
    let mut body = rest.strip_suffix(BEFORE)?.to_vec();
    body.push(b'}');
    Some((body, std::str::from_utf8(hex).ok()?.parse().ok()?))
}

/// The sequence of a line, without reading the rest of it.
pub(crate) fn sequence(line: &[u8]) -> Option<u64> {
    let digits = line.strip_prefix(br#"{"sequence":"#)?;
    let end = digits.iter().position(|byte| !byte.is_ascii_digit())?;
    std::str::from_utf8(digits.get(..end)?).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use trunkline_api::AuditRecord;

    use super::*;

    fn line(event: &str) -> Vec<u8> {
        let mut line = Vec::new();
        append(&mut line, 7, Timestamp::UNIX_EPOCH, "w", event, Hash::NONE);
        assert_eq!(line.pop(), Some(b'\n'));
        line
    }

    #[test]
    fn a_line_is_a_record_as_the_api_has_it() {
        let line = line(r#"{"phase":"start","version":"1"}"#);
        let record: AuditRecord = serde_json::from_slice(&line).unwrap();
        assert_eq!(serde_json::to_vec(&record).unwrap(), line, "written again it is the same");
        let checked = check(&line).unwrap();
        assert_eq!((checked.link.sequence, checked.previous), (7, Hash::NONE));
        assert_eq!(checked.hash.to_string(), record.hash);
        assert_eq!(sequence(&line), Some(7));
    }

    #[test]
    fn no_byte_of_a_line_can_be_changed() {
        let line = line(r#"{"phase":"trim","through":3}"#);
        assert_eq!(check(&line).unwrap().trimmed(), Some((3, &[][..])));
        for at in 0..line.len() {
            for flip in [0x01, 0x20, 0x80] {
                let mut other = line.clone();
                other[at] ^= flip;
                assert!(check(&other).is_err(), "{at} {}", String::from_utf8_lossy(&other));
            }
        }
        for end in 0..line.len() {
            assert!(check(&line[..end]).is_err(), "{end}");
        }
    }

    #[test]
    fn a_hash_is_written_one_way() {
        let hash = Hash::of(b"x").to_string();
        assert_eq!(hash.parse::<Hash>().unwrap().to_string(), hash);
        for bad in ["", &hash[1..], &hash.to_uppercase(), &"g".repeat(64)] {
            assert!(bad.parse::<Hash>().is_err(), "{bad}");
        }
    }
}
