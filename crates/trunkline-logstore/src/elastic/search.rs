//! Searches: what is asked, and what is made of the answers.
//!
//! Invariants:
//! - whoever may see no cluster is answered without asking;
//! - what is found in part is told: documents with [`Hits::partial`], counts not at all, since a wrong count looks like a right one;
//! - `terminate_after` is not used: it would end a sorted search with documents that are not the first ones.

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tracing::warn;
use trunkline_logs::{Cursor, Field, Hit, Hits, MAX_TERM_BYTES, Order, Question, Slice, Top};

use super::bulk::said;
use super::config::Layout;
use super::index::patterns;
use super::query::{bounded, keyword, query, says};
use super::wire::{Answer, Ask, Trouble, Wire};
use crate::store::PAGE_BYTES;
use crate::{MAX_HITS, MAX_SLICES, MAX_VALUES, SearchError};

/// How many values a histogram tells apart.
const BY: usize = 10;
/// How many values each shard counts before theirs are put together: the more, the more exact.
const SHARD_VALUES: usize = 2000;
/// The longest answer, in bytes: a page of documents, and what stands beside each. A page that is longer is asked for with fewer.
const MAX_ANSWER: usize = PAGE_BYTES + (1 << 20);
/// Searches under way at once; others wait for their turn.
const AT_ONCE: usize = 16;
/// What the store is given beyond the time of a search, to say that it was too short.
const GRACE: Duration = Duration::from_secs(2);

/// Who may search now, and how.
#[derive(Debug)]
pub(super) struct Searches {
    layout: Layout,
    time: Duration,
    turns: Semaphore,
}

impl Searches {
    pub(super) fn new(layout: Layout, seconds: u64) -> Self {
        Self { layout, time: Duration::from_secs(seconds), turns: Semaphore::new(AT_ONCE) }
    }

    pub(super) async fn find(
        &self,
        wire: &Wire,
        question: &Question,
        order: Order,
        after: Option<Cursor>,
        limit: usize,
    ) -> Result<Hits, SearchError> {
        let mut limit = limit.min(MAX_HITS);
        if finds_nothing(question) || limit == 0 {
            return Ok(Hits::default());
        }
        loop {
            let body = self.page(question, order, after, limit);
            match self.ask(wire, question, body).await {
                Ok(answer) => return hits(answer, limit),
                Err(Asked::TooLong) if limit > 1 => limit = limit.div_ceil(4),
                Err(asked) => return Err(asked.into_error(self.time)),
            }
        }
    }

    fn page(&self, question: &Question, order: Order, after: Option<Cursor>, limit: usize) -> Value {
        let direction = match order {
            Order::Newest => "desc",
            Order::Oldest => "asc",
        };
        let mut body = json!({
            "size": limit + 1,
            "query": query(question),
            "sort": [
                { "@timestamp": { "order": direction, "unmapped_type": "date" } },
                { "trunkline.id": { "order": direction, "unmapped_type": "keyword" } },
            ],
            "track_total_hits": false,
            "timeout": format!("{}ms", self.time.as_millis()),
        });
        if let Some(Cursor { time, id }) = after {
            body["search_after"] = json!([time, id]);
        }
        body
    }

