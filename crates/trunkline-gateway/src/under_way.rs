//! What clients have under way, by whom and by which right, so that it ends when the right does.
//!
//! ```text
//! front ── authn ── authz ── begin ──► Stay, in the access-log entry, to the last byte
//!                                        ▲ cut
//!          rules, sessions, clocks ── review
//! ```
//!
//! A watch or an exec outlives the token and the rule that it began with (CVE-2023-40025, CVE-2024-41666; a watch of an
//! API server is authenticated only when it starts). So every request is entered here with the principal and the decision
//! it stands on, and [`review`] looks again: at once when a rule, a cluster or a session changes, each second at the
//! clock.
//!
//! Invariants:
//! - a request is here from before its first byte goes up until its last byte has gone down;
//! - who is cut is told why, in the way that the protocol has for it;
//! - nothing that was cut can be begun again by the same right: what begins is decided by the same rules.

mod review;
mod seen;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use trunkline_pki::Serial;
use trunkline_proto::headers::ActAs;
use trunkline_proto::{ClusterId, Identity, RequestId};

use crate::authn::{Claimed, Principal};
use crate::authz::Action;
use crate::route::Kind;

pub(crate) use review::{Review, session_ended};
pub(crate) use seen::{Seen, SeenSessions};

/// All that is under way. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct UnderWay {
    stays: Arc<Mutex<HashMap<RequestId, Arc<Subject>>>>,
    /// The user sessions that were seen lately.
    pub(crate) sessions: SeenSessions,
}

/// A request under way, with all that it stands on.
#[derive(Debug)]
pub(crate) struct Subject {
    pub(crate) request: RequestId,
    pub(crate) since: Timestamp,
    pub(crate) principal: Arc<Principal>,
    /// The certificate that was shown, where that is the proof.
    pub(crate) serial: Option<Serial>,
    pub(crate) kind: Kind,
    /// What it does where; none for a request to the gateway itself.
    pub(crate) errand: Option<Errand>,
    leave: CancellationToken,
    cut: OnceLock<Cut>,
}

/// What a request does in a cluster, and by which decision.
#[derive(Clone, Debug)]
pub(crate) struct Errand {
    pub(crate) cluster: ClusterId,
    pub(crate) action: Action,
    pub(crate) act_as: Option<ActAs>,
    /// The rule that let it in.
    pub(crate) rule: String,
    /// As whom it goes on.
    pub(crate) identity: Identity,
    /// What the token says that goes through to the cluster, where one does.
    pub(crate) passed: Option<Claimed>,
    /// Whether it was confirmed that the cluster is to be changed.
    pub(crate) confirmed: bool,
    /// Whether it is recorded.
    pub(crate) recorded: bool,
}

/// Why somebody was cut: a word for programs, and a text for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cut {
    pub(crate) reason: &'static str,
    pub(crate) why: String,
}

impl Cut {
    pub(crate) fn new(reason: &'static str, why: impl Into<String>) -> Self {
        Self { reason, why: why.into() }
    }
}

/// A place among what is under way; it is left when this is dropped.
#[derive(Debug)]
pub(crate) struct Stay {
    subject: Arc<Subject>,
    stays: Arc<Mutex<HashMap<RequestId, Arc<Subject>>>>,
}

/// How to learn that one is cut. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Leave(Arc<Subject>);

impl UnderWay {
    /// Enters a request.
    pub(crate) fn begin(
        &self,
        request: RequestId,
        principal: Arc<Principal>,
        serial: Option<Serial>,
        kind: Kind,
        errand: Option<Errand>,
    ) -> Stay {
        let subject = Arc::new(Subject {
            request,
            since: Timestamp::now(),
            principal,
            serial,
            kind,
            errand,
            leave: CancellationToken::new(),
            cut: OnceLock::new(),
        });
        self.lock().insert(request, subject.clone());
        Stay { subject, stays: self.stays.clone() }
    }

    /// All that is under way now.
    pub(crate) fn all(&self) -> Vec<Arc<Subject>> {
        self.lock().values().cloned().collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<RequestId, Arc<Subject>>> {
        self.stays.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Subject {
    /// Ends it, for this reason; the first reason counts.
    pub(crate) fn cut(&self, cut: Cut) {
        if self.cut.set(cut).is_ok() {
            self.leave.cancel();
        }
    }
}

impl Stay {
    /// What it is.
    pub(crate) fn subject(&self) -> &Arc<Subject> {
        &self.subject
    }

    /// How to learn that one is cut.
    pub(crate) fn leave(&self) -> Leave {
        Leave(self.subject.clone())
    }
}

impl Drop for Stay {
    fn drop(&mut self) {
        self.stays.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.subject.request);
    }
}

impl Leave {
    /// Why one was cut, if one was.
    pub(crate) fn why(&self) -> Option<Cut> {
        self.0.cut.get().cloned()
    }

    /// Returns when one is cut, and why.
    pub(crate) async fn told(self) -> Cut {
        self.0.leave.cancelled().await;
        // Cancelled only once it is set.
        self.why().unwrap_or_else(|| Cut::new("Shutdown", "the gateway ended it"))
    }
}

#[cfg(test)]
mod tests;
