//! What is read of a request before a route sees it: who asks, which cluster, which query, which body.
//!
//! Invariant: a route that is to be for somebody takes a [`Reader`], a [`Viewer`] or an [`Admin`]; there is no other way to
//! learn who asks, and each says no by itself.

use std::sync::Arc;

use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, header};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use trunkline_api::{BASE, FleetRole, Labels, ProblemReason, Role};
use trunkline_proto::{ClusterId, RequestId};

use super::problem::No;
use crate::authn::{Principal, nothing_shown};
use crate::authz::RuleSet;

/// Who asks, if anybody, and the request's id; put there before the routes are asked.
#[derive(Clone, Debug)]
pub(super) struct Asker {
    pub(super) who: Option<Arc<Principal>>,
    pub(super) request: RequestId,
    pub(super) rules: Arc<RuleSet>,
}

/// Somebody, whatever they may.
#[derive(Debug)]
pub(super) struct Somebody {
    pub(super) who: Arc<Principal>,
    pub(super) request: RequestId,
}

/// A request, whoever asks.
#[derive(Debug)]
pub(super) struct Knock(pub(super) RequestId);

impl<S: Sync> FromRequestParts<S> for Knock {
    type Rejection = No;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, No> {
        let asker = parts.extensions.get::<Asker>();
        let none = || No::new(ProblemReason::Internal, "the request has no id");
        asker.map(|asker| Self(asker.request)).ok_or_else(none)
    }
}

/// Somebody whom at least one access rule names. Sees the clusters that the rules let them reach.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) who: Arc<Principal>,
    pub(super) request: RequestId,
    pub(super) sight: Sight,
}

/// Somebody who may see all of the fleet.
#[derive(Debug)]
pub(super) struct Viewer;

/// Somebody who may change the fleet.
#[derive(Debug)]
pub(super) struct Admin {
    pub(super) who: Arc<Principal>,
    pub(super) request: RequestId,
}

/// Which clusters somebody sees.
#[derive(Clone, Debug)]
pub(super) struct Sight {
    who: Arc<Principal>,
    rules: Arc<RuleSet>,
}

impl Sight {
    /// What somebody may do with the fleet itself.
    pub(super) fn fleet_role(&self) -> FleetRole {
        self.rules.about(&self.who).map(|rule| rule.spec().fleet).max().unwrap_or_default()
    }

    /// Whether a cluster is among them.
    pub(super) fn sees(&self, id: &ClusterId, labels: &Labels) -> bool {
        self.rules
            .about(&self.who)
            .any(|rule| rule.spec().fleet >= FleetRole::Viewer || rule.is_for(id, labels))
    }

    /// The same of other rules.
    pub(super) fn by(&self, rules: Arc<RuleSet>) -> Self {
        Self { who: self.who.clone(), rules }
    }
}

#[cfg(test)]
impl Sight {
    /// Of somebody who sees everything, for tests.
    pub(super) fn of_all() -> Self {
        let config =
            serde_json::json!({"front": {"listen": "127.0.0.1:0"}, "tunnel": {"listen": "127.0.0.1:0"}});
        let config = serde_json::from_value(config).unwrap();
        let registry = trunkline_registry::Registry::in_memory().unwrap();
        let fleet =
            crate::fleet::Fleet::new(&config, registry, None, trunkline_audit::AuditLog::without_folder())
                .unwrap();
        let who = Arc::new(Principal::for_test("vera", &["trunkline:viewers"]));
        Self { who, rules: fleet.access.rules() }
    }
}

impl<S: Sync> FromRequestParts<S> for Somebody {
    type Rejection = No;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, No> {
        somebody(parts).map(|(who, request, _)| Self { who, request })
    }
}

impl<S: Sync> FromRequestParts<S> for Reader {
    type Rejection = No;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, No> {
        let (who, request, sight) = somebody(parts)?;
        if sight.rules.about(&who).next().is_none() {
            let [viewers, operators, admins] = [Role::Viewer, Role::Operator, Role::Admin].map(Role::group);
            let groups = [viewers, operators, admins].map(Option::unwrap_or_default).join(", ");
            return Err(forbidden(
                &who,
                &format!("no access rule names you: reading needs one of the groups {groups}, or a rule"),
            ));
        }
        Ok(Self { who, request, sight })
    }
}

