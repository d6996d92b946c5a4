//! What is kept of a cluster: the resource as the API shows it, and who was let in for it.
//!
//! Stored as JSON in the shape of the resource, so that a store in a Kubernetes API can hold the same. Which fields
//! belong to what such an object calls its status stands in `docs/decisions/0008-the-registry-store.md`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use trunkline_api::{ClusterSpec, ManifestOptions, Metadata};
use trunkline_proto::Slot;

use crate::object;

/// The kind of a cluster's object in the store.
pub(crate) const KIND: &str = "Cluster";

/// A registered cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// Who it is.
    pub metadata: Metadata,
    /// What people want of it.
    pub spec: ClusterSpec,
    /// What its manifest holds.
    #[serde(default)]
    pub manifest: ManifestOptions,
    /// The join token that was handed out last, used or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub join: Option<JoinRecord>,
    /// The cluster's key; none before the first enrolment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyRecord>,
    /// The newest certificate of each slot.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub slots: BTreeMap<Slot, SlotRecord>,
    /// When the last link went down, as far as it was noted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_seen: Option<Timestamp>,
}

/// A join token, as far as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JoinRecord {
    /// SHA-256 of the token, in hex.
    pub hash: String,
    /// When it was handed out.
    pub created: Timestamp,
    /// Until when it may be used.
    pub expires: Timestamp,
    /// To whom it was handed out.
    pub by: String,
    /// Its one use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<Used>,
}

/// The one use of a join token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Used {
    /// When.
    pub when: Timestamp,
    /// The pin of the key it let in.
    pub key: String,
}

/// The key of a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyRecord {
    /// Its pin, `sha256:<hex>`.
    pub pin: String,
    /// Since when it is the cluster's.
    pub since: Timestamp,
    /// SHA-256 of the token that let it in, in hex.
    pub token: String,
}

/// The newest certificate of a slot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SlotRecord {
    /// The pin of the slot's key, `sha256:<hex>`.
    pub key: String,
    /// The certificate's serial.
    pub serial: String,
    /// The pin of the root it stands under.
    pub root: String,
    /// When it was issued.
    pub issued: Timestamp,
    /// When it ends.
    pub not_after: Timestamp,
}

impl Record {
    /// The newest sign that the holder of the cluster's key was there; none before the first enrolment.
    pub fn last_sign(&self) -> Option<Timestamp> {
        let issued = self.slots.values().map(|slot| slot.issued);
        let since = self.key.iter().map(|key| key.since);
        issued.chain(since).chain(self.last_seen).max()
    }

    /// The hashes by which a token is known to belong to this cluster.
    pub(crate) fn token_hashes(&self) -> impl Iterator<Item = &str> {
        let join = self.join.iter().map(|join| join.hash.as_str());
        join.chain(self.key.iter().map(|key| key.token.as_str()))
    }
}

/// A record as it is stored.
pub(crate) fn encode(record: &Record) -> Result<Vec<u8>, serde_json::Error> {
    object::write(KIND, record)
}

/// A record of what is stored, or why that is none.
pub(crate) fn decode(name: &str, body: &[u8]) -> Result<Record, String> {
    let record = object::read(KIND, body)?;
    check(name, &record).map(|()| record)
}

/// What holds for every record, whatever was done to it.
fn check(name: &str, record: &Record) -> Result<(), String> {
    if record.metadata.name.as_str() != name {
        return Err(format!("it names itself {}", record.metadata.name));
    }
    if record.metadata.uid.is_none() || record.metadata.created.is_none() {
        return Err("it has no uid, or no time of creation".into());
    }
    if record.key.is_none() && !record.slots.is_empty() {
        return Err("it has slots and no key".into());
    }
    let used = record.join.as_ref().and_then(|join| Some((&join.hash, &join.used.as_ref()?.key)));
    let pinned = record.key.as_ref().map(|key| (&key.token, &key.pin));
    if used.is_some() && used != pinned {
        return Err("its token was used by a key that is not its own".into());
    }
    Ok(())
}
