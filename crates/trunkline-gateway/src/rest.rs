//! The REST API under `/trunkline/v1`: everything that the command line and the Manager do goes through it.
//!
//! ```text
//! front ── look the head over ── who ── body ── route ── registry, tunnels, papers
//!          front/http_service     │     here    document.rs
//!                                 └ read.rs: Reader, Viewer, Admin
//! ```
//!
//! What should be is the registry's, what is seen the tunnels'; a change is an order to the registry, and what follows
//! from it follows from the registry's change. A no is a [`problem`].
//!
//! Invariants:
//! - a request that names a cluster by host or header is the cluster's, whatever its path;
//! - no answer is kept by anybody in between, and none is rendered by a browser;
//! - a body is read whole before a route sees it, and is at most [`MAX_BODY`] long;
//! - one line of the access log for each request, when its last byte has gone.

mod access;
mod audit;
pub(crate) mod auth;
mod board;
mod clusters;
mod document;
mod gateway;
mod hops;
mod list;
mod logs;
mod management;
mod pki;
mod problem;
mod reach;
mod read;
mod register;
mod sessions;
mod tickets;
mod view;
mod watch;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::Router;
use axum::body::Body as RouteBody;
use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, header};
use http_body::{Body as _, Frame, SizeHint};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;
use tracing::debug;
use trunkline_api::{BASE, ProblemReason};
use trunkline_runtime::{Body, BodyError, Tasks, boxed, limited};
use trunkline_upstream::Upstream;

use crate::access_log::Entry;
use crate::audited::Audited;
use crate::authn::{Authn, Principal};
use crate::authz::{Access, Confirmations};
use crate::enrolment::Enrolment;
use crate::fleet::Fleet;
use crate::logs::Logs;
use crate::metrics::Metrics;
use crate::refusal::Refusal;
use crate::route::Kind;
use crate::tickets::Tickets;
use crate::tunnels::Tunnels;
use crate::under_way::{Cut, UnderWay};
use board::Board;
pub(crate) use gateway::About;
use management::Management;
use problem::No;
use read::Asker;
use view::View;
pub(crate) use watch::EVENT_STREAM;
use watch::Watches;

/// The longest body of a request, in bytes.
const MAX_BODY: usize = 64 * 1024;
/// How long a body may take to come.
const BODY_DEADLINE: Duration = Duration::from_secs(10);

/// The REST API. Clones share it.
#[derive(Clone)]
pub(crate) struct Rest {
    router: Router,
    access: Access,
}

/// What the REST API looks at and orders.
pub(crate) struct RestParts {
    pub(crate) fleet: Fleet,
    pub(crate) tunnels: Tunnels,
    pub(crate) enrolment: Enrolment,
    pub(crate) authn: Authn,
    pub(crate) management: Option<Upstream>,
    pub(crate) about: About,
    pub(crate) metrics: Metrics,
    pub(crate) tasks: Tasks,
    pub(crate) draining: CancellationToken,
    pub(crate) under_way: UnderWay,
    pub(crate) confirmations: Confirmations,
    pub(crate) tickets: Tickets,
    pub(crate) audited: Audited,
    /// None when this gateway keeps no logs.
    pub(crate) logs: Option<Logs>,
}

/// What every route is given.
#[derive(Clone)]
struct Shared {
    view: View,
    enrolment: Enrolment,
    authn: Authn,
    watches: Watches,
    under_way: UnderWay,
    confirmations: Confirmations,
    tickets: Tickets,
    audited: Audited,
    about: Arc<About>,
    metrics: Metrics,
    /// The OpenAPI document.
    document: Bytes,
    audit: audit::Desk,
    logs: logs::Desk,
}