    pub(super) async fn histogram(
        &self,
        wire: &Wire,
        question: &Question,
        slices: usize,
        by: Option<&Field>,
    ) -> Result<Vec<Slice>, SearchError> {
        let slices = slices.clamp(1, MAX_SLICES);
        let (from, to) = bounded(question);
        if from >= to {
            return Ok(Vec::new());
        }
        let step = (to - from + slices as i64 - 1) / slices as i64;
        let begins = (0..slices as i64).map(|at| from + at * step);
        let mut histogram: Vec<Slice> = begins
            .take_while(|begins| *begins < to)
            .map(|begins| Slice { begins, ..Slice::default() })
            .collect();
        if question.scope.0.is_empty() {
            return Ok(histogram);
        }
        let top = match by {
            Some(field) => self.top(wire, question, field, BY).await?.values,
            None => Vec::new(),
        };
        let mut slice = json!({ "date_histogram": {
            "field": "@timestamp",
            "fixed_interval": format!("{step}ms"),
            "offset": format!("{}ms", from.rem_euclid(step)),
            "min_doc_count": 1,
        } });
        let before = by.map(|field| keyword(field).1).unwrap_or_default();
        if let (Some(field), false) = (by, top.is_empty()) {
            let values: Vec<String> = top.iter().map(|(value, _)| format!("{before}{value}")).collect();
            slice["aggs"] = json!({ "by": { "terms": {
                "field": keyword(field).0, "size": BY, "include": values,
            } } });
        }
        let answer = self.count(wire, question, json!({ "slices": slice })).await?;
        let places: HashMap<i64, usize> =
            histogram.iter().enumerate().map(|(at, slice)| (slice.begins, at)).collect();
        for bucket in buckets(&answer["aggregations"]["slices"])? {
            let place = bucket["key"].as_i64().and_then(|key| places.get(&key));
            let slice = place.and_then(|at| histogram.get_mut(*at)).ok_or_else(nonsense)?;
            slice.count = bucket["doc_count"].as_u64().ok_or_else(nonsense)?;
            if !bucket["by"].is_null() {
                let counts: HashMap<String, u64> = values(&bucket["by"], &before)?.into_iter().collect();
                let told = top.iter().filter_map(|(value, _)| Some((value.clone(), *counts.get(value)?)));
                slice.by = told.collect();
            }
        }
        Ok(histogram)
    }

    pub(super) async fn top(
        &self,
        wire: &Wire,
        question: &Question,
        field: &Field,
        most: usize,
    ) -> Result<Top, SearchError> {
        let mut top = Top { field: field.clone(), values: Vec::new(), with: 0 };
        let most = most.min(MAX_VALUES);
        if finds_nothing(question) || most == 0 {
            return Ok(top);
        }
        let (name, before) = keyword(field);
        if before.len() > MAX_TERM_BYTES {
            return Ok(top);
        }
        let mut terms = json!({
            "field": name, "size": most, "shard_size": SHARD_VALUES,
            "order": [{ "_count": "desc" }, { "_key": "asc" }],
        });
        if !before.is_empty() {
            terms["include"] = begins_with(&before).into();
        }
        let counted = json!({ "with": { "filter": says(field), "aggs": { "values": { "terms": terms } } } });
        let answer = self.count(wire, question, counted).await?;
        let with = &answer["aggregations"]["with"];
        top.with = with["doc_count"].as_u64().ok_or_else(nonsense)?;
        top.values = values(&with["values"], &before)?;
        Ok(top)
    }

    /// Counts; what is not whole is no count.
    async fn count(&self, wire: &Wire, question: &Question, aggs: Value) -> Result<Value, SearchError> {
        let body = json!({
            "size": 0,
            "query": query(question),
            "aggs": aggs,
            "track_total_hits": false,
            "timeout": format!("{}ms", self.time.as_millis()),
        });
        let answer = self.ask(wire, question, body).await.map_err(|asked| asked.into_error(self.time))?;
        if answer["timed_out"] != false {
            return Err(SearchError::TooMuch(self.time.as_secs()));
        }
        if let Some(why) = lost_shards(&answer) {
            return Err(SearchError::Unavailable(why));
        }
        if answer["aggregations"].is_null() {
            // No index at all: nothing is counted, and no aggregation answered.
            return Ok(json!({ "aggregations": {
                "slices": { "buckets": [] }, "with": { "doc_count": 0, "values": { "buckets": [] } },
            } }));
        }
        Ok(answer)
    }

    async fn ask(&self, wire: &Wire, question: &Question, body: Value) -> Result<Value, Asked> {
        let turn = tokio::time::timeout(self.time, self.turns.acquire()).await;
        let _turn = turn.map_err(|_| Asked::TooMuch)?.map_err(|_| Asked::TooMuch)?;
        let ask = Ask {
            method: Method::POST,
            path: format!(
                "/{}/_search?ignore_unavailable=true&allow_no_indices=true&allow_partial_search_results=true",
                patterns(question, self.layout)
            ),
            body: Bytes::from(body.to_string()),
            kind: "application/json",
            is_gzip: false,
            is_aside: false,
            deadline: self.time + GRACE,
            limit: MAX_ANSWER,
        };
        let Answer { status, body, .. } = wire.ask(&ask).await.map_err(|trouble| match trouble {
            Trouble::TooLong(..) => Asked::TooLong,
            Trouble::Slow(..) => Asked::TooMuch,
            other => Asked::Unavailable(other.to_string()),
        })?;
        if status != StatusCode::OK {
            return Err(Asked::Unavailable(said(status, &body)));
        }
        // Parsing megabytes is not for the runtime's threads. It is done within the turn, which bounds the memory.
        let parsed = tokio::task::spawn_blocking(move || serde_json::from_slice::<Value>(&body)).await;
        let answer = parsed
            .map_err(|_| Asked::Answer("it could not be read".into()))?
            .map_err(|error| Asked::Answer(format!("it is no JSON: {error}")))?;
        if answer["timed_out"].is_boolean() && answer["_shards"]["total"].is_u64() {
            return Ok(answer);
        }
        Err(Asked::Answer("it is none to a search".into()))
    }
}

