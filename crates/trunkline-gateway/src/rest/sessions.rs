//! The user sessions: who is signed in, what they have under way, and its end.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{FromRequestParts, State};
use http::request::Parts;
use jiff::Timestamp;
use trunkline_api::{
    AuditChange, BASE, EndSession, FleetRole, LiveRequest, Problem, ProblemReason, SessionEnded, UserSession,
    UserSessionList,
};
use trunkline_proto::RequestId;
use trunkline_registry::EndedSession;

use super::Shared;
use super::problem::No;
use super::read::{Asked, MaySend, Nothing, Reader};
use crate::authn::{How, Principal};
use crate::standing::timestamp;
use crate::under_way::{Errand, Seen, Subject};

/// For how long an ended session is remembered that has no end of its own.
const FOR_LONG: Duration = Duration::from_secs(365 * 24 * 3600);
/// By how much clocks may differ.
const LEEWAY: Duration = Duration::from_secs(300);

/// The session that the path names.
#[derive(Debug)]
pub(super) struct OfSession(String);

impl<S: Sync> FromRequestParts<S> for OfSession {
    type Rejection = No;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, No> {
        let after = parts.uri.path().strip_prefix(BASE).and_then(|path| path.strip_prefix("/sessions/"));
        let id = after.and_then(|path| path.strip_suffix("/end")).unwrap_or_default();
        let plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if id.is_empty() || id.len() > 64 || !plain {
            return Err(No::invalid("this is no id of a session: up to 64 letters, digits and '-'"));
        }
        Ok(Self(id.to_owned()))
    }
}

