//! One request through its phases, in the order of the folder; each can refuse in one way.

use std::sync::Arc;

use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use jiff::Timestamp;
use tracing::{debug, warn};
use trunkline_proto::headers::{HeadFault, asked_to_act_as, inspect};
use trunkline_proto::{ClusterToken, RequestId};
use trunkline_runtime::Body;

use super::{Caller, Front, Head, live, pages};
use crate::access_log::Entry;
use crate::authn::{Place, Principal};
use crate::refusal::Refusal;
use crate::rest::{self, Rest, auth};
use crate::route::{Kind, Names, Route, route};
use crate::ui;
use crate::under_way::session_ended;

impl Front {
    /// Answers one request. Whatever happens, one access-log line comes of it.
    pub(super) async fn answer(&self, request: Request<Body>, caller: &Arc<Caller>) -> Response<Body> {
        let id = RequestId::random();
        let (head, body) = request.into_parts();
        let place = self.requests.clone().try_acquire_owned().ok();
        let overloaded = place.is_none();
        let mut entry = Box::new(Entry::new(id, caller.from, &head, self.metrics.clone()));
        entry.hold(caller.activity.begin(), place);
        let route = self.route(&head, caller);
        // What names a cluster is the cluster's, whatever its path.
        let (rest, ui) = (rest::serves(head.uri.path()), ui::serves(&head));
        if (rest || ui) && matches!(route, Err(Refusal::NoCluster)) {
            if rest {
                return self.answer_rest((head, body), caller, entry, overloaded).await;
            }
            if !overloaded {
                caller.got_a_file();
                return ui::answer(&head, entry);
            }
        }
        let place = pages::place(&head, &route);
        let route = if overloaded { Err(Refusal::Overloaded) } else { route };
        let mut response = self.answer_for_cluster((head, body), caller, (route, place), entry).await;
        if place == Place::Pages {
            pages::seal(&mut response);
        }
        response
    }

    /// Answers one request to a cluster.
    async fn answer_for_cluster(
        &self,
        (head, body): (Head, Body),
        caller: &Caller,
        (route, place): (Result<Route, Refusal>, Place),
        mut entry: Box<Entry>,
    ) -> Response<Body> {
        let discovery = place == Place::Kubernetes && is_discovery(&head);
        if let Err(refusal @ Refusal::Overloaded) = &route {
            return refuse(refusal, entry, discovery);
        }
        let (route, admitted) = match self.admit(&head, caller, (route, place), &mut entry).await {
            Ok(allowed) => allowed,
            Err(refusal) => {
                if matches!(refusal, Refusal::Unauthenticated { .. }) {
                    caller.was_strange(false);
                }
                let response = refuse(&refusal, entry, discovery);
                self.hold_back(refusal).await;
                return response;
            }
        };
        match self.proxy.exchange(Request::from_parts(head, body), &route, admitted, entry).await {
            Ok(response) => response,
            Err((refusal, entry)) => refuse(&refusal, entry, discovery),
        }
    }

    /// Answers one request to the gateway's own API.
    async fn answer_rest(
        &self,
        (head, body): (Head, Body),
        caller: &Arc<Caller>,
        mut entry: Box<Entry>,
        overloaded: bool,
    ) -> Response<Body> {
        let looked = if overloaded { Err(Refusal::Overloaded) } else { look_over_own(&head, &entry) };
        if let Err(refusal) = looked {
            if caller.identity.is_none() {
                caller.was_strange(false);
            }
            return Rest::refuse(&refusal, entry);
        }
        let signing_in = auth::is_open(head.uri.path());
        let who = match self.sign_in(&head, caller, Place::Own, &mut entry).await {
            Ok((who, _)) => who,
            // Whoever comes to sign in may show what is no longer good.
            Err(_) if signing_in => None,
            Err(refusal) => {
                if refusal.status() == StatusCode::UNAUTHORIZED {
                    caller.was_strange(false);
                }
                let response = Rest::refuse(&refusal, entry);
                self.hold_back(refusal).await;
                return response;
            }
        };
        if who.is_none() {
            caller.was_strange(signing_in);
        }
        let to_live = live::serves(head.uri.path());
        if to_live {
            entry.kind = Kind::Upgrade;
        }
        if let Some(who) = &who {
            let stay = self.enter(caller, &entry, who, None);
            entry.enter(stay);
        }
        if to_live {
            return self.open_live(head, who, caller, entry);
        }
        self.rest.answer(Request::from_parts(head, body), who, entry).await
    }

    /// Waits before an answer to somebody who asks for too much.
    async fn hold_back(&self, refusal: Refusal) {
        if let Refusal::TooManyRequests { excess } = refusal {
            self.fair.hold_back(&excess).await;
        }
    }

