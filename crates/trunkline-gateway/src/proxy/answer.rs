//! A cluster's answer on its way to the client: fields looked through, body streamed, the end noted.
//!
//! A cluster is an untrusted tenant: what it answers must not speak for the gateway's origin, and not send the
//! client elsewhere (CVE-2022-3172).

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use http_body::{Body as _, Frame, SizeHint};
use tokio::time::Instant;
use trunkline_proto::Status;
use trunkline_proto::headers::answer_fields;
use trunkline_proto::path::read_path;
use trunkline_runtime::{Body, BodyError, boxed};

use super::{Received, Way, paced, refused_answer};
use crate::access_log::Entry;
use crate::refusal::Refusal;
use crate::route::{Kind, Route};
use crate::tunnels::{Bulk, Tunnels};
use crate::under_way::Cut;

/// How long an answer must last and how many bytes it must have brought to count as bulk.
pub(super) const BULK_AFTER: Duration = Duration::from_secs(1);
pub(super) const BULK_BYTES: u64 = 4 * 1024 * 1024;

/// Passes an ordinary answer on.
pub(super) fn pass_on(
    response: Response<Body>,
    route: &Route,
    way: Way,
    tunnels: &Tunnels,
    mut entry: Box<Entry>,
    received: Arc<Received>,
) -> Result<Response<Body>, (Refusal, Box<Entry>)> {
    let (parts, body) = response.into_parts();
    let mut headers = answer_fields(&parts.headers);
    if let Err(refusal) = keep_inside(parts.status, &mut headers, route) {
        return Err((refusal, entry));
    }
    if route.is_for_pages()
        && let Err(refusal) = fit_for_pages(&headers, body.is_end_stream(), route)
    {
        return Err((refusal, entry));
    }
    harden(&mut headers);
    entry.status = parts.status.as_u16();
    // Stands until the body's end says otherwise.
    entry.reason = "ClientGone";
    let json = headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    let (farewell, leave) = (entry.farewell(), Box::pin(entry.leave()));
    let outward = Outward {
        body: paced(body, &entry),
        leave,
        watch: route.kind == Kind::Watch && json && parts.status == StatusCode::OK,
        between_events: true,
        began: Instant::now(),
        bulk: None,
        way,
        tunnels: tunnels.clone(),
        received,
        ended: false,
        entry,
    };
    let mut answer = Response::new(boxed(outward));
    *answer.status_mut() = parts.status;
    *answer.headers_mut() = headers;
    if let Some(farewell) = farewell {
        answer.extensions_mut().insert(farewell);
    }
    Ok(answer)
}

/// What every answer of a cluster carries.
pub(super) fn harden(headers: &mut HeaderMap) {
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox"));
}

/// A page is given JSON and plain text, which no browser runs, and nothing else.
pub(super) fn fit_for_pages(headers: &HeaderMap, empty: bool, route: &Route) -> Result<(), Refusal> {
    let mut kinds = headers.get_all(header::CONTENT_TYPE).iter();
    let kind = match (kinds.next(), kinds.next()) {
        (None, _) if empty => return Ok(()),
        (Some(kind), None) => kind.to_str().unwrap_or("?"),
        (None, _) => "?",
        (Some(_), Some(_)) => "two",
    };
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if ["application/json", "text/plain"].iter().any(|fit| essence.eq_ignore_ascii_case(fit)) {
        return Ok(());
    }
    let essence: String = essence.chars().take(64).collect();
    Err(refused_answer(
        route,
        format!("its content type is {essence:?}, and pages get JSON and plain text only"),
    ))
}

/// A redirect may only lead to a path of the same cluster; one addressed by path gets its prefix back.
pub(crate) fn keep_inside(status: StatusCode, headers: &mut HeaderMap, route: &Route) -> Result<(), Refusal> {
    let locations = headers.get_all(header::LOCATION).iter().count();
    let Some(location) = headers.get(header::LOCATION) else { return Ok(()) };
    if !status.is_redirection() {
        headers.remove(header::LOCATION);
        return Ok(());
    }
    let text = location.to_str().unwrap_or_default();
    // Read by the rules for requests: what a browser could climb out by (`..`, `%2e%2e`, `//`) is no path.
    let path = text.split(['?', '#']).next().unwrap_or_default();
    if locations > 1 || text.contains(['\\', '\t', ' ']) || read_path(path).is_err() {
        return Err(refused_answer(route, "it redirects out of the cluster"));
    }
    if let Some(prefix) = route.prefix() {
        match HeaderValue::try_from(format!("{prefix}{text}")) {
            Ok(value) => headers.insert(header::LOCATION, value),
            Err(_) => return Err(refused_answer(route, "its redirect does not parse")),
        };
    }
    Ok(())
}

