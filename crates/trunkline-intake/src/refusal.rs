//! Every no to a whole request: nothing of it is kept. What it says, and whether it is worth another try.

use std::time::Duration;

use http::StatusCode;
use trunkline_spool::Refused;

use crate::body::{MAX_BODY, MAX_WHOLE};
use crate::budget::{MOST, NoMore};
use crate::bulk::MAX_ITEMS;

/// When to try again where nobody knows better.
const SOON: Duration = Duration::from_secs(2);
const MIB: usize = 1024 * 1024;

/// Why nothing of a request is kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// No token, or a wrong one.
    #[error(
        "this log intake asks for a token and was shown none that is good: send it as Authorization: Bearer TOKEN, as \
         ApiKey, or as the password of Basic"
    )]
    Unauthorized,
    /// A path to no dataset.
    #[error("there is no dataset {0:?} here; there are: {1}")]
    NoDataset(String, String),
    /// A path to nothing.
    #[error(
        "this is Trunkline's log intake: it takes log records (POST /_bulk, POST /v1/logs) and answers what shippers ask \
         before; it has nothing at {0}. Logs are searched at the gateway"
    )]
    Unknown(String),
    /// A method that is not for this path.
    #[error("this is Trunkline's log intake: {0} is not taken at {1}")]
    Method(String, String),
    /// A form of the body that is not understood.
    #[error("a body of the encoding {0:?} is not understood: send gzip, deflate, zstd, or none")]
    Encoding(String),
    /// A kind of body that is not understood.
    #[error("OTLP logs are taken as application/x-protobuf or application/json, not as {0:?}")]
    Media(String),
    /// The body does not inflate.
    #[error("the body is not whole {0}")]
    Inflate(&'static str),
    /// The body ended before its end.
    #[error("the body ended before its end")]
    Cut,
    /// The body did not come.
    #[error("the body did not come within its time")]
    Slow,
    /// The body is too long.
    #[error("the body is longer than {} MiB, as sent or inflated: send fewer records at once", MAX_BODY / MIB)]
    TooLong,
    /// The body is too long for one that is read as a whole.
    #[error("the body is longer than {} MiB inflated: send fewer records at once", MAX_WHOLE / MIB)]
    LongWhole,
    /// There are too many records.
    #[error("the request has more than {MAX_ITEMS} records: send fewer at once")]
    TooMany,
    /// The records take too much memory.
    #[error("the request's records take more than {} MiB: send fewer at once", MOST / MIB)]
    TooMuch,
    /// The body is not of the form that was said.
    #[error("{0}")]
    Malformed(String),
    /// There is nothing in it.
    #[error("request body is required: there is no record in it")]
    Nothing,
    /// All requests together take as much as they may.
    #[error("the intake has as many requests under way as it may; try again in {} s", SOON.as_secs())]
    Busy,
    /// The disk did not answer in time. What was sent may be kept or not.
    #[error("the disk did not answer in time; try again in {} s", SOON.as_secs())]
    SlowDisk,
    /// The spool did not take them.
    #[error("{0}")]
    Spool(#[from] Refused),
}

impl Refusal {
    /// The HTTP status. Whatever is worth another try is 429: that is what every shipper tries again.
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::NoDataset(..) | Self::Unknown(_) => StatusCode::NOT_FOUND,
            Self::Method(..) => StatusCode::METHOD_NOT_ALLOWED,
            Self::Encoding(_) | Self::Media(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Inflate(_) | Self::Cut | Self::Malformed(_) | Self::Nothing => StatusCode::BAD_REQUEST,
            Self::Slow => StatusCode::REQUEST_TIMEOUT,
            Self::TooLong | Self::LongWhole | Self::TooMany | Self::TooMuch => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Spool(Refused::TooLong { .. }) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Busy | Self::SlowDisk | Self::Spool(_) => StatusCode::TOO_MANY_REQUESTS,
        }
    }

    /// The reason, for metrics.
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::Unauthorized => "token",
            Self::NoDataset(..) | Self::Unknown(_) | Self::Method(..) => "path",
            Self::Encoding(_) | Self::Media(_) => "encoding",
            Self::Inflate(_) | Self::Malformed(_) | Self::Nothing => "malformed",
            Self::Cut | Self::Slow => "cut",
            Self::TooLong
            | Self::LongWhole
            | Self::TooMany
            | Self::TooMuch
            | Self::Spool(Refused::TooLong { .. }) => "too_large",
            Self::Busy => "busy",
            Self::Spool(Refused::Full { .. }) => "spool_full",
            Self::Spool(Refused::Closed) => "closing",
            Self::SlowDisk | Self::Spool(_) => "disk",
        }
    }

    /// What Elasticsearch calls it.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Unauthorized => "security_exception",
            Self::NoDataset(..) | Self::Unknown(_) | Self::Method(..) => "resource_not_found_exception",
            Self::Encoding(_) | Self::Media(_) => "media_type_header_exception",
            Self::Inflate(_) | Self::Cut | Self::Slow => "parse_exception",
            Self::Malformed(_) => "illegal_argument_exception",
            Self::Nothing => "action_request_validation_exception",
            Self::TooLong | Self::LongWhole | Self::TooMany | Self::TooMuch => "content_too_long_exception",
            Self::Spool(Refused::TooLong { .. }) => "content_too_long_exception",
            Self::Busy | Self::SlowDisk | Self::Spool(_) => "es_rejected_execution_exception",
        }
    }

    /// When the same request is worth another try; never, if none.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Spool(Refused::Full { retry_after, .. } | Refused::Disk { retry_after, .. }) => {
                Some(*retry_after)
            }
            Self::Spool(Refused::Closed) | Self::Busy | Self::SlowDisk => Some(SOON),
            _ => None,
        }
    }
}

impl From<NoMore> for Refusal {
    fn from(no: NoMore) -> Self {
        match no {
            NoMore::ForIt => Self::TooMuch,
            NoMore::ForAll => Self::Busy,
        }
    }
}
