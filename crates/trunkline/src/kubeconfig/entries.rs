//! The three kinds of entry: what ours hold, and what of a file's is ours.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use trunkline_proto::{ClusterId, ClusterUid};

use super::tree::Node;

/// The extension by which an entry is ours.
const EXTENSION: &str = "trunkline";
/// What of a cluster's entry is whoever uses it to set, and stays when ours is written anew.
const KEPT_OF_CLUSTERS: [&str; 3] = ["disable-compression", "proxy-url", "tls-server-name"];
/// The same of a context's.
const KEPT_OF_CONTEXTS: [&str; 1] = ["namespace"];

/// A cluster that is to have a context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// Its id.
    pub(crate) id: ClusterId,
    /// Its identity, where it has one.
    pub(crate) uid: Option<ClusterUid>,
}

/// What a file is to hold of ours.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    /// The gateway it is written for: `https://host:port`.
    pub(crate) gateway: String,
    /// PEM: the roots of the gateway's certificate.
    pub(crate) roots: String,
    /// The exec plugin as a user's `exec`.
    pub(crate) exec: Value,
    /// The clusters.
    pub(crate) clusters: Vec<Target>,
    /// What stands before every name.
    pub(crate) prefix: Option<String>,
    /// All clusters of the fleet: what is ours of others is taken out.
    pub(crate) prune_to: Option<BTreeSet<ClusterId>>,
}

/// The lists of a kubeconfig, by their keys; what their items hold has the key in the singular.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sort {
    Cluster,
    Context,
    User,
}

impl Sort {
    pub(super) const ALL: [Self; 3] = [Self::Cluster, Self::Context, Self::User];

    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Cluster => "clusters",
            Self::Context => "contexts",
            Self::User => "users",
        }
    }

    fn singular(self) -> &'static str {
        match self {
            Self::Cluster => "cluster",
            Self::Context => "context",
            Self::User => "user",
        }
    }
}

/// An item of a file's list.
pub(super) struct Item<'a> {
    pub(super) index: usize,
    pub(super) name: &'a str,
    pub(super) body: Option<&'a Node>,
    /// What our extension says, if it is ours.
    pub(super) ours: Option<Ours>,
}

/// What our extension says.
pub(super) struct Ours {
    pub(super) gateway: String,
    /// None for a user, who is of all clusters.
    pub(super) cluster: Option<String>,
}

/// The items of one of a file's lists that have a name.
pub(super) fn items(root: Option<&Node>, sort: Sort) -> Vec<Item<'_>> {
    let list = root.and_then(|root| root.get(sort.key())).map(Node::items).unwrap_or_default();
    let named = list.iter().enumerate().filter_map(|(index, item)| {
        let body = item.get(sort.singular());
        Some(Item { index, name: item.get("name")?.text()?, body, ours: body.and_then(ours) })
    });
    named.collect()
}

fn ours(body: &Node) -> Option<Ours> {
    let extensions = body.get("extensions")?.items();
    let extension = extensions.iter().find(|extension| named_ours(extension))?.get("extension")?;
    let text = |key| extension.get(key).and_then(Node::text).map(str::to_owned);
    Some(Ours { gateway: text("gateway")?, cluster: text("cluster") })
}

fn named_ours(extension: &Node) -> bool {
    extension.get("name").and_then(Node::text) == Some(EXTENSION)
}

impl Item<'_> {
    /// Whether it was written for this gateway.
    pub(super) fn is_of(&self, gateway: &str) -> bool {
        self.ours.as_ref().is_some_and(|ours| ours.gateway == gateway)
    }

    /// The cluster of this gateway that it was written for.
    pub(super) fn cluster_of(&self, gateway: &str) -> Option<&str> {
        self.ours.as_ref().filter(|ours| ours.gateway == gateway)?.cluster.as_deref()
    }
}

impl Wanted {
    /// A cluster's entry.
    pub(super) fn cluster(&self, name: &str, target: &Target, before: Option<&Node>) -> Value {
        let mut body = kept(before, &KEPT_OF_CLUSTERS);
        body.insert("certificate-authority-data".into(), STANDARD.encode(&self.roots).into());
        body.insert("extensions".into(), self.extensions(Some(target), before));
        body.insert("server".into(), format!("{}/clusters/{}", self.gateway, target.id).into());
        json!({"cluster": body, "name": name})
    }

    /// A context's entry.
    pub(super) fn context(
        &self,
        name: &str,
        target: &Target,
        cluster: &str,
        user: &str,
        before: Option<&Node>,
    ) -> Value {
        let mut body = kept(before, &KEPT_OF_CONTEXTS);
        body.insert("cluster".into(), cluster.into());
        body.insert("extensions".into(), self.extensions(Some(target), before));
        body.insert("user".into(), user.into());
        json!({"context": body, "name": name})
    }

    /// The user's entry.
    pub(super) fn user(&self, name: &str, before: Option<&Node>) -> Value {
        json!({"name": name, "user": {"exec": self.exec, "extensions": self.extensions(None, before)}})
    }

    /// Ours, and those of others that are there already.
    fn extensions(&self, target: Option<&Target>, before: Option<&Node>) -> Value {
        let mut ours = BTreeMap::from([("gateway", self.gateway.clone())]);
        if let Some(target) = target {
            ours.insert("cluster", target.id.to_string());
            ours.extend(target.uid.map(|uid| ("uid", uid.to_string())));
        }
        let others = before.and_then(|body| body.get("extensions")).map(Node::items).unwrap_or_default();
        let mut all: Vec<Value> = others.iter().filter(|other| !named_ours(other)).map(Node::plain).collect();
        all.push(json!({"extension": ours, "name": EXTENSION}));
        all.into()
    }
}

/// What somebody set in an entry of ours, and is not ours to say.
fn kept(before: Option<&Node>, keys: &[&str]) -> Map<String, Value> {
    let pairs = before.map(Node::pairs).unwrap_or_default();
    pairs
        .iter()
        .filter_map(|(key, value)| Some((key.text()?, value)))
        .filter(|(key, value)| keys.contains(key) && !value.is_null())
        .map(|(key, value)| (key.to_owned(), typed(value)))
        .collect()
}

/// A text, or the truth that it is where it is not quoted.
fn typed(value: &Node) -> Value {
    match value.plain() {
        Value::String(text) if text == "true" => Value::Bool(true),
        Value::String(text) if text == "false" => Value::Bool(false),
        other => other,
    }
}

/// Whether an item of a file says what it should, however it is written.
pub(super) fn says(item: &Node, wanted: &Value) -> bool {
    fn as_text(value: &Value) -> Value {
        match value {
            Value::Bool(_) | Value::Number(_) => Value::String(value.to_string()),
            Value::Array(items) => items.iter().map(as_text).collect(),
            Value::Object(pairs) => pairs.iter().map(|(key, value)| (key.clone(), as_text(value))).collect(),
            Value::Null | Value::String(_) => value.clone(),
        }
    }
    item.plain() == as_text(wanted)
}
