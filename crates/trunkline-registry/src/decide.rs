//! What becomes of a cluster: pure functions of the state and of what is asked.
//!
//! They do not know where records are kept. A store whose objects others change as well asks again with the newest state.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use trunkline_api::{ClusterPatch, Lock, ManifestPatch};
use trunkline_proto::{ClusterId, ClusterUid, Slot};

use crate::audiences::check_free;
use crate::record::{JoinRecord, KeyRecord, Record, SlotRecord, Used};
use crate::rules::{self, MAX_CLUSTERS};
use crate::state::{Change, State};
use crate::{RedeemError, RegistryError, token};

/// A new cluster, unless its name is taken.
pub(crate) fn register(state: &State, record: &Record) -> Result<Change, RegistryError> {
    let name = &record.metadata.name;
    if state.get(name).is_some() {
        return Err(RegistryError::Exists { name: name.clone(), free: free_name(state, name) });
    }
    if state.len() >= MAX_CLUSTERS {
        return Err(RegistryError::Full);
    }
    check_free(state, record)?;
    Ok(Change::Put(record.clone().into()))
}

/// A new join token; the one before ends.
pub(crate) fn renew_token(
    state: &State,
    id: &ClusterId,
    join: &JoinRecord,
    patch: &ManifestPatch,
) -> Result<Change, RegistryError> {
    let record = known(state, id)?;
    let manifest = record.manifest.patched(patch);
    let renewed = Record { join: Some(join.clone()), manifest, ..Record::clone(record) };
    check_free(state, &renewed)?;
    Ok(Change::Put(renewed.into()))
}

/// A changed cluster; the revision grows if anything changed.
pub(crate) fn edit(state: &State, id: &ClusterId, patch: &ClusterPatch) -> Result<Change, RegistryError> {
    let record = known(state, id)?;
    let newest = record.metadata.revision;
    if let Some(given) = patch.revision.filter(|given| *given != newest) {
        return Err(RegistryError::Conflict { name: id.clone(), given, newest });
    }
    let mut edited = Record::clone(record);
    edited.metadata.labels = rules::patched(&record.metadata.labels, &patch.labels);
    rules::check_labels(&edited.metadata.labels)?;
    let spec = &mut edited.spec;
    for (field, wanted) in [
        (&mut spec.display_name, &patch.display_name),
        (&mut spec.description, &patch.description),
        (&mut spec.environment, &patch.environment),
    ] {
        if let Some(wanted) = wanted {
            field.clone_from(wanted);
        }
    }
    spec.protection = patch.protection.unwrap_or(spec.protection);
    Ok(revised(record, edited))
}

/// A closed cluster. Locking again with another reason replaces who, when and why; with the same, nothing.
pub(crate) fn lock(state: &State, id: &ClusterId, lock: &Lock) -> Result<Change, RegistryError> {
    let record = known(state, id)?;
    let same = record.spec.locked.as_ref().is_some_and(|locked| locked.reason == lock.reason);
    let mut locked = Record::clone(record);
    if !same {
        locked.spec.locked = Some(lock.clone());
    }
    Ok(revised(record, locked))
}

/// An open cluster.
pub(crate) fn unlock(state: &State, id: &ClusterId) -> Result<Change, RegistryError> {
    let record = known(state, id)?;
    let mut open = Record::clone(record);
    open.spec.locked = None;
    Ok(revised(record, open))
}

/// No cluster.
pub(crate) fn remove(state: &State, id: &ClusterId) -> Result<Change, RegistryError> {
    known(state, id).map(|record| Change::Remove(record.clone()))
}

/// A key asks to be let in, with a token or without.
pub(crate) struct Knock {
    pub(crate) id: ClusterId,
    /// Of the token that came with it; none of one that is not shaped as a token.
    pub(crate) token: Option<Option<String>>,
    pub(crate) key: String,
    pub(crate) now: Timestamp,
    pub(crate) away: Duration,
}

impl Knock {
    pub(crate) fn new(
        id: &ClusterId,
        token: Option<&str>,
        key: &str,
        now: Timestamp,
        away: Duration,
    ) -> Self {
        Self { id: id.clone(), token: token.map(token::hash), key: key.into(), now, away }
    }
}

/// Lets in the cluster's own key, or one that brings the cluster's token; then it is the cluster's from here on.
pub(crate) fn redeem(state: &State, knock: &Knock) -> Result<Change, RedeemError> {
    let name = || knock.id.clone();
    let record = state.get(&knock.id).ok_or_else(|| RedeemError::ClusterUnknown(name()))?;
    let own = record.key.as_ref().is_some_and(|key| key.pin == knock.key);
    let away = own.then(|| record.last_sign()).flatten().filter(|last| is_over(*last, knock.away, knock.now));
    // Only who has a key or a token of the cluster's is told that it is locked, by whom and why.
    let open = || match &record.spec.locked {
        Some(lock) => {
            Err(RedeemError::ClusterLocked { name: name(), by: lock.by.clone(), why: lock.reason.clone() })
        }
        None => Ok(()),
    };
    if own && away.is_none() {
        return open().map(|()| Change::Keep(record.clone()));
    }
    let Some(token) = &knock.token else {
        return Err(match away {
            Some(last) => RedeemError::AwayTooLong { name: name(), last },
            None => RedeemError::KeyUnknown(name()),
        });
    };
    let hash = match (use_up(state, record, token.as_deref(), knock), away) {
        (Ok(hash), _) => hash,
        // The token it once joined with may still lie about where the agent runs; that is not what is wrong.
        (Err(_), Some(last)) => return Err(RedeemError::AwayTooLong { name: name(), last }),
        (Err(error), None) => return Err(error),
    };
    open()?;
    let mut let_in = Record::clone(record);
    if !own {
        // What another key was given is not this one's: its slots are locked out from here on.
        let_in.slots.clear();
        let_in.last_seen = None;
    }
    let used = Used { when: knock.now, key: knock.key.clone() };
    let_in.key = Some(KeyRecord { pin: knock.key.clone(), since: knock.now, token: hash.to_owned() });
    let_in.join = let_in.join.map(|join| JoinRecord { used: Some(used), ..join });
    Ok(Change::Put(let_in.into()))
}

