//! What holds beside for requests that pages of the Manager make to clusters, where a browser's session counts.
//!
//! What a cluster answers there comes from the gateway's own origin, with a session of somebody who may be an admin. So it
//! must be nothing that a browser would run: `proxy/answer.rs` lets JSON and plain text through, and here stands what no
//! page may ask for, and what every answer carries. A terminal, whose bytes a browser does not run, takes a ticket.
//!
//! Invariant: nothing here lets anything in; the phases that follow are those of every request.

use http::{HeaderValue, Response, StatusCode, header};
use trunkline_runtime::Body;

use super::admission::is_websocket;
use super::{Front, Head};
use crate::authn::{Place, Principal, websocket_protocol};
use crate::authz::Action;
use crate::refusal::Refusal;
use crate::rest;
use crate::route::Route;

/// A ticket among the protocols of a WebSocket.
const TICKET: &str = "trunkline.ticket.";

/// What a request may show, by where it goes. One that leads nowhere is refused whatever it shows.
pub(super) fn place(head: &Head, route: &Result<Route, Refusal>) -> Place {
    match route {
        Ok(route) if route.is_for_pages() => Place::Pages,
        Err(_) if rest::serves(head.uri.path()) => Place::Pages,
        _ => Place::Kubernetes,
    }
}

impl Front {
    /// Whether a page may ask for that at all.
    pub(super) fn may_a_page(
        &self,
        head: &Head,
        principal: &Principal,
        route: &Route,
        action: &Action,
    ) -> Result<(), Refusal> {
        if !route.is_for_pages() || !action.connects {
            return Ok(());
        }
        if !action.is_interactive() || !is_websocket(head) {
            let why = format!(
                "pages do not {} here: what an application answers behind /proxy/ is not for this origin, and a terminal is a \
                 WebSocket; other clients come by /clusters/{}/",
                action.told(),
                route.cluster
            );
            return Err(Refusal::AccessDenied { why });
        }
        let ticket = websocket_protocol(&head.headers, TICKET).unwrap_or_default();
        if self.tickets.redeem(ticket, principal, &route.cluster, route.path.as_str()) {
            return Ok(());
        }
        let why = format!(
            "a terminal needs a ticket ({TICKET}<ticket> among the WebSocket's protocols) that is not used or older than 30 s, and is \
             for just this sign-in, cluster, path and query; get one from /trunkline/v1/clusters/{}/tickets",
            route.cluster
        );
        Err(Refusal::AccessDenied { why })
    }
}

/// Has no browser keep, guess or run an answer.
pub(super) fn seal(response: &mut Response<Body>) {
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        return;
    }
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, "sandbox"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
}
