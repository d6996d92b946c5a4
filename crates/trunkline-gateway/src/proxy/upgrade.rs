//! Upgrades: exec, attach, port-forward. Bytes both ways once the cluster said 101, and not one before.
//!
//! The stream of an upgrade is its own and dies with it, whatever the answer (CVE-2018-1002105: a refused upgrade
//! left a privileged pipe; CVE-2026-2833: bytes after the request were passed on before the 101).

use std::convert::Infallible;

use http::{HeaderValue, Method, Request, Response, Version, header};
use http_body::Body as _;
use http_body_util::BodyExt as _;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tracing::error;
use trunkline_audit::{Protocol, Recording, Tap};
use trunkline_proto::headers::answer_fields;
use trunkline_runtime::{Body, Broken, Copied, copy_both_ways, empty, full};

use super::answer::{BULK_AFTER, BULK_BYTES};
use super::farewell::Followed;
use super::recording::cut_by;
use super::{Way, refused_answer};
use crate::access_log::Entry;
use crate::fair::{Paced, Share};
use crate::refusal::Refusal;
use crate::route::Route;
use crate::tunnels::Tunnels;
use crate::under_way::Cut;

/// What may be upgraded to.
const TOKENS: &[&str] = &["websocket", "SPDY/3.1"];
/// The longest body of an answer that declines an upgrade, in bytes.
const DECLINED: usize = 64 * 1024;

/// What is joined to the cluster's end.
pub(super) struct Ends {
    pub(super) below: OnUpgrade,
    pub(super) way: Way,
    pub(super) recording: Option<(Recording, Protocol)>,
}

/// The upgrade a request asks for, if any.
pub(super) fn asked(request: &Request<Body>) -> Result<Option<HeaderValue>, Refusal> {
    let Some(token) = request.headers().get(header::UPGRADE) else { return Ok(None) };
    let no = |why: &str| Err(Refusal::BadUpgrade { why: why.into() });
    if request.version() != Version::HTTP_11 {
        return no("only HTTP/1.1 connections are upgraded");
    }
    let connection = request.headers().get_all(header::CONNECTION);
    let says_so = connection.iter().any(|value| {
        value.to_str().is_ok_and(|text| text.split(',').any(|t| t.trim().eq_ignore_ascii_case("upgrade")))
    });
    if !says_so {
        return no("there is Upgrade without Connection: upgrade");
    }
    if request.method() != Method::GET && request.method() != Method::POST {
        return no("only GET and POST are upgraded");
    }
    let known = TOKENS.iter().any(|known| token.as_bytes().eq_ignore_ascii_case(known.as_bytes()));
    if !known {
        return no("only websocket and SPDY/3.1 are carried");
    }
    Ok(Some(token.clone()))
}

/// The cluster said 101: passes it on and joins the two ends.
pub(super) fn join(
    tunnels: &Tunnels,
    mut response: Response<Body>,
    token: &HeaderValue,
    ends: Ends,
    mut entry: Box<Entry>,
    route: &Route,
) -> Result<Response<Body>, (Refusal, Box<Entry>)> {
    let got = response.headers().get(header::UPGRADE);
    if !got.is_some_and(|got| got.as_bytes().eq_ignore_ascii_case(token.as_bytes())) {
        return Err((refused_answer(route, "it switched to another protocol than was asked for"), entry));
    }
    let mut answer = Response::new(empty());
    *answer.status_mut() = response.status();
    *answer.headers_mut() = answer_fields(response.headers());
    answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    answer.headers_mut().insert(header::UPGRADE, token.clone());
    let above = hyper::upgrade::on(&mut response);
    let head = answer.headers().clone();
    entry.status = answer.status().as_u16();
    entry.reason = "";
    let family = tunnels.tasks();
    let tunnels = tunnels.clone();
    family.spawn_until_stopped(async move {
        // Held to the end: it counts the exchange as in flight on its session.
        let _response = response;
        let Ends { below, way, recording } = ends;
        let mut joined = Joined { entry, copied: Copied::default() };
        joined.entry.reason = "UpgradeLost";
        let (Ok(below), Ok(above)) = tokio::join!(below, above) else { return };
        let (below, above) = (TokioIo::new(below), TokioIo::new(above));
        // Said ahead, for the case that the gateway's own end cuts this task.
        joined.entry.reason = "Shutdown";
        let Some((recording, protocol)) = recording else {
            let mut below = Followed::new(below, &head);
            if let Some(cut) = joined.carry(&mut below, above, &way, &tunnels).await {
                below.say_farewell(cut.reason, &cut.why).await;
            }
            return;
        };
        let mut below = Followed::new(Tap::new(below, protocol, recording.clone()), &head);
        let cut = joined.carry(&mut below, above, &way, &tunnels).await;
        let cut = cut.or_else(|| cut_by(&recording));
        if let Some(cut) = cut {
            joined.entry.reason = cut.reason;
            below.map(Tap::into_inner).say_farewell(cut.reason, &cut.why).await;
        }
        match recording.finish().await {
            Ok(recorded) => joined.entry.recorded_as(recorded),
            Err(fault) => {
                error!(request = %joined.entry.request, %fault, "the recording of a session is not whole")
            }
        }
    });
    Ok(answer)
}

