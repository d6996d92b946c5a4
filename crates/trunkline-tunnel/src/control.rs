//! Control calls: JSON out, JSON back, on a stream of their own, under a deadline.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use serde::Serialize;
use serde::de::DeserializeOwned;
use trunkline_proto::{ControlCall, Epoch, HEAD_HEADER, StreamHead};
use trunkline_runtime::{Body, boxed, full, limited};

use crate::exchange::ExchangeError;
use crate::session::Session;

/// How long a control call may take.
const DEADLINE: Duration = Duration::from_secs(6);
/// The longest message of a control call, in bytes.
const MAX_MESSAGE: usize = 64 * 1024;

/// Why a control call brought nothing.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// No answer came in time.
    #[error("no answer within {} s", DEADLINE.as_secs())]
    TimedOut,
    /// The exchange failed.
    #[error(transparent)]
    Exchange(#[from] ExchangeError),
    /// The other end said no; the message is its own.
    #[error("the other end answered {0}")]
    Refused(StatusCode, Bytes),
    /// What was said does not parse, or is too long.
    #[error("the message does not parse")]
    Malformed,
}

/// Makes a control call on a session.
pub async fn call<Q, A>(
    session: &Session,
    call: ControlCall,
    epoch: Epoch,
    message: &Q,
) -> Result<A, CallError>
where
    Q: Serialize,
    A: DeserializeOwned,
{
    tokio::time::timeout(DEADLINE, exchange(session, call, epoch, message))
        .await
        .map_err(|_| CallError::TimedOut)?
}

async fn exchange<Q, A>(
    session: &Session,
    call: ControlCall,
    epoch: Epoch,
    message: &Q,
) -> Result<A, CallError>
where
    Q: Serialize,
    A: DeserializeOwned,
{
    let message = serde_json::to_vec(message).map_err(|_| CallError::Malformed)?;
    let head = StreamHead::control(epoch).encode().map_err(|_| CallError::Malformed)?;
    let request = Request::builder()
        .method(Method::POST)
        .uri(call.path())
        .header(header::HOST, "trunkline")
        .header(header::CONTENT_TYPE, "application/json")
        .header(HEAD_HEADER, head)
        .body(full(message))
        .map_err(|_| CallError::Malformed)?;
    let response = session.request_control(request).await?;
    let status = response.status();
    let body =
        limited(boxed(response.into_body()), MAX_MESSAGE).await.ok().flatten().ok_or(CallError::Malformed)?;
    if !status.is_success() {
        return Err(CallError::Refused(status, body));
    }
    serde_json::from_slice(&body).map_err(|_| CallError::Malformed)
}

/// Reads a control call's message, at most 64 KiB.
pub async fn read_json<T: DeserializeOwned>(
    body: impl http_body::Body<Data = Bytes, Error = hyper::Error> + Send + 'static,
) -> Result<T, CallError> {
    let whole = limited(boxed(body), MAX_MESSAGE).await.ok().flatten().ok_or(CallError::Malformed)?;
    serde_json::from_slice(&whole).map_err(|_| CallError::Malformed)
}

/// An answer to a control call.
pub fn json<T: Serialize>(status: StatusCode, message: &T) -> Response<Body> {
    let bytes = serde_json::to_vec(message).unwrap_or_default();
    let mut response = Response::new(full(bytes));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    response
}
