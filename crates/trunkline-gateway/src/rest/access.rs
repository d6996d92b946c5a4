//! The access rules: list, show, make or replace, remove; and the answer to "why can't I?".
//!
//! A rule is in force for new requests when its change is answered; what is under way follows within a second.

use axum::Json;
use axum::extract::{FromRequestParts, State};
use http::request::Parts;
use jiff::Timestamp;
use trunkline_api::{
    AccessAnswer, AccessQuestion, AccessRule, AccessRuleList, AuditChange, BASE, ConsideredRule, FleetRole,
    NewAccessRule, Problem, ProblemReason, Role, RuleName,
};
use trunkline_proto::ClusterId;
use trunkline_proto::headers::{ActAs, is_plain_name};

use super::Shared;
use super::problem::No;
use super::read::{Admin, Asked, Nothing, Reader, Sent, Viewer};
use crate::authn::Principal;
use crate::authz::{Action, decide, explain, may_be_named};

/// The rule that the path names.
#[derive(Debug)]
pub(super) struct OfRule(RuleName);

impl<S: Sync> FromRequestParts<S> for OfRule {
    type Rejection = No;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, No> {
        let after = parts.uri.path().strip_prefix(BASE).and_then(|path| path.strip_prefix("/access/rules/"));
        after
            .unwrap_or_default()
            .parse()
            .map(Self)
            .map_err(|error: trunkline_api::InvalidRuleName| No::invalid(error.to_string()))
    }
}

