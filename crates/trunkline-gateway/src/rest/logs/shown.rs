//! What the store answers, as the API shows it.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value};
use trunkline_api::{
    LogCount, LogHistogram, LogPage, LogRecord, LogSlice, LogStanding, LogStoreStatus, LogTop,
};
use trunkline_logs::{Cursor, Dataset, Document, Facet, Hit, Hits, Slice, Top};
use trunkline_logstore::StoreStatus;
use trunkline_proto::ClusterId;

use super::read::place;
use crate::logs::Seen;

pub(super) fn page(hits: Hits) -> LogPage {
    LogPage {
        items: hits.hits.into_iter().map(record).collect(),
        next: hits.next.as_ref().map(place),
        partial: hits.partial,
    }
}

fn record(hit: Hit) -> LogRecord {
    let text =
        |path: [&str; 2]| hit.source.get(path[0]).and_then(|part| part.get(path[1])).and_then(Value::as_str);
    let facets = Facet::ALL
        .into_iter()
        .filter_map(|facet| Some((facet.name().to_owned(), text(["trunkline", facet.name()])?.to_owned())));
    LogRecord {
        at: place(&hit.at),
        time: moment(hit.at.time),
        cluster: text(["cluster", "id"]).unwrap_or_default().to_owned(),
        message: hit.source.get("message").and_then(Value::as_str).unwrap_or_default().to_owned(),
        facets: facets.collect(),
        source: hit.source,
    }
}

/// A document that just arrived, as the search shows it later.
pub(super) fn arrived(document: &Document) -> LogRecord {
    let source: Map<String, Value> = serde_json::from_str(&document.source).unwrap_or_default();
    record(Hit { at: Cursor { time: document.time, id: document.id }, source })
}

pub(super) fn histogram(slices: Vec<Slice>) -> LogHistogram {
    let slice =
        |slice: Slice| LogSlice { begins: moment(slice.begins), count: slice.count, by: counts(slice.by) };
    LogHistogram { slices: slices.into_iter().map(slice).collect() }
}

pub(super) fn top(top: Top) -> LogTop {
    LogTop { field: top.field.to_string(), values: counts(top.values), with: top.with }
}

fn counts(values: Vec<(String, u64)>) -> Vec<LogCount> {
    values.into_iter().map(|(value, count)| LogCount { value, count }).collect()
}

pub(super) fn standing(cluster: &ClusterId, dataset: &Dataset, seen: Seen) -> LogStanding {
    let Seen { records, bytes, dead, rate, lag, why, waiting } = seen;
    LogStanding {
        cluster: cluster.to_string(),
        dataset: dataset.to_string(),
        records,
        bytes,
        rate: (rate * 10.0).round() / 10.0,
        lag_ms: lag.map(milliseconds),
        dead_letters: dead,
        waiting: waiting.records,
        spool_bytes: waiting.bytes,
        spool_cap: waiting.cap,
        oldest: waiting.oldest.map(moment),
        lost: waiting.lost,
        why: if why.is_empty() { waiting.fault } else { why },
    }
}

pub(super) fn store(status: StoreStatus) -> LogStoreStatus {
    let StoreStatus { kind, fault, documents, bytes, oldest_day, waiting, lost, notes } = status;
    LogStoreStatus {
        kind,
        fault,
        records: documents,
        bytes,
        oldest_day: oldest_day.map(|day| day.to_string()),
        waiting,
        lost,
        notes,
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn moment(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::UNIX_EPOCH)
}
