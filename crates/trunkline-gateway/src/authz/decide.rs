//! The decision. Pure.

use trunkline_api::{AccessSpec, Labels, Protection, Role};
use trunkline_proto::headers::{ActAs, is_system_name};
use trunkline_proto::path::ResourcePath;
use trunkline_proto::{ClusterId, Identity};

use super::action::Action;
use super::rules::{Rule, RuleSet};
use crate::authn::{Principal, is_ours};

/// API groups in which an operator changes nothing: who may do what, and what governs the API itself.
const GOVERNING: [&str; 6] = [
    "rbac.authorization.k8s.io",
    "admissionregistration.k8s.io",
    "apiregistration.k8s.io",
    "apiextensions.k8s.io",
    "certificates.k8s.io",
    "flowcontrol.apiserver.k8s.io",
];

/// A cluster, as far as it bears on who may reach it.
#[derive(Clone, Debug)]
pub(crate) struct Place<'a> {
    pub(crate) id: &'a ClusterId,
    pub(crate) labels: &'a Labels,
    pub(crate) protection: Protection,
    /// Whether who asks has said, a while ago at most, that it is to be changed.
    pub(crate) confirmed: bool,
    /// Whether tokens go through to it, and nobody is impersonated there.
    pub(crate) passes_through: bool,
    /// The groups that its agent may act for beside the three of ours; any when not known.
    pub(crate) groups: Option<&'a [String]>,
}

/// A yes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Allowed {
    /// The rule that decided.
    pub(crate) rule: String,
    pub(crate) role: Role,
    /// As whom the request goes on.
    pub(crate) identity: Identity,
    /// Whether an interactive session is recorded.
    pub(crate) record: bool,
}

/// A no, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Denied {
    /// The user's own name cannot be served.
    Name(String),
    /// No rule allows it.
    NoRule(String),
    /// The cluster is not to be changed.
    Protected(String),
    /// Who changes it is asked first.
    Unconfirmed(String),
}

impl Denied {
    /// Why, for people.
    pub(crate) fn why(&self) -> &str {
        match self {
            Self::Name(why) | Self::NoRule(why) | Self::Protected(why) | Self::Unconfirmed(why) => why,
        }
    }
}

/// A rule about somebody, and why it does not allow what is asked; it does when there is nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Considered<'a> {
    pub(crate) rule: &'a str,
    pub(crate) why_not: Option<&'static str>,
}

/// Decides.
pub(crate) fn decide(
    rules: &RuleSet,
    principal: &Principal,
    place: &Place<'_>,
    action: &Action,
    act_as: Option<&ActAs>,
) -> Result<Allowed, Denied> {
    if is_system_name(&principal.user) {
        let why = format!("{:?} is a name of Kubernetes' own and is served by no gateway", principal.user);
        return Err(Denied::Name(why));
    }
    if place.passes_through && act_as.is_some() {
        // Whom no rule lets in there at all is told that, and not how the cluster is told who one is.
        decide(rules, principal, place, action, None)?;
        let id = place.id;
        let why = format!(
            "cluster {id} is in pass-through mode: who you are there your token says, and --as is not carried; bring the token \
             of whom you want to be"
        );
        return Err(Denied::NoRule(why));
    }
    let mut nearest: Option<&'static str> = None;
    let mut deciding = None;
    for rule in rules.about(principal) {
        match why_not(rule, place, action, act_as) {
            None => {
                deciding = Some(rule);
                break;
            }
            // What comes nearest to a yes is told: the strongest role's no in this very cluster.
            Some(why) => nearest = nearest.filter(|before| *before != ELSEWHERE).or(Some(why)),
        }
    }
    let Some(rule) = deciding else {
        return Err(Denied::NoRule(no_rule(principal, place, action, act_as, nearest)));
    };
    protect(place, action)?;
    Ok(Allowed {
        rule: rule.name().to_owned(),
        role: rule.spec().role,
        identity: identity(rule.spec(), principal, place, act_as),
        record: rule.spec().record,
    })
}

/// Every rule about somebody, and what it says.
pub(crate) fn explain<'a>(
    rules: &'a RuleSet,
    principal: &Principal,
    place: &Place<'_>,
    action: &Action,
    act_as: Option<&ActAs>,
) -> Vec<Considered<'a>> {
    let considered =
        |rule: &'a Rule| Considered { rule: rule.name(), why_not: why_not(rule, place, action, act_as) };
    rules.about(principal).map(considered).collect()
}

const ELSEWHERE: &str = "it is for other clusters";