/// Lists the rules in force, those that are built in included.
#[utoipa::path(
    get,
    path = "/trunkline/v1/access/rules",
    operation_id = "listAccessRules",
    tag = "access",
    responses(
        (status = 200, description = "The rules, by name", body = AccessRuleList),
        (status = "4XX", description = "No", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn list(State(shared): State<Shared>, _: Viewer, _: Asked<Nothing>) -> Json<AccessRuleList> {
    let rules = shared.view.fleet.access.rules();
    let mut items: Vec<AccessRule> = rules.iter().map(|rule| AccessRule::clone(rule.shown())).collect();
    items.sort_by(|one, other| one.metadata.name.cmp(&other.metadata.name));
    Json(AccessRuleList::new(items))
}

/// Shows a rule.
#[utoipa::path(
    get,
    path = "/trunkline/v1/access/rules/{rule}",
    operation_id = "showAccessRule",
    tag = "access",
    params(("rule" = String, Path, description = "The rule")),
    responses(
        (status = 200, description = "The rule", body = AccessRule),
        (status = "4XX", description = "No", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn show(
    State(shared): State<Shared>,
    _: Viewer,
    OfRule(name): OfRule,
    _: Asked<Nothing>,
) -> Result<Json<AccessRule>, No> {
    let rules = shared.view.fleet.access.rules();
    let rule = rules.iter().find(|rule| rule.name() == name.as_str());
    let rule =
        rule.ok_or_else(|| No::new(ProblemReason::NotFound, format!("there is no access rule {name}")))?;
    Ok(Json(AccessRule::clone(rule.shown())))
}

/// Makes a rule, or replaces the one of this name.
#[utoipa::path(
    put,
    path = "/trunkline/v1/access/rules/{rule}",
    operation_id = "putAccessRule",
    tag = "access",
    params(("rule" = String, Path, description = "The rule")),
    request_body = NewAccessRule,
    responses(
        (status = 200, description = "The rule", body = AccessRule),
        (status = "4XX", description = "No", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "There are too many rules, or the registry cannot write", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn put(
    State(shared): State<Shared>,
    admin: Admin,
    OfRule(name): OfRule,
    _: Asked<Nothing>,
    Sent(new): Sent<NewAccessRule>,
) -> Result<Json<AccessRule>, No> {
    if new.name != name {
        return Err(No::invalid(format!("the path names the rule {name}, the body {}", new.name)));
    }
    shared.rule_changeable(&name)?;
    let fleet = &shared.view.fleet;
    let order = fleet.registry.put_rule(&new, &admin.who.user, Timestamp::now());
    let rule = shared.audit.record(admin.changes("putRule", name.as_str()), order).await?;
    fleet.access.take_on();
    Ok(Json(AccessRule::clone(&rule)))
}

/// Removes a rule. What is under way by it alone is cut.
#[utoipa::path(
    delete,
    path = "/trunkline/v1/access/rules/{rule}",
    operation_id = "removeAccessRule",
    tag = "access",
    params(("rule" = String, Path, description = "The rule")),
    responses(
        (status = 200, description = "The rule as it was", body = AccessRule),
        (status = "4XX", description = "No", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn remove(
    State(shared): State<Shared>,
    admin: Admin,
    OfRule(name): OfRule,
    _: Asked<Nothing>,
) -> Result<Json<AccessRule>, No> {
    shared.rule_changeable(&name)?;
    let fleet = &shared.view.fleet;
    let order = fleet.registry.remove_rule(&name);
    let rule = shared.audit.record(admin.changes("removeRule", name.as_str()), order).await?;
    fleet.access.take_on();
    Ok(Json(AccessRule::clone(&rule)))
}

/// Tells whether somebody may do something somewhere, by which rule, and why not. Everybody may ask about themselves.
#[utoipa::path(
    post,
    path = "/trunkline/v1/access/test",
    operation_id = "testAccess",
    tag = "access",
    request_body = AccessQuestion,
    responses(
        (status = 200, description = "Whether, by which rule, and why not", body = AccessAnswer),
        (status = "4XX", description = "No", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn test(
    State(shared): State<Shared>,
    reader: Reader,
    _: Asked<Nothing>,
    Sent(question): Sent<AccessQuestion>,
) -> Result<Json<AccessAnswer>, No> {
    let who = about_whom(&reader, &question)?;
    let id: ClusterId = question
        .cluster
        .parse()
        .map_err(|error: trunkline_proto::InvalidClusterId| No::invalid(error.to_string()))?;
    let action = Action::asked(&question.verb, &question.resource, &question.namespace, &question.name)
        .map_err(No::invalid)?;
    let act_as = act_as(&question)?;
    let fleet = &shared.view.fleet;
    let ground = fleet.ground(&id);
    let confirmed = ground.uid().is_some_and(|uid| shared.confirmations.holds(&who, uid));
    let place = ground.place(&id, confirmed);
    let rules = fleet.access.rules();
    let considered = explain(&rules, &who, &place, &action, act_as.as_ref())
        .into_iter()
        .map(|considered| ConsideredRule {
            rule: considered.rule.to_owned(),
            allows: considered.why_not.is_none(),
            why: considered.why_not.unwrap_or_default().to_owned(),
        })
        .collect();
    Ok(Json(match decide(&rules, &who, &place, &action, act_as.as_ref()) {
        Ok(allowed) => AccessAnswer {
            allowed: true,
            why: allows(&allowed.rule, allowed.role, place.passes_through),
            rule: Some(allowed.rule),
            role: Some(allowed.role),
            user: (!place.passes_through).then_some(allowed.identity.user),
            groups: if place.passes_through { Vec::new() } else { allowed.identity.groups },
            recorded: allowed.record && action.is_interactive(),
            considered,
        },
        Err(denied) => AccessAnswer {
            allowed: false,
            why: denied.why().to_owned(),
            rule: None,
            role: None,
            user: None,
            groups: Vec::new(),
            recorded: false,
            considered,
        },
    }))
}

/// What allows it.
fn allows(rule: &str, role: Role, passes_through: bool) -> String {
    let why = format!("rule {rule} allows it with the role {}", role.as_str());
    if passes_through { format!("{why}; who one is in the cluster, one's token for it says") } else { why }
}

/// Whom a question is about: who asks, or, for who sees all of the fleet, anybody.
fn about_whom(reader: &Reader, question: &AccessQuestion) -> Result<Principal, No> {
    let own = question.user.is_empty() || question.user == reader.who.user;
    if own && question.groups.is_empty() {
        return Ok(Principal::clone(&reader.who));
    }
    if reader.sight.fleet_role() < FleetRole::Viewer {
        let detail = "asking about others, or other groups than yours, needs the group trunkline:viewers, or an access rule \
                      with fleet: viewer";
        return Err(No::new(ProblemReason::Forbidden, detail));
    }
    if let Some(bad) = question.groups.iter().chain([&question.user]).find(|name| !is_plain_name(name)) {
        return Err(No::invalid(format!("{bad:?} is no name of a user or group")));
    }
    // The session stays that of who asks: what was confirmed is not the other's.
    let (user, groups) = (question.user.clone(), question.groups.clone());
    Ok(Principal { user, groups, ..Principal::clone(&reader.who) })
}

fn act_as(question: &AccessQuestion) -> Result<Option<ActAs>, No> {
    match &question.act_as_user {
        Some(user) => Ok(Some(ActAs { user: user.clone(), groups: question.act_as_groups.clone() })),
        None if question.act_as_groups.is_empty() => Ok(None),
        None => Err(No::invalid("actAsGroups goes with actAsUser")),
    }
}

impl Admin {
    /// What is done to something that is no cluster, as the audit log has it.
    pub(super) fn changes(&self, what: &str, subject: &str) -> AuditChange {
        AuditChange {
            request: self.request.to_string(),
            user: self.who.user.clone(),
            what: what.into(),
            subject: subject.into(),
            ..AuditChange::default()
        }
    }
}

impl Shared {
    /// Says no where a rule is not the registry's.
    fn rule_changeable(&self, name: &RuleName) -> Result<(), No> {
        if !may_be_named(name) {
            let detail = format!(
                "rule {name} is built in: it is what membership of its group allows, and is not changed"
            );
            return Err(No::new(ProblemReason::Reserved, detail));
        }
        if self.view.fleet.access.is_declared(name) {
            let detail = format!("rule {name} stands in the gateway's file, under access; change it there");
            return Err(No::new(ProblemReason::Declared, detail));
        }
        Ok(())
    }
}