/// Lists the user sessions that hold and were seen lately, with what each has under way: all, or for who does not see all of
/// the fleet, their own.
#[utoipa::path(
    get,
    path = "/trunkline/v1/sessions",
    operation_id = "listSessions",
    tag = "sessions",
    responses(
        (status = 200, description = "The sessions, the one used last first", body = UserSessionList),
        (status = "4XX", description = "No", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn list(
    State(shared): State<Shared>,
    reader: Reader,
    _: Asked<Nothing>,
) -> Json<UserSessionList> {
    let all = reader.sight.fleet_role() >= FleetRole::Viewer;
    let mut under_way: HashMap<String, Vec<LiveRequest>> = HashMap::new();
    for subject in shared.under_way.all() {
        let requests = under_way.entry(subject.principal.session.to_string()).or_default();
        requests.push(live(&subject));
    }
    let mut items: Vec<UserSession> = shared
        .under_way
        .sessions
        .all(Timestamp::now())
        .into_iter()
        .filter(|seen| all || seen.principal.user == reader.who.user)
        .filter(|seen| shared.view.fleet.registry.ended(seen.principal.session.as_str()).is_none())
        .map(|seen| {
            let requests = under_way.remove(seen.principal.session.as_str()).unwrap_or_default();
            session(seen, requests)
        })
        .collect();
    items.sort_by(|one, other| other.last.cmp(&one.last).then_with(|| one.id.cmp(&other.id)));
    Json(UserSessionList::new(items))
}

/// Ends a session: what it has under way is cut, and nobody comes in by it again. Everybody may end their own.
#[utoipa::path(
    post,
    path = "/trunkline/v1/sessions/{session}/end",
    operation_id = "endSession",
    tag = "sessions",
    params(("session" = String, Path, description = "The session")),
    request_body = Option<EndSession>,
    responses(
        (status = 200, description = "What was ended", body = SessionEnded),
        (status = "4XX", description = "No", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Too many are remembered, or the registry cannot write", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn end(
    State(shared): State<Shared>,
    reader: Reader,
    OfSession(id): OfSession,
    _: Asked<Nothing>,
    MaySend(request): MaySend<EndSession>,
) -> Result<Json<SessionEnded>, No> {
    let seen = shared.under_way.sessions.get(&id);
    let own = seen.as_ref().is_some_and(|seen| seen.principal.user == reader.who.user);
    if !own && reader.sight.fleet_role() < FleetRole::Admin {
        let detail =
            "ending another's session needs the group trunkline:admins, or an access rule with fleet: admin";
        return Err(No::new(ProblemReason::Forbidden, detail));
    }
    let seen = seen.ok_or_else(|| {
        let detail = format!(
            "no session {id} was seen at this gateway lately; trunkline sessions list shows those that were"
        );
        No::new(ProblemReason::NotFound, detail)
    })?;
    let reason = request.unwrap_or_default().reason;
    let ended = shared.end_session(&seen.principal, reader.request, &reader.who.user, reason).await?;
    Ok(Json(ended))
}

impl Shared {
    /// Ends a sign-in for good: what it has under way is cut, and nobody comes in by it until it would have ended by itself.
    pub(super) async fn end_session(
        &self,
        principal: &Principal,
        request: RequestId,
        by: &str,
        why: String,
    ) -> Result<SessionEnded, No> {
        let (id, user, now) = (principal.session.to_string(), principal.user.clone(), Timestamp::now());
        let ends = principal.expires.and_then(timestamp);
        // A token is good for a while after its end, for clocks that differ.
        let until = ends.map_or(now.saturating_add(FOR_LONG), |ends| ends.saturating_add(LEEWAY));
        let until = until.unwrap_or(Timestamp::MAX);
        let of_it = |subject: &&Arc<Subject>| subject.principal.session == principal.session;
        let requests = self.under_way.all().iter().filter(of_it).count() as u64;
        let ended = EndedSession {
            session: id.clone(),
            user: user.clone(),
            by: by.to_owned(),
            why,
            ended: now,
            until,
        };
        let change = AuditChange {
            request: request.to_string(),
            user: by.to_owned(),
            what: "endSession".into(),
            subject: format!("{id} of {user}"),
            ..AuditChange::default()
        };
        self.audit.record(change, self.view.fleet.registry.end_session(ended)).await?;
        self.authn.forget(principal);
        Ok(SessionEnded { id, user, requests, until })
    }

    /// Ends all sessions of a local user that were seen lately.
    pub(super) async fn end_local_sessions(
        &self,
        user: &str,
        request: RequestId,
        by: &str,
    ) -> Result<(), No> {
        let local =
            |seen: &Seen| matches!(seen.principal.how, How::Web | How::Local) && seen.principal.user == user;
        for seen in self.under_way.sessions.all(Timestamp::now()).into_iter().filter(local) {
            self.end_session(&seen.principal, request, by, "the user was removed".into()).await?;
        }
        Ok(())
    }
}

fn session(seen: Seen, mut requests: Vec<LiveRequest>) -> UserSession {
    requests.sort_by_key(|request| request.since);
    let principal = &seen.principal;
    UserSession {
        id: principal.session.to_string(),
        user: principal.user.clone(),
        groups: principal.groups.clone(),
        how: principal.how.to_string(),
        first: seen.first,
        last: seen.last,
        from: seen.from.to_string(),
        expires: principal.expires.and_then(timestamp),
        requests,
    }
}

fn live(subject: &Subject) -> LiveRequest {
    let mut live = LiveRequest {
        request: subject.request.to_string(),
        cluster: None,
        kind: subject.kind.as_str().to_owned(),
        verb: String::new(),
        object: String::new(),
        namespace: String::new(),
        name: String::new(),
        rule: String::new(),
        acting_as: String::new(),
        since: subject.since,
    };
    if let Some(Errand { cluster, action, rule, identity, .. }) = &subject.errand {
        live.cluster = Some(cluster.clone());
        action.verb.clone_into(&mut live.verb);
        live.object = action.object();
        if let Some(resource) = &action.resource {
            (live.namespace, live.name) = (resource.namespace.clone(), resource.name.clone());
        }
        (live.rule, live.acting_as) = (rule.clone(), identity.user.clone());
    }
    live
}
