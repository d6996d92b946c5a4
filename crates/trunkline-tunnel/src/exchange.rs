//! Requests on streams: the opener's HTTP/1.1 side, with streams that stay open between requests.
//!
//! Keeping a stream between ordinary requests saves 40 to 60 % of the processor time of a stream per request
//! (measured; `docs/decisions/0003-kept-streams.md`). The price is that two messages follow each other on one
//! stream, so a stream goes back to be kept only when both messages on it ended exactly: anything else (a cancel,
//! an answer before the request's end, an upgrade, `Connection: close`, an error) resets it.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, Version, header};
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::task::AbortHandle;
use tokio::time::Instant;
use trunkline_runtime::{Body, BodyError};

use crate::session::{InFlight, OPEN_DEADLINE, OpenError, Session};
use crate::stream::Stream;

/// How long a stream is kept between two requests.
const KEEP_FOR: Duration = Duration::from_secs(60);
/// How long a kept stream may take to be ready: both messages on it have ended, so it is a matter of one turn. One that
/// takes longer is not waited for.
const SETTLE: Duration = Duration::from_millis(50);
/// How many streams a session keeps.
const KEEP_AT_MOST: usize = 128;
/// The most header fields of an answer.
const MAX_FIELDS: usize = 256;
/// The longest head of an answer, in bytes.
const MAX_HEAD: usize = 256 * 1024;

/// Why an exchange brought no answer.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// No stream could be opened; the request was not sent.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The stream was closed by the other end before anything of the request was sent; here it is, to be sent on
    /// another.
    #[error("the stream was closed before the request was sent")]
    Unsent(Box<Request<Body>>),
    /// The stream broke before the answer's head.
    #[error("the stream broke before an answer came")]
    Broken(#[source] hyper::Error),
}

/// A stream between two requests.
pub(crate) struct Kept {
    sender: http1::SendRequest<Outgoing>,
    life: Life,
    since: Instant,
}

/// The task that drives a stream's HTTP; dropping this ends it, which resets the stream.
struct Life(Option<AbortHandle>);

impl Life {
    /// Lets the task end by itself.
    fn release(mut self) {
        self.0 = None;
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}

/// A stream that waits for its request: kept from before, or opened for it.
pub struct Reserved {
    session: Session,
    sender: http1::SendRequest<Outgoing>,
    life: Life,
    alone: bool,
    in_flight: InFlight,
}

impl Session {
    /// Finds a stream for a request: a kept one, or one opened for it. An upgrade's is always opened. Waits a little when
    /// all are in use.
    ///
    /// Until the stream is there nothing of the request is given away, so another session can be tried.
    pub async fn reserve(&self, upgrade: bool) -> Result<Reserved, OpenError> {
        let _in_flight = self.begin();
        let deadline = Instant::now() + OPEN_DEADLINE;
        loop {
            let freed = self.freed();
            match self.reserve_now(upgrade).await {
                Err(OpenError::NoStreams) => {
                    let waited = tokio::time::timeout_at(deadline, freed).await;
                    waited.map_err(|_| OpenError::NoStreams)?;
                }
                found => return found,
            }
        }
    }

    /// Finds a stream for a request, as [`reserve`](Self::reserve) does, if there is one now. Whoever called
    /// [`freed`](Self::freed) before hears when to try again.
    pub async fn reserve_now(&self, upgrade: bool) -> Result<Reserved, OpenError> {
        let in_flight = self.begin();
        if !self.is_open() {
            return Err(OpenError::Draining);
        }
        if !upgrade && let Some(Kept { sender, life, .. }) = self.next_kept().await {
            return Ok(Reserved { session: self.clone(), sender, life, alone: false, in_flight });
        }
        let stream = match self.open_now().await {
            Err(OpenError::NoStreams) => {
                // A stream that is kept for nobody yet gives its place up; its end is heard of as any other's.
                let oldest = if upgrade { self.take_oldest_kept() } else { None };
                drop(oldest);
                return Err(OpenError::NoStreams);
            }
            opened => opened?,
        };
        let (sender, life) = self.speak_http(stream).await.map_err(|_| OpenError::TimedOut)?;
        Ok(Reserved { session: self.clone(), sender, life, alone: upgrade, in_flight })
    }

    fn take_oldest_kept(&self) -> Option<Kept> {
        let mut kept = self.kept();
        if kept.is_empty() { None } else { Some(kept.remove(0)) }
    }

    /// Sends a request on a stream and returns the answer's head, its body streaming. Dropping the future or the
    /// body resets the stream.
    pub async fn request(&self, mut request: Request<Body>) -> Result<Response<Answer>, ExchangeError> {
        let upgrade = request.headers().contains_key(header::UPGRADE);
        loop {
            match self.reserve(upgrade).await?.request(request).await {
                Err(ExchangeError::Unsent(unsent)) => request = *unsent,
                sent => return sent,
            }
        }
    }

    /// Sends a control call's request on a stream of its own.
    pub(crate) async fn request_control(
        &self,
        request: Request<Body>,
    ) -> Result<Response<Answer>, ExchangeError> {
        let in_flight = self.begin();
        let stream = self.open_control().await?;
        let (sender, life) = self.speak_http(stream).await.map_err(ExchangeError::Broken)?;
        let reserved = Reserved { session: self.clone(), sender, life, alone: true, in_flight };
        reserved.request(request).await
    }

