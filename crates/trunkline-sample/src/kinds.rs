//! The closed list of what the sample serves, and how each kind looks in `kubectl get`.
//!
//! Invariants:
//! - discovery, paths and tables are all drawn from [`KINDS`]: a kind stands in one place;
//! - a kind's `cells` are as many as its `columns`.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

/// A kind of object.
#[derive(Debug)]
pub(crate) struct Kind {
    pub(crate) group: &'static str,
    pub(crate) version: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) plural: &'static str,
    /// Empty when there is none.
    pub(crate) short: &'static str,
    pub(crate) namespaced: bool,
    /// A `+` marks what is shown with `-o wide` only.
    columns: &'static [&'static str],
    cells: fn(&Value, Timestamp) -> Value,
}

pub(crate) static KINDS: [&Kind; 6] = [&NAMESPACES, &PODS, &EVENTS, &DEPLOYMENTS, &TIERS, &POLICIES];

pub(crate) static NAMESPACES: Kind =
    kind(("", "v1", "Namespace", "namespaces", "ns", false), &["Name", "Status", "Age"], |o, now| {
        json!([name(o), text(o, "/status/phase"), age(o, now)])
    });
pub(crate) static PODS: Kind = kind(
    ("", "v1", "Pod", "pods", "po", true),
    &["Name", "Ready", "Status", "Restarts", "Age", "+IP", "+Node", "+Nominated Node", "+Readiness Gates"],
    |o, now| {
        let status = &o["status"]["containerStatuses"][0];
        let ready = if status["ready"] == true { "1/1" } else { "0/1" };
        let (count, last) = (&status["restartCount"], text(status, "/lastState/terminated/finishedAt"));
        let ago = if last.is_empty() { String::new() } else { format!(" ({} ago)", since(last, now)) };
        let (ip, place) = (text(o, "/status/podIP"), text(o, "/spec/nodeName"));
        let (phase, restarts) = (text(o, "/status/phase"), format!("{count}{ago}"));
        json!([name(o), ready, phase, restarts, age(o, now), ip, place, "<none>", "<none>"])
    },
);
pub(crate) static EVENTS: Kind = kind(
    ("", "v1", "Event", "events", "ev", true),
    &["Last Seen", "Type", "Reason", "Object", "+Source", "Message", "+Count", "+Name"],
    |o, now| {
        let kind = text(o, "/involvedObject/kind").to_lowercase();
        let about = format!("{kind}/{}", text(o, "/involvedObject/name"));
        let (seen, source) = (since(text(o, "/lastTimestamp"), now), &o["source"]["component"]);
        json!([seen, o["type"], o["reason"], about, source, o["message"], o["count"], name(o)])
    },
);
pub(crate) static DEPLOYMENTS: Kind = kind(
    ("apps", "v1", "Deployment", "deployments", "deploy", true),
    &["Name", "Ready", "Up-to-date", "Available", "Age", "+Containers", "+Images", "+Selector"],
    |o, now| {
        let (status, container) = (&o["status"], &o["spec"]["template"]["spec"]["containers"][0]);
        let (fresh, available) = (&status["updatedReplicas"], &status["availableReplicas"]);
        let ready = format!("{}/{}", status["readyReplicas"], o["spec"]["replicas"]);
        let selector = format!("app={}", text(o, "/spec/selector/matchLabels/app"));
        let (app, image) = (&container["name"], &container["image"]);
        json!([name(o), ready, fresh, available, age(o, now), app, image, selector])
    },
);
pub(crate) static TIERS: Kind =
    kind(("projectcalico.org", "v3", "Tier", "tiers", "", false), &["Name", "Order", "Age"], |o, now| {
        json!([name(o), o["spec"]["order"], age(o, now)])
    });
pub(crate) static POLICIES: Kind = kind(
    ("projectcalico.org", "v3", "NetworkPolicy", "networkpolicies", "cnp", true),
    &["Name", "Tier", "Order", "Selector", "Age"],
    |o, now| json!([name(o), o["spec"]["tier"], o["spec"]["order"], o["spec"]["selector"], age(o, now)]),
);

type Names = (&'static str, &'static str, &'static str, &'static str, &'static str, bool);

const fn kind(names: Names, columns: &'static [&'static str], cells: fn(&Value, Timestamp) -> Value) -> Kind {
    let (group, version, kind, plural, short, namespaced) = names;
    Kind { group, version, kind, plural, short, namespaced, columns, cells }
}

impl Kind {
    /// `v1`, `apps/v1`.
    pub(crate) fn api_version(&self) -> String {
        group_version(self.group, self.version)
    }

    /// The rows of `objects` as a `Table`. What a row carries beside its cells is `include`'s to say
    /// (`includeObject`); after a watch's first event the columns may be left out.
    pub(crate) fn table(&self, objects: &[Arc<Value>], meta: &Value, include: &str, columns: bool) -> Value {
        let now = Timestamp::now();
        let row = |object: &Arc<Value>| {
            let shown = match include {
                "None" => Value::Null,
                "Object" => Value::clone(object),
                _ => json!({
                    "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object["metadata"],
                }),
            };
            json!({"cells": (self.cells)(object, now), "object": shown})
        };
        let column = |name: &&str| {
            let (priority, name) = (name.starts_with('+') as u8, name.trim_start_matches('+'));
            // kubectl puts the kind before names when it shows several kinds.
            let format = if name == "Name" { "name" } else { "" };
            json!({"name": name, "type": "string", "format": format, "description": "", "priority": priority})
        };
        let rows: Vec<Value> = objects.iter().map(row).collect();
        let columns: Vec<Value> = self.columns.iter().filter(|_| columns).map(column).collect();
        json!({
            "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": meta,
            "columnDefinitions": columns, "rows": rows,
        })
    }
}

/// `v1`, `apps/v1`.
pub(crate) fn group_version(group: &str, version: &str) -> String {
    if group.is_empty() { version.into() } else { format!("{group}/{version}") }
}

/// The text at a JSON pointer; empty when there is none.
pub(crate) fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn name(object: &Value) -> &str {
    text(object, "/metadata/name")
}

fn age(object: &Value, now: Timestamp) -> String {
    since(text(object, "/metadata/creationTimestamp"), now)
}

/// How long ago, to the precision that kubectl shows.
fn since(then: &str, now: Timestamp) -> String {
    let then = then.parse().unwrap_or(now);
    let seconds = (now.as_second() - then.as_second()).max(0);
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match () {
        () if seconds < 120 => format!("{seconds}s"),
        () if seconds < 600 => format!("{minutes}m{}s", seconds % 60),
        () if seconds < 10_800 => format!("{minutes}m"),
        () if seconds < 28_800 => format!("{hours}h{}m", minutes % 60),
        () if seconds < 172_800 => format!("{hours}h"),
        () if seconds < 691_200 => format!("{days}d{}h", hours % 24),
        () => format!("{days}d"),
    }
}
