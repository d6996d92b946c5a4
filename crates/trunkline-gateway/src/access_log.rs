//! Exactly one line per request, when its last byte has gone.
//!
//! The [`Entry`] travels with the request, then with its answer's body or its upgrade; dropping it writes the line.
//! Query strings are left out, and of a path what is behind `/proxy/`: there stands an application, that may have secrets in
//! its links.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use http::{Method, Version};
use tokio::sync::OwnedSemaphorePermit;
use tracing::info;
use trunkline_api::AuditRecording;
use trunkline_proto::{ClusterId, RequestId};

use crate::activity::Active;
use crate::audited::Ending;
use crate::authn::Principal;
use crate::fair::Share;
use crate::metrics::{Metrics, RequestLabels};
use crate::route::Kind;
use crate::under_way::{Cut, Leave, Stay};

/// The sub-resource behind which paths are an application's.
const APPLICATION: &str = "/proxy/";

/// What the line says. Dropping it writes the line.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) request: RequestId,
    began: Instant,
    pub(crate) from: SocketAddr,
    method: Method,
    protocol: Version,
    path: String,
    metrics: Metrics,
    /// Who asks, once that is known.
    who: Option<Arc<Principal>>,
    pub(crate) cluster: Option<ClusterId>,
    pub(crate) kind: Kind,
    pub(crate) status: u16,
    /// Why it was refused, or why it ended early.
    pub(crate) reason: &'static str,
    pub(crate) received: u64,
    pub(crate) sent: u64,
    /// What lasts as long as the request.
    held: Option<(Active, Option<OwnedSemaphorePermit>)>,
    /// Its place among what is under way, once it was let in.
    stay: Option<Stay>,
    /// What its end is told to the audit log with, once it was decided on.
    ending: Option<Ending>,
    /// What it has of its user's and its cluster's share.
    pub(crate) share: Option<Share>,
}

impl Entry {
    pub(crate) fn new(
        request: RequestId,
        from: SocketAddr,
        head: &http::request::Parts,
        metrics: Metrics,
    ) -> Self {
        metrics.requests_open.inc();
        Self {
            request,
            began: Instant::now(),
            from,
            method: head.method.clone(),
            protocol: head.version,
            path: shown(head.uri.path()),
            metrics,
            who: None,
            cluster: None,
            kind: Kind::Ordinary,
            status: 0,
            // What stands here when nobody says more: the client left before an answer.
            reason: "ClientGone",
            received: 0,
            sent: 0,
            held: None,
            stay: None,
            ending: None,
            share: None,
        }
    }

    /// Notes who asks.
    pub(crate) fn asked_by(&mut self, principal: &Arc<Principal>) {
        self.who = Some(principal.clone());
    }

    /// The user who asks; empty as long as that is not known.
    pub(crate) fn user(&self) -> &str {
        self.who.as_ref().map_or("", |who| &who.user)
    }

    /// Notes that it was let in and is under way.
    pub(crate) fn enter(&mut self, stay: Stay) {
        self.stay = Some(stay);
    }

    /// Has its end told to the audit log as well.
    pub(crate) fn ends_in_audit(&mut self, ending: Ending) {
        self.ending = Some(ending);
    }

    /// Has the audit log know what was recorded of it.
    pub(crate) fn recorded_as(&mut self, recording: AuditRecording) {
        if let Some(ending) = &mut self.ending {
            ending.recording = Some(recording);
        }
    }

    /// How to learn that it is cut, for whoever has the answer; none if it was not let in.
    pub(crate) fn farewell(&self) -> Option<Leave> {
        self.stay.as_ref().map(Stay::leave)
    }

    /// Notes that it ended before its time, by what befell the way to its cluster.
    pub(crate) fn was_cut(&self, cut: Cut) {
        if let Some(stay) = &self.stay {
            stay.subject().cut(cut);
        }
    }

    /// Returns when it is to end before its time, and why. What was not let in is not cut.
    pub(crate) fn leave(&self) -> impl Future<Output = Cut> + Send + use<> {
        let leave = self.farewell();
        async move {
            match leave {
                Some(leave) => leave.told().await,
                None => std::future::pending().await,
            }
        }
    }

    /// Keeps what must last as long as the request: its mark on the connection, and its share of all that may be under
    /// way.
    pub(crate) fn hold(&mut self, active: Active, place: Option<OwnedSemaphorePermit>) {
        self.held = Some((active, place));
    }
}

/// As much of a path as is written down.
pub(crate) fn shown(path: &str) -> String {
    let end = path.find(APPLICATION).map_or(path.len(), |at| at + APPLICATION.len());
    path[..end].chars().take(512).collect()
}

impl Drop for Entry {
    fn drop(&mut self) {
        if let Some(ending) = self.ending.take() {
            ending.tell(self, self.began.elapsed());
        }
        let cluster = self.cluster.as_ref().map_or("", ClusterId::as_str);
        let who = self.who.as_deref();
        let errand = self.stay.as_ref().and_then(|stay| stay.subject().errand.as_ref());
        self.metrics.requests_open.dec();
        let labels = RequestLabels { status: self.status, reason: self.reason };
        self.metrics.requests.get_or_create(&labels).inc();
        info!(
            target: "access",
            request = %self.request,
            from = %self.from,
            user = self.user(),
            how = who.map(|who| who.how.to_string()).unwrap_or_default(),
            session = who.map_or("", |who| who.session.as_str()),
            rule = errand.map_or("", |errand| &errand.rule),
            cluster,
            method = %self.method,
            path = self.path,
            protocol = ?self.protocol,
            kind = self.kind.as_str(),
            status = self.status,
            reason = self.reason,
            received = self.received,
            sent = self.sent,
            ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX),
        );
    }
}