impl Joined {
    /// Carries bytes both ways until one end goes or the client is no longer to be served. Why it was cut, if it was.
    async fn carry<T: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        below: &mut Followed<T>,
        above: TokioIo<Upgraded>,
        way: &Way,
        tunnels: &Tunnels,
    ) -> Option<Cut> {
        let leave = self.entry.leave();
        let above = Paced::new(above, self.entry.share.as_ref().and_then(Share::pace));
        let copying = copy_both_ways(below, above, &self.copied);
        let ended = tokio::select! {
            biased;
            cut = leave => Err(cut),
            ended = copying => Ok(ended),
            never = watch_for_bulk(way, tunnels, &self.copied) => match never {},
        };
        let (cut, ended) = match ended {
            Err(cut) => (Some(cut), Ok(())),
            Ok(Err(broken @ Broken::Second(_))) => {
                let lost = || Cut::new("CutOff", "the tunnel to the cluster broke");
                (Some(way.cut().unwrap_or_else(lost)), Err(broken))
            }
            Ok(ended) => (None, ended),
        };
        self.entry.reason = match (&cut, ended) {
            (Some(cut), _) => cut.reason,
            (None, Err(_)) => "ClientGone",
            (None, Ok(())) => "",
        };
        cut
    }
}

/// An upgrade's entry; its line is written with the bytes that went, however the upgrade ends.
struct Joined {
    entry: Box<Entry>,
    copied: Copied,
}

impl Drop for Joined {
    fn drop(&mut self) {
        self.entry.received = self.copied.forth();
        self.entry.sent = self.copied.back();
    }
}

/// Says that an upgrade carries bulk, once it does. Never returns.
async fn watch_for_bulk(way: &Way, tunnels: &Tunnels, copied: &Copied) -> Infallible {
    if let Way::Tunnel(live) = way {
        while copied.forth() + copied.back() < BULK_BYTES {
            tokio::time::sleep(BULK_AFTER).await;
        }
        let _bulk = tunnels.mark_bulk(live);
        return std::future::pending().await;
    }
    std::future::pending().await
}

/// The cluster did not switch: its answer is passed on, bounded, and the connection not used again.
pub(super) async fn declined(
    response: Response<Body>,
    mut entry: Box<Entry>,
    route: &Route,
) -> Result<Response<Body>, (Refusal, Box<Entry>)> {
    let (parts, mut body) = response.into_parts();
    if route.is_for_pages()
        && let Err(refusal) = super::answer::fit_for_pages(&parts.headers, body.is_end_stream(), route)
    {
        return Err((refusal, entry));
    }
    let mut whole = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            return Err((refused_answer(route, "it broke off while declining an upgrade"), entry));
        };
        if let Some(data) = frame.data_ref() {
            let room = DECLINED.saturating_sub(whole.len());
            whole.extend_from_slice(&data[..data.len().min(room)]);
            if data.len() >= room {
                break;
            }
        }
    }
    entry.status = parts.status.as_u16();
    entry.reason = "UpgradeDeclined";
    entry.sent = whole.len() as u64;
    let mut answer = Response::new(full(whole));
    *answer.status_mut() = parts.status;
    *answer.headers_mut() = answer_fields(&parts.headers);
    answer.headers_mut().remove(header::CONTENT_LENGTH);
    answer.headers_mut().remove(header::LOCATION);
    answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    super::answer::harden(answer.headers_mut());
    Ok(answer)
}
