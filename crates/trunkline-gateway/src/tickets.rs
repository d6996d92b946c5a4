//! Tickets for terminals: what a page must have to open one, besides a session.
//!
//! A browser opens a WebSocket to wherever any page says, with its cookies and with no field of a page's choice. So a
//! terminal takes a secret that is got by a request which no other page can make, and that stands for one terminal.
//!
//! Invariants:
//! - a ticket is good once, for [`HOLDS`], for one sign-in, cluster, path and query; shown anywhere else it is used up;
//! - of its 256 random bits, and of what it is for, only hashes are kept, in memory.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use trunkline_oidc::random;
use trunkline_proto::ClusterId;
use zeroize::Zeroizing;

use crate::authn::{Hash, Principal};

/// How long a ticket is good.
pub(crate) const HOLDS: Duration = Duration::from_secs(30);
/// The most that are good at once; beyond it nobody gets one until some have ended.
const MOST: usize = 10_000;
/// The most of one sign-in; the oldest goes.
const MOST_OF_ONE: usize = 16;

/// The tickets that are good. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tickets(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    /// Each sign-in's, oldest first.
    of: HashMap<String, Vec<Ticket>>,
    all: usize,
}

#[derive(Debug)]
struct Ticket {
    secret: Hash,
    /// The cluster, path and query that it is for.
    purpose: Hash,
    ends: Instant,
}

impl Kept {
    fn forget_those_that_ended(&mut self, now: Instant) {
        self.of.retain(|_, own| {
            own.retain(|ticket| ticket.ends > now);
            !own.is_empty()
        });
        self.all = self.of.values().map(Vec::len).sum();
    }
}

/// There is no ticket to be had now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoTicket;

impl Tickets {
    /// Gives one to somebody, for a terminal at this path and query of a cluster.
    ///
    /// # Errors
    /// When too many are good already, or the machine gives no randomness.
    pub(crate) fn give(
        &self,
        who: &Principal,
        cluster: &ClusterId,
        path: &str,
    ) -> Result<Zeroizing<String>, NoTicket> {
        let now = Instant::now();
        let secret = random().map_err(|_| NoTicket)?;
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.all >= MOST {
            kept.forget_those_that_ended(now);
        }
        let session = who.session.as_str();
        let one_goes = kept.of.get(session).is_some_and(|own| own.len() >= MOST_OF_ONE);
        if kept.all >= MOST && !one_goes {
            return Err(NoTicket);
        }
        let own = kept.of.entry(session.to_owned()).or_default();
        if one_goes {
            own.remove(0);
        }
        own.push(Ticket { secret: Hash::of(&secret), purpose: purpose(cluster, path), ends: now + HOLDS });
        kept.all += usize::from(!one_goes);
        Ok(secret)
    }

    /// Whether a secret is a ticket of somebody's for just that. It is none from then on.
    pub(crate) fn redeem(&self, secret: &str, who: &Principal, cluster: &ClusterId, path: &str) -> bool {
        let secret = Hash::of(secret);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(own) = kept.of.get_mut(who.session.as_str()) else { return false };
        let Some(at) = own.iter().position(|ticket| ticket.secret == secret) else { return false };
        let ticket = own.remove(at);
        if own.is_empty() {
            kept.of.remove(who.session.as_str());
        }
        kept.all -= 1;
        ticket.ends > Instant::now() && ticket.purpose == purpose(cluster, path)
    }
}

fn purpose(cluster: &ClusterId, path: &str) -> Hash {
    // A cluster's id holds no space.
    Hash::of(&format!("{cluster} {path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATH: &str = "/api/v1/namespaces/n/pods/p/exec?command=sh";

    fn alpha() -> ClusterId {
        "alpha".parse().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_ticket_is_good_once_for_one_sign_in_cluster_and_path_and_ends() {
        let tickets = Tickets::default();
        let (jane, other) = (Principal::for_session("s-1"), Principal::for_session("s-2"));
        let give = || tickets.give(&jane, &alpha(), PATH).unwrap();
        let good = |secret: &str, who, cluster: &str, path| {
            tickets.redeem(secret, who, &cluster.parse().unwrap(), path)
        };
        let secret = give();
        assert!(good(&secret, &jane, "alpha", PATH));
        assert!(!good(&secret, &jane, "alpha", PATH), "once");
        for (who, cluster, path) in
            [(&other, "alpha", PATH), (&jane, "beta", PATH), (&jane, "alpha", "/api"), (&jane, "alpha", "")]
        {
            let secret = give();
            assert!(!good(&secret, who, cluster, path), "{cluster} {path}");
            let again = good(&secret, &jane, "alpha", PATH);
            assert_eq!(again, who != &jane, "whoever shows their own elsewhere has used it up");
        }
        assert!(!good("guess", &jane, "alpha", PATH));
        assert!(tickets.0.lock().unwrap().of.is_empty(), "who has none is forgotten");
        let secret = give();
        tokio::time::advance(HOLDS).await;
        assert!(!good(&secret, &jane, "alpha", PATH), "too late");
    }

    #[tokio::test(start_paused = true)]
    async fn there_are_so_many_of_one_sign_in_and_of_all() {
        let tickets = Tickets::default();
        let jane = Principal::for_session("s-1");
        let mut given = Vec::new();
        for _ in 0..=MOST_OF_ONE {
            given.push(tickets.give(&jane, &alpha(), PATH).unwrap());
            tokio::time::advance(Duration::from_millis(1)).await;
        }
        assert!(!tickets.redeem(&given[0], &jane, &alpha(), PATH), "the oldest went");
        assert!(tickets.redeem(&given[1], &jane, &alpha(), PATH));
        for number in 0.. {
            let who = Principal::for_session(&format!("u-{number}"));
            let full = (0..MOST_OF_ONE).any(|_| tickets.give(&who, &alpha(), PATH).is_err());
            if full {
                break;
            }
        }
        assert_eq!(tickets.0.lock().unwrap().all, MOST);
        tokio::time::advance(HOLDS).await;
        assert!(tickets.give(&jane, &alpha(), PATH).is_ok(), "those that ended make room");
    }
}
