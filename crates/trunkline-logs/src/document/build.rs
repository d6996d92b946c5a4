//! From an entry's text to a document.

use serde_json::{Map, Value, json};

use super::{Document, Rejected, Stamp};
use crate::time::written;
use crate::{
    DocumentId, Entry, Facets, MAX_AHEAD, MAX_ALL_TERMS_BYTES, MAX_BEHIND, MAX_TERM_BYTES, MAX_TERMS, OwnId,
    parse, parse_time,
};

/// The roots that are ours: nothing of a shipper's stands in or under them.
const OURS: [&str; 2] = ["cluster", "trunkline"];
/// The longest that a record may have been on its way, in milliseconds: a year.
const LONGEST: i64 = 366 * 24 * 3_600_000;
/// Names at the root that Elasticsearch and OpenSearch keep for themselves: they refuse a document with one, or count it as many (`_doc_count`).
const THEIRS: [&str; 20] = [
    "_data_stream_timestamp",
    "_doc_count",
    "_feature",
    "_field_names",
    "_id",
    "_ignored",
    "_ignored_source",
    "_index",
    "_inference_fields",
    "_nested_path",
    "_primary_term",
    "_recovery_source",
    "_routing",
    "_seq_no",
    "_source",
    "_tier",
    "_ts_routing_hash",
    "_tsid",
    "_type",
    "_version",
];
/// Where fields are kept whose names no store takes at the root.
const UNNAMEABLE: &str = "event.original_fields";
/// Where shippers say when it happened, the best first.
const TIMES: [&str; 4] = ["@timestamp", "timestamp", "time", "ts"];
/// Where shippers say what happened, the best first.
const MESSAGES: [&str; 4] = ["message", "log", "msg", "body"];

/// The document of an entry. Duplicate keys: the last one counts, here and therefore everywhere.
///
/// # Errors
/// When its text is no JSON object within the limits.
pub fn rebuild(stamp: Stamp, entry: &Entry) -> Result<Document, Rejected> {
    Ok(build(stamp, entry.received, entry.own_id, parse(&entry.json)?))
}

/// The document of these fields, which keep to the limits.
pub fn build(stamp: Stamp, received: i64, own_id: Option<OwnId>, mut fields: Map<String, Value>) -> Document {
    fields.retain(|name, _| !is_ours(name));
    put_aside(&mut fields);

    let received = received.clamp(stamp.arrived - LONGEST, stamp.arrived + MAX_AHEAD);
    let time = take_time(&mut fields, received);
    let message = take_message(&mut fields);
    let facets = Facets::of(&fields);
    let terms = terms(&fields);
    let id = match own_id {
        Some(own) => DocumentId::of_own(stamp.uid, &stamp.dataset, own),
        None => DocumentId::of_place(stamp.uid, stamp.slot, stamp.spool, stamp.sequence),
    };
    fields.insert("@timestamp".into(), written(time).into());
    fields.insert("message".into(), message.clone().into());
    fields.insert("cluster".into(), json!({ "id": stamp.cluster, "uid": stamp.uid }));
    fields.insert("trunkline".into(), ours(id, &stamp, received, &facets, &terms));
    let source = Value::Object(fields).to_string();
    Document { id, has_own_id: own_id.is_some(), stamp, time, message, facets, terms, source }
}

/// Whether a field at the root is one of [`OURS`], or spelled so that a store would take it for part of one.
fn is_ours(name: &str) -> bool {
    let root = name.split('.').next().unwrap_or(name);
    OURS.contains(&root) || name.starts_with("@timestamp.") || name.starts_with("message.")
}

/// Takes fields whose names no store takes at the root into one that is called [`UNNAMEABLE`].
fn put_aside(fields: &mut Map<String, Value>) {
    let taken = |name: &str| !name.split('.').any(|part| part.trim().is_empty()) && !THEIRS.contains(&name);
    if fields.keys().all(|name| taken(name)) {
        return;
    }
    let (kept, aside) = std::mem::take(fields).into_iter().partition(|(name, _)| taken(name));
    *fields = kept;
    fields.insert(UNNAMEABLE.into(), Value::Object(aside));
}

fn ours(id: DocumentId, stamp: &Stamp, received: i64, facets: &Facets, terms: &[String]) -> Value {
    let mut ours = Map::new();
    ours.insert("id".into(), id.to_string().into());
    ours.insert("dataset".into(), stamp.dataset.as_str().into());
    ours.insert("slot".into(), stamp.slot.0.into());
    ours.insert("spool".into(), stamp.spool.to_string().into());
    ours.insert("sequence".into(), stamp.sequence.into());
    ours.insert("received_at".into(), written(received).into());
    ours.insert("arrived_at".into(), written(stamp.arrived).into());
    for (facet, value) in facets.iter() {
        ours.insert(facet.name().into(), value.into());
    }
    ours.insert("terms".into(), terms.into());
    ours.into()
}

/// When it happened. A time that is not believed is kept beside as `event.original_time`.
fn take_time(fields: &mut Map<String, Value>, received: i64) -> i64 {
    let said = TIMES.iter().find_map(|name| parse_time(fields.get(*name)?));
    let believed = said.filter(|time| (received - MAX_BEHIND..=received + MAX_AHEAD).contains(time));
    let stamp = fields.remove(TIMES[0]);
    if believed.is_none()
        && let Some(original) = said.map(|time| written(time).into()).or(stamp)
    {
        fields.insert("event.original_time".into(), original);
    }
    believed.unwrap_or(received)
}

/// What it says. Only text is taken away from where it stood; all else stays, and is written as text as well.
fn take_message(fields: &mut Map<String, Value>) -> String {
    for name in MESSAGES {
        if let Some(Value::String(text)) = fields.get_mut(name) {
            let text = std::mem::take(text);
            fields.remove(name);
            return text.trim_end_matches(['\n', '\r']).to_owned();
        }
    }
    fields.remove(MESSAGES[0]).map(|other| other.to_string()).unwrap_or_default()
}

fn terms(fields: &Map<String, Value>) -> Vec<String> {
    let mut found = Terms::default();
    for (name, value) in fields {
        found.collect(name, value);
    }
    found.terms
}

/// Terms, and how many bytes there may be more: a name can stand in front of many values.
struct Terms {
    terms: Vec<String>,
    left: usize,
}

impl Default for Terms {
    fn default() -> Self {
        Self { terms: Vec::new(), left: MAX_ALL_TERMS_BYTES }
    }
}

impl Terms {
    fn collect(&mut self, path: &str, value: &Value) {
        if self.terms.len() >= MAX_TERMS || path.len() >= MAX_TERM_BYTES || self.left == 0 {
            return;
        }
        let text = match value {
            Value::Null => return,
            Value::Bool(truth) => truth.to_string(),
            Value::Number(number) => number.to_string(),
            Value::String(text) if text.len() > MAX_TERM_BYTES => return,
            Value::String(text) => text.clone(),
            Value::Array(list) => return list.iter().for_each(|value| self.collect(path, value)),
            Value::Object(map) => {
                return map.iter().for_each(|(name, value)| self.collect(&format!("{path}.{name}"), value));
            }
        };
        let term = format!("{path}={text}");
        if term.len() <= MAX_TERM_BYTES && !self.terms.contains(&term) {
            // The first that does not fit is the last that is tried.
            match self.left.checked_sub(term.len()) {
                Some(left) => self.left = left,
                None => return self.left = 0,
            }
            self.terms.push(term);
        }
    }
}
