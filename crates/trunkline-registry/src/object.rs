//! The kinds of objects that are kept, each under its kind and name, as JSON in the shape of a Kubernetes object.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use trunkline_api::{API_VERSION, AccessRule, RuleName};
use trunkline_proto::ClusterId;

use crate::access::EndedSession;
use crate::record::{self, Record};
use crate::store::Revision;

/// An object that is kept.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Object {
    Cluster(Arc<Record>),
    Rule(Arc<AccessRule>),
    Ended(Arc<EndedSession>),
}

/// By what an object is found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Key {
    Cluster(ClusterId),
    Rule(RuleName),
    Ended(String),
}

/// An object and the revision at which the store has it.
#[derive(Clone)]
pub(crate) struct Kept {
    pub(crate) object: Object,
    pub(crate) revision: Revision,
}

/// A kind of objects.
pub(crate) trait Kind: Sized {
    /// What one is named by.
    type Name;
    /// By what one of this name is found.
    fn key(name: &Self::Name) -> Key;
    /// It as an object.
    fn object(this: Arc<Self>) -> Object;
    /// An object as one of this kind.
    fn of(object: &Object) -> Option<&Arc<Self>>;
}

impl Kind for Record {
    type Name = ClusterId;
    fn key(name: &ClusterId) -> Key {
        Key::Cluster(name.clone())
    }
    fn object(this: Arc<Self>) -> Object {
        Object::Cluster(this)
    }
    fn of(object: &Object) -> Option<&Arc<Self>> {
        if let Object::Cluster(record) = object { Some(record) } else { None }
    }
}

impl Kind for AccessRule {
    type Name = RuleName;
    fn key(name: &RuleName) -> Key {
        Key::Rule(name.clone())
    }
    fn object(this: Arc<Self>) -> Object {
        Object::Rule(this)
    }
    fn of(object: &Object) -> Option<&Arc<Self>> {
        if let Object::Rule(rule) = object { Some(rule) } else { None }
    }
}

impl Kind for EndedSession {
    type Name = String;
    fn key(name: &String) -> Key {
        Key::Ended(name.clone())
    }
    fn object(this: Arc<Self>) -> Object {
        Object::Ended(this)
    }
    fn of(object: &Object) -> Option<&Arc<Self>> {
        if let Object::Ended(ended) = object { Some(ended) } else { None }
    }
}

impl Key {
    /// The kind, as the store has it.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Cluster(_) => record::KIND,
            Self::Rule(_) => AccessRule::KIND,
            Self::Ended(_) => EndedSession::KIND,
        }
    }

    /// The name, as the store has it.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Cluster(id) => id.as_str(),
            Self::Rule(name) => name.as_str(),
            Self::Ended(session) => session,
        }
    }
}

impl Object {
    /// All kinds, as the store has them.
    pub(crate) const KINDS: [&'static str; 3] = [record::KIND, AccessRule::KIND, EndedSession::KIND];

    /// By what it is found.
    pub(crate) fn key(&self) -> Key {
        match self {
            Self::Cluster(record) => Key::Cluster(record.metadata.name.clone()),
            Self::Rule(rule) => Key::Rule(rule.metadata.name.clone()),
            Self::Ended(ended) => Key::Ended(ended.session.clone()),
        }
    }

    /// The object as it is stored.
    pub(crate) fn encode(&self) -> Result<Vec<u8>, serde_json::Error> {
        match self {
            Self::Cluster(record) => record::encode(record),
            // It is of the stored shape by itself.
            Self::Rule(rule) => serde_json::to_vec(&**rule),
            Self::Ended(ended) => write(EndedSession::KIND, &**ended),
        }
    }

    /// An object of what is stored under a kind and a name, or why that is none.
    pub(crate) fn decode(kind: &str, name: &str, body: &[u8]) -> Result<Self, String> {
        let object = match kind {
            record::KIND => Self::Cluster(Arc::new(record::decode(name, body)?)),
            AccessRule::KIND => Self::Rule(Arc::new(read(kind, body)?)),
            EndedSession::KIND => Self::Ended(Arc::new(read(kind, body)?)),
            other => return Err(format!("there is no kind {other:?}")),
        };
        if object.key().name() == name {
            Ok(object)
        } else {
            Err(format!("{kind} {name:?} names itself otherwise"))
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a, T> {
    api_version: &'a str,
    kind: &'a str,
    #[serde(flatten)]
    object: &'a T,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    api_version: String,
    kind: String,
}

/// An object in the shape of Kubernetes' own.
pub(crate) fn write<T: Serialize>(kind: &str, object: &T) -> Result<Vec<u8>, serde_json::Error> {
    serde_json::to_vec(&Written { api_version: API_VERSION, kind, object })
}

/// What of this kind is written, or why it is none.
pub(crate) fn read<T: DeserializeOwned>(kind: &str, body: &[u8]) -> Result<T, String> {
    let head: Head = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    if head.api_version != API_VERSION || head.kind != kind {
        return Err(format!("it is a {} of {}, not a {kind} of {API_VERSION}", head.kind, head.api_version));
    }
    serde_json::from_slice(body).map_err(|error| error.to_string())
}
