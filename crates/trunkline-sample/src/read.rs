//! Get, list and watch.
//!
//! A list may be taken in chunks: the continue token names the last object given and the version of the first chunk,
//! so that a watch from a list's version misses nothing that happened while it was read. A watch is a body that pulls
//! from the store's history at its reader's pace.
//!
//! Invariant: no task and no queue belongs to a watch; dropping its body ends it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use futures_util::stream::unfold;
use http::Response;
use http_body_util::StreamBody;
use hyper::body::Frame;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use trunkline_runtime::{Body, BodyError, boxed, full};

use crate::SampleCluster;
use crate::identity::{Act, Refusal};
use crate::kinds::{Kind, text};
use crate::route::{Query, object, typed};
use crate::store::{Page, Selection};

/// How often a quiet watch that allows it gets a bookmark.
const BOOKMARK_EVERY: Duration = Duration::from_secs(30);
/// How long a watch lasts unless it says otherwise, and at most.
const WATCH_LASTS: Duration = Duration::from_secs(3600);

/// One object.
pub(crate) fn get(kind: &Kind, found: Arc<Value>, query: &Query, accept: &str) -> Response<Body> {
    if !accept.contains("as=Table") {
        return object(&found);
    }
    let meta = json!({"resourceVersion": found["metadata"]["resourceVersion"]});
    object(&kind.table(&[found], &meta, query.get("includeObject"), true))
}

/// Many objects, once or as they change.
pub(crate) fn list(
    cluster: &SampleCluster,
    kind: &'static Kind,
    act: Act<'_>,
    query: &Query,
    accept: &str,
) -> Result<Response<Body>, Refusal> {
    let namespace = (!act.namespace.is_empty()).then(|| act.namespace.to_owned());
    let only = Selection::parse(namespace, query.get("labelSelector"), query.get("fieldSelector"))?;
    let is_table = accept.contains("as=Table");
    if act.verb == "watch" {
        let include = is_table.then(|| query.get("includeObject").to_owned());
        return watch(cluster, kind, only, query, include);
    }
    let (begun, after) = match query.get("continue") {
        "" => Default::default(),
        token => read_token(token).ok_or_else(|| Refusal::bad_request("continue key is not valid"))?,
    };
    let limit = query.number("limit")?.filter(|limit| *limit > 0).map_or(usize::MAX, |limit| limit as usize);
    let page = cluster.state.store.list(kind, &only, after, limit);
    let version = begun.unwrap_or(page.version);
    let mut meta = json!({"resourceVersion": version.to_string()});
    if let (Some(last), 1..) = (page.objects.last(), page.remaining) {
        let (namespace, name) = (text(last, "/metadata/namespace"), text(last, "/metadata/name"));
        meta["continue"] = json!(URL_SAFE_NO_PAD.encode(format!("{version}/{namespace}/{name}")));
        meta["remainingItemCount"] = json!(page.remaining);
    }
    Ok(match is_table {
        true => object(&kind.table(&page.objects, &meta, query.get("includeObject"), true)),
        false => typed("application/json", full(listed(kind, &page, &meta))),
    })
}

/// The first chunk's version, and namespace and name of the last object given.
fn read_token(token: &str) -> Option<(Option<u64>, (String, String))> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
    let (version, last) = text.split_once('/')?;
    let (namespace, name) = last.split_once('/')?;
    Some((Some(version.parse().ok()?), (namespace.into(), name.into())))
}

