//! What people may write of a cluster and of an access rule: lengths, characters, labels.

use std::collections::BTreeMap;

use trunkline_api::{
    AccessSpec, ClusterPatch, Labels, ManifestOptions, NewCluster, Role, RuleClusters, Selector, Subjects,
    check_label,
};
use trunkline_proto::headers::{MAX_WHO, is_plain_name, is_system_name};
use trunkline_proto::{ClusterId, MAX_SLOTS, Slot};

use crate::RegistryError;
use crate::access::EndedSession;

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

/// The most access rules.
pub const MAX_RULES: usize = 2_000;
/// The most users, groups, clusters, namespaces, verbs or resources that a rule names, of each.
pub const MAX_SUBJECTS: usize = 500;
/// The most ended sessions that are remembered.
pub const MAX_ENDED: usize = 100_000;
/// The verbs that a rule may name.
const VERBS: [&str; 9] =
    ["*", "get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"];

/// Whether an access rule may be so.
pub fn check_access(spec: &AccessSpec) -> Result<(), RegistryError> {
    check_text("description", &spec.description, MAX_DESCRIPTION)?;
    let Subjects { users, groups } = &spec.subjects;
    if users.is_empty() && groups.is_empty() {
        return Err(invalid("subjects", "names nobody; name users or groups"));
    }
    let RuleClusters { names, selector } = &spec.clusters;
    if names.is_empty() && selector.is_none() && spec.fleet.is_none() {
        return Err(invalid(
            "clusters",
            "names no cluster and selects none; name clusters, \"*\" for every managed one, or give a selector",
        ));
    }
    for name in names.iter().filter(|name| *name != "*") {
        name.parse::<ClusterId>()
            .map_err(|error| invalid("clusters.names", format!("cannot be: {error}")))?;
    }
    if let Some(selector) = selector {
        if selector.trim().is_empty() {
            return Err(invalid("clusters.selector", "is empty; name \"*\" for every managed cluster"));
        }
        selector
            .parse::<Selector>()
            .map_err(|error| invalid("clusters.selector", format!("cannot be: {error}")))?;
    }
    for (field, names) in [
        ("subjects.users", users),
        ("subjects.groups", groups),
        ("clusters.names", names),
        ("namespaces", &spec.namespaces),
        ("verbs", &spec.verbs),
        ("resources", &spec.resources),
        ("actAs.users", &spec.act_as.users),
        ("actAs.groups", &spec.act_as.groups),
        ("identity.groups", spec.identity.groups.as_ref().unwrap_or(&Vec::new())),
    ] {
        if names.len() > MAX_SUBJECTS {
            return Err(invalid(field, format!("are {}; at most {MAX_SUBJECTS} are kept", names.len())));
        }
        if let Some(bad) = names.iter().find(|name| !is_plain_name(name)) {
            return Err(invalid(
                field,
                format!("holds {bad:?}, which is empty, too long or not plain ASCII"),
            ));
        }
    }
    let acting = spec.identity.user.iter().chain(spec.identity.groups.iter().flatten());
    for name in acting.chain(&spec.act_as.users).chain(&spec.act_as.groups) {
        if !is_plain_name(name) || is_system_name(name) {
            return Err(invalid(
                "identity and actAs",
                format!("name {name:?}; no name of Kubernetes' own leaves the gateway"),
            ));
        }
    }
    if spec.role == Role::Custom {
        if spec.verbs.is_empty() && spec.fleet.is_none() {
            return Err(invalid("verbs", "are none; a custom role names what may be done"));
        }
    } else if !spec.verbs.is_empty() || !spec.resources.is_empty() {
        return Err(invalid("verbs and resources", "go with the role custom only"));
    }
    match spec.verbs.iter().find(|verb| !VERBS.contains(&verb.as_str())) {
        Some(verb) => Err(invalid("verbs", format!("names {verb:?}; there are {}", VERBS.join(", ")))),
        None => Ok(()),
    }
}

/// Whether this may be the end of a session.
pub(crate) fn check_ended(ended: &EndedSession) -> Result<(), RegistryError> {
    check_text("session", &ended.session, 128)?;
    check_text("user", &ended.user, MAX_WHO)?;
    check_by(&ended.by)?;
    check_reason(&ended.why)
}

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

pub(crate) fn invalid(field: &str, why: impl Into<String>) -> RegistryError {
    RegistryError::Invalid { field: field.into(), why: why.into() }
}
