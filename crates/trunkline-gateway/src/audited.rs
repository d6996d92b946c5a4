//! What the audit log says of a request: one record of the decision before its first byte goes up, one at its end.
//!
//! What changes something, or gets into something, waits until the record of it is durable. Of what reads, a place in the
//! queue is enough. Where the log takes no record, nothing is done.
//!
//! Invariants:
//! - a request that was decided on has exactly one `decision` and one `end`, under the id that the API server's audit log
//!   has as well;
//! - no query, no body and no credential stands in a record;
//! - failed sign-ins are told at a bounded rate, so that no stranger fills the log.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use trunkline_api::{
    AuditDecision, AuditEnd, AuditEvent, AuditIdentity, AuditObject, AuditRecording, AuditSignIn,
};
use trunkline_audit::AuditLog;
use trunkline_proto::{ClusterId, ClusterUid, Identity, IdentityMode, RequestId};

use crate::access_log::{Entry, shown};
use crate::authn::Principal;
use crate::authz::Action;
use crate::bucket::{Bucket, Rate};
use crate::refusal::Refusal;

/// How many failed sign-ins are recorded.
const FAILURES: Rate = Rate { per_second: 10, burst: 100 };
/// The longest path and the longest reason in a record, in characters.
const MAX_PATH: usize = 1024;
const MAX_WHY: usize = 1024;

/// The audit log of the requests. Clones share it.
#[derive(Clone)]
pub(crate) struct Audited {
    log: AuditLog,
    failures: Arc<Mutex<Failures>>,
}

/// How many failed sign-ins may still be recorded.
#[derive(Default)]
struct Failures {
    bucket: Bucket,
    /// How many were not.
    unrecorded: u64,
}

/// What was decided of a request.
pub(crate) struct Decided<'a> {
    pub(crate) principal: &'a Principal,
    pub(crate) cluster: &'a ClusterId,
    pub(crate) uid: Option<ClusterUid>,
    pub(crate) action: &'a Action,
    /// The rule that let it in and the identity it goes on as, none where a token goes through; or why it was refused.
    pub(crate) outcome: Result<(&'a str, Option<&'a Identity>), String>,
}

/// What the end of a request is told with.
#[derive(Debug)]
pub(crate) struct Ending {
    log: LogOf,
    pub(crate) recording: Option<AuditRecording>,
}

/// The log, without a `Debug` of its own.
struct LogOf(AuditLog);

impl std::fmt::Debug for LogOf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AuditLog")
    }
}

impl Audited {
    pub(crate) fn new(log: AuditLog) -> Self {
        Self { log, failures: Arc::default() }
    }

    /// The log.
    pub(crate) fn log(&self) -> &AuditLog {
        &self.log
    }

    /// Records a decision. A yes is waited for where it is to change something or get into something; a no is noted.
    pub(crate) async fn decision(&self, entry: &mut Entry, decided: &Decided<'_>) -> Result<(), Refusal> {
        let event = AuditEvent::Decision(Box::new(decision(entry, decided)));
        if decided.outcome.is_err() {
            self.log.note(&event);
        } else {
            let unavailable = |why: String| Refusal::AuditUnavailable { why };
            let written = self.log.write(&event).map_err(|refused| unavailable(refused.to_string()))?;
            if !decided.action.reads() {
                written.durable().await.map_err(|error| unavailable(error.to_string()))?;
            }
        }
        entry.ends_in_audit(Ending { log: LogOf(self.log.clone()), recording: None });
        Ok(())
    }

    /// Records that somebody showed something by which they do not come in, as often as that is done.
    pub(crate) fn sign_in_failed(&self, entry: &Entry, why: &str) {
        self.told(AuditSignIn {
            request: entry.request.to_string(),
            from: entry.from.to_string(),
            why: why.into(),
            ..AuditSignIn::default()
        });
    }

    /// Records that somebody signed in at the gateway itself, into which session, or why not.
    pub(crate) fn sign_in(&self, request: RequestId, user: &str, how: &str, outcome: Result<&str, &str>) {
        self.told(AuditSignIn {
            request: request.to_string(),
            user: user.into(),
            how: how.into(),
            ok: outcome.is_ok(),
            why: outcome.err().unwrap_or_default().into(),
            session: outcome.ok().filter(|session| !session.is_empty()).map(str::to_owned),
            ..AuditSignIn::default()
        });
    }

