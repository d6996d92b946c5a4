//! HTTP on the streams that the other end opens.

use std::convert::Infallible;
use std::future::Future;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tracing::trace;
use trunkline_runtime::Body;

use crate::session::Inbound;
use crate::stream::Stream;

/// How long a kept stream may wait for its next request before this end closes it: longer than the opener keeps
/// it, so that the opener is the one who decides.
const IDLE: Duration = Duration::from_secs(120);
/// The most header fields of a request.
const MAX_FIELDS: usize = 256;
/// The longest head of a request, in bytes: a stream head and a client's head beside it.
const MAX_HEAD: usize = 256 * 1024;

/// Answers every request on every stream of a session with `answer`, until the session ends.
pub async fn serve<A, F>(mut inbound: Inbound, answer: A)
where
    A: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    while let Some(stream) = inbound.accept().await {
        inbound.tasks().spawn(serve_stream(stream, answer.clone()));
    }
}

async fn serve_stream<A, F>(stream: Stream, answer: A)
where
    A: Fn(Request<Incoming>) -> F,
    F: Future<Output = Response<Body>>,
{
    let service = service_fn(move |request| {
        let answered = answer(request);
        async move { Ok::<_, Infallible>(answered.await) }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE)
        .max_headers(MAX_FIELDS)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    if let Err(error) = served.await {
        trace!(%error, "stream ended early");
    }
}
