//! What can be asked of the audit log, and what it answers.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{AuditPhase, AuditRecord};
use crate::API_VERSION;

/// Which records are asked for. Empty: the newest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct AuditQuery {
    /// Not before.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Not after.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Of this user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// About this cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// With this verb, or this word of a change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verb: Option<String>,
    /// Of this kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<AuditPhase>,
    /// Of the request with this id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// Decisions and attempts to sign in that were a yes, or a no.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed: Option<bool>,
    /// How many at the most: 100 if not given, 1,000 at the most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// The first ones after this sequence, instead of the newest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
    /// The newest ones before this sequence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<u64>,
    /// Instead of a page: the records that come, as server-sent events; with `after`, from there on.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub follow: bool,
}

impl AuditQuery {
    /// Whether it asks for this record, wherever in the chain it is.
    pub fn matches(&self, record: &AuditRecord) -> bool {
        let is = |wanted: &Option<String>, is: &str| wanted.as_deref().is_none_or(|wanted| wanted == is);
        let may_be = |wanted: &Option<String>, is: Option<&str>| wanted.is_none() || wanted.as_deref() == is;
        let event = &record.event;
        self.since.is_none_or(|since| record.time >= since)
            && self.until.is_none_or(|until| record.time <= until)
            && is(&self.user, event.user())
            && may_be(&self.cluster, event.cluster())
            && may_be(&self.verb, event.verb())
            && self.phase.is_none_or(|phase| phase == event.phase())
            && is(&self.request, event.request())
            && (self.allowed.is_none() || self.allowed == event.allowed())
    }

    /// Whether every record matches it.
    pub fn is_unfiltered(&self) -> bool {
        let Self { limit, after, before, follow, .. } = *self;
        let places = Self { limit, after, before, follow, ..Self::default() };
        *self == places
    }
}

/// Records, oldest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditPage {
    /// Always `trunkline.dev/v1`.
    pub api_version: String,
    /// Always `AuditPage`.
    pub kind: String,
    /// The records.
    pub records: Vec<AuditRecord>,
    /// There may be older ones: ask again with this as `before`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub older: Option<u64>,
    /// Go on after these: ask again with this as `after`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newer: Option<u64>,
    /// Lines on the way that could not be read. Verify the log.
    #[serde(default)]
    pub unreadable: u64,
}

impl AuditPage {
    /// A page of records.
    pub fn new(records: Vec<AuditRecord>) -> Self {
        let (api_version, kind) = (API_VERSION.into(), "AuditPage".into());
        Self { api_version, kind, records, older: None, newer: None, unreadable: 0 }
    }
}

/// The newest record of a chain, in short. Kept elsewhere, it tells whether the end of the chain was cut or written anew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditHead {
    /// Whose chain it is.
    pub writer: String,
    /// The newest record's place.
    pub sequence: u64,
    /// The newest record's hash.
    pub hash: String,
    /// The newest record's time.
    #[schema(value_type = String, format = DateTime)]
    pub time: Timestamp,
}

/// A record that somebody knows from elsewhere: it must be in the chain, as it is here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AuditHeadClaim {
    /// Its place.
    pub sequence: u64,
    /// Its hash.
    pub hash: String,
}

/// What a verification is asked to hold against the chain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct AuditVerifyRequest {
    /// A head that was kept elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub head: Option<AuditHeadClaim>,
}

/// Whether a chain is whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditVerdict {
    /// Always `trunkline.dev/v1`.
    pub api_version: String,
    /// Always `AuditVerdict`.
    pub kind: String,
    /// Whose chain it is; empty if there is none.
    pub writer: String,
    /// How many records were good, up to the first fault.
    pub records: u64,
    /// How many files they were in.
    pub segments: u64,
    /// The first record that is kept; more than 1 when older ones were removed as they should.
    pub first: u64,
    /// The last good record.
    pub last: u64,
    /// The last good record's hash.
    pub hash: String,
    /// How many recordings were held against their records.
    pub recordings: u64,
    /// Whether there is no fault.
    pub intact: bool,
    /// The first fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<AuditFault>,
}

/// Where a chain is broken, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditFault {
    /// The file; empty where no single one is at fault.
    #[serde(default)]
    pub file: String,
    /// The line in it; 0 where no single one is at fault.
    #[serde(default)]
    pub line: u64,
    /// The record that should stand there.
    pub sequence: u64,
    /// What is wrong.
    pub why: String,
}

/// The recordings that are kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditRecordings {
    /// Always `trunkline.dev/v1`.
    pub api_version: String,
    /// Always `AuditRecordings`.
    pub kind: String,
    /// The recordings, newest first.
    pub items: Vec<AuditRecordingFile>,
}

impl AuditRecordings {
    /// A list of recordings.
    pub fn new(items: Vec<AuditRecordingFile>) -> Self {
        Self { api_version: API_VERSION.into(), kind: "AuditRecordings".into(), items }
    }
}

/// A recording that is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditRecordingFile {
    /// The request that it is of.
    pub request: String,
    /// Its length, in bytes.
    pub bytes: u64,
    /// When it was written last.
    #[schema(value_type = String, format = DateTime)]
    pub modified: Timestamp,
    /// Whether it goes on.
    pub live: bool,
}
