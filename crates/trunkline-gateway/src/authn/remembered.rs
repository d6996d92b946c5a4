//! What was found out, kept for a while: a bounded map whose entries end.
//!
//! Invariant: it never holds more than its limit; when it is full, what has ended goes, and else the oldest.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

/// The SHA-256 of a secret: what stands for it wherever something is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Hash([u8; 32]);

impl Hash {
    pub(crate) fn of(secret: &str) -> Self {
        Self(Sha256::digest(secret.as_bytes()).into())
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or_else(|| D::Error::custom("not the SHA-256 of anything, in base64url"))
    }
}

/// A bounded map of what ends.
#[derive(Debug)]
pub(super) struct Remembered<V> {
    most: usize,
    entries: Mutex<Entries<V>>,
}

#[derive(Debug)]
struct Entries<V> {
    map: HashMap<Hash, Entry<V>>,
    /// Keys with their entry's number, oldest first; one whose number is another's now is passed over.
    order: VecDeque<(Hash, u64)>,
    number: u64,
}

#[derive(Debug)]
struct Entry<V> {
    value: V,
    until: Instant,
    number: u64,
}

impl<V: Clone> Remembered<V> {
    pub(super) fn new(most: usize) -> Self {
        let entries = Entries { map: HashMap::new(), order: VecDeque::new(), number: 0 };
        Self { most, entries: Mutex::new(entries) }
    }

    /// What is known and has not ended.
    pub(super) fn get(&self, key: &Hash) -> Option<V> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = entries.map.get(key)?;
        if entry.until > Instant::now() {
            return Some(entry.value.clone());
        }
        entries.map.remove(key);
        None
    }

    /// Keeps something for a while.
    pub(super) fn keep(&self, key: Hash, value: V, lasts: Duration) {
        let now = Instant::now();
        let Some(until) = now.checked_add(lasts).filter(|until| *until > now) else { return };
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.number += 1;
        let number = entries.number;
        entries.map.insert(key, Entry { value, until, number });
        entries.order.push_back((key, number));
        while entries.map.len() > self.most || entries.order.len() > 2 * self.most {
            let Some((oldest, number)) = entries.order.pop_front() else { break };
            if entries.map.get(&oldest).is_some_and(|entry| entry.number == number) {
                entries.map.remove(&oldest);
            }
        }
    }

    #[cfg(test)]
    fn len(&self) -> (usize, usize) {
        let entries = self.entries.lock().unwrap();
        (entries.map.len(), entries.order.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_never_holds_more_than_its_limit_and_the_oldest_go_first() {
        let kept = Remembered::new(100);
        for number in 0..1000 {
            kept.keep(Hash::of(&number.to_string()), number, Duration::from_secs(60));
        }
        assert_eq!(kept.len().0, 100);
        assert_eq!(kept.get(&Hash::of("999")), Some(999));
        assert_eq!(kept.get(&Hash::of("899")), None);
        for _ in 0..1000 {
            kept.keep(Hash::of("same"), 1, Duration::from_secs(60));
        }
        assert!(kept.len().1 <= 200, "{:?}", kept.len());
        assert_eq!(kept.get(&Hash::of("same")), Some(1));
    }

    #[test]
    fn what_has_ended_is_not_known() {
        let kept = Remembered::new(100);
        kept.keep(Hash::of("a"), 1, Duration::ZERO);
        assert_eq!(kept.get(&Hash::of("a")), None);
        kept.keep(Hash::of("b"), 1, Duration::from_millis(1));
        while kept.get(&Hash::of("b")).is_some() {}
        assert_eq!(kept.len().0, 0);
    }
}
