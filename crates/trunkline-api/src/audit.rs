//! The audit log: what was decided and done, one record each, chained by hashes.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use trunkline_proto::IdentityMode;
use utoipa::ToSchema;

mod asked;

pub use asked::{
    AuditFault, AuditHead, AuditHeadClaim, AuditPage, AuditQuery, AuditRecordingFile, AuditRecordings,
    AuditVerdict, AuditVerifyRequest,
};

/// One record. Nothing of it is ever changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditRecord {
    /// Its place in the chain: 1 for the first, and one more each.
    pub sequence: u64,
    /// When it was noted.
    #[schema(value_type = String, format = DateTime)]
    pub time: Timestamp,
    /// Whose chain it is in: a random name that a gateway gives its log when it makes it.
    pub writer: String,
    /// What happened.
    pub event: AuditEvent,
    /// The hash of the record before; 64 zeros for the first.
    pub previous: String,
    /// SHA-256 of the record's line without this field, in hex.
    pub hash: String,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "phase", rename_all = "camelCase")]
pub enum AuditEvent {
    /// A gateway began to serve.
    Start(AuditGateway),
    /// A gateway stopped in good order.
    Stop(AuditGateway),
    /// Somebody signed in, or tried to.
    SignIn(AuditSignIn),
    /// It was decided whether a request may go to a cluster; noted before its first byte leaves.
    Decision(Box<AuditDecision>),
    /// A request to a cluster is over.
    End(AuditEnd),
    /// The fleet, its rules or somebody's session is changed; noted before it is done.
    Change(AuditChange),
    /// Somebody read in the audit log.
    Read(AuditRead),
    /// A gateway found what one that was killed left behind.
    Repair(AuditRepair),
    /// What was kept long enough is removed; noted before it is done.
    Trim(AuditTrim),
}

/// The gateway that starts or stops.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditGateway {
    /// Its version.
    pub version: String,
}

/// An attempt to sign in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct AuditSignIn {
    /// The request's id; empty where there is none.
    pub request: String,
    /// The client's address.
    pub from: String,
    /// Who; empty where that is not known.
    pub user: String,
    /// How: `certificate`, `oidc` or the like.
    pub how: String,
    /// Whether it succeeded.
    pub ok: bool,
    /// Why not, or what speaks for it.
    pub why: String,
    /// The session that it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
}

/// Whether a request may go to a cluster, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct AuditDecision {
    /// The request's id, which the API server's own audit log carries as `auditID`.
    pub request: String,
    /// The client's address.
    pub from: String,
    /// Who asks.
    pub user: String,
    /// The groups of who asks.
    pub groups: Vec<String>,
    /// How they signed in: `certificate`, `oidc` or the like.
    pub signed_in_by: String,
    /// The session they signed in to, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// The cluster.
    pub cluster: String,
    /// Its identity: the same name registered again has another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster_uid: Option<String>,
    /// As Kubernetes names it: `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`.
    pub verb: String,
    /// What is asked for.
    pub object: AuditObject,
    /// Whether it may.
    pub allowed: bool,
    /// The rule that decided, where one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Why, for people.
    pub why: String,
    /// How the cluster is told whose the request is, where it may: `impersonate` or `pass-through`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "impersonate")]
    pub identity: Option<IdentityMode>,
    /// Who it acts as in the cluster, where it may. Whose a token is that goes through, the API server's own audit log says.
    #[serde(rename = "as", skip_serializing_if = "Option::is_none")]
    pub acts_as: Option<AuditIdentity>,
}

/// What a request asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct AuditObject {
    /// The API group; empty for the core group and for what is no resource.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub api_group: String,
    /// The resource, in plural.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub resource: String,
    /// The subresource, such as `exec` or `log`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub subresource: String,
    /// The namespace.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    /// The object's name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The path without its query, which may hold what is nobody's business.
    pub path: String,
}

/// Who somebody is, or acts as.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct AuditIdentity {
    /// The user.
    pub user: String,
    /// Their groups.
    pub groups: Vec<String>,
}

/// How a request to a cluster ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct AuditEnd {
    /// The request's id, as in its decision.
    pub request: String,
    /// The cluster.
    pub cluster: String,
    /// Who asked.
    pub user: String,
    /// The status that was answered; 0 if none was.
    pub status: u16,
    /// Why it was refused or ended early; empty if neither.
    pub reason: String,
    /// Bytes that came from the client.
    pub received: u64,
    /// Bytes that went to the client.
    pub sent: u64,
    /// How long it took, in milliseconds.
    pub ms: u64,
    /// What was recorded of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recording: Option<AuditRecording>,
}

/// A recording, and what it must be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct AuditRecording {
    /// Its id: the request's.
    pub id: String,
    /// SHA-256 of the file, in hex.
    pub sha256: String,
    /// The file's length, in bytes.
    pub bytes: u64,
}

/// A change of the fleet, its rules or somebody's session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct AuditChange {
    /// The request's id; empty where the gateway itself acts.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub request: String,
    /// Who; `gateway` where it acts by itself.
    pub user: String,
    /// What is done: `register`, `edit`, `lock`, `unlock`, `remove`, `join`, `enrol`, `rotate` and so on.
    pub what: String,
    /// To what, where that is no cluster.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub subject: String,
    /// To which cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// Why it was not done after all. The record before, with the same request, said that it would be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
}

/// A look into the audit log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct AuditRead {
    /// The request's id.
    pub request: String,
    /// Who.
    pub user: String,
    /// What was done: `query`, `follow`, `verify`, `recordings`, `play`.
    pub what: String,
    /// What was asked for.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub query: String,
}

