//! Looks again at what is under way: at once when rules, clusters or sessions change, each second at the clock, and each
//! minute at everything.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use tokio::sync::broadcast::error::RecvError;
use tracing::{info, warn};
use trunkline_proto::ClusterId;
use trunkline_runtime::chain;

use super::{Cut, Errand, Subject, UnderWay};
use crate::authn::Principal;
use crate::authz::decide;
use crate::fleet::{Fleet, Standing};

/// How often the clock is looked at: as late as this a request may end after its right.
const TICK: Duration = Duration::from_secs(1);
/// How often all is looked at, whether anything has changed or not.
const ALL: Duration = Duration::from_secs(60);

/// Looks after what is under way.
#[derive(Clone, Debug)]
pub(crate) struct Review {
    pub(crate) under_way: UnderWay,
    pub(crate) fleet: Fleet,
}

/// What has changed.
enum Changed {
    Clock,
    Cluster(ClusterId),
    All,
}

impl Review {
    /// Looks until it is dropped.
    pub(crate) async fn stand(self) {
        let mut registered = self.fleet.registry.changes();
        let mut stored = self.fleet.registry.rule_changes();
        let mut ends = self.fleet.registry.session_ends();
        let mut rules = self.fleet.access.changes();
        let mut fleet = self.fleet.changes();
        let (mut tick, mut all) = (tokio::time::interval(TICK), tokio::time::interval(ALL));
        loop {
            let changed = tokio::select! {
                biased;
                changed = stored.changed() => match changed {
                    // The rules in force follow, and tell of themselves.
                    Ok(()) => {
                        self.fleet.access.take_on();
                        continue;
                    }
                    Err(_) => return,
                },
                changed = ends.changed() => match changed {
                    Ok(()) => Changed::All,
                    Err(_) => return,
                },
                changed = rules.changed() => match changed {
                    Ok(()) => Changed::All,
                    Err(_) => return,
                },
                changed = registered.recv() => match changed {
                    Ok(id) => Changed::Cluster(id),
                    Err(RecvError::Lagged(_)) => Changed::All,
                    Err(RecvError::Closed) => return,
                },
                changed = fleet.changed() => match changed {
                    Ok(()) => Changed::All,
                    Err(_) => return,
                },
                _ = all.tick() => {
                    self.forget().await;
                    Changed::All
                }
                _ = tick.tick() => Changed::Clock,
            };
            self.look(&changed);
        }
    }

    fn look(&self, changed: &Changed) {
        let now = SystemTime::now();
        let mut cuts = 0u64;
        for subject in self.under_way.all() {
            let cut = match changed {
                Changed::Clock => expired(&subject, now),
                Changed::Cluster(id)
                    if subject.errand.as_ref().is_none_or(|errand| errand.cluster != *id) =>
                {
                    None
                }
                Changed::Cluster(_) | Changed::All => {
                    expired(&subject, now).or_else(|| self.why_cut(&subject))
                }
            };
            if let Some(cut) = cut {
                cuts += 1;
                subject.cut(cut);
            }
        }
        if cuts > 0 {
            info!(cuts, "requests under way were cut: the right they stood on is gone");
        }
    }

    /// Why a request is to end now, if it is.
    pub(crate) fn why_cut(&self, subject: &Subject) -> Option<Cut> {
        if let Some(ended) = self.fleet.registry.ended(subject.principal.session.as_str()) {
            return Some(session_ended(&ended.by, &ended.why));
        }
        if subject.serial.as_ref().is_some_and(|serial| self.fleet.revoked_clients.contains(serial)) {
            return Some(Cut::new("Revoked", "your certificate was revoked"));
        }
        self.errand_is_over(&subject.principal, subject.errand.as_ref()?)
    }

    fn errand_is_over(&self, principal: &Principal, errand: &Errand) -> Option<Cut> {
        let id = &errand.cluster;
        // Whose cluster is locked or gone is cut with its links, and told so there.
        let ground = self.fleet.ground(id);
        if !id.is_management() && !matches!(ground.standing(), Some(Standing::Open(_))) {
            return None;
        }
        let passes = match &errand.passed {
            // Whom the gateway's own tokens are for does not change while it runs.
            Some(claimed) => claimed.must_be_for(ground.pass_through(), &BTreeSet::new()).is_ok(),
            None => ground.pass_through().is_empty(),
        };
        if !passes {
            let why = format!("how cluster {id} is told who you are has changed; begin again");
            return Some(Cut::new("AccessChanged", why));
        }
        let place = ground.place(id, errand.confirmed);
        let rules = self.fleet.access.rules();
        match decide(&rules, principal, &place, &errand.action, errand.act_as.as_ref()) {
            Err(denied) => Some(Cut::new("AccessRevoked", denied.why())),
            Ok(now) if now.identity != errand.identity => Some(Cut::new(
                "AccessChanged",
                format!("what {} may do in cluster {id} has changed; begin again", principal.user),
            )),
            Ok(now) if now.record && !errand.recorded && errand.action.is_interactive() => Some(Cut::new(
                "AccessChanged",
                format!("what is done in cluster {id} is recorded from now on; begin again"),
            )),
            Ok(_) => None,
        }
    }

    /// Forgets ended sessions whose time is over.
    async fn forget(&self) {
        if let Err(error) = self.fleet.registry.forget_sessions(Timestamp::now()).await {
            warn!(why = chain(&error), "ended sessions were not forgotten; they are at the next look");
        }
    }
}

/// What is told to whoever comes by, or is under way in, a session that was ended.
pub(crate) fn session_ended(by: &str, why: &str) -> Cut {
    let because = if why.is_empty() { String::new() } else { format!(" ({why})") };
    Cut::new("SessionEnded", format!("your session was ended by {by}{because}; sign in again"))
}

fn expired(subject: &Arc<Subject>, now: SystemTime) -> Option<Cut> {
    if subject.principal.has_ended(now) {
        return Some(Cut::new("SignInExpired", "your sign-in has ended; sign in again"));
    }
    let passed = subject.errand.as_ref().and_then(|errand| errand.passed.as_ref());
    let over = passed.is_some_and(|claimed| claimed.has_ended(now));
    over.then(|| {
        Cut::new("ClusterTokenEnded", "your token for the cluster has ended; begin again with another")
    })
}
