//! What a request does, in Kubernetes' words: verb and resource. Pure.
//!
//! Drawn from the path that is forwarded, as the API server draws it. exec, attach, port-forward, `/proxy/` and whatever
//! else is upgraded are `create`, whatever the method (kubernetes/kubernetes#78741: a WebSocket is opened by GET, and so
//! exec was allowed to who may read).

use http::Method;
use trunkline_proto::path::{ResourcePath, read_resource};

use crate::route::{Kind, Route};

/// Sub-resources by which one gets into something.
const CONNECTS: [&str; 4] = ["exec", "attach", "portforward", "proxy"];
/// What everybody may ask of an API server about themselves, although it is asked by POST: group and resource.
const ABOUT_ONESELF: [(&str, &str); 3] = [
    ("authorization.k8s.io", "selfsubjectaccessreviews"),
    ("authorization.k8s.io", "selfsubjectrulesreviews"),
    ("authentication.k8s.io", "selfsubjectreviews"),
];

/// What a request does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Action {
    /// The Kubernetes verb.
    pub(crate) verb: &'static str,
    /// On what; none for a path that is no resource.
    pub(crate) resource: Option<ResourcePath>,
    /// The path, without its query.
    pub(crate) path: String,
    /// Whether one gets into something by it.
    pub(crate) connects: bool,
}

impl Action {
    /// What a request with this method does on this route.
    pub(crate) fn of(method: &Method, route: &Route) -> Self {
        let path = route.path.path().to_owned();
        let resource = read_resource(&path);
        let upgraded = route.kind == Kind::Upgrade;
        let into = resource.as_ref().is_some_and(|resource| {
            CONNECTS.contains(&resource.subresource.as_str()) || resource.resource == "proxy"
        });
        let connects = upgraded || into;
        let asks_watch = resource.as_ref().is_some_and(|resource| resource.watch);
        let verb = if connects {
            "create"
        } else {
            verb(method, resource.as_ref(), route.kind == Kind::Watch || asks_watch)
        };
        Self { verb, resource, path, connects }
    }

    /// A question, as people ask it: a verb, and a resource as RBAC names it or a path.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn asked(verb: &str, resource: &str, namespace: &str, name: &str) -> Result<Self, String> {
        const ALL: [&str; 8] =
            ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"];
        let verb = ALL.into_iter().find(|known| *known == verb);
        let verb = verb.ok_or_else(|| format!("the verb is one of {}", ALL.join(", ")))?;
        if resource.starts_with('/') {
            let path = resource.to_owned();
            return Ok(Self { verb, resource: read_resource(&path), path, connects: false });
        }
        let (whole, subresource) = resource.split_once('/').unwrap_or((resource, ""));
        let (resource, group) = whole.split_once('.').unwrap_or((whole, ""));
        if resource.is_empty() {
            return Err(
                "the resource is empty; write for instance pods, pods/exec or deployments.apps".into()
            );
        }
        let connects = CONNECTS.contains(&subresource);
        let resource = ResourcePath {
            group: group.into(),
            resource: resource.into(),
            subresource: subresource.into(),
            namespace: namespace.into(),
            name: name.into(),
            watch: false,
        };
        let verb = if connects { "create" } else { verb };
        Ok(Self { verb, resource: Some(resource), path: String::new(), connects })
    }

    /// Whether it changes nothing and gets into nothing.
    pub(crate) fn reads(&self) -> bool {
        let reading = matches!(self.verb, "get" | "list" | "watch") && !self.connects;
        reading || self.is_about_oneself()
    }

    /// Whether somebody sits before it and types.
    pub(crate) fn is_interactive(&self) -> bool {
        let within = self.resource.as_ref().map(|resource| resource.subresource.as_str());
        self.connects && matches!(within, Some("exec" | "attach"))
    }

    /// Whether it asks an API server about who asks.
    pub(crate) fn is_about_oneself(&self) -> bool {
        let Some(resource) = &self.resource else { return false };
        let own = ABOUT_ONESELF.contains(&(resource.group.as_str(), resource.resource.as_str()));
        own && self.verb == "create" && !self.connects && resource.subresource.is_empty()
    }

    /// The resource as RBAC and rules name it: `pods`, `pods/exec`, `deployments.apps`; the path for what is none.
    pub(crate) fn object(&self) -> String {
        let Some(resource) = &self.resource else { return self.path.clone() };
        let mut name = resource.resource.clone();
        if !resource.group.is_empty() {
            name = format!("{name}.{}", resource.group);
        }
        if !resource.subresource.is_empty() {
            name = format!("{name}/{}", resource.subresource);
        }
        name
    }

    /// What it is, for people: `create pods/exec in namespace web`.
    pub(crate) fn told(&self) -> String {
        let place = match &self.resource {
            Some(resource) if !resource.namespace.is_empty() => {
                format!(" in namespace {}", resource.namespace)
            }
            _ => String::new(),
        };
        format!("{} {}{place}", self.verb, self.object())
    }
}

fn verb(method: &Method, resource: Option<&ResourcePath>, watch: bool) -> &'static str {
    let one = resource.is_none_or(|resource| !resource.name.is_empty());
    match *method {
        Method::GET | Method::HEAD | Method::OPTIONS if resource.is_none() => "get",
        Method::GET | Method::HEAD | Method::OPTIONS if watch => "watch",
        Method::GET | Method::HEAD | Method::OPTIONS if one => "get",
        Method::GET | Method::HEAD | Method::OPTIONS => "list",
        Method::PUT => "update",
        Method::PATCH => "patch",
        Method::DELETE if one => "delete",
        Method::DELETE => "deletecollection",
        // Whatever else it is, it is no reading.
        _ => "create",
    }
}