/// Written piece by piece, so that a long list is not first copied into one value.
fn listed(kind: &Kind, page: &Page, meta: &Value) -> String {
    let (name, version) = (kind.kind, kind.api_version());
    let mut text = format!(r#"{{"kind":"{name}List","apiVersion":"{version}","metadata":{meta},"items":["#);
    for (i, object) in page.objects.iter().enumerate() {
        text.push_str(if i == 0 { "" } else { "," });
        text.push_str(&object.to_string());
    }
    text + "]}"
}

fn watch(
    cluster: &SampleCluster,
    kind: &'static Kind,
    only: Selection,
    query: &Query,
    include: Option<String>,
) -> Result<Response<Body>, Refusal> {
    let store = &cluster.state.store;
    let (from, wants_all) = (query.number("resourceVersion")?, query.on("sendInitialEvents"));
    let lasts = query.number("timeoutSeconds")?.map_or(WATCH_LASTS, Duration::from_secs).min(WATCH_LASTS);
    let mut watching = Watching {
        cluster: cluster.clone(),
        versions: store.versions(),
        kind,
        only,
        include,
        columns: true,
        version: from.unwrap_or_default(),
        pending: VecDeque::new(),
        ends: Instant::now() + lasts,
        bookmark: query.on("allowWatchBookmarks").then(|| Instant::now() + BOOKMARK_EVERY),
        is_over: false,
    };
    // No version, or version 0, means: from anywhere, beginning with what there is.
    if wants_all || watching.version == 0 {
        let page = store.list(kind, &watching.only, Default::default(), usize::MAX);
        watching.version = page.version;
        page.objects.into_iter().for_each(|object| watching.tell("ADDED", object));
    }
    if wants_all {
        watching.mark(json!({"k8s.io/initial-events-end": "true"}));
    }
    let chunks = unfold(watching, |mut watching| async {
        watching.next().await.map(|chunk| (Ok::<_, BodyError>(Frame::data(chunk)), watching))
    });
    Ok(typed("application/json", boxed(StreamBody::new(chunks))))
}

/// A watch's place in the history.
struct Watching {
    cluster: SampleCluster,
    versions: watch::Receiver<u64>,
    kind: &'static Kind,
    only: Selection,
    /// What rows carry, when tables are wanted.
    include: Option<String>,
    /// Whether the next table says its columns.
    columns: bool,
    version: u64,
    pending: VecDeque<Bytes>,
    ends: Instant,
    bookmark: Option<Instant>,
    is_over: bool,
}

impl Watching {
    async fn next(&mut self) -> Option<Bytes> {
        while self.pending.is_empty() && !self.is_over {
            self.versions.borrow_and_update();
            match self.cluster.state.store.since(self.kind, self.version) {
                Ok((version, mut changes)) => {
                    self.version = version;
                    changes.retain(|change| self.only.takes(&change.object));
                    changes.into_iter().for_each(|change| self.tell(change.what, change.object));
                }
                Err(gone) => {
                    self.is_over = true;
                    self.push("ERROR", &gone.object());
                }
            }
            if self.pending.is_empty() {
                let until = self.bookmark.unwrap_or(self.ends).min(self.ends);
                tokio::select! {
                    _ = self.versions.changed() => {}
                    () = sleep_until(until) => self.pause_is_over(),
                }
            }
        }
        self.pending.pop_front()
    }

    fn pause_is_over(&mut self) {
        self.is_over = Instant::now() >= self.ends;
        if self.bookmark.is_some() {
            self.bookmark = Some(Instant::now() + BOOKMARK_EVERY);
            self.mark(json!({}));
        }
    }

    fn tell(&mut self, what: &str, object: Arc<Value>) {
        let Some(include) = &self.include else { return self.push(what, &object) };
        let meta = json!({"resourceVersion": object["metadata"]["resourceVersion"]});
        let table = self.kind.table(&[object], &meta, include, std::mem::take(&mut self.columns));
        self.push(what, &table);
    }

    fn mark(&mut self, annotations: Value) {
        let meta = json!({"resourceVersion": self.version.to_string(), "annotations": annotations});
        let object = match &self.include {
            Some(include) => self.kind.table(&[], &meta, include, false),
            None => json!({"kind": self.kind.kind, "apiVersion": self.kind.api_version(), "metadata": meta}),
        };
        self.push("BOOKMARK", &object);
    }

    fn push(&mut self, what: &str, object: &Value) {
        self.pending.push_back(Bytes::from(format!("{{\"type\":\"{what}\",\"object\":{object}}}\n")));
    }
}
