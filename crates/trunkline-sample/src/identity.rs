//! Who asks, whether they may, and how a no is said.
//!
//! The caller proves itself by the one token and says for whom it asks by impersonation, as the agent does.
//!
//! Invariants:
//! - without the token nothing is told, not even that a path exists;
//! - what a principal may do follows from its groups alone;
//! - a no is a Kubernetes `Status` in the words of a real kube-apiserver, which is what clients understand.

use std::collections::BTreeMap;

use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

/// Groups that may do everything the sample can do.
const FULL: [&str; 2] = ["trunkline:admins", "trunkline:operators"];
/// The group that may look, and no more.
const VIEWERS: &str = "trunkline:viewers";

/// For whom a request asks.
#[derive(Debug)]
pub(crate) struct Principal {
    name: String,
    groups: Vec<String>,
    extra: BTreeMap<String, Vec<String>>,
    impersonated: bool,
}

/// Something a principal wants to do. What does not apply is empty.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Act<'a> {
    pub(crate) verb: &'a str,
    pub(crate) group: &'a str,
    pub(crate) resource: &'a str,
    pub(crate) subresource: &'a str,
    pub(crate) namespace: &'a str,
    pub(crate) name: &'a str,
}

impl Act<'_> {
    /// The resource as messages name it: `pods`, `deployments.apps`.
    pub(crate) fn kind(&self) -> String {
        let Act { group, resource, .. } = self;
        if group.is_empty() { (*resource).into() } else { format!("{resource}.{group}") }
    }
}

impl Principal {
    /// Reads the token and the impersonation of a request.
    pub(crate) fn identify(headers: &HeaderMap, token: &str) -> Result<Self, Refusal> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let shown = text("authorization").and_then(|value| value.strip_prefix("Bearer "));
        if token.is_empty() || shown != Some(token) {
            return Err(Refusal::new(StatusCode::UNAUTHORIZED, "Unauthorized", "Unauthorized"));
        }
        let (mut groups, mut extra) = (Vec::new(), BTreeMap::<_, Vec<_>>::new());
        for (name, value) in headers {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            if name == "impersonate-group" {
                groups.push(value);
            } else if let Some(key) = name.as_str().strip_prefix("impersonate-extra-") {
                extra.entry(key.to_owned()).or_default().push(value);
            }
        }
        let name = text("impersonate-user");
        if name.is_none() && !groups.is_empty() {
            return Err(Refusal::bad_request("groups were impersonated without a user"));
        }
        groups.push("system:authenticated".into());
        let impersonated = name.is_some();
        Ok(Self { name: name.unwrap_or("sample-token").into(), groups, extra, impersonated })
    }

    /// Whether it is the bearer of the token itself.
    pub(crate) fn stands_for_nobody(&self) -> bool {
        !self.impersonated
    }

    /// Refuses what the principal may not do.
    pub(crate) fn permit(&self, act: Act<'_>) -> Result<(), Refusal> {
        let belongs = |group: &&str| self.groups.iter().any(|own| own == group);
        let looks = matches!(act.verb, "get" | "list" | "watch");
        if FULL.iter().any(belongs) || (looks && belongs(&VIEWERS)) {
            return Ok(());
        }
        let Act { verb, group, resource, subresource, namespace, name } = act;
        let place = match namespace {
            "" => "at the cluster scope".into(),
            namespace => format!("in the namespace {namespace:?}"),
        };
        let part = if subresource.is_empty() { String::new() } else { format!("/{subresource}") };
        let object = if name.is_empty() { String::new() } else { format!(" {name:?}") };
        let message = format!(
            "{}{object} is forbidden: User {:?} cannot {verb} resource \"{resource}{part}\" in API group {group:?} {place}",
            act.kind(),
            self.name
        );
        Err(Refusal::new(StatusCode::FORBIDDEN, "Forbidden", message))
    }

    /// A `SelfSubjectReview`.
    pub(crate) fn review(&self) -> Value {
        let user = json!({"username": self.name, "groups": self.groups, "extra": self.extra});
        json!({
            "kind": "SelfSubjectReview", "apiVersion": "authentication.k8s.io/v1", "status": {"userInfo": user},
        })
    }
}

/// Why a request is not answered.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    reason: &'static str,
    message: String,
}

impl Refusal {
    /// A no with its status, the reason that programs read, and the message that people read.
    pub(crate) fn new(status: StatusCode, reason: &'static str, message: impl Into<String>) -> Self {
        Self { status, reason, message: message.into() }
    }

    /// The request makes no sense here.
    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BadRequest", message)
    }

    /// There is no such thing.
    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "NotFound", message)
    }

    /// The `Status` object.
    pub(crate) fn object(&self) -> Value {
        json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": self.message, "reason": self.reason, "code": self.status.as_u16(),
        })
    }
}
