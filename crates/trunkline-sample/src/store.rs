//! The sample's objects, their versions, and the history that watches read.
//!
//! Every change gets the next version and a place in a ring. A watch keeps its own place in the ring and asks for
//! what came after it, so a slow watch costs nothing; one that falls off the ring is told that it is gone.
//!
//! Invariants:
//! - versions only grow, and an object's `resourceVersion` is the version of its last change;
//! - the history holds at most [`HISTORY`] changes;
//! - what selectors can ask about does not change in an object's life: no change moves it into or out of a selection.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::StatusCode;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::identity::Refusal;
use crate::kinds::{Kind, text};

/// How many changes are remembered.
pub(crate) const HISTORY: usize = 1024;

/// Plural, namespace (empty when there is none), name.
type Key = (&'static str, String, String);

/// One change of one object.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    /// `ADDED`, `MODIFIED` or `DELETED`.
    pub(crate) what: &'static str,
    pub(crate) object: Arc<Value>,
    plural: &'static str,
    version: u64,
}

/// Part of a list.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) version: u64,
    pub(crate) objects: Vec<Arc<Value>>,
    /// How many follow.
    pub(crate) remaining: usize,
}

/// All objects of one cluster.
#[derive(Debug, Default)]
pub(crate) struct Store {
    inner: Mutex<Inner>,
    versions: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Inner {
    objects: BTreeMap<Key, Arc<Value>>,
    history: VecDeque<Change>,
    version: u64,
    /// The version before the oldest change in the history.
    horizon: u64,
}

impl Store {
    /// Adds or replaces an object.
    pub(crate) fn put(&self, kind: &Kind, object: Value) {
        let mut inner = self.inner();
        let key = key_of(kind.plural, &object);
        let what = if inner.objects.contains_key(&key) { "MODIFIED" } else { "ADDED" };
        let object = inner.record(what, kind.plural, object);
        inner.objects.insert(key, object);
        self.versions.send_replace(inner.version);
    }

    /// Removes an object.
    pub(crate) fn remove(&self, kind: &Kind, object: &Value) {
        let mut inner = self.inner();
        if let Some(object) = inner.objects.remove(&key_of(kind.plural, object)) {
            inner.record("DELETED", kind.plural, Value::clone(&object));
            self.versions.send_replace(inner.version);
        }
    }

    /// One object.
    pub(crate) fn get(&self, kind: &Kind, namespace: &str, name: &str) -> Option<Arc<Value>> {
        self.inner().objects.get(&(kind.plural, namespace.into(), name.into())).cloned()
    }

    /// The selected objects after the one named `after` (namespace and name), at most `limit`.
    pub(crate) fn list(&self, kind: &Kind, only: &Selection, after: (String, String), limit: usize) -> Page {
        let inner = self.inner();
        let from = (kind.plural, after.0, after.1);
        let mut found = (inner.objects.range(&from..))
            .take_while(|(key, _)| key.0 == kind.plural)
            .filter(|(key, object)| **key != from && only.takes(object));
        let objects = found.by_ref().take(limit).map(|(_, object)| object.clone()).collect();
        Page { version: inner.version, objects, remaining: found.count() }
    }

    /// Every object of a kind.
    pub(crate) fn all(&self, kind: &Kind) -> Vec<Arc<Value>> {
        self.list(kind, &Selection::default(), Default::default(), usize::MAX).objects
    }

    /// What changed after `version`, and the version that brings the reader to.
    pub(crate) fn since(&self, kind: &Kind, version: u64) -> Result<(u64, Vec<Change>), Refusal> {
        let inner = self.inner();
        if version < inner.horizon {
            let message = format!("too old resource version: {version} ({})", inner.horizon);
            return Err(Refusal::new(StatusCode::GONE, "Expired", message));
        }
        let first = inner.history.partition_point(|change| change.version <= version);
        let changes = inner.history.range(first..).filter(|change| change.plural == kind.plural);
        Ok((inner.version.max(version), changes.cloned().collect()))
    }

    /// Tells of every new version.
    pub(crate) fn versions(&self) -> watch::Receiver<u64> {
        self.versions.subscribe()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn record(&mut self, what: &'static str, plural: &'static str, mut object: Value) -> Arc<Value> {
        self.version += 1;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        let object = Arc::new(object);
        if self.history.len() == HISTORY {
            self.horizon = self.history.pop_front().map_or(self.horizon, |change| change.version);
        }
        self.history.push_back(Change { what, object: object.clone(), plural, version: self.version });
        object
    }
}

fn key_of(plural: &'static str, object: &Value) -> Key {
    (plural, text(object, "/metadata/namespace").into(), text(object, "/metadata/name").into())
}

/// Objects of one namespace or all, with these labels and fields.
#[derive(Clone, Debug, Default)]
pub(crate) struct Selection {
    namespace: Option<String>,
    /// Where to look, what to look for, and whether it must stand there or must not.
    terms: Vec<(String, String, bool)>,
}

impl Selection {
    /// Reads selectors. One that is not understood is refused, never passed over.
    pub(crate) fn parse(namespace: Option<String>, labels: &str, fields: &str) -> Result<Self, Refusal> {
        let mut terms = Vec::new();
        let pieces = |text: &str| text.split(',').map(str::to_owned).collect::<Vec<_>>();
        let labels = pieces(labels).into_iter().map(|term| (term, "/metadata/labels/"));
        let fields = pieces(fields).into_iter().map(|term| (term, "/"));
        for (term, root) in labels.chain(fields).filter(|(term, _)| !term.is_empty()) {
            let unlike = term.split_once("!=").map(|(key, value)| (key, value, false));
            let like = || term.split_once('=').map(|(key, value)| (key, value, true));
            let Some((key, value, equal)) = unlike.or_else(like) else {
                let message = format!("selector {term:?}: the sample understands =, == and != only");
                return Err(Refusal::bad_request(message));
            };
            let key = if root == "/" { key.replace('.', "/") } else { key.replace('/', "~1") };
            terms.push((format!("{root}{key}"), value.trim_start_matches('=').to_owned(), equal));
        }
        Ok(Self { namespace, terms })
    }

    /// Whether an object is selected.
    pub(crate) fn takes(&self, object: &Value) -> bool {
        self.namespace.as_ref().is_none_or(|wanted| object["metadata"]["namespace"] == *wanted)
            && self.terms.iter().all(|(place, value, equal)| (text(object, place) == value) == *equal)
    }
}