    fn told(&self, mut event: AuditSignIn) {
        event.why = event.why.chars().take(MAX_WHY).collect();
        if !event.ok {
            let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
            match failures.take(Instant::now()) {
                Some(0) => {}
                Some(others) => {
                    event.why = format!("{} ({others} more failed before and are in no record)", event.why)
                }
                None => return,
            }
        }
        self.log.note(&AuditEvent::SignIn(event));
    }
}

impl Failures {
    /// Whether one more is recorded: how many were not since the last that was.
    fn take(&mut self, now: Instant) -> Option<u64> {
        if self.bucket.take(FAILURES, 1, now).is_err() {
            self.unrecorded += 1;
            return None;
        }
        Some(std::mem::take(&mut self.unrecorded))
    }
}

impl Ending {
    /// Tells the end of a request that was decided on.
    pub(crate) fn tell(self, entry: &Entry, took: Duration) {
        self.log.0.note(&AuditEvent::End(AuditEnd {
            request: entry.request.to_string(),
            cluster: entry.cluster.as_ref().map(ToString::to_string).unwrap_or_default(),
            user: entry.user().to_owned(),
            status: entry.status,
            reason: entry.reason.into(),
            received: entry.received,
            sent: entry.sent,
            ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            recording: self.recording,
        }));
    }
}

fn decision(entry: &Entry, decided: &Decided<'_>) -> AuditDecision {
    let Decided { principal, cluster, uid, action, outcome } = decided;
    let resource = action.resource.as_ref();
    let object = AuditObject {
        api_group: resource.map(|r| r.group.clone()).unwrap_or_default(),
        resource: resource.map(|r| r.resource.clone()).unwrap_or_default(),
        subresource: resource.map(|r| r.subresource.clone()).unwrap_or_default(),
        namespace: resource.map(|r| r.namespace.clone()).unwrap_or_default(),
        name: resource.map(|r| r.name.clone()).unwrap_or_default(),
        path: shown(&action.path).chars().take(MAX_PATH).collect(),
    };
    let acts_as =
        |identity: &Identity| AuditIdentity { user: identity.user.clone(), groups: identity.groups.clone() };
    AuditDecision {
        request: entry.request.to_string(),
        from: entry.from.to_string(),
        user: principal.user.clone(),
        groups: principal.groups.clone(),
        signed_in_by: principal.how.to_string(),
        session: Some(principal.session.to_string()),
        cluster: cluster.to_string(),
        cluster_uid: uid.map(|uid| uid.to_string()),
        verb: action.verb.into(),
        object,
        allowed: outcome.is_ok(),
        rule: outcome.as_ref().ok().map(|(rule, _)| (*rule).to_owned()),
        why: outcome.as_ref().err().map(|why| why.chars().take(MAX_WHY).collect()).unwrap_or_default(),
        identity: outcome.as_ref().ok().map(|(_, identity)| match identity {
            Some(_) => IdentityMode::Impersonate,
            None => IdentityMode::PassThrough,
        }),
        acts_as: outcome.as_ref().ok().and_then(|(_, identity)| identity.map(acts_as)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn t38_failed_sign_ins_are_recorded_at_a_bounded_rate_and_those_that_are_not_are_counted() {
        let mut failures = Failures::default();
        let recorded = (0..100_000).filter(|_| failures.take(Instant::now()).is_some()).count();
        assert_eq!(recorded, 100);
        tokio::time::advance(Duration::from_millis(300)).await;
        assert_eq!(failures.take(Instant::now()), Some(100_000 - 100));
        assert_eq!(failures.take(Instant::now()), Some(0));
        tokio::time::advance(Duration::from_secs(3600)).await;
        let recorded = (0..1000).filter(|_| failures.take(Instant::now()).is_some()).count();
        assert_eq!(recorded, 100, "rest gives no more than a burst");
    }
}
