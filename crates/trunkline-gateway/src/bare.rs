//! What of the journey is pure, over plain values: for `fuzz/`, which feeds it anything.
//!
//! No interface of the gateway: hidden from its documentation, and it changes with what it lays bare.

use std::time::SystemTime;

use http::{HeaderMap, Method, StatusCode, Uri};
use serde_json::{Map, Value};
use trunkline_proto::path::PathFacts;
use trunkline_proto::{ClusterId, ClusterToken, RequestId};

use crate::authn::{Claimed, Jwt, bearer, bearers};
use crate::config::IssuerConfig;
use crate::proxy::{Place, keep_inside};
use crate::refusal::Refusal;
use crate::route::{Addressed, Names, route as draw};

/// Where a request goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Routed {
    /// The cluster.
    pub cluster: ClusterId,
    /// The Kubernetes path and query.
    pub path: String,
    /// What the path says.
    pub facts: PathFacts,
    /// How the request behaves: a word.
    pub kind: &'static str,
    /// Whether the path named the cluster.
    pub by_path: bool,
}

/// A no, as a client hears it.
#[derive(Clone, Debug)]
pub struct No {
    /// The HTTP status.
    pub status: StatusCode,
    /// The reason, for programs.
    pub reason: &'static str,
    /// The body: a `Status` as JSON.
    pub body: String,
}

impl From<Refusal> for No {
    fn from(refusal: Refusal) -> Self {
        let body = refusal.to_status(RequestId::random()).to_json();
        Self { status: refusal.status(), reason: refusal.reason(), body }
    }
}

/// Draws the route from a request.
///
/// # Errors
/// When it names no cluster, two, or none that can be, or when its path is not let through.
pub fn route(
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    sni: Option<&str>,
    suffix: Option<&str>,
) -> Result<Routed, No> {
    let route = draw(method, uri, headers, Names { sni, suffix })?;
    Ok(Routed {
        cluster: route.cluster,
        path: route.path.as_str().to_owned(),
        facts: route.facts,
        kind: route.kind.as_str(),
        by_path: route.addressed != Addressed::Name,
    })
}

/// Looks a cluster's redirect over, as an answer to a request that went to `uri` there.
///
/// # Errors
/// When `uri` leads nowhere, or the redirect leads out of the cluster.
pub fn redirect(uri: &Uri, host_suffix: &str, status: StatusCode, headers: &mut HeaderMap) -> Result<(), No> {
    let names = Names { sni: None, suffix: Some(host_suffix) };
    let route = draw(&Method::GET, uri, &HeaderMap::new(), names)?;
    Ok(keep_inside(status, headers, &route)?)
}

/// Whether a WebSocket's direction is between two frames after these bytes, which came in these parts.
pub fn is_between_frames<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> bool {
    let mut place = Place::default();
    parts.into_iter().for_each(|part| place.follow(part));
    place.is_between_frames()
}

/// What a token is signed over, its signature, and its claims; nothing of it is to be believed.
pub fn token(token: &str) -> Option<(&str, &str, Map<String, Value>)> {
    let jwt = Jwt::read(token).ok()?;
    Some((jwt.signed, jwt.signature, jwt.claims))
}

/// The user and the groups that claims of this issuer name, were they proven.
pub fn named(
    issuer: &IssuerConfig,
    claims: &Map<String, Value>,
    now: SystemTime,
) -> Option<(String, Vec<String>)> {
    let principal = bearer(issuer, claims, now).ok()?;
    Some((principal.user, principal.groups))
}

/// The token of a request to a cluster that says who asks, and the one that was brought for the cluster.
///
/// # Errors
/// When they cannot be told apart, or are not tokens.
pub fn shown(headers: &HeaderMap) -> Result<(Option<String>, Option<String>), String> {
    bearers(headers).map_err(|why| why.to_string())
}

/// Whether a token goes through to a cluster of these audiences, while it is good.
pub fn goes_through(token: &str, cluster: &[String], gateway: &[String]) -> bool {
    let gateway = gateway.iter().cloned().collect();
    let claimed = ClusterToken::parse(token).ok().and_then(|token| Claimed::of(&token).ok());
    claimed.is_some_and(|claimed| claimed.must_be_for(cluster, &gateway).is_ok())
}
