//! What a request asks for, and the phases it passes until it is answered.
//!
//! Invariant: this is the one place that turns a refusal into a response.

use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use serde_json::Value;
use trunkline_runtime::{Body, Tasks, full};

use crate::identity::{Act, Principal, Refusal};
use crate::kinds::{KINDS, Kind};
use crate::{SampleCluster, discovery, exec, forward, logs, may, read};

/// Answers one request.
pub(crate) async fn answer(
    cluster: SampleCluster,
    request: Request<Incoming>,
    tasks: Tasks,
) -> Response<Body> {
    let answered = match request.method() == Method::POST && may::is_review(request.uri().path()) {
        true => may::review(&cluster, request).await,
        false => attempt(&cluster, request, &tasks),
    };
    answered.unwrap_or_else(|refusal| {
        let mut response = object(&refusal.object());
        *response.status_mut() = refusal.status;
        response
    })
}

fn attempt(
    cluster: &SampleCluster,
    mut request: Request<Incoming>,
    tasks: &Tasks,
) -> Result<Response<Body>, Refusal> {
    let who = Principal::identify(request.headers(), &cluster.state.token)?; // 401
    let query = Query::parse(request.uri().query().unwrap_or_default());
    let (path, method) = (request.uri().path().to_owned(), request.method().clone());
    let accept = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok());
    let accept = accept.unwrap_or_default().to_owned();
    let segments: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let (kind, act) = match segments.as_slice() {
        ["livez" | "readyz" | "healthz"] => return Ok(typed("text/plain; charset=utf-8", full("ok"))),
        ["apis", "authentication.k8s.io", "v1", "selfsubjectreviews"] if method == Method::POST => {
            return Ok(object(&who.review()));
        }
        segments => match parse(segments, &method, query.on("watch")) {
            Some(target) => target,
            None => return discovery::answer(segments, &accept), // 404
        },
    };
    who.permit(act)?; // 403
    let is_upgrade = matches!(act.subresource, "exec" | "portforward");
    if !matches!(act.verb, "get" | "list" | "watch") && !is_upgrade {
        let why = "this is a read-only sample cluster: it can be looked at, not changed";
        return Err(Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", why));
    }
    if act.name.is_empty() {
        return read::list(cluster, kind, act, &query, &accept);
    }
    let missing = || Refusal::not_found(format!("{} {:?} not found", act.kind(), act.name));
    let found = cluster.state.store.get(kind, act.namespace, act.name).ok_or_else(missing)?; // 404
    match act.subresource {
        "" => Ok(read::get(kind, found, &query, &accept)),
        "log" => logs::answer(cluster, &found, &query),
        "exec" => exec::answer(cluster, &found, &query, &mut request, tasks),
        _ => forward::answer(cluster, &found, &mut request, tasks),
    }
}

/// What is to be done with objects, if the path is one of objects.
fn parse<'a>(segments: &[&'a str], method: &Method, watch: bool) -> Option<(&'static Kind, Act<'a>)> {
    let (group, version, rest) = match segments {
        ["api", version, rest @ ..] => ("", version, rest),
        ["apis", group, version, rest @ ..] => (*group, version, rest),
        _ => return None,
    };
    let (namespace, rest) = match rest {
        ["namespaces", namespace, rest @ ..] if !rest.is_empty() => (*namespace, rest),
        rest => ("", rest),
    };
    let (resource, name, subresource) = match rest {
        [resource] => (*resource, "", ""),
        [resource, name] => (*resource, *name, ""),
        ["pods", name, part @ ("log" | "exec" | "portforward")] => ("pods", *name, *part),
        _ => return None,
    };
    let known = |kind: &&&Kind| kind.group == group && kind.version == *version && kind.plural == resource;
    let kind = KINDS.iter().find(known)?;
    let is_placed =
        if kind.namespaced { !namespace.is_empty() || name.is_empty() } else { namespace.is_empty() };
    let verb = match (method.as_str(), subresource, name) {
        // By GET too: an upgrade does things.
        (_, "exec" | "portforward", _) => "create",
        ("GET" | "HEAD", _, "") if watch => "watch",
        ("GET" | "HEAD", _, "") => "list",
        ("GET" | "HEAD", _, _) => "get",
        ("POST", ..) => "create",
        ("PUT", ..) => "update",
        ("DELETE", ..) => "delete",
        _ => "patch",
    };
    is_placed.then_some((kind, Act { verb, group, resource, subresource, namespace, name }))
}

/// A request's query, decoded.
#[derive(Debug)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// Decodes what stands after the `?`.
    pub(crate) fn parse(query: &str) -> Self {
        Self(form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    /// All values of a parameter.
    pub(crate) fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A parameter's first value; empty when absent.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.all(name).next().unwrap_or_default()
    }

    /// Whether a parameter is on.
    pub(crate) fn on(&self, name: &str) -> bool {
        matches!(self.get(name), "true" | "1")
    }

    /// A number; `None` when absent.
    pub(crate) fn number(&self, name: &str) -> Result<Option<u64>, Refusal> {
        let value = self.get(name);
        let wrong = |_| Refusal::bad_request(format!("invalid {name} {value:?}: not a whole number"));
        (!value.is_empty()).then(|| value.parse().map_err(wrong)).transpose()
    }
}

/// A JSON answer.
pub(crate) fn object(value: &Value) -> Response<Body> {
    typed("application/json", full(value.to_string()))
}

/// An answer of this type.
pub(crate) fn typed(kind: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}