/// A cluster's body on its way to the client. Carries the access-log entry to the end.
struct Outward {
    body: Body,
    /// Returns when the client is no longer to be served.
    leave: Pin<Box<dyn Future<Output = Cut> + Send>>,
    /// Whether a break can be told in a last event.
    watch: bool,
    /// Whether the last event that went out was whole.
    between_events: bool,
    began: Instant,
    bulk: Option<Bulk>,
    way: Way,
    tunnels: Tunnels,
    received: Arc<Received>,
    ended: bool,
    entry: Box<Entry>,
}

impl Outward {
    fn note(&mut self, bytes: usize) {
        self.entry.sent += bytes as u64;
        if self.bulk.is_none()
            && self.entry.sent >= BULK_BYTES
            && let Way::Tunnel(live) = &self.way
            && self.began.elapsed() >= BULK_AFTER
        {
            self.bulk = Some(self.tunnels.mark_bulk(live));
        }
    }

    fn end(&mut self, reason: &'static str) {
        self.ended = true;
        self.entry.reason = reason;
        self.entry.received = self.received.bytes();
    }

    /// The right to it is gone.
    fn cut(&mut self, cut: &Cut) -> Option<Result<Frame<Bytes>, BodyError>> {
        self.end(cut.reason);
        if self.watch && self.between_events {
            return Some(Ok(ended_event(cut)));
        }
        // A body that is cut must not look whole.
        Some(Err(BodyError::new(std::io::Error::other(cut.why.clone()))))
    }

    /// The cluster broke off in the middle.
    fn broke(&mut self, error: BodyError) -> Option<Result<Frame<Bytes>, BodyError>> {
        let cut = self.way.cut();
        self.end(cut.as_ref().map_or("CutOff", |cut| cut.reason));
        let lost = || Cut::new("TunnelLost", format!("the tunnel to the cluster broke: {error}"));
        self.entry.was_cut(cut.clone().unwrap_or_else(lost));
        if !self.watch || !self.between_events {
            return Some(Err(error));
        }
        if let Some(cut) = cut {
            return Some(Ok(ended_event(&cut)));
        }
        // A watch's client reads events: the reason is one, and the end is clean, so that it resumes.
        let status = Status::failure(
            StatusCode::GATEWAY_TIMEOUT,
            "TunnelLost",
            format!(
                "trunkline gateway: the watch was cut off: {error}; watch again from the last resourceVersion"
            ),
        );
        Some(Ok(Frame::data(status.to_watch_event().into())))
    }
}

/// The last event of a watch that was ended on purpose.
fn ended_event(cut: &Cut) -> Frame<Bytes> {
    let message = format!("trunkline gateway: the watch was ended: {}", cut.why);
    let status = Status::failure(StatusCode::FORBIDDEN, cut.reason, message);
    Frame::data(status.to_watch_event().into())
}

impl http_body::Body for Outward {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        if let Poll::Ready(cut) = self.leave.as_mut().poll(cx) {
            return Poll::Ready(self.cut(&cut));
        }
        loop {
            return Poll::Ready(match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                Some(Ok(frame)) => {
                    let Ok(data) = frame.into_data() else { continue };
                    self.note(data.len());
                    self.between_events = data.last().map_or(self.between_events, |last| *last == b'\n');
                    if self.body.is_end_stream() {
                        self.end("");
                    }
                    Some(Ok(Frame::data(data)))
                }
                Some(Err(error)) => self.broke(error),
                None => {
                    self.end("");
                    None
                }
            });
        }
    }

    fn is_end_stream(&self) -> bool {
        self.ended || self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Outward {
    fn drop(&mut self) {
        // A body without bytes is never polled.
        if !self.ended && self.body.is_end_stream() {
            self.end("");
        }
        self.entry.received = self.received.bytes();
    }
}
