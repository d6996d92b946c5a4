//! How often passwords may be guessed: a few at once for each name and then seldom, and so many in all.
//!
//! Invariant: at most 1,000 names are remembered. When there are more, those that have their full allowance again go,
//! and then the one that was tried longest ago; all attempts together are bounded in any case.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use crate::authn::remembered::Hash;
use crate::authn::why::Denied;

/// For one name: so many at once, then one each.
const FOR_ONE: (f64, Duration) = (10.0, Duration::from_secs(6));
/// For all names together.
const FOR_ALL: (f64, Duration) = (100.0, Duration::from_millis(100));
/// The most names.
const MOST: usize = 1000;

#[derive(Debug, Default)]
pub(super) struct Attempts {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    all: Option<Bucket>,
    names: HashMap<Hash, Bucket>,
}

/// What is left of an allowance.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    left: f64,
    at: SystemTime,
}

impl Bucket {
    fn take(bucket: Option<Self>, (most, each): (f64, Duration), now: SystemTime) -> (Self, bool) {
        let mut bucket = bucket.unwrap_or(Self { left: most, at: now });
        let since = now.duration_since(bucket.at).unwrap_or_default();
        bucket.left = (bucket.left + since.as_secs_f64() / each.as_secs_f64()).min(most);
        bucket.at = now;
        let enough = bucket.left >= 1.0;
        if enough {
            bucket.left -= 1.0;
        }
        (bucket, enough)
    }
}

impl Attempts {
    /// Counts an attempt.
    pub(super) fn enter(&self, name: &str, now: SystemTime) -> Result<(), Denied> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let key = Hash::of(name);
        let (one, one_enough) = Bucket::take(state.names.get(&key).copied(), FOR_ONE, now);
        if state.names.len() >= MOST && !state.names.contains_key(&key) {
            let (most, each) = FOR_ONE;
            state.names.retain(|_, bucket| {
                now.duration_since(bucket.at).unwrap_or_default() < each.mul_f64(most - bucket.left)
            });
            if state.names.len() >= MOST {
                let oldest = state.names.iter().min_by_key(|(_, bucket)| bucket.at).map(|(key, _)| *key);
                oldest.and_then(|oldest| state.names.remove(&oldest));
            }
        }
        state.names.insert(key, one);
        if !one_enough {
            return Err(Denied::Unavailable(
                "too many attempts for this name; wait 10 s and try again".into(),
            ));
        }
        let (all, all_enough) = Bucket::take(state.all, FOR_ALL, now);
        state.all = Some(all);
        if all_enough { Ok(()) } else { Err(Denied::Unavailable("too many attempts; try again".into())) }
    }

    /// Gives a name its full allowance back: whoever has it was right.
    pub(super) fn forget(&self, name: &str) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).names.remove(&Hash::of(name));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_guessed_a_few_times_and_then_seldom() {
        let attempts = Attempts::default();
        let start = SystemTime::UNIX_EPOCH;
        let tried = (0..1000).filter(|_| attempts.enter("jane", start).is_ok()).count();
        assert_eq!(tried, 10);
        assert!(attempts.enter("joe", start).is_ok(), "another name is not held up");
        let hour = (0..3600)
            .filter(|second| attempts.enter("jane", start + Duration::from_secs(*second)).is_ok())
            .count();
        assert!((590..=610).contains(&hour), "{hour}");
        attempts.forget("jane");
        assert!(attempts.enter("jane", start + Duration::from_secs(3600)).is_ok());
    }

    #[test]
    fn many_names_are_bounded_in_all_and_in_memory() {
        let attempts = Attempts::default();
        let start = SystemTime::UNIX_EPOCH;
        let tried = (0..5000).filter(|n| attempts.enter(&format!("u{n}"), start).is_ok()).count();
        assert_eq!(tried, 100);
        assert!(attempts.state.lock().unwrap().names.len() <= MOST);
    }
}
