//! The clusters that are wanted, with a `!` in front if no others are to stay; then a kubeconfig's text.
//!
//! Whatever file it is: it is left alone, or it holds what is wanted and all else is as it was, a second time changes
//! nothing, and the current context stays.

use std::collections::BTreeSet;

use serde_json::Value;
use trunkline::bare;
use trunkline_proto::ClusterId;

use crate::lines::first_line;

const GATEWAY: &str = "https://gw.test:8443";

/// Changes a kubeconfig.
pub fn kubeconfig(input: &[u8]) {
    let (line, text) = first_line(input);
    let Ok(text) = std::str::from_utf8(text) else { return };
    let (only, names) = line.strip_prefix('!').map_or((false, line), |names| (true, names));
    let clusters: BTreeSet<ClusterId> =
        names.split(' ').filter_map(|name| name.parse().ok()).take(4).collect();
    let Ok(changed) = bare::kubeconfig(text, GATEWAY, &clusters, only) else { return };
    assert_eq!(bare::kubeconfig(&changed, GATEWAY, &clusters, only).ok().as_deref(), Some(&*changed));
    for cluster in &clusters {
        let context = bare::own_context(&changed, GATEWAY, cluster).expect("a kubeconfig");
        assert!(context.is_some(), "{cluster} has no context in\n{changed}");
    }
    let current = bare::current_context(text).expect("a kubeconfig");
    assert_eq!(bare::current_context(&changed).expect("a kubeconfig"), current);
    // Read by a YAML reader that is not the one that made the change.
    if let Ok(before) = serde_saphyr::from_str::<Value>(text) {
        let after: Value = serde_saphyr::from_str(&changed).expect("YAML stays YAML");
        for list in ["clusters", "contexts", "users"] {
            assert_eq!(others(&before, list), others(&after, list), "{list} of\n{text}\nin\n{changed}");
        }
    }
}

/// The entries of a list that carry no extension of ours for this gateway.
fn others(file: &Value, list: &str) -> Vec<Value> {
    let entries = file[list].as_array().cloned().unwrap_or_default();
    let ours = |entry: &Value| {
        let inside = &entry[list.trim_end_matches('s')]["extensions"];
        inside.as_array().is_some_and(|all| {
            all.iter().any(|one| one["name"] == "trunkline" && one["extension"]["gateway"] == GATEWAY)
        })
    };
    entries.into_iter().filter(|entry| !ours(entry)).collect()
}
