//! A stream: one flow-controlled, two-way byte flow in a session.
//!
//! Invariants, each against a trap of the mux library:
//! - the opener swallows the acceptor's first byte, and any other first byte is an error;
//! - a reset reads as an error, never as the end of the stream;
//! - when the session ends, every read and write ends;
//! - a stream that said its end and is dropped before it heard the other's lingers: what comes is read and thrown
//!   away, so that the other end's writer is never stuck without credit; when it has not ended in time, the session
//!   does, since the library can no longer reset such a stream.

use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::{AsyncRead as _, AsyncReadExt as _, AsyncWrite as _};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::sync::WaitForCancellationFutureOwned;
use trunkline_proto::CloseReason;

use crate::mux::{ACCEPTED, RawStream};
use crate::places::Place;
use crate::session::Session;

/// How long a dropped half-closed stream is read on before its session is ended.
const LINGER: Duration = Duration::from_secs(60);

/// One two-way byte flow in a session. Dropping it resets it, unless both ends have said all.
#[derive(Debug)]
pub struct Stream {
    /// Empty only while being dropped.
    raw: Option<RawStream>,
    awaits_accept: bool,
    said_all: bool,
    heard_all: bool,
    ended: Pin<Box<WaitForCancellationFutureOwned>>,
    session: Session,
    place: Option<Place>,
}

impl Stream {
    /// A stream this end opened.
    pub(crate) fn opened(raw: RawStream, session: Session, place: Option<Place>) -> Self {
        let mut stream = Self::accepted(raw, session, place);
        stream.awaits_accept = true;
        stream
    }

    /// A stream the other end opened, acknowledged already.
    pub(crate) fn accepted(raw: RawStream, session: Session, place: Option<Place>) -> Self {
        let ended = Box::pin(session.end_token().cancelled_owned());
        Self {
            raw: Some(raw),
            awaits_accept: false,
            said_all: false,
            heard_all: false,
            ended,
            session,
            place,
        }
    }

    fn raw(&mut self) -> io::Result<Pin<&mut RawStream>> {
        self.raw.as_mut().map(Pin::new).ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    /// The library's pending, unless the session ended meanwhile.
    fn pending<O>(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<O>> {
        ready!(self.ended.as_mut().poll(cx));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::ConnectionAborted, "the session ended")))
    }

    fn poll_read_raw(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        match self.raw()?.poll_read(cx, buf) {
            Poll::Ready(Ok(0)) if !buf.is_empty() => self.at_end(cx),
            Poll::Pending => self.pending(cx),
            ready => ready,
        }
    }

    /// The library reads "0 bytes" for the other end's end, for its reset and for the end of the session.
    fn at_end(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let was_reset = !self.said_all && self.raw.as_ref().is_some_and(RawStream::is_closed);
        if self.ended.as_mut().poll(cx).is_ready() {
            let error = io::Error::new(io::ErrorKind::ConnectionAborted, "the session ended");
            return Poll::Ready(Err(error));
        }
        if was_reset {
            let error = io::Error::new(io::ErrorKind::ConnectionReset, "the other end reset the stream");
            return Poll::Ready(Err(error));
        }
        self.heard_all = true;
        Poll::Ready(Ok(0))
    }

    fn poll_accepted(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut first = [0];
        let read = ready!(self.poll_read_raw(cx, &mut first))?;
        self.awaits_accept = false;
        match (read, first) {
            (1, [ACCEPTED]) => Poll::Ready(Ok(())),
            (0, _) => Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())),
            _ => Poll::Ready(Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the stream does not begin with an acceptance",
            ))),
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.awaits_accept {
            ready!(self.poll_accepted(cx))?;
        }
        let n = ready!(self.poll_read_raw(cx, buf.initialize_unfilled()))?;
        buf.advance(n);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.raw()?.poll_write(cx, bytes) {
            Poll::Pending => self.pending(cx),
            ready => ready,
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.raw()?.poll_flush(cx) {
            Poll::Pending => self.pending(cx),
            ready => ready,
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.raw()?.poll_close(cx) {
            Poll::Pending => self.pending(cx),
            Poll::Ready(Ok(())) => {
                self.said_all = true;
                Poll::Ready(Ok(()))
            }
            failed => failed,
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let Some(mut raw) = self.raw.take() else { return };
        if self.said_all && !self.heard_all && !raw.is_closed() {
            let session = self.session.clone();
            let place = self.place.take();
            self.session.tasks().spawn_until_stopped(async move {
                let mut rest = [0; 4096];
                let reading = async { while let Ok(1..) = raw.read(&mut rest).await {} };
                if tokio::time::timeout(LINGER, reading).await.is_err() {
                    session.close(CloseReason::Protocol(
                        "a stream that we ended was written to for ever".into(),
                    ));
                }
                drop(place);
            });
        }
    }
}
