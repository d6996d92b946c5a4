//! Exactly one line per request, when its last byte has gone.
//!
//! The [`Entry`] travels with the request, then with its answer's body or its upgrade; dropping it writes the line.
//! Query strings are left out, and of a path what is behind `/proxy/`: there stands an application, that may have secrets in
//! its links.

use std::net::SocketAddr;
use std::time::Instant;

use http::{Method, Version};
use tokio::sync::OwnedSemaphorePermit;
use tracing::info;
use trunkline_proto::{ClusterId, RequestId};

use crate::activity::Active;
use crate::metrics::{Metrics, RequestLabels};
use crate::route::Kind;

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
    pub(crate) user: String,
    pub(crate) cluster: Option<ClusterId>,
    pub(crate) kind: Kind,
    pub(crate) status: u16,
    /// Why it was refused, or why it ended early.
    pub(crate) reason: &'static str,
    pub(crate) received: u64,
    pub(crate) sent: u64,
    /// What lasts as long as the request.
    held: Option<(Active, Option<OwnedSemaphorePermit>)>,
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
            user: String::new(),
            cluster: None,
            kind: Kind::Ordinary,
            status: 0,
            // What stands here when nobody says more: the client left before an answer.
            reason: "ClientGone",
            received: 0,
            sent: 0,
            held: None,
        }
    }

    /// Keeps what must last as long as the request: its mark on the connection, and its share of all that may be under
    /// way.
    pub(crate) fn hold(&mut self, active: Active, place: Option<OwnedSemaphorePermit>) {
        self.held = Some((active, place));
    }
}

/// As much of a path as is written down.
fn shown(path: &str) -> String {
    let end = path.find(APPLICATION).map_or(path.len(), |at| at + APPLICATION.len());
    path[..end].chars().take(512).collect()
}

impl Drop for Entry {
    fn drop(&mut self) {
        let cluster = self.cluster.as_ref().map_or("", ClusterId::as_str);
        self.metrics.requests_open.dec();
        let labels = RequestLabels { status: self.status, reason: self.reason };
        self.metrics.requests.get_or_create(&labels).inc();
        info!(
            target: "access",
            request = %self.request,
            from = %self.from,
            user = self.user,
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