    /// Who asks, none for whoever shows nothing, and what was brought for the cluster. A session that was ended is nobody's.
    pub(super) async fn sign_in(
        &self,
        head: &Head,
        caller: &Caller,
        place: Place,
        entry: &mut Entry,
    ) -> Result<(Option<Arc<Principal>>, Option<ClusterToken>), Refusal> {
        let (principal, cluster_token) = match &caller.signed_in {
            Some(known) => {
                self.authn.go_on(known)?;
                (known.clone(), None)
            }
            None => {
                let (method, headers) = (&head.method, &head.headers);
                let found = self.authn.principal(method, headers, caller.identity.as_ref(), place).await;
                let failed = |refusal: &Refusal| self.audited.sign_in_failed(entry, &refusal.detail());
                match found.inspect_err(failed)? {
                    (Some(principal), cluster_token) => (Arc::new(principal), cluster_token),
                    (None, _) => return Ok((None, None)),
                }
            }
        };
        entry.asked_by(&principal);
        if let Some(ended) = self.fleet.registry.ended(principal.session.as_str()) {
            return Err(Refusal::SessionEnded { why: session_ended(&ended.by, &ended.why).why });
        }
        if !self.settle(caller) {
            return Err(Refusal::Overloaded);
        }
        entry.share = Some(self.fair.begin(&principal.user)?);
        self.review.under_way.sessions.note(&principal, caller.from.ip(), Timestamp::now());
        Ok((Some(principal), cluster_token))
    }

    fn route(&self, head: &Head, caller: &Caller) -> Result<Route, Refusal> {
        let names = Names { sni: caller.sni.as_deref(), suffix: self.host_suffix.as_deref() };
        route(&head.method, &head.uri, &head.headers, names)
    }
}

/// What holds of every head, wherever the request goes.
pub(super) fn look_over(head: &Head, entry: &Entry) -> Result<(), Refusal> {
    inspect(&head.headers).map_err(|fault| abuse(fault, entry))?;
    const SERVED: [Method; 7] = [
        Method::GET,
        Method::HEAD,
        Method::OPTIONS,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
    ];
    if !SERVED.contains(&head.method) {
        let method: String = head.method.as_str().chars().take(32).collect();
        return Err(Refusal::BadHead { why: format!("{method} is not served") });
    }
    check_origin(head)
}

/// What holds beside of a request to the gateway itself.
fn look_over_own(head: &Head, entry: &Entry) -> Result<(), Refusal> {
    look_over(head, entry)?;
    match asked_to_act_as(&head.headers).map_err(|fault| abuse(fault, entry))? {
        Some(_) => Err(Refusal::AccessDenied { why: "the gateway itself is asked as who one is".into() }),
        None => Ok(()),
    }
}

/// A page of another origin must not act with the certificate of the browser it runs in: not by an upgrade, not by a
/// method that changes something. kubectl and the client libraries send no `Origin`, or this gateway's own.
fn check_origin(head: &Head) -> Result<(), Refusal> {
    let headers = &head.headers;
    if head.method.is_safe() && !headers.contains_key(header::UPGRADE) {
        return Ok(());
    }
    let host = head.uri.authority().map(|authority| authority.as_str());
    let host = host.or_else(|| headers.get(header::HOST)?.to_str().ok()).unwrap_or_default();
    let own = |origin: &HeaderValue| {
        let origin = origin.to_str().ok().and_then(|text| text.strip_prefix("https://"));
        origin.is_some_and(|origin| origin.eq_ignore_ascii_case(host))
    };
    let foreign = headers.get_all(header::ORIGIN).iter().any(|origin| !own(origin));
    let cross = headers.get_all("sec-fetch-site").iter().any(|site| site != "same-origin" && site != "none");
    if foreign || cross {
        return Err(Refusal::AccessDenied {
            why: "the request comes from a page of another origin than this gateway's".into(),
        });
    }
    Ok(())
}

/// A head that may be an attack is told of.
pub(super) fn abuse(fault: HeadFault, entry: &Entry) -> Refusal {
    if matches!(fault, HeadFault::ConnectionNames(_) | HeadFault::Impersonation(_)) {
        warn!(target: "audit", request = %entry.request, from = %entry.from, %fault, "header abuse");
    }
    head_refusal(fault)
}

fn head_refusal(fault: HeadFault) -> Refusal {
    match fault {
        HeadFault::Impersonation(_) => Refusal::AccessDenied { why: fault.to_string() },
        other => Refusal::BadHead { why: other.to_string() },
    }
}

/// Whether a client asks which resources there are, as kubectl does before anything else (KEP-3352).
fn is_discovery(head: &Head) -> bool {
    let accepts = head.headers.get_all(header::ACCEPT).iter();
    accepts.filter_map(|value| value.to_str().ok()).any(|value| value.contains("APIGroupDiscoveryList"))
}

fn refuse(refusal: &Refusal, mut entry: Box<Entry>, discovery: bool) -> Response<Body> {
    entry.status = refusal.status().as_u16();
    entry.reason = refusal.reason();
    debug!(request = %entry.request, reason = refusal.reason(), detail = refusal.detail(), "refused");
    if discovery { refusal.answer_to_discovery(entry.request) } else { refusal.answer(entry.request) }
}
