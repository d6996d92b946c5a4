//! One request through its phases, in the order of the folder; each can refuse in one way.

use http::{HeaderValue, Method, Request, Response, header};
use hyper::body::Incoming;
use tracing::{debug, warn};
use trunkline_proto::RequestId;
use trunkline_proto::headers::{HeadFault, inspect};
use trunkline_runtime::Body;

use super::{Caller, Front};
use crate::access_log::Entry;
use crate::authn::{self, Place, Principal};
use crate::authz;
use crate::fleet::Standing;
use crate::proxy::Admitted;
use crate::refusal::Refusal;
use crate::rest::{self, Rest, auth};
use crate::route::{Kind, Names, Route, route};

impl Front {
    /// Answers one request. Whatever happens, one access-log line comes of it.
    pub(super) async fn answer(&self, request: Request<Incoming>, caller: &Caller) -> Response<Body> {
        let id = RequestId::random();
        let (parts, body) = request.into_parts();
        let place = self.requests.clone().try_acquire_owned().ok();
        let overloaded = place.is_none();
        let mut entry = Box::new(Entry::new(id, caller.from, &parts, self.metrics.clone()));
        entry.hold(caller.activity.begin(), place);
        let request = Request::from_parts(parts, body);
        let discovery = is_discovery(&request);
        // What names a cluster is the cluster's, whatever its path.
        if rest::serves(request.uri().path())
            && matches!(self.route(&request, caller), Err(Refusal::NoCluster))
        {
            return self.answer_rest(request, caller, entry, overloaded).await;
        }
        if overloaded {
            return refuse(&Refusal::Overloaded, entry, discovery);
        }
        let (route, admitted, principal) = match self.admit(&request, caller, &mut entry).await {
            Ok(allowed) => allowed,
            Err(refusal) => {
                if matches!(refusal, Refusal::Unauthenticated { .. }) {
                    caller.was_strange(false);
                }
                return refuse(&refusal, entry, discovery);
            }
        };
        // A connection that was upgraded is no longer the front's to cut.
        let unwelcome = (route.kind == Kind::Upgrade).then(|| self.until_ended(&principal, caller));
        match self.proxy.exchange(request, &route, admitted, entry, unwelcome).await {
            Ok(response) => response,
            Err((refusal, entry)) => refuse(&refusal, entry, discovery),
        }
    }

    /// Answers one request to the gateway's own API.
    async fn answer_rest(
        &self,
        request: Request<Incoming>,
        caller: &Caller,
        mut entry: Box<Entry>,
        overloaded: bool,
    ) -> Response<Body> {
        let signing_in = auth::is_open(request.uri().path());
        let (method, headers) = (request.method(), request.headers());
        let found = self.authn.principal(method, headers, caller.identity.as_ref(), Place::Own).await;
        let who = match found {
            Ok(who) => who,
            // Whoever comes to sign in may show what is no longer good.
            Err(_) if signing_in => None,
            Err(refusal) => {
                caller.was_strange(false);
                return Rest::refuse(&refusal, entry);
            }
        };
        match &who {
            Some(who) => entry.asked_by(who),
            None => caller.was_strange(signing_in),
        }
        let looked = if overloaded { Err(Refusal::Overloaded) } else { look_over(&request, &entry) };
        match looked {
            Ok(()) => self.rest.answer(request, who, entry).await,
            Err(refusal) => Rest::refuse(&refusal, entry),
        }
    }

    fn route(&self, request: &Request<Incoming>, caller: &Caller) -> Result<Route, Refusal> {
        let names = Names { sni: caller.sni.as_deref(), suffix: self.host_suffix.as_deref() };
        route(request.method(), request.uri(), request.headers(), names)
    }

    /// Who asks for what, and whether that may be.
    async fn admit(
        &self,
        request: &Request<Incoming>,
        caller: &Caller,
        entry: &mut Entry,
    ) -> Result<(Route, Admitted, Principal), Refusal> {
        look_over(request, entry)?;
        let (method, headers) = (request.method(), request.headers());
        let found =
            self.authn.principal(method, headers, caller.identity.as_ref(), Place::Kubernetes).await?;
        let principal = found.ok_or_else(authn::nothing_shown)?;
        entry.asked_by(&principal);
        let route = self.route(request, caller)?;
        entry.cluster = Some(route.cluster.clone());
        entry.kind = route.kind;
        let uid = match self.fleet.standing(&route.cluster) {
            _ if route.cluster.is_management() && self.proxy.management.is_some() => None,
            Some(Standing::Open(uid)) => uid,
            Some(Standing::Locked(lock)) => {
                return Err(Refusal::ClusterLocked { cluster: route.cluster, lock });
            }
            None => return Err(Refusal::ClusterNotFound(route.cluster)),
        };
        let identity = authz::permit(&principal, &route, self.allow_node_proxy)?;
        Ok((route, Admitted { identity, uid }, principal))
    }
}

/// What holds of every head, wherever the request goes.
fn look_over(request: &Request<Incoming>, entry: &Entry) -> Result<(), Refusal> {
    inspect(request.headers()).map_err(|fault| {
        if matches!(fault, HeadFault::ConnectionNames(_) | HeadFault::Impersonation) {
            warn!(target: "audit", request = %entry.request, from = %entry.from, %fault, "header abuse");
        }
        head_refusal(fault)
    })?;
    if matches!(*request.method(), Method::CONNECT | Method::TRACE) {
        return Err(Refusal::BadHead { why: format!("{} is not served", request.method()) });
    }
    check_origin(request)
}

/// A page of another origin must not act with the certificate of the browser it runs in: not by an upgrade, not by a
/// method that changes something. kubectl and the client libraries send no `Origin`, or this gateway's own.
fn check_origin(request: &Request<Incoming>) -> Result<(), Refusal> {
    let headers = request.headers();
    if request.method().is_safe() && !headers.contains_key(header::UPGRADE) {
        return Ok(());
    }
    let host = request.uri().authority().map(|authority| authority.as_str());
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

fn head_refusal(fault: HeadFault) -> Refusal {
    match fault {
        HeadFault::Impersonation => Refusal::AccessDenied { why: fault.to_string() },
        other => Refusal::BadHead { why: other.to_string() },
    }
}

/// Whether a client asks which resources there are, as kubectl does before anything else (KEP-3352).
fn is_discovery(request: &Request<Incoming>) -> bool {
    let accepts = request.headers().get_all(header::ACCEPT).iter();
    accepts.filter_map(|value| value.to_str().ok()).any(|value| value.contains("APIGroupDiscoveryList"))
}

fn refuse(refusal: &Refusal, mut entry: Box<Entry>, discovery: bool) -> Response<Body> {
    entry.status = refusal.status().as_u16();
    entry.reason = refusal.reason();
    debug!(request = %entry.request, reason = refusal.reason(), detail = refusal.detail(), "refused");
    if discovery { refusal.answer_to_discovery(entry.request) } else { refusal.answer(entry.request) }
}