/// How asking can fail.
enum Asked {
    TooLong,
    TooMuch,
    Unavailable(String),
    Answer(String),
}

impl Asked {
    fn into_error(self, time: Duration) -> SearchError {
        match self {
            Self::TooLong => SearchError::Answer(format!("it is longer than {MAX_ANSWER} bytes")),
            Self::TooMuch => SearchError::TooMuch(time.as_secs()),
            Self::Unavailable(why) => SearchError::Unavailable(why),
            Self::Answer(why) => SearchError::Answer(why),
        }
    }
}

fn finds_nothing(question: &Question) -> bool {
    question.scope.0.is_empty() || question.from >= question.to
}

fn hits(mut answer: Value, limit: usize) -> Result<Hits, SearchError> {
    let Some(Value::Array(list)) = answer.pointer_mut("/hits/hits").map(Value::take) else {
        return Err(nonsense());
    };
    let mut hits = list.into_iter().map(hit).collect::<Result<Vec<_>, _>>()?;
    let goes_on = hits.len() > limit;
    hits.truncate(limit);
    let next = if goes_on { hits.last().map(|hit| hit.at) } else { None };
    let partial = if answer["timed_out"] != false {
        Some("the search ended before all was looked at: ask for less time or rarer words".to_owned())
    } else {
        lost_shards(&answer)
    };
    Ok(Hits { hits, next, partial })
}

fn hit(mut hit: Value) -> Result<Hit, SearchError> {
    let time = hit["sort"][0].as_i64().ok_or_else(nonsense)?;
    let id = hit["sort"][1].as_str().and_then(|id| id.parse().ok()).ok_or_else(nonsense)?;
    match hit.get_mut("_source").map(Value::take) {
        Some(Value::Object(source)) => Ok(Hit { at: Cursor { time, id }, source }),
        _ => Err(nonsense()),
    }
}

fn lost_shards(answer: &Value) -> Option<String> {
    let shards = &answer["_shards"];
    let failed = shards["failed"].as_u64().unwrap_or(0);
    if failed == 0 {
        return None;
    }
    let reason: String =
        shards["failures"][0]["reason"]["reason"].as_str().unwrap_or_default().chars().take(200).collect();
    // It names machines: for the log alone.
    warn!(failed, reason, "parts of the log store could not be asked");
    Some(format!("{failed} of {} parts of the log store could not be asked", shards["total"]))
}

fn buckets(aggregation: &Value) -> Result<&Vec<Value>, SearchError> {
    aggregation["buckets"].as_array().ok_or_else(nonsense)
}

/// The values of a terms aggregation, without what stands before them.
fn values(aggregation: &Value, before: &str) -> Result<Vec<(String, u64)>, SearchError> {
    let one = |bucket: &Value| {
        let value = bucket["key"].as_str()?.strip_prefix(before)?;
        Some((value.to_owned(), bucket["doc_count"].as_u64()?))
    };
    buckets(aggregation)?.iter().map(|bucket| one(bucket).ok_or_else(nonsense)).collect()
}

/// A pattern for what begins so: Lucene's, in which every letter but ASCII's letters and digits stands for itself behind a backslash.
fn begins_with(beginning: &str) -> String {
    let mut pattern = String::with_capacity(2 * beginning.len() + 2);
    for letter in beginning.chars() {
        if letter.is_ascii() && !letter.is_ascii_alphanumeric() {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern + ".*"
}

fn nonsense() -> SearchError {
    SearchError::Answer("a part of it is missing, or is no number or text".into())
}