/// Why a rule does not allow it; none if it does.
fn why_not(rule: &Rule, place: &Place<'_>, action: &Action, act_as: Option<&ActAs>) -> Option<&'static str> {
    let spec = rule.spec();
    if !rule.is_for(place.id, place.labels) {
        return Some(ELSEWHERE);
    }
    if place.passes_through && (spec.identity.user.is_some() || spec.identity.groups.is_some()) {
        return Some("it gives another identity, and in pass-through mode one's own token says who one is");
    }
    if !is_within(&spec.namespaces, action) {
        return Some("it is for other namespaces");
    }
    if let Some(why) = role_forbids(spec, action) {
        return Some(why);
    }
    match act_as {
        Some(_) if place.passes_through => Some("in pass-through mode nobody acts as somebody else"),
        Some(act_as) if !may_act_as(spec, act_as) => {
            Some("it does not allow to act as that user and those groups")
        }
        _ => None,
    }
}

/// Whether an action stays within these namespaces; with none named, everything does. What a cluster tells everybody and
/// what it tells about who asks does.
fn is_within(namespaces: &[String], action: &Action) -> bool {
    if namespaces.is_empty() || action.is_about_oneself() {
        return true;
    }
    match &action.resource {
        None => action.reads(),
        Some(ResourcePath { namespace, .. }) => namespaces.contains(namespace),
    }
}

pub(super) fn role_forbids(spec: &AccessSpec, action: &Action) -> Option<&'static str> {
    match spec.role {
        Role::Admin => None,
        Role::Viewer if action.reads() => None,
        Role::Viewer => Some("its role, viewer, is for reading"),
        Role::Operator if action.reads() => None,
        Role::Operator => governs(action).then_some(
            "its role, operator, changes neither who may do what in the cluster nor what governs its API",
        ),
        Role::Custom => {
            let verb = spec.verbs.iter().any(|verb| verb == "*" || verb == action.verb);
            let object = action.object();
            // What is no resource is named by nobody, and told to everybody who may read at all.
            let told = action.resource.is_none() && action.reads();
            let named = |resource: &String| resource == "*" || *resource == object;
            let resource = spec.resources.is_empty() || told || spec.resources.iter().any(named);
            let told = told && !spec.verbs.is_empty();
            (!(told || (verb && resource) || action.is_about_oneself()))
                .then_some("it allows other verbs or resources")
        }
    }
}

/// Whether an action is on what governs the cluster: rights, webhooks, aggregated APIs, nodes.
fn governs(action: &Action) -> bool {
    match &action.resource {
        // No resource, and no reading: nothing that operating needs.
        None => true,
        Some(resource) => {
            GOVERNING.contains(&resource.group.as_str())
                || (resource.group.is_empty() && resource.resource == "nodes")
        }
    }
}

fn may_act_as(spec: &AccessSpec, act_as: &ActAs) -> bool {
    let may = |allowed: &[String], name: &String| {
        let any = allowed.iter().any(|allowed| allowed == "*") && !is_ours(name);
        !is_system_name(name) && (any || allowed.contains(name))
    };
    may(&spec.act_as.users, &act_as.user) && act_as.groups.iter().all(|group| may(&spec.act_as.groups, group))
}

/// What a cluster's protection says to an action.
fn protect(place: &Place<'_>, action: &Action) -> Result<(), Denied> {
    let id = place.id;
    match place.protection {
        _ if action.reads() => Ok(()),
        Protection::None => Ok(()),
        Protection::ReadOnly => Err(Denied::Protected(format!(
            "cluster {id} is protected: nothing is changed in it, and nobody gets into its pods; who may change the fleet \
             lifts that with trunkline clusters edit {id} --protection none"
        ))),
        Protection::Confirm if place.confirmed => Ok(()),
        Protection::Confirm => Err(Denied::Unconfirmed(format!(
            "cluster {id} is protected: whoever changes it says first that it is meant; run trunkline use {id} --confirm, \
             which holds for a quarter of an hour, and try again"
        ))),
    }
}

/// As whom a request goes on.
fn identity(spec: &AccessSpec, principal: &Principal, place: &Place<'_>, act_as: Option<&ActAs>) -> Identity {
    if let Some(ActAs { user, groups }) = act_as {
        return Identity { user: user.clone(), groups: groups.clone(), ..Identity::default() };
    }
    let user = spec.identity.user.as_ref().unwrap_or(&principal.user).clone();
    let groups = match &spec.identity.groups {
        Some(groups) => groups.clone(),
        None => {
            // What the agent may not act for would be refused there, the whole request with it.
            let known = |group: &String| {
                place.groups.is_none_or(|groups| groups.iter().any(|known| known == "*" || known == group))
            };
            let own = principal
                .groups
                .iter()
                .filter(|group| !is_system_name(group) && !is_a_role(group) && known(group));
            own.cloned().chain(spec.role.group().map(str::to_owned)).collect()
        }
    };
    Identity { user, groups, ..Identity::default() }
}

/// Whether a group is one that goes on by a rule's role alone.
fn is_a_role(group: &str) -> bool {
    [Role::Viewer, Role::Operator, Role::Admin].into_iter().any(|role| role.group() == Some(group))
}

fn no_rule(
    principal: &Principal,
    place: &Place<'_>,
    action: &Action,
    act_as: Option<&ActAs>,
    nearest: Option<&'static str>,
) -> String {
    let (user, id, what) = (&principal.user, place.id, action.told());
    let ask = format!(
        "ask who may change the fleet; trunkline access test {user} {id} {} {} tells more",
        action.verb,
        action.object()
    );
    match (nearest, act_as) {
        (None, _) => format!("no access rule names {user} or a group of theirs; {ask}"),
        (Some(ELSEWHERE), _) => format!("no access rule gives {user} cluster {id}; {ask}"),
        // As whom is not repeated: what a client sends is not written down where its kind is not known.
        (Some(_), Some(_)) => {
            format!(
                "no access rule lets {user} {what} in cluster {id} as the user and the groups that were asked for; {ask}"
            )
        }
        (Some(why), None) => {
            format!("no access rule lets {user} {what} in cluster {id}: of the nearest, {why}; {ask}")
        }
    }
}
