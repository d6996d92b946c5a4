//! Records of the clusters: what can be asked of the central store, and what it answers.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// Which records, of which clusters, of when.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct LogQuery {
    /// Words and fields, as in `app:web error -level:debug`; empty: all.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub q: String,
    /// Of these clusters, with commas between; empty: all that may be seen.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub clusters: String,
    /// Of the clusters with these labels, as in `env=prod`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub selector: String,
    /// From this time on; an hour before `to` if not given.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Before this time; now if not given.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
    /// How many at the most: 100 if not given, 1,000 at the most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// Which come first: `newest`, if not given, or `oldest`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<LogOrder>,
    /// Those behind this place, from the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// With a histogram: into how many slices, 60 if not given, 200 at the most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slices: Option<usize>,
    /// With a histogram: how many of each value of this field.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// With top values: of this field.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

/// Which come first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum LogOrder {
    /// The newest.
    #[default]
    Newest,
    /// The oldest.
    Oldest,
}

/// Records that were found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct LogPage {
    /// The records, in the order that was asked for.
    pub items: Vec<LogRecord>,
    /// Where the next page begins; none if this was the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// Why there may be more, for people; none if the search was whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partial: Option<String>,
}

/// A record. What it holds was said by a cluster: no terminal and no page is to be trusted with it as it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct LogRecord {
    /// Its place, as `after` takes it.
    pub at: String,
    /// When it happened.
    #[schema(value_type = String, format = DateTime)]
    pub time: Timestamp,
    /// The cluster.
    pub cluster: String,
    /// What it says.
    pub message: String,
    /// What most records say: `level`, `app`, `namespace`, `pod`, `container`, `node`.
    pub facets: BTreeMap<String, String>,
    /// All of it, as it stands in the store.
    #[schema(value_type = Object)]
    pub source: Map<String, Value>,
}

/// What a live tail tells.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum LogEvent {
    /// A record arrived.
    Record(Box<LogRecord>),
    /// Records arrived faster than they are read.
    #[serde(rename_all = "camelCase")]
    PassedOver {
        /// How many were passed over, wanted or not.
        records: u64,
    },
}

/// How many records lie in each slice of time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct LogHistogram {
    /// The slices, the oldest first; all of one length.
    pub slices: Vec<LogSlice>,
}

/// A slice of time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct LogSlice {
    /// When it begins.
    #[schema(value_type = String, format = DateTime)]
    pub begins: Timestamp,
    /// How many records.
    pub count: u64,
    /// How many of each value, of the most frequent ones.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub by: Vec<LogCount>,
}

/// How many records say a value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct LogCount {
    /// The value.
    pub value: String,
    /// How many.
    pub count: u64,
}

/// The most frequent values of a field.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct LogTop {
    /// The field.
    pub field: String,
    /// The values, the most frequent first.
    pub values: Vec<LogCount>,
    /// How many records say something.
    pub with: u64,
}

/// How a cluster's records get on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct LogStanding {
    /// The cluster.
    pub cluster: String,
    /// The dataset.
    pub dataset: String,
    /// Records that were stored since the gateway started.
    pub records: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Records a second.
    pub rate: f64,
    /// How long the newest one took from the intake to the store, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lag_ms: Option<u64>,
    /// Dead letters since the gateway started.
    pub dead_letters: u64,
    /// Records that wait in the agents' spools, as they say.
    pub waiting: u64,
    /// The bytes of those spools.
    pub spool_bytes: u64,
    /// How many there may be.
    pub spool_cap: u64,
    /// When the oldest waiting record was taken.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oldest: Option<Timestamp>,
    /// Records that were lost in the spools, dropped by a limit or damaged.
    pub lost: u64,
    /// Why records wait, for people; empty if they do not.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub why: String,
}

/// How the records of all clusters get on, and the store.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct LogStatus {
    /// Each dataset of each cluster.
    pub items: Vec<LogStanding>,
    /// The store.
    pub store: LogStoreStatus,
}

/// How the store is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct LogStoreStatus {
    /// What it is.
    pub kind: String,
    /// Why it takes or answers nothing, for people; none if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// How many records it has, where it says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub records: Option<u64>,
    /// How many bytes they take, where it says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// The oldest day of which it has any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oldest_day: Option<String>,
    /// How many were taken that cannot be found yet.
    pub waiting: u64,
    /// How many are gone before their time, for want of room or by damage, since the gateway started.
    pub lost: u64,
    /// What else somebody who runs it should know, a sentence each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}