    async fn speak_http(&self, stream: Stream) -> hyper::Result<(http1::SendRequest<Outgoing>, Life)> {
        let (sender, connection) = http1::Builder::new()
            .max_headers(MAX_FIELDS)
            .max_buf_size(MAX_HEAD)
            .handshake(TokioIo::new(stream))
            .await?;
        let driving = self.tasks().spawn(async move {
            let _ = connection.with_upgrades().await;
        });
        Ok((sender, Life(Some(driving.abort_handle()))))
    }

    async fn next_kept(&self) -> Option<Kept> {
        loop {
            let mut kept = self.kept().pop()?;
            let fresh = kept.since.elapsed() < KEEP_FOR;
            if fresh && matches!(tokio::time::timeout(SETTLE, kept.sender.ready()).await, Ok(Ok(()))) {
                return Some(kept);
            }
        }
    }

    fn keep(&self, sender: http1::SendRequest<Outgoing>, life: Life) {
        if !self.is_open() {
            return;
        }
        let mut kept = self.kept();
        // The oldest are in front; they are the ones whose time runs out.
        let stale = kept.iter().take_while(|kept| kept.since.elapsed() >= KEEP_FOR).count();
        kept.drain(..stale);
        if kept.len() < KEEP_AT_MOST {
            kept.push(Kept { sender, life, since: Instant::now() });
        }
        drop(kept);
        self.tell_of_room();
    }
}

impl Reserved {
    /// Sends the request and returns the answer's head, its body streaming. Dropping the future or the body resets
    /// the stream.
    pub async fn request(self, request: Request<Body>) -> Result<Response<Answer>, ExchangeError> {
        let Self { session, mut sender, life, alone, in_flight } = self;
        let sent_all = Arc::new(AtomicBool::new(false));
        let request = request.map(|body| Outgoing::new(body, sent_all.clone()));
        match sender.try_send_request(request).await {
            Ok(response) => {
                let (sender, life) = (Some(sender), Some(life));
                let mut keep = Keep { session, sender, life, sent_all, _in_flight: in_flight };
                if alone {
                    keep.alone(&response);
                }
                Ok(answer(response, keep))
            }
            Err(mut failed) => match failed.take_message() {
                Some(unsent) => Err(ExchangeError::Unsent(Box::new(unsent.map(|outgoing| outgoing.body)))),
                None => Err(ExchangeError::Broken(failed.into_error())),
            },
        }
    }
}

impl fmt::Debug for Reserved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reserved").finish_non_exhaustive()
    }
}

fn answer(response: Response<Incoming>, mut keep: Keep) -> Response<Answer> {
    let close = response.headers().get(header::CONNECTION).is_some_and(|value| value != "keep-alive");
    if close || response.version() != Version::HTTP_11 {
        keep.sender = None;
    }
    let (parts, body) = response.into_parts();
    let mut answer = Answer { body, keep: Some(keep) };
    answer.give_back_at_end();
    Response::from_parts(parts, answer)
}

/// An answer's body. Its end gives the stream back; dropping it earlier resets the stream.
pub struct Answer {
    body: Incoming,
    keep: Option<Keep>,
}

impl Answer {
    fn give_back(&mut self) {
        if let Some(keep) = self.keep.take() {
            keep.give_back();
        }
    }

    fn give_back_at_end(&mut self) {
        // An upgrade's answer is held until the upgrade is over: its bytes are not in this body.
        if self.body.is_end_stream() && self.keep.as_ref().is_some_and(|keep| keep.sender.is_some()) {
            self.give_back();
        }
    }
}

/// What it takes to keep the stream of an exchange, and what must live as long as the exchange.
struct Keep {
    session: Session,
    sender: Option<http1::SendRequest<Outgoing>>,
    /// Empty when the stream was handed over to an upgrade, whose bytes outlive the answer.
    life: Option<Life>,
    sent_all: Arc<AtomicBool>,
    _in_flight: InFlight,
}

impl Keep {
    /// The stream is not for keeping; after a 101 it belongs to the upgrade.
    fn alone<B>(&mut self, response: &Response<B>) {
        self.sender = None;
        if response.status() == http::StatusCode::SWITCHING_PROTOCOLS
            && let Some(life) = self.life.take()
        {
            life.release();
        }
    }

    fn give_back(self) {
        if let (Some(sender), Some(life)) = (self.sender, self.life)
            && self.sent_all.load(Ordering::Relaxed)
        {
            self.session.keep(sender, life);
        }
    }
}

impl http_body::Body for Answer {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        match &frame {
            None => self.give_back(),
            Some(Ok(_)) => self.give_back_at_end(),
            Some(Err(_)) => {}
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        // Whoever asks may never poll again, so the end is claimed only once the stream is given back.
        self.keep.is_none() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").finish_non_exhaustive()
    }
}

/// A request's body; remembers whether it was sent to its end.
pub(crate) struct Outgoing {
    body: Body,
    sent_all: Arc<AtomicBool>,
}

impl Outgoing {
    fn new(body: Body, sent_all: Arc<AtomicBool>) -> Self {
        if body.is_end_stream() {
            sent_all.store(true, Ordering::Relaxed);
        }
        Self { body, sent_all }
    }
}

impl http_body::Body for Outgoing {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if frame.is_none() || self.body.is_end_stream() {
            self.sent_all.store(true, Ordering::Relaxed);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
