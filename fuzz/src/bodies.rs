//! The kind of a body of the REST API, then its JSON; or `selector` and a selector's text.
//!
//! A body with a field that nobody knows is no body; what is taken in can be written and read again; and what the
//! registry keeps is within its limits. A selector selects what each of its requirements selects.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use trunkline_api::{
    ClusterPatch, ClusterSpec, Labels, Lock, LockRequest, ManifestOptions, ManifestPatch, NewCluster,
    Selector, check_label,
};
use trunkline_registry::bare::{check_new, check_patch};

use crate::lines::first_line;

/// Reads a body.
pub fn bodies(input: &[u8]) {
    let (kind, body) = first_line(input);
    match kind {
        "new" => {
            let Some(new) = closed::<NewCluster>(body) else { return };
            if check_new(&new, "jane").is_ok() {
                assert!(!new.name.is_management());
                kept(&new.display_name, 200);
                kept(&new.description, 2_000);
                kept(&new.environment, 63);
                assert!(new.labels.len() <= 64);
                assert!(new.labels.iter().all(|(key, value)| check_label(key, value).is_ok()));
                assert!(new.manifest.groups.len() <= 100);
                new.manifest.groups.iter().for_each(|group| kept(group, 256));
            }
        }
        "patch" => {
            let Some(patch) = closed::<ClusterPatch>(body) else { return };
            if check_patch(&patch).is_ok() {
                kept(&patch.display_name.unwrap_or_default(), 200);
                kept(&patch.description.unwrap_or_default(), 2_000);
            }
        }
        "spec" => drop(closed::<ClusterSpec>(body)),
        "lock" => drop(closed::<Lock>(body)),
        "lock-request" => drop(closed::<LockRequest>(body)),
        "manifest" => {
            let Some(options) = closed::<ManifestOptions>(body) else { return };
            assert_eq!(options.patched(&ManifestPatch::default()), options);
        }
        "manifest-patch" => {
            let Some(patch) = closed::<ManifestPatch>(body) else { return };
            let once = ManifestOptions::default().patched(&patch);
            assert_eq!(once.patched(&patch), once);
        }
        "selector" => selector(std::str::from_utf8(body).unwrap_or_default()),
        _ => {}
    }
}

/// What the bytes say. With one field more they say nothing, and written and read again they say the same.
fn closed<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(body: &[u8]) -> Option<T> {
    let read: T = serde_json::from_slice(body).ok()?;
    let mut written = serde_json::to_value(&read).expect("what was read can be written");
    assert_eq!(serde_json::from_value::<T>(written.clone()).expect("what was written can be read"), read);
    written["misspelt"] = Value::Null;
    assert!(serde_json::from_value::<T>(written).is_err(), "a misspelt field is lost");
    Some(read)
}

fn kept(text: &str, most: usize) {
    assert!(text.len() <= most && !text.chars().any(char::is_control), "{text:?} is kept");
}

fn selector(text: &str) {
    let Ok(whole) = text.parse::<Selector>() else { return };
    assert_eq!(format!(" {text} ").parse::<Selector>().as_ref(), Ok(&whole));
    let labels = |pairs: &[(&str, &str)]| -> Labels {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    };
    let all = [
        labels(&[]),
        labels(&[("env", "prod")]),
        labels(&[("env", "dev"), ("region", "eu")]),
        labels(&[("env", "prod"), ("region", "us"), ("example.com/a", "")]),
    ];
    if text.trim().is_empty() {
        assert!(all.iter().all(|labels| whole.matches(labels)));
    } else if !text.contains(['(', ')']) {
        let parts: Vec<Selector> = text.split(',').map(|part| part.parse().expect("a requirement")).collect();
        for labels in &all {
            assert_eq!(whole.matches(labels), parts.iter().all(|part| part.matches(labels)), "{text}");
        }
    }
    let Ok(not) = format!("!{}", text.trim()).parse::<Selector>() else { return };
    if !text.contains(',') {
        assert!(all.iter().all(|labels| whole.matches(labels) != not.matches(labels)), "{text}");
    }
}
