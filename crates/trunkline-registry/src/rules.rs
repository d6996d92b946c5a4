//! What people may write of a cluster: lengths, characters, labels.

use std::collections::BTreeMap;

use trunkline_api::{ClusterPatch, Labels, ManifestOptions, NewCluster, check_label};
use trunkline_proto::{MAX_SLOTS, Slot};

use crate::RegistryError;

/// The most clusters of a registry.
pub const MAX_CLUSTERS: usize = 20_000;
/// The most labels of a cluster.
pub const MAX_LABELS: usize = 64;
/// The longest display name, in bytes.
pub const MAX_DISPLAY_NAME: usize = 200;
/// The longest description, in bytes.
pub const MAX_DESCRIPTION: usize = 2_000;
/// The longest environment, in bytes.
pub const MAX_ENVIRONMENT: usize = 63;
/// The longest name of who does something, in bytes.
pub const MAX_BY: usize = 256;
/// The longest reason of a lock, in bytes.
pub const MAX_REASON: usize = 1_000;
/// The most groups in a manifest, each of at most 256 bytes.
pub const MAX_GROUPS: usize = 100;

/// Whether a cluster may be registered so.
pub(crate) fn check_new(new: &NewCluster, by: &str) -> Result<(), RegistryError> {
    if new.name.is_management() {
        return Err(RegistryError::Reserved);
    }
    check_text("displayName", &new.display_name, MAX_DISPLAY_NAME)?;
    check_text("description", &new.description, MAX_DESCRIPTION)?;
    check_text("environment", &new.environment, MAX_ENVIRONMENT)?;
    check_by(by)?;
    check_labels(&new.labels)?;
    check_manifest(&new.manifest)
}

/// Whether a cluster may be changed so; how many labels it has afterwards is looked at then.
pub(crate) fn check_patch(patch: &ClusterPatch) -> Result<(), RegistryError> {
    check_text("displayName", patch.display_name.as_deref().unwrap_or_default(), MAX_DISPLAY_NAME)?;
    check_text("description", patch.description.as_deref().unwrap_or_default(), MAX_DESCRIPTION)?;
    check_text("environment", patch.environment.as_deref().unwrap_or_default(), MAX_ENVIRONMENT)?;
    let set = patch.labels.iter().filter_map(|(key, value)| Some((key, value.as_ref()?)));
    set.into_iter().try_for_each(|(key, value)| check_one_label(key, value))
}

/// Whether these may be a cluster's labels.
pub(crate) fn check_labels(labels: &Labels) -> Result<(), RegistryError> {
    if labels.len() > MAX_LABELS {
        return Err(invalid("labels", format!("are {}; at most {MAX_LABELS} are kept", labels.len())));
    }
    labels.iter().try_for_each(|(key, value)| check_one_label(key, value))
}

/// Whether this may be the reason of a lock.
pub(crate) fn check_reason(reason: &str) -> Result<(), RegistryError> {
    check_text("reason", reason, MAX_REASON)
}

/// Whether this may be the name of who does something.
pub(crate) fn check_by(by: &str) -> Result<(), RegistryError> {
    check_text("the name of who asks", by, MAX_BY)
}

/// Whether a cluster may have this slot.
pub(crate) fn check_slot(slot: Slot) -> Result<(), RegistryError> {
    if slot.0 < MAX_SLOTS {
        return Ok(());
    }
    Err(invalid("slot", format!("{slot} is too high: a cluster has slots 0 to {}", MAX_SLOTS - 1)))
}

/// A patch's labels applied to a cluster's.
pub(crate) fn patched(labels: &Labels, patch: &BTreeMap<String, Option<String>>) -> Labels {
    let mut labels = labels.clone();
    for (key, value) in patch {
        match value {
            Some(value) => labels.insert(key.clone(), value.clone()),
            None => labels.remove(key),
        };
    }
    labels
}

fn check_manifest(manifest: &ManifestOptions) -> Result<(), RegistryError> {
    if manifest.without_bindings.len() > 3 {
        return Err(invalid("manifest.withoutBindings", "names more than the three there are"));
    }
    if manifest.groups.len() > MAX_GROUPS {
        return Err(invalid("manifest.groups", format!("names more than {MAX_GROUPS}")));
    }
    for group in &manifest.groups {
        if group.is_empty() {
            return Err(invalid("manifest.groups", "names an empty group"));
        }
        check_text("manifest.groups", group, MAX_BY)?;
    }
    check_text("manifest.storageClass", manifest.storage_class.as_deref().unwrap_or_default(), 253)?;
    check_text("manifest.image", manifest.image.as_deref().unwrap_or_default(), 512)
}

fn check_one_label(key: &str, value: &str) -> Result<(), RegistryError> {
    check_label(key, value).map_err(|error| invalid("labels", format!("cannot be: {error}")))
}

fn check_text(field: &str, text: &str, most: usize) -> Result<(), RegistryError> {
    if text.len() > most {
        return Err(invalid(field, format!("has {} bytes; at most {most} are kept", text.len())));
    }
    match text.chars().find(|c| is_unseen(*c)) {
        Some(c) => Err(invalid(field, format!("holds the control character {c:?}; leave it out"))),
        None => Ok(()),
    }
}

/// Control characters, and those that turn the direction of what is written around them.
fn is_unseen(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn invalid(field: &str, why: impl Into<String>) -> RegistryError {
    RegistryError::Invalid { field: field.into(), why: why.into() }
}
