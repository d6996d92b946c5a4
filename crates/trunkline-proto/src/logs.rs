//! The log lane's words: which records a batch holds, and what became of them.
//!
//! An agent's request with [`Purpose::Logs`](crate::Purpose::Logs) has a body of chunks, as they lie in the spool of one dataset; the gateway
//! answers with a [`LogAck`] once the store has said yes. Whose the records are is not said here: it is the session's cluster.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::id::clip;

/// The path of a request that hands a batch in.
pub const LOGS_PATH: &str = "/trunkline/v1/logs";
/// The longest batch, in bytes as it travels.
pub const MAX_BATCH_BYTES: usize = 4 * 1024 * 1024;
/// The longest batch, in bytes once it is inflated.
pub const MAX_BATCH_INFLATED: usize = 16 * 1024 * 1024;
/// The most chunks of a batch.
pub const MAX_BATCH_CHUNKS: usize = 4096;

/// The most datasets that a cluster may have.
pub const MAX_DATASETS: usize = 16;
/// The longest name, in bytes.
const MAX_NAME: usize = 32;

/// A kind of records, as the configuration of the agent names it: 1 to 32 of `a-z`, `0-9` and `_`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Dataset(Arc<str>);

/// Why a text is not a [`Dataset`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no name of a dataset: use 1 to {MAX_NAME} of a-z, 0-9 and '_'")]
pub struct InvalidDataset(String);

impl Dataset {
    /// Where a record lands unless the configuration says otherwise.
    pub fn unnamed() -> Self {
        Self("logs".into())
    }

    /// Where what can be no document lands, with the reason: a dataset of the gateway's own.
    pub fn dead_letters() -> Self {
        Self("dead_letters".into())
    }

    /// Whether it is the gateway's own, so that nobody may bring records for it.
    pub fn is_reserved(&self) -> bool {
        *self == Self::dead_letters()
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Dataset {
    type Err = InvalidDataset;

    fn from_str(text: &str) -> Result<Self, InvalidDataset> {
        let taken = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if (1..=MAX_NAME).contains(&text.len()) && text.bytes().all(taken) {
            return Ok(Self(text.into()));
        }
        Err(InvalidDataset(text.chars().take(2 * MAX_NAME).collect()))
    }
}

impl TryFrom<String> for Dataset {
    type Error = InvalidDataset;

    fn try_from(text: String) -> Result<Self, InvalidDataset> {
        text.parse()
    }
}

impl From<Dataset> for String {
    fn from(dataset: Dataset) -> Self {
        dataset.0.as_ref().into()
    }
}

impl fmt::Display for Dataset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Dataset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// What tells one life of a spool from another: random, made with the spool. Written as 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SpoolEpoch(pub [u8; 16]);

/// Why a text is not a [`SpoolEpoch`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no epoch of a spool: those are 32 hexadecimal digits, in lower case")]
pub struct InvalidSpoolEpoch(String);

impl FromStr for SpoolEpoch {
    type Err = InvalidSpoolEpoch;

    fn from_str(text: &str) -> Result<Self, InvalidSpoolEpoch> {
        let number = u128::from_str_radix(text, 16).ok();
        let epoch = number.map(|number| Self(number.to_be_bytes()));
        epoch.filter(|epoch| epoch.to_string() == text).ok_or_else(|| InvalidSpoolEpoch(clip(text)))
    }
}

impl TryFrom<String> for SpoolEpoch {
    type Error = InvalidSpoolEpoch;

    fn try_from(text: String) -> Result<Self, InvalidSpoolEpoch> {
        text.parse()
    }
}

impl From<SpoolEpoch> for String {
    fn from(epoch: SpoolEpoch) -> Self {
        epoch.to_string()
    }
}

impl fmt::Display for SpoolEpoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for SpoolEpoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Which records a batch holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogBatch {
    /// Of which dataset.
    pub dataset: Dataset,
    /// Of which life of that dataset's spool.
    pub spool: SpoolEpoch,
}

/// What waits in the spool of one dataset, as the agent says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SpoolReport {
    /// The dataset.
    pub dataset: Dataset,
    /// Records that the store does not have yet.
    pub records: u64,
    /// Bytes on the disk.
    pub bytes: u64,
    /// How many there may be.
    pub cap: u64,
    /// When the oldest of the records was taken, in milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest: Option<i64>,
    /// Records that were lost there: dropped by a limit, or damaged.
    #[serde(default)]
    pub lost: u64,
    /// Why nothing is taken, for people; empty if something is.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub fault: String,
}

impl Default for SpoolReport {
    fn default() -> Self {
        let dataset = Dataset::unnamed();
        Self { dataset, records: 0, bytes: 0, cap: 0, oldest: None, lost: 0, fault: String::new() }
    }
}

impl SpoolReport {
    /// Both together: another slot's spool of the same dataset.
    pub fn add(&mut self, other: &Self) {
        self.dataset = other.dataset.clone();
        self.records = self.records.saturating_add(other.records);
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.cap = self.cap.saturating_add(other.cap);
        self.lost = self.lost.saturating_add(other.lost);
        self.oldest = match (self.oldest, other.oldest) {
            (Some(one), Some(another)) => Some(one.min(another)),
            (one, another) => one.or(another),
        };
        if self.fault.is_empty() {
            self.fault.clone_from(&other.fault);
        }
    }
}

/// What became of a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogAck {
    /// The records through this one are done with, stored or dead letters: they may go. 0 for none.
    pub through: u64,
    /// When to hand in what is behind it, in milliseconds; none for at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    /// Why not all is done with, for people; empty if all is.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_safe_wherever_it_is_written() {
        for good in ["logs", "a", "audit_kube", "0", &"x".repeat(32)] {
            assert_eq!(good.parse::<Dataset>().map(String::from), Ok(good.to_owned()));
        }
        for bad in ["", "Logs", "a-b", "a.b", "a/b", "..", "ä", "a b", "*", &"x".repeat(33)] {
            assert!(bad.parse::<Dataset>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_spools_epoch_is_read_as_it_was_written_and_in_one_spelling() {
        let epoch = SpoolEpoch([0xab; 16]);
        assert_eq!(epoch.to_string().parse(), Ok(epoch));
        for no in ["", "+", "ab", &"g".repeat(32), &epoch.to_string().to_uppercase()] {
            assert!(no.parse::<SpoolEpoch>().is_err(), "{no}");
        }
    }
}
