//! What is kept of access: the rules, and the user sessions that were ended before their time.
//!
//! Pure, as `decide` is: state and orders in, changes out.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use trunkline_api::{AccessRule, NewAccessRule, RuleMetadata, RuleName, RuleOrigin};

use crate::RegistryError;
use crate::rules::{MAX_ENDED, MAX_RULES};
use crate::state::{Change, State};

/// A user session that somebody ended: nobody comes in by it until it would have ended by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EndedSession {
    /// The session's id.
    pub session: String,
    /// Whose it was.
    pub user: String,
    /// Who ended it.
    pub by: String,
    /// Why, as it is told to whoever is cut.
    #[serde(default)]
    pub why: String,
    /// When.
    pub ended: Timestamp,
    /// When it would have ended by itself; it is forgotten after that.
    pub until: Timestamp,
}

impl EndedSession {
    /// The kind in the store.
    pub(crate) const KIND: &'static str = "EndedSession";
}

/// A rule as it is to be; the revision grows if anything changed.
pub(crate) fn put_rule(
    state: &State,
    new: &NewAccessRule,
    by: &str,
    now: Timestamp,
) -> Result<Change<AccessRule>, RegistryError> {
    let before = state.find::<AccessRule>(&new.name);
    let newest = before.map_or(0, |rule| rule.metadata.revision);
    if let Some(given) = new.revision.filter(|given| *given != newest) {
        return Err(RegistryError::RuleConflict { name: new.name.clone(), given, newest });
    }
    let metadata = match before {
        Some(before) if before.spec == new.spec => return Ok(Change::Keep(before.clone())),
        Some(before) => RuleMetadata { revision: newest + 1, ..before.metadata.clone() },
        None if state.rules() >= MAX_RULES => return Err(RegistryError::TooManyRules),
        None => RuleMetadata {
            name: new.name.clone(),
            created: Some(now),
            created_by: by.to_owned(),
            revision: 1,
            origin: RuleOrigin::Registry,
        },
    };
    Ok(Change::Put(AccessRule::new(metadata, new.spec.clone()).into()))
}

/// No such rule.
pub(crate) fn remove_rule(state: &State, name: &RuleName) -> Result<Change<AccessRule>, RegistryError> {
    let rule = state.find::<AccessRule>(name).ok_or_else(|| RegistryError::NoRule(name.clone()))?;
    Ok(Change::Remove(rule.clone()))
}

/// A session that is over; ended twice, the first end stays.
pub(crate) fn end_session(
    state: &State,
    ended: &EndedSession,
) -> Result<Change<EndedSession>, RegistryError> {
    if let Some(before) = state.find::<EndedSession>(&ended.session) {
        return Ok(Change::Keep(before.clone()));
    }
    if state.ended() >= MAX_ENDED {
        return Err(RegistryError::TooManyEnded);
    }
    Ok(Change::Put(ended.clone().into()))
}

/// A session whose time is over, which is forgotten.
pub(crate) fn forget_session(
    state: &State,
    session: &String,
    now: Timestamp,
) -> Result<Change<EndedSession>, RegistryError> {
    match state.find::<EndedSession>(session) {
        Some(ended) if ended.until <= now => Ok(Change::Remove(ended.clone())),
        Some(ended) => Ok(Change::Keep(ended.clone())),
        None => Err(RegistryError::NoSession(session.clone())),
    }
}
