//! Every no of the REST API, and the one place that makes an answer of it.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use trunkline_api::{Problem, ProblemReason};
use trunkline_audit::{NotWritten, ReadError, Refused};
use trunkline_proto::{ClusterId, RequestId};
use trunkline_registry::RegistryError;
use trunkline_runtime::chain;

use crate::refusal::Refusal;
use crate::rotation::RotationError;

/// After how many seconds something that is unavailable may be asked for again.
const RETRY_AFTER: u32 = 1;

/// A no: why, for programs and for people.
#[derive(Clone, Debug)]
pub(crate) struct No {
    status: StatusCode,
    reason: ProblemReason,
    detail: String,
    /// After how many seconds it may be asked again; none when that changes nothing.
    retry_after: Option<u32>,
}

impl No {
    /// A no with the status that goes with its reason.
    pub(super) fn new(reason: ProblemReason, detail: impl Into<String>) -> Self {
        let status = StatusCode::from_u16(reason.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let retry_after = (reason == ProblemReason::Unavailable).then_some(RETRY_AFTER);
        Self { status, reason, detail: detail.into(), retry_after }
    }

    pub(super) fn invalid(detail: impl Into<String>) -> Self {
        Self::new(ProblemReason::Invalid, detail)
    }

    /// A cluster that stands in the gateway's file and not in the registry.
    pub(super) fn declared(id: &ClusterId) -> Self {
        let detail = format!(
            "cluster {id} is declared in the gateway's file, under clusters; change it there, or take it out and \
             register it"
        );
        Self::new(ProblemReason::Declared, detail)
    }

    /// A body of a kind that is not read.
    pub(super) fn not_json() -> Self {
        let detail = "the body is not read, since it is not declared as JSON; send it with content-type: application/json";
        Self { status: StatusCode::UNSUPPORTED_MEDIA_TYPE, ..Self::invalid(detail) }
    }

    /// Why, for people.
    pub(super) fn detail(&self) -> &str {
        &self.detail
    }

    /// The reason as the access log and the metrics have it.
    pub(super) fn word(&self) -> &'static str {
        match self.reason {
            ProblemReason::Invalid => "Invalid",
            ProblemReason::Unauthorized => "Unauthorized",
            ProblemReason::Forbidden => "Forbidden",
            ProblemReason::NotFound => "NotFound",
            ProblemReason::Exists => "Exists",
            ProblemReason::Conflict => "Conflict",
            ProblemReason::Reserved => "Reserved",
            ProblemReason::Declared => "Declared",
            ProblemReason::NotIssuing => "NotIssuing",
            ProblemReason::NotKept => "NotKept",
            ProblemReason::MethodNotAllowed => "MethodNotAllowed",
            ProblemReason::TooLarge => "TooLarge",
            ProblemReason::TooManyRequests => "TooManyRequests",
            ProblemReason::Unavailable => "Unavailable",
            ProblemReason::Internal => "Internal",
            ProblemReason::Unknown => "Unknown",
        }
    }

    /// Makes the answer that says so; what else stands in its head stays.
    pub(super) fn tell(self, response: &mut Response, request: RequestId) {
        let problem = Problem {
            kind: "about:blank".into(),
            title: self.status.canonical_reason().unwrap_or("Error").into(),
            status: self.status.as_u16(),
            detail: self.detail,
            reason: self.reason,
            request: request.to_string(),
        };
        // A struct of strings and numbers always serialises.
        *response.body_mut() = serde_json::to_vec(&problem).unwrap_or_default().into();
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.remove(header::CONTENT_LENGTH);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
    }
}

/// The answer is made when the request's id is at hand; until then the no travels with it.
impl IntoResponse for No {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<&Refusal> for No {
    fn from(refusal: &Refusal) -> Self {
        let reason = match refusal.status() {
            StatusCode::UNAUTHORIZED => ProblemReason::Unauthorized,
            StatusCode::FORBIDDEN => ProblemReason::Forbidden,
            StatusCode::NOT_FOUND => ProblemReason::NotFound,
            StatusCode::TOO_MANY_REQUESTS => ProblemReason::TooManyRequests,
            StatusCode::SERVICE_UNAVAILABLE => ProblemReason::Unavailable,
            status if status.is_client_error() => ProblemReason::Invalid,
            _ => ProblemReason::Internal,
        };
        let no = Self::new(reason, refusal.detail());
        match refusal {
            Refusal::TooManyRequests { excess } => Self { retry_after: Some(excess.retry_after), ..no },
            _ => no,
        }
    }
}

impl From<RegistryError> for No {
    fn from(error: RegistryError) -> Self {
        Self::new(error.reason(), chain(&error))
    }
}

impl From<Refused> for No {
    fn from(refused: Refused) -> Self {
        Self::new(ProblemReason::Unavailable, refused.to_string())
    }
}

impl From<NotWritten> for No {
    fn from(error: NotWritten) -> Self {
        Self::new(ProblemReason::Unavailable, error.to_string())
    }
}

impl From<ReadError> for No {
    fn from(error: ReadError) -> Self {
        let reason = match error {
            ReadError::NotKept => ProblemReason::NotKept,
            ReadError::NoRecording(_) => ProblemReason::NotFound,
            ReadError::Stopped => ProblemReason::Unavailable,
            ReadError::Io(_) => ProblemReason::Internal,
        };
        Self::new(reason, chain(&error))
    }
}

impl From<RotationError> for No {
    fn from(error: RotationError) -> Self {
        let reason = match error {
            RotationError::NoPapers => ProblemReason::NotIssuing,
            RotationError::Papers(_) => ProblemReason::Internal,
            RotationError::Away(_) => ProblemReason::Conflict,
            RotationError::Untold(..) => ProblemReason::Unavailable,
        };
        Self::new(reason, chain(&error))
    }
}