/// Whether a path is of the REST API, unless the request names a cluster.
pub(crate) fn serves(path: &str) -> bool {
    path.strip_prefix(BASE).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

impl Rest {
    pub(crate) fn new(parts: RestParts) -> Self {
        let RestParts { fleet, tunnels, enrolment, authn, management, about, metrics, tasks, .. } = parts;
        let access = fleet.access.clone();
        let management = management.map(|upstream| Management::new(upstream, &tunnels, &tasks));
        let (doors, keeps_logs) = (about.tunnel.clone().into(), parts.logs.is_some());
        let view = View { fleet, tunnels, management, doors, keeps_logs };
        let audit = audit::Desk::new(view.fleet.audit.clone());
        let board = Board::new(view.clone(), tasks.clone());
        let shared = Shared {
            view,
            enrolment,
            authn,
            watches: Watches::new(board, tasks, parts.draining),
            under_way: parts.under_way,
            confirmations: parts.confirmations,
            tickets: parts.tickets,
            audited: parts.audited,
            about: Arc::new(about),
            metrics,
            document: document::json(),
            audit,
            logs: logs::Desk::new(parts.logs),
        };
        let router = document::routes()
            .into_iter()
            .fold(Router::new(), |router, (path, route)| router.route(path, route))
            .fallback(|| async {
                No::new(ProblemReason::NotFound, "nothing is served under this path; see docs/api.md")
            })
            .method_not_allowed_fallback(|| async {
                let detail = "the method does not fit the path; the field allow says which do";
                No::new(ProblemReason::MethodNotAllowed, detail)
            })
            .with_state(shared);
        Self { router, access }
    }

    /// Answers a request whose head was looked over.
    pub(crate) async fn answer(
        &self,
        request: Request<Body>,
        who: Option<Arc<Principal>>,
        mut entry: Box<Entry>,
    ) -> Response<Body> {
        let (mut parts, body) = request.into_parts();
        let rules = self.access.rules();
        // Of a stranger a body is read only where one comes to sign in, and a short one.
        let longest = match &who {
            Some(_) => MAX_BODY,
            None if auth::is_open(parts.uri.path()) => auth::MAX_STRANGE_BODY,
            None => 0,
        };
        parts.extensions.insert(Asker { who, request: entry.request, rules });
        let head = parts.method == Method::HEAD;
        let body = if longest > 0 { read(body, longest).await } else { Ok(Bytes::new()) };
        let response = match body {
            Ok(body) => {
                entry.received = body.len() as u64;
                let request = Request::from_parts(parts, RouteBody::from(body));
                match self.router.clone().oneshot(request).await {
                    Ok(response) => response,
                    Err(never) => match never {},
                }
            }
            Err(no) => axum::response::IntoResponse::into_response(no),
        };
        finish(response, head, entry)
    }

    /// Answers a request that is refused before it comes here.
    pub(crate) fn refuse(refusal: &Refusal, entry: Box<Entry>) -> Response<Body> {
        finish(axum::response::IntoResponse::into_response(No::from(refusal)), false, entry)
    }
}

async fn read(body: Body, longest: usize) -> Result<Bytes, No> {
    match tokio::time::timeout(BODY_DEADLINE, limited(body, longest)).await {
        Ok(Ok(Some(body))) => Ok(body),
        Ok(Ok(None)) => {
            let detail = format!("the body is longer than {} KiB", longest / 1024);
            Err(No::new(ProblemReason::TooLarge, detail))
        }
        Ok(Err(_)) => Err(No::invalid("the body broke off")),
        Err(_) => Err(No::invalid(format!("the body did not come within {} s", BODY_DEADLINE.as_secs()))),
    }
}

/// What every answer carries, and the entry that leaves with it.
fn finish(mut response: Response<RouteBody>, head: bool, mut entry: Box<Entry>) -> Response<Body> {
    if let Some(no) = response.extensions_mut().remove::<No>() {
        debug!(request = %entry.request, reason = no.word(), "refused");
        entry.reason = no.word();
        no.tell(&mut response, entry.request);
    }
    let (mut parts, body) = response.into_parts();
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'"),
    ] {
        parts.headers.insert(name, HeaderValue::from_static(value));
    }
    let kind = parts.headers.get(header::CONTENT_TYPE);
    if kind.is_some_and(|kind| kind == EVENT_STREAM) {
        entry.kind = Kind::Watch;
    }
    entry.status = parts.status.as_u16();
    let refused = parts.status.is_client_error() || parts.status.is_server_error();
    if let Some(leave) = entry.farewell() {
        parts.extensions.insert(leave);
    }
    let leave = Box::pin(entry.leave());
    let outward = Outward { body, leave, cut: false, refused, ended: head, entry };
    Response::from_parts(parts, boxed(outward))
}

/// An answer's body on its way to the client. Carries the access-log entry to the end.
struct Outward {
    body: RouteBody,
    /// Returns when the client is no longer to be served.
    leave: Pin<Box<dyn Future<Output = Cut> + Send>>,
    cut: bool,
    /// Whether the entry's reason says why the answer is a no; else it says how the body ended.
    refused: bool,
    ended: bool,
    entry: Box<Entry>,
}

impl http_body::Body for Outward {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        // What was cut is at its end.
        if self.cut {
            return Poll::Ready(None);
        }
        if let Poll::Ready(cut) = self.leave.as_mut().poll(cx) {
            self.cut = true;
            self.entry.reason = cut.reason;
            return Poll::Ready(None);
        }
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        match &frame {
            Some(Ok(frame)) => self.entry.sent += frame.data_ref().map_or(0, Bytes::len) as u64,
            Some(Err(_)) => {}
            None => self.ended = true,
        }
        Poll::Ready(frame.map(|frame| frame.map_err(BodyError::new)))
    }

    fn is_end_stream(&self) -> bool {
        self.cut || self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Outward {
    fn drop(&mut self) {
        // Until here it says that the client left.
        if !self.refused && !self.cut && (self.ended || self.body.is_end_stream()) {
            self.entry.reason = "";
        }
    }
}

#[cfg(test)]
mod tests;
