//! The user sessions that were seen lately, for who looks after them.
//!
//! A sign-in by token or certificate is nowhere but with its holder; here stands that it was used, and until when it
//! holds. Bounded: the one that was used longest ago is forgotten, and comes back with its next request.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use crate::authn::Principal;
use crate::standing::timestamp;

/// The most sessions that are remembered.
const MOST: usize = 10_000;
/// How many are forgotten at once, so that it is not done for each new one.
const SOME: usize = 500;

/// A session that was seen.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) principal: Arc<Principal>,
    pub(crate) first: Timestamp,
    pub(crate) last: Timestamp,
    /// Where the newest request came from.
    pub(crate) from: IpAddr,
}

/// The sessions that were seen lately. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct SeenSessions(Arc<Mutex<HashMap<String, Seen>>>);

impl SeenSessions {
    /// A request of a session came.
    pub(crate) fn note(&self, principal: &Arc<Principal>, from: IpAddr, now: Timestamp) {
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(seen) = sessions.get_mut(principal.session.as_str()) {
            (seen.last, seen.from) = (now, from);
            // Rights may differ from one token of a session to the next.
            seen.principal = principal.clone();
            return;
        }
        if sessions.len() >= MOST {
            let mut by_age: Vec<_> = sessions.iter().map(|(id, seen)| (seen.last, id.clone())).collect();
            by_age.sort_unstable();
            for (_, id) in by_age.into_iter().take(SOME) {
                sessions.remove(&id);
            }
        }
        let seen = Seen { principal: principal.clone(), first: now, last: now, from };
        sessions.insert(principal.session.to_string(), seen);
    }

    /// Those that still hold.
    pub(crate) fn all(&self, now: Timestamp) -> Vec<Seen> {
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.retain(|_, seen| seen.principal.expires.and_then(timestamp).is_none_or(|ends| ends > now));
        sessions.values().cloned().collect()
    }

    /// One of them.
    pub(crate) fn get(&self, id: &str) -> Option<Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn the_sessions_used_longest_ago_are_forgotten_first_and_what_ended_is_not_told() {
        let sessions = SeenSessions::default();
        let from = IpAddr::from([127, 0, 0, 1]);
        for n in 0..=MOST {
            let principal = Principal { ..Principal::for_session(&format!("s-{n}")) };
            let now = Timestamp::from_second(i64::try_from(n).unwrap()).unwrap();
            sessions.note(&Arc::new(principal), from, now);
        }
        assert!(sessions.get("s-0").is_none());
        assert!(sessions.get(&format!("s-{MOST}")).is_some());
        assert_eq!(sessions.all(Timestamp::now()).len(), MOST - SOME + 1);
        let over = Principal { expires: Some(SystemTime::UNIX_EPOCH), ..Principal::for_session("over") };
        sessions.note(&Arc::new(over), from, Timestamp::now());
        assert!(sessions.all(Timestamp::now()).iter().all(|seen| seen.principal.session.as_str() != "over"));
    }
}
