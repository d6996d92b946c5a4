//! What of the registry is pure: for `fuzz/`, which feeds it anything.
//!
//! No interface of the crate: hidden from its documentation, and it changes with what it lays bare.

use trunkline_api::{ClusterPatch, NewCluster};

use crate::{Record, RegistryError, record, rules, token};

/// A record of what is stored under this name.
///
/// # Errors
/// When it is none.
pub fn decode(name: &str, body: &[u8]) -> Result<Record, String> {
    record::decode(name, body)
}

/// A record as it is stored.
///
/// # Errors
/// Never, as far as is known.
pub fn encode(record: &Record) -> Result<Vec<u8>, serde_json::Error> {
    record::encode(record)
}

/// Whether a cluster may be registered so.
///
/// # Errors
/// When it may not.
pub fn check_new(new: &NewCluster, by: &str) -> Result<(), RegistryError> {
    rules::check_new(new, by)
}

/// Whether a cluster may be changed so.
///
/// # Errors
/// When it may not.
pub fn check_patch(patch: &ClusterPatch) -> Result<(), RegistryError> {
    rules::check_patch(patch)
}

/// The hash under which a join token is kept; none of a text that is no token.
pub fn token_hash(text: &str) -> Option<String> {
    token::hash(text)
}
