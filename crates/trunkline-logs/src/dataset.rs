//! The name of a kind of records: `[a-z0-9_]`, so that it is safe in an index name, a path, a folder and a metric.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

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
}