/// The hash of the token that lets the key in, or why it does not.
fn use_up<'a>(
    state: &State,
    record: &Record,
    hash: Option<&'a str>,
    knock: &Knock,
) -> Result<&'a str, RedeemError> {
    let name = || knock.id.clone();
    let hash = hash.ok_or_else(|| RedeemError::TokenUnknown(name()))?;
    let holder = state.holder(hash).ok_or_else(|| RedeemError::TokenUnknown(name()))?;
    if *holder != knock.id {
        return Err(RedeemError::TokenForOtherCluster(name()));
    }
    if let Some(key) = record.key.as_ref().filter(|key| key.token == hash) {
        return Err(RedeemError::TokenUsed { name: name(), when: key.since, key: key.pin.clone() });
    }
    let join = record.join.as_ref().filter(|join| join.hash == hash);
    match join {
        Some(join) if join.expires <= knock.now => {
            Err(RedeemError::TokenExpired { name: name(), at: join.expires })
        }
        Some(_) => Ok(hash),
        None => Err(RedeemError::TokenUnknown(name())),
    }
}

/// A slot with its newest certificate, which `key` asked for.
pub(crate) fn note_slot(
    state: &State,
    id: &ClusterId,
    uid: ClusterUid,
    slot: Slot,
    certificate: &SlotRecord,
    key: &str,
) -> Result<Change, RegistryError> {
    let record = known_as(state, id, uid)?;
    if record.key.as_ref().is_none_or(|pinned| pinned.pin != key) {
        return Err(RegistryError::KeyReplaced(id.clone()));
    }
    let mut noted = Record::clone(record);
    noted.slots.insert(slot, certificate.clone());
    Ok(changed(record, noted))
}

/// When it was last there; only the newest matters.
pub(crate) fn note_seen(
    state: &State,
    id: &ClusterId,
    uid: ClusterUid,
    when: Timestamp,
) -> Result<Change, RegistryError> {
    let record = known_as(state, id, uid)?;
    let last_seen = record.last_seen.max(Some(when));
    Ok(changed(record, Record { last_seen, ..Record::clone(record) }))
}

fn known<'a>(state: &'a State, id: &ClusterId) -> Result<&'a Arc<Record>, RegistryError> {
    if id.is_management() {
        return Err(RegistryError::Reserved);
    }
    state.get(id).ok_or_else(|| RegistryError::NotFound(id.clone()))
}

/// A removed or re-registered cluster is not the one that is meant.
fn known_as<'a>(state: &'a State, id: &ClusterId, uid: ClusterUid) -> Result<&'a Arc<Record>, RegistryError> {
    let record = known(state, id)?;
    (record.metadata.uid == Some(uid)).then_some(record).ok_or_else(|| RegistryError::NotFound(id.clone()))
}

fn changed(record: &Arc<Record>, now: Record) -> Change {
    if **record == now { Change::Keep(record.clone()) } else { Change::Put(now.into()) }
}

/// As `changed`, for what people want: the revision tells of it.
fn revised(record: &Arc<Record>, mut now: Record) -> Change {
    if **record != now {
        now.metadata.revision += 1;
    }
    changed(record, now)
}

/// Whether more than `bound` lies between the two.
fn is_over(last: Timestamp, bound: Duration, now: Timestamp) -> bool {
    last.checked_add(bound).is_ok_and(|end| end < now)
}

/// A name like this one that is free: `prod-eu-2` for `prod-eu`, `prod-eu-3` for `prod-eu-2`.
fn free_name(state: &State, name: &ClusterId) -> ClusterId {
    let (stem, number) = match name.as_str().rsplit_once('-') {
        Some((stem, number)) if !stem.is_empty() => match number.parse::<u32>() {
            Ok(number) if number < 1_000_000 => (stem, number),
            _ => (name.as_str(), 1),
        },
        _ => (name.as_str(), 1),
    };
    // Of one more than there may be clusters, one is free.
    (number + 1..)
        .take(MAX_CLUSTERS + 1)
        .filter_map(|number| {
            let end = format!("-{number}");
            let room = stem.len().min(63 - end.len());
            format!("{}{end}", stem[..room].trim_end_matches('-')).parse().ok()
        })
        .find(|free| state.get(free).is_none())
        .unwrap_or_else(|| name.clone())
}
