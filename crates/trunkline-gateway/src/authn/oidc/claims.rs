//! From verified claims to a principal. Pure: the clock is given.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value};
use trunkline_proto::headers::is_system_name;

use crate::authn::jwt::{moment, text};
use crate::authn::names;
use crate::authn::principal::{How, Principal, UserSessionId};
use crate::authn::why::Why;
use crate::config::IssuerConfig;

/// How long after it was issued a token is taken at the most, whatever it says: a mistake in an issuer's settings.
const MAX_LIFE: u64 = 400 * 24 * 3600;

/// Who bears a token with these claims.
pub(crate) fn principal(
    config: &IssuerConfig,
    claims: &Map<String, Value>,
    now: SystemTime,
) -> Result<Principal, Why> {
    if text(claims, "iss")? != config.url {
        return Err(Why::Issuer("another than was asked".into()));
    }
    let subject = text(claims, "sub")?;
    let ends = times(claims, now, config.leeway_seconds)?;
    audience(config, claims)?;
    for (name, value) in &config.required_claims {
        if claims.get(name).and_then(Value::as_str) != Some(value.as_str()) {
            return Err(Why::Claim { claim: name.clone(), what: "is not what is required" });
        }
    }
    let user = text(claims, &config.username_claim)?;
    if config.username_claim == "email" && claims.get("email_verified") != Some(&Value::Bool(true)) {
        return Err(Why::Claim {
            claim: "email_verified".into(),
            what: "is not true, so that email says nothing",
        });
    }
    let groups = groups(config, claims)?;
    let full_user = format!("{}{user}", config.username_prefix());
    let prefix = config.groups_prefix();
    let mut full_groups: Vec<String> = groups.iter().map(|group| format!("{prefix}{group}")).collect();
    names::check(&full_user, &full_groups)?;
    refuse_system(user, &groups)?;
    let [admins, operators, viewers] = names::ROLES;
    let roles = &config.roles;
    for (role, subjects) in
        [(admins, &roles.admins), (operators, &roles.operators), (viewers, &roles.viewers)]
    {
        let given =
            subjects.users.contains(user) || groups.iter().any(|group| subjects.groups.contains(*group));
        if given && !full_groups.iter().any(|group| group == role) {
            full_groups.push(role.to_owned());
        }
    }
    Ok(Principal {
        user: full_user,
        groups: full_groups,
        how: How::Oidc { issuer: config.name.as_str().into() },
        session: session(config, subject, claims),
        expires: Some(UNIX_EPOCH + Duration::from_secs(ends)),
    })
}

/// No issuer says that somebody is of Kubernetes' own, not even behind a prefix.
fn refuse_system(user: &str, groups: &[&str]) -> Result<(), Why> {
    if is_system_name(user) {
        return Err(Why::Name { what: "user name", why: "system: names are Kubernetes' own" });
    }
    if groups.iter().any(|group| is_system_name(group)) {
        return Err(Why::Name { what: "group", why: "system: names are Kubernetes' own" });
    }
    Ok(())
}

/// Whether a token is good now; when it ends.
fn times(claims: &Map<String, Value>, now: SystemTime, leeway: u64) -> Result<u64, Why> {
    let now = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let missing = |claim: &str| Why::Claim { claim: claim.into(), what: "is missing" };
    let ends = moment(claims, "exp")?.ok_or_else(|| missing("exp"))?;
    let issued = moment(claims, "iat")?.ok_or_else(|| missing("iat"))?;
    let from = moment(claims, "nbf")?.unwrap_or(issued);
    let ahead = |moment: u64| (moment > now + leeway).then(|| Duration::from_secs(moment - now));
    if let Some(ahead) = ahead(issued) {
        return Err(Why::Clock { claim: "was issued", ahead });
    }
    if let Some(ahead) = ahead(from) {
        return Err(Why::Clock { claim: "begins to be good", ahead });
    }
    if ends + leeway <= now {
        let at = i64::try_from(ends).ok().and_then(|ends| jiff::Timestamp::from_second(ends).ok());
        return Err(Why::Ended { at: at.unwrap_or_default(), ago: Duration::from_secs(now - ends) });
    }
    if ends <= issued || ends - issued > MAX_LIFE {
        return Err(Why::Claim {
            claim: "exp".into(),
            what: "is before iat, or more than 400 days after it",
        });
    }
    Ok(ends)
}

/// Whether a token is for one of our clients.
fn audience(config: &IssuerConfig, claims: &Map<String, Value>) -> Result<(), Why> {
    let wrong = || Why::Claim { claim: "aud".into(), what: "is no text and no list of texts" };
    let audiences: Vec<&str> = match claims.get("aud") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(many)) if !many.is_empty() => {
            many.iter().map(Value::as_str).collect::<Option<_>>().ok_or_else(wrong)?
        }
        _ => return Err(wrong()),
    };
    let ours = config.audiences();
    if !audiences.iter().any(|audience| ours.contains(*audience)) {
        return Err(Why::Audience);
    }
    // Who it was issued to, where it is for others as well.
    if audiences.len() > 1 && !ours.contains(text(claims, "azp")?) {
        return Err(Why::Audience);
    }
    Ok(())
}

fn groups<'c>(config: &IssuerConfig, claims: &'c Map<String, Value>) -> Result<Vec<&'c str>, Why> {
    let Some(name) = &config.groups_claim else { return Ok(Vec::new()) };
    let wrong = || Why::Claim { claim: name.clone(), what: "is no text and no list of texts" };
    match claims.get(name) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::String(one)) => Ok(vec![one]),
        Some(Value::Array(many)) => many.iter().map(Value::as_str).collect::<Option<_>>().ok_or_else(wrong),
        Some(_) => Err(wrong()),
    }
}

/// The sign-in that a token is of: by its session, else by itself, else by when it was issued.
fn session(config: &IssuerConfig, subject: &str, claims: &Map<String, Value>) -> UserSessionId {
    let which = ["sid", "jti"].into_iter().find_map(|name| Some((name, text(claims, name).ok()?.to_owned())));
    let (kind, which) =
        which.unwrap_or_else(|| ("iat", claims.get("iat").map(Value::to_string).unwrap_or_default()));
    UserSessionId::of_token(&config.url, subject, kind, &which)
}

#[cfg(test)]
mod tests;