impl<S: Sync> FromRequestParts<S> for Viewer {
    type Rejection = No;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, No> {
        let (who, _, sight) = somebody(parts)?;
        if sight.fleet_role() >= FleetRole::Viewer {
            return Ok(Self);
        }
        Err(forbidden(
            &who,
            "seeing this needs the group trunkline:viewers, or an access rule with fleet: viewer",
        ))
    }
}

impl<S: Sync> FromRequestParts<S> for Admin {
    type Rejection = No;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, No> {
        let (who, request, sight) = somebody(parts)?;
        if sight.fleet_role() >= FleetRole::Admin {
            return Ok(Self { who, request });
        }
        Err(forbidden(
            &who,
            "changing the fleet needs the group trunkline:admins, or an access rule with fleet: admin",
        ))
    }
}

fn somebody(parts: &Parts) -> Result<(Arc<Principal>, RequestId, Sight), No> {
    let asker = parts.extensions.get::<Asker>();
    let found = asker.and_then(|asker| {
        let who = asker.who.clone()?;
        Some((who.clone(), asker.request, Sight { who, rules: asker.rules.clone() }))
    });
    found.ok_or_else(|| No::new(ProblemReason::Unauthorized, nothing_shown().detail()))
}

fn forbidden(who: &Principal, needs: &str) -> No {
    No::new(ProblemReason::Forbidden, format!("{needs}; {} has none", who.user))
}

/// The cluster that the path names. Matched on the raw bytes: never decoded, never folded.
#[derive(Debug)]
pub(super) struct Name(pub(super) ClusterId);

impl<S: Sync> FromRequestParts<S> for Name {
    type Rejection = No;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, No> {
        let after = parts.uri.path().strip_prefix(BASE).and_then(|path| path.strip_prefix("/clusters/"));
        let name = after.and_then(|path| path.split('/').next()).unwrap_or_default();
        name.parse()
            .map(Self)
            .map_err(|error: trunkline_proto::InvalidClusterId| No::invalid(error.to_string()))
    }
}

/// The last part of the path, as it stands there.
#[derive(Debug)]
pub(super) struct Word(pub(super) String);

impl<S: Sync> FromRequestParts<S> for Word {
    type Rejection = No;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, No> {
        let last = parts.uri.path().rsplit('/').next().unwrap_or_default();
        if last.is_empty() || last.contains('%') {
            return Err(No::invalid("the last part of the path is a name as it is, without % in it"));
        }
        Ok(Self(last.to_owned()))
    }
}

/// The query, each part of which is known and stands there once.
#[derive(Debug)]
pub(super) struct Asked<T>(pub(super) T);

/// No query, or a body that says nothing.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

impl<S: Sync, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = No;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, No> {
        match Query::try_from_uri(&parts.uri) {
            Ok(Query(query)) => Ok(Self(query)),
            Err(error) => Err(No::invalid(format!("the query is not accepted: {}", error.body_text()))),
        }
    }
}

/// A body of JSON.
#[derive(Debug)]
pub(super) struct Sent<T>(pub(super) T);

/// A body of JSON, or none.
#[derive(Debug)]
pub(super) struct MaySend<T>(pub(super) Option<T>);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Sent<T> {
    type Rejection = No;

    async fn from_request(request: Request, state: &S) -> Result<Self, No> {
        let MaySend(sent) = MaySend::from_request(request, state).await?;
        sent.map(Self).ok_or_else(|| No::invalid("the request has no body; send JSON"))
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for MaySend<T> {
    type Rejection = No;

    async fn from_request(request: Request, state: &S) -> Result<Self, No> {
        let json = is_json(request.headers());
        let body = Bytes::from_request(request, state)
            .await
            .map_err(|error| No::invalid(format!("the body cannot be read: {}", error.body_text())))?;
        match (body.is_empty(), json) {
            (true, _) => Ok(Self(None)),
            (false, false) => Err(No::not_json()),
            (false, true) => match serde_json::from_slice(&body) {
                Ok(value) => Ok(Self(Some(value))),
                Err(error) => Err(No::invalid(format!("the body is not as it should be: {error}"))),
            },
        }
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}