/// What a gateway that was killed left behind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct AuditRepair {
    /// The bytes of a line that was never finished, and that was cut off. Nobody was told that it was written.
    pub cut: u64,
    /// SHA-256 of those bytes, in hex.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub sha256: String,
    /// A recording that was not finished, as it was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recording: Option<AuditRecording>,
}

/// What is removed because it was kept long enough.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct AuditTrim {
    /// The records up to this one.
    pub through: u64,
    /// The hash of that one; empty if no records are removed.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub hash: String,
    /// These recordings.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub recordings: Vec<String>,
}

/// The kinds of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum AuditPhase {
    /// A gateway began to serve.
    Start,
    /// A gateway stopped.
    Stop,
    /// Somebody signed in, or tried to.
    SignIn,
    /// Whether a request may go to a cluster.
    Decision,
    /// A request is over.
    End,
    /// Something is changed.
    Change,
    /// Somebody read the audit log.
    Read,
    /// What was found left behind.
    Repair,
    /// What is removed.
    Trim,
}

impl AuditPhase {
    /// The word as it is written everywhere.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::SignIn => "signIn",
            Self::Decision => "decision",
            Self::End => "end",
            Self::Change => "change",
            Self::Read => "read",
            Self::Repair => "repair",
            Self::Trim => "trim",
        }
    }
}

impl AuditEvent {
    /// Its kind.
    pub fn phase(&self) -> AuditPhase {
        match self {
            Self::Start(_) => AuditPhase::Start,
            Self::Stop(_) => AuditPhase::Stop,
            Self::SignIn(_) => AuditPhase::SignIn,
            Self::Decision(_) => AuditPhase::Decision,
            Self::End(_) => AuditPhase::End,
            Self::Change(_) => AuditPhase::Change,
            Self::Read(_) => AuditPhase::Read,
            Self::Repair(_) => AuditPhase::Repair,
            Self::Trim(_) => AuditPhase::Trim,
        }
    }

    /// Who; empty where nobody did.
    pub fn user(&self) -> &str {
        match self {
            Self::SignIn(event) => &event.user,
            Self::Decision(event) => &event.user,
            Self::End(event) => &event.user,
            Self::Change(event) => &event.user,
            Self::Read(event) => &event.user,
            Self::Start(_) | Self::Stop(_) | Self::Repair(_) | Self::Trim(_) => "",
        }
    }

    /// The request's id; empty where there was none.
    pub fn request(&self) -> &str {
        match self {
            Self::SignIn(event) => &event.request,
            Self::Decision(event) => &event.request,
            Self::End(event) => &event.request,
            Self::Change(event) => &event.request,
            Self::Read(event) => &event.request,
            Self::Start(_) | Self::Stop(_) | Self::Repair(_) | Self::Trim(_) => "",
        }
    }

    /// The cluster, where it is about one.
    pub fn cluster(&self) -> Option<&str> {
        match self {
            Self::Decision(event) => Some(&event.cluster),
            Self::End(event) => Some(&event.cluster),
            Self::Change(event) => event.cluster.as_deref(),
            _ => None,
        }
    }

    /// What was asked for or done: a decision's verb, or the word of a change or a look.
    pub fn verb(&self) -> Option<&str> {
        match self {
            Self::Decision(event) => Some(&event.verb),
            Self::Change(event) => Some(&event.what),
            Self::Read(event) => Some(&event.what),
            _ => None,
        }
    }

    /// Whether somebody was let, where that was the question.
    pub fn allowed(&self) -> Option<bool> {
        match self {
            Self::Decision(event) => Some(event.allowed),
            Self::SignIn(event) => Some(event.ok),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_written_as_people_of_rest_expect_and_read_again() {
        let decision = AuditDecision {
            user: "jane".into(),
            signed_in_by: "certificate".into(),
            acts_as: Some(AuditIdentity { user: "jane".into(), groups: vec!["dev".into()] }),
            ..AuditDecision::default()
        };
        let event = AuditEvent::Decision(Box::new(decision));
        let json = serde_json::to_value(&event).unwrap();
        assert_eq!(json["phase"], "decision");
        assert_eq!((&json["signedInBy"], &json["as"]["user"]), (&"certificate".into(), &"jane".into()));
        assert_eq!(serde_json::from_value::<AuditEvent>(json).unwrap(), event);
    }

    #[test]
    fn a_query_chooses_by_everything_it_names() {
        let change = AuditChange { user: "jane".into(), what: "lock".into(), ..AuditChange::default() };
        let record = AuditRecord {
            sequence: 7,
            time: Timestamp::UNIX_EPOCH,
            writer: "w".into(),
            event: AuditEvent::Change(AuditChange { cluster: Some("alpha".into()), ..change }),
            previous: String::new(),
            hash: String::new(),
        };
        let query = |query: &str| serde_json::from_str::<AuditQuery>(query).unwrap();
        for yes in [
            "{}",
            r#"{"user": "jane", "cluster": "alpha", "verb": "lock", "phase": "change"}"#,
            r#"{"since": "1970-01-01T00:00:00Z", "until": "1970-01-01T00:00:00Z"}"#,
        ] {
            assert!(query(yes).matches(&record), "{yes}");
        }
        for no in [
            r#"{"user": "joe"}"#,
            r#"{"cluster": "beta"}"#,
            r#"{"verb": "unlock"}"#,
            r#"{"phase": "decision"}"#,
            r#"{"request": "r"}"#,
            r#"{"allowed": false}"#,
            r#"{"since": "1970-01-01T00:00:01Z"}"#,
            r#"{"until": "1969-12-31T23:59:59Z"}"#,
        ] {
            assert!(!query(no).matches(&record), "{no}");
        }
        assert!(query(r#"{"after": 3, "limit": 5}"#).is_unfiltered());
        assert!(!query(r#"{"user": "jane"}"#).is_unfiltered());
    }
}
