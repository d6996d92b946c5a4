//! How often passwords may be guessed: a few at once for each name and then seldom, and so many in all.
//!
//! Invariant: at most 1,000 names are remembered. When there are more, those that have their full allowance again go,
//! and then the one that was tried longest ago; all attempts together are bounded in any case.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;

use crate::authn::remembered::Hash;
use crate::authn::why::Denied;
use crate::bucket::{Bucket, Rate};

/// For one name: 10 at once, then one each 6 s. An attempt is 6 of what comes in by one a second.
const FOR_ONE: Rate = Rate { per_second: 1, burst: 60 };
const ATTEMPT: u64 = 6;
/// For all names together: 100 at once, then 10 a second.
const FOR_ALL: Rate = Rate { per_second: 10, burst: 100 };
/// The most names.
const MOST: usize = 1000;

#[derive(Debug, Default)]
pub(super) struct Attempts {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    all: Bucket,
    names: HashMap<Hash, Tried>,
}

/// A name's allowance, and when it was tried last.
#[derive(Clone, Copy, Debug)]
struct Tried {
    allowance: Bucket,
    last: Instant,
}

impl Attempts {
    /// Counts an attempt.
    pub(super) fn enter(&self, name: &str, now: Instant) -> Result<(), Denied> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let key = Hash::of(name);
        if state.names.len() >= MOST && !state.names.contains_key(&key) {
            state.names.retain(|_, tried| !tried.allowance.is_full(now));
            if state.names.len() >= MOST {
                let oldest = state.names.iter().min_by_key(|(_, tried)| tried.last).map(|(key, _)| *key);
                oldest.and_then(|oldest| state.names.remove(&oldest));
            }
        }
        let tried =
            state.names.entry(key).or_insert_with(|| Tried { allowance: Bucket::default(), last: now });
        tried.last = now;
        if tried.allowance.take(FOR_ONE, ATTEMPT, now).is_err() {
            return Err(Denied::Unavailable(
                "too many attempts for this name; wait 10 s and try again".into(),
            ));
        }
        let no = |_| Denied::Unavailable("too many attempts; try again".into());
        state.all.take(FOR_ALL, 1, now).map_err(no)
    }

    /// Gives a name its full allowance back: whoever has it was right.
    pub(super) fn forget(&self, name: &str) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).names.remove(&Hash::of(name));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_name_is_guessed_a_few_times_and_then_seldom() {
        let attempts = Attempts::default();
        let start = Instant::now();
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
        let start = Instant::now();
        let tried = (0..5000).filter(|n| attempts.enter(&format!("u{n}"), start).is_ok()).count();
        assert_eq!(tried, 100);
        assert!(attempts.state.lock().unwrap().names.len() <= MOST);
    }
}
