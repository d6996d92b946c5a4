//! Every way an agent says no to a Kubernetes request.

use http::{HeaderValue, Response, StatusCode, header};
use trunkline_pki::TlsError;
use trunkline_proto::{ClusterId, Epoch, InvalidHead, Status};
use trunkline_runtime::{Body, chain, full};
use trunkline_upstream::SendError;

/// Why a request is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("the gateway sent no usable stream head")]
    Head(#[source] InvalidHead),
    #[error(
        "the request is of epoch {theirs}, this agent serves epoch {ours}; the gateway holds a stale session"
    )]
    Epoch { ours: Epoch, theirs: Epoch },
    #[error("the request cannot be passed on")]
    Send(#[from] SendError),
    #[error("no such control call")]
    UnknownCall,
    #[error("the roots that the gateway told are not usable")]
    Roots(#[source] TlsError),
}

impl Refusal {
    /// The reason, for programs: one word.
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::Head(_) => "InvalidHead",
            Self::Epoch { .. } => "Fenced",
            Self::Send(SendError::Forbidden(_)) => "IdentityForbidden",
            Self::Send(SendError::OtherMode { .. }) => "IdentityModeMismatch",
            Self::Send(SendError::Path(_) | SendError::NoPath) => "BadPath",
            Self::Send(SendError::TimedOut { .. }) => "UpstreamTimeout",
            Self::Send(_) => "UpstreamUnreachable",
            Self::UnknownCall => "UnknownCall",
            Self::Roots(_) => "BadRoots",
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::Head(_)
            | Self::UnknownCall
            | Self::Roots(_)
            | Self::Send(SendError::Path(_) | SendError::NoPath) => StatusCode::BAD_REQUEST,
            Self::Epoch { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::Send(SendError::Forbidden(_)) => StatusCode::FORBIDDEN,
            Self::Send(SendError::TimedOut { .. }) => StatusCode::GATEWAY_TIMEOUT,
            Self::Send(_) => StatusCode::BAD_GATEWAY,
        }
    }

    /// The answer that says so.
    pub(crate) fn answer(&self, cluster: &ClusterId) -> Response<Body> {
        let code = self.status();
        let message = format!("agent of cluster {cluster}: {}", chain(self));
        let status = Status::failure(code, self.reason(), message).about_cluster(cluster.as_str());
        let mut response = Response::new(full(status.to_json()));
        *response.status_mut() = code;
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
        response
    }
}
