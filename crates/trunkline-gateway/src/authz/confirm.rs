//! Who has said lately that a protected cluster is to be changed.
//!
//! Of a user and one registration of a cluster, for a quarter of an hour, in memory: after a restart it is said again. Of the
//! user and not of one sign-in, since the command line says it and kubectl, with a newer token, makes use of it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use trunkline_proto::ClusterUid;

use crate::authn::Principal;

/// How long a confirmation holds.
pub(crate) const HOLDS: Duration = Duration::from_secs(15 * 60);
/// The most that are kept; beyond it nobody can confirm until some have ended.
const MOST: usize = 10_000;

/// The confirmations that hold. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Confirmations(Arc<Mutex<HashMap<(String, ClusterUid), Instant>>>);

impl Confirmations {
    /// Keeps that somebody means to change a cluster; no if too many have.
    pub(crate) fn confirm(&self, principal: &Principal, cluster: ClusterUid) -> bool {
        let now = Instant::now();
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST {
            kept.retain(|_, ends| *ends > now);
        }
        if kept.len() >= MOST {
            return false;
        }
        kept.insert((principal.user.clone(), cluster), now + HOLDS);
        true
    }

    /// Whether somebody has.
    pub(crate) fn holds(&self, principal: &Principal, cluster: ClusterUid) -> bool {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(&(principal.user.clone(), cluster)).is_some_and(|ends| *ends > Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_confirmation_is_of_one_user_and_one_cluster_and_ends() {
        let confirmations = Confirmations::default();
        let (one, other) = (Principal::for_test("jane", &[]), Principal::for_test("bob", &[]));
        let (alpha, beta) = (ClusterUid::random(), ClusterUid::random());
        assert!(!confirmations.holds(&one, alpha));
        assert!(confirmations.confirm(&one, alpha));
        assert!(confirmations.holds(&one, alpha));
        assert!(!confirmations.holds(&other, alpha) && !confirmations.holds(&one, beta));
        tokio::time::advance(HOLDS).await;
        assert!(!confirmations.holds(&one, alpha));
    }

    #[tokio::test(start_paused = true)]
    async fn there_is_a_most_of_them_and_those_that_ended_make_room() {
        let confirmations = Confirmations::default();
        let one = Principal::for_session("s-1");
        assert!((0..MOST).all(|_| confirmations.confirm(&one, ClusterUid::random())));
        assert!(!confirmations.confirm(&one, ClusterUid::random()));
        tokio::time::advance(HOLDS).await;
        assert!(confirmations.confirm(&one, ClusterUid::random()));
    }
}
