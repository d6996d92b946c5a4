//! The user sessions: who is signed in, what they have under way, and its end.

use std::collections::HashMap;
use std::time::Duration;

use axum::Json;
use axum::extract::{FromRequestParts, State};
use http::request::Parts;
use jiff::Timestamp;
use trunkline_api::{
    AuditChange, BASE, EndSession, FleetRole, LiveRequest, Problem, ProblemReason, SessionEnded, UserSession,
    UserSessionList,
};
use trunkline_registry::EndedSession;

use super::Shared;
use super::problem::No;
use super::read::{Asked, MaySend, Nothing, Reader};
use crate::under_way::{Errand, Seen, Subject};

/// For how long an ended session is remembered that has no end of its own.
const FOR_LONG: Duration = Duration::from_secs(365 * 24 * 3600);

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
    let now = Timestamp::now();
    let ends = seen.principal.expires.and_then(|ends| Timestamp::try_from(ends).ok());
    let until = ends.unwrap_or_else(|| now.saturating_add(FOR_LONG).unwrap_or(Timestamp::MAX));
    let of_it = |subject: &&std::sync::Arc<Subject>| subject.principal.session.as_str() == id;
    let requests = shared.under_way.all().iter().filter(of_it).count();
    let ended = EndedSession {
        session: id.clone(),
        user: seen.principal.user.clone(),
        by: reader.who.user.clone(),
        why: request.unwrap_or_default().reason,
        ended: now,
        until,
    };
    let change = AuditChange {
        request: reader.request.to_string(),
        user: reader.who.user.clone(),
        what: "endSession".into(),
        subject: format!("{id} of {}", seen.principal.user),
        ..AuditChange::default()
    };
    shared.audit.record(change, shared.view.fleet.registry.end_session(ended)).await?;
    Ok(Json(SessionEnded { id, user: seen.principal.user.clone(), requests: requests as u64, until }))
}

fn session(seen: Seen, mut requests: Vec<LiveRequest>) -> UserSession {
    requests.sort_by(|one, other| one.since.cmp(&other.since));
    let principal = &seen.principal;
    UserSession {
        id: principal.session.to_string(),
        user: principal.user.clone(),
        groups: principal.groups.clone(),
        how: principal.how.to_string(),
        first: seen.first,
        last: seen.last,
        from: seen.from.to_string(),
        expires: principal.expires.and_then(|ends| Timestamp::try_from(ends).ok()),
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
