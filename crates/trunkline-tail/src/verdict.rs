//! What the intake answered, record by record.

use serde::Deserialize;
use serde_json::Value;

/// The longest reason that is repeated, in letters.
const MAX_REASON: usize = 300;

/// What became of one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is there, from now on or from before.
    Taken,
    /// To be handed in again.
    Again,
    /// It will never be taken.
    Refused(String),
}

#[derive(Deserialize)]
struct Answer {
    items: Vec<Outcomes>,
}

/// `{"create": {...}}`
#[derive(Deserialize)]
struct Outcomes {
    create: Outcome,
}

#[derive(Deserialize)]
struct Outcome {
    status: u16,
    #[serde(default)]
    error: Option<Value>,
}

/// Reads the answer to `count` records, in their order; none if it is no such answer.
pub(crate) fn verdicts(answer: &[u8], count: usize) -> Option<Vec<Verdict>> {
    let answer: Answer = serde_json::from_slice(answer).ok()?;
    let verdict = |Outcomes { create }: Outcomes| match create.status {
        200..=299 | 409 => Verdict::Taken,
        408 | 429 | 500..=599 => Verdict::Again,
        _ => {
            let reason = create.error.as_ref().and_then(|error| error.get("reason")?.as_str());
            Verdict::Refused(reason.unwrap_or_default().chars().take(MAX_REASON).collect())
        }
    };
    (answer.items.len() == count).then(|| answer.items.into_iter().map(verdict).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_has_a_verdict_of_its_own() {
        let answer = br#"{"errors":true,"took":1,"items":[{"create":{"_id":"a","status":201}},{"create":{"status":409,"error":{}}},
            {"create":{"status":429}},{"create":{"status":400,"error":{"type":"x","reason":"no object"}}},{"create":{"status":503}}]}"#;
        let expected = [
            Verdict::Taken,
            Verdict::Taken,
            Verdict::Again,
            Verdict::Refused("no object".into()),
            Verdict::Again,
        ];
        assert_eq!(verdicts(answer, 5).unwrap(), expected);
        assert_eq!(verdicts(answer, 4), None, "an answer to another number of records");
        for no in [&b""[..], b"{}", b"[]", br#"{"items":[{"index":{"status":201}}]}"#, b"<html>"] {
            assert_eq!(verdicts(no, 1), None);
        }
    }
}
