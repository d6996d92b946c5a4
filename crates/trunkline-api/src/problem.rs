//! Errors of the REST API: problem details (RFC 9457).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What went wrong, as `application/problem+json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, thiserror::Error)]
#[error("{detail}")]
pub struct Problem {
    /// Always `about:blank`: `reason` is for programs.
    #[serde(rename = "type")]
    pub kind: String,
    /// The status in words.
    pub title: String,
    /// The status.
    pub status: u16,
    /// What happened, why, and what to do next.
    pub detail: String,
    /// Why, for programs.
    pub reason: ProblemReason,
    /// The request's id, as in the gateway's logs.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub request: String,
}

/// Why a request to the REST API failed, for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub enum ProblemReason {
    /// The request does not parse, or a value in it cannot be.
    Invalid,
    /// Nobody is signed in.
    Unauthorized,
    /// Somebody is, and may not.
    Forbidden,
    /// There is no such thing.
    NotFound,
    /// The name is taken.
    Exists,
    /// It changed since it was read.
    Conflict,
    /// The id `management` is nobody's to change.
    Reserved,
    /// It stands in the gateway's file, and is changed there.
    Declared,
    /// The gateway issues no certificates: it has no data folder.
    NotIssuing,
    /// The gateway keeps none: it has no data folder.
    NotKept,
    /// The method does not fit the path.
    MethodNotAllowed,
    /// The body is too long.
    TooLarge,
    /// The user has as much under way, or begins as much each second, as one may.
    TooManyRequests,
    /// The gateway or one of its parts cannot answer now.
    Unavailable,
    /// The gateway failed.
    Internal,
    /// A reason that this build has no word for.
    #[serde(other)]
    Unknown,
}

impl ProblemReason {
    /// The HTTP status that goes with it.
    pub fn status(self) -> u16 {
        match self {
            Self::Invalid | Self::Reserved => 400,
            Self::Unauthorized => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::Exists | Self::Conflict | Self::Declared | Self::NotIssuing | Self::NotKept => 409,
            Self::TooLarge => 413,
            Self::TooManyRequests => 429,
            Self::Unavailable => 503,
            Self::Internal | Self::Unknown => 500,
        }
    }
}
