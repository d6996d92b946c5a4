//! What this process asks of the API server for itself, and on behalf of nobody.
//!
//! The paths come from our own code and from the configuration, never from a request of a client; answers are small
//! and read whole.

use bytes::Bytes;
use http::{Request, Response, StatusCode, Uri, header};
use trunkline_runtime::{full, limited};

use super::{Outline, Upstream};
use crate::error::SendError;

/// The longest answer to a probe, in bytes.
const MAX_VERSION: usize = 64 * 1024;

impl Upstream {
    /// Asks for the API server's version. Says the version, e.g. `v1.35.4`.
    pub async fn probe(&self) -> Result<String, SendError> {
        let mut request = Request::new(Bytes::new());
        *request.uri_mut() = Uri::from_static("/version");
        let response = match self.ask(request, MAX_VERSION).await {
            Err(SendError::TooLong { .. }) => Response::default(),
            answered => answered?,
        };
        let version: Option<serde_json::Value> = serde_json::from_slice(response.body()).ok();
        let version = version.as_ref().and_then(|v| v["gitVersion"].as_str()).unwrap_or_default();
        Ok(if version.is_empty() { format!("answers {}", response.status()) } else { version.to_owned() })
    }

    /// Sends a request under this process's own credential and reads the answer, at most `limit` bytes of it. Of the
    /// request's URI only path and query count. There is no deadline on the whole: the caller has one.
    ///
    /// # Errors
    /// When there is no answer, or a longer one. What the API server answers, a refusal included, is no error here.
    pub async fn ask(&self, request: Request<Bytes>, limit: usize) -> Result<Response<Bytes>, SendError> {
        let credential = &self.inner.connector.reach.credential;
        let (parts, body) = request.into_parts();
        let path = parts.uri.path_and_query().cloned().ok_or(SendError::NoPath)?;
        let mut headers = parts.headers;
        if let Some(authorization) = credential.authorization() {
            headers.insert(header::AUTHORIZATION, authorization);
        }
        let outline = Outline { method: parts.method, path, headers };
        let response = self.exchange(&outline, full(body)).await?;
        if response.status() == StatusCode::UNAUTHORIZED {
            credential.refused();
        }
        let (parts, body) = response.into_parts();
        match limited(body, limit).await {
            Ok(Some(whole)) => Ok(Response::from_parts(parts, whole)),
            Ok(None) => Err(SendError::TooLong { target: self.target(), limit }),
            Err(_) => Err(SendError::BrokenOff { target: self.target() }),
        }
    }
}
