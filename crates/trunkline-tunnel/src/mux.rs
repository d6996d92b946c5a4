//! The mux behind a narrow interface: open, accept, close. The only module that names the mux library.
//!
//! One driver task per link polls the library for ever. The library's traps (found by measurement, see
//! `docs/decisions/0002-yamux-behind-one-wrapper.md`) and where each is ruled out:
//! - one stream over the other end's maximum ends the whole session: [`crate::Session::open`] holds a permit per
//!   stream, and the library's own maximum stands well above it;
//! - 256 unacknowledged streams block all opening: the acceptor writes one byte at once ([`ACCEPTED`]);
//! - half-close and drop leaves the other end's writer stuck: [`crate::Stream`] lingers;
//! - a reset looks like the end of the stream: [`crate::Stream`] tells them apart;
//! - reads may hang after the session ended: every stream also waits for the session's token;
//! - no keep-alive and no reasons: `liveness` and `control`;
//! - whoever breaks a rule is told so and stays: [`crate::verdict`] finds that out, and the session ends.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::AsyncWrite as _;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use trunkline_proto::CloseReason;

use crate::dial::tls_advice;
use crate::link::{Gather, Pulse};

/// The byte that the acceptor of a stream writes first. It acknowledges the stream to the library.
pub(crate) const ACCEPTED: u8 = 0x01;

/// The library's own maximum of streams per session, far above what permits allow both ends together: a stream
/// that was dropped counts until the driver has seen it.
const LIBRARY_STREAMS: usize = 4096;
/// What every stream may hold at the least, in bytes; the yamux specification's initial window.
const INITIAL_WINDOW: usize = 256 * 1024;
/// What all streams of a session may hold beyond their initial windows, in bytes.
const WINDOW_GROWTH: usize = 64 * 1024 * 1024;
/// The longest data frame, in bytes: one turn of a stream.
const TURN: usize = 16 * 1024;
/// How long saying goodbye may take.
const GOODBYE: Duration = Duration::from_secs(1);
/// How long to read on after a failed write.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// Streams accepted but not yet taken by [`crate::Inbound`].
const BACKLOG: usize = 256;

/// Which end opened the link; the two number their streams differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The agent: it dialled.
    Dialler,
    /// The gateway: it was dialled.
    Door,
}

/// A stream as the library has it.
pub(crate) type RawStream = yamux::Stream;

/// The driver's handle for opening.
#[derive(Clone, Debug)]
pub(crate) struct Opener {
    wishes: mpsc::Sender<oneshot::Sender<RawStream>>,
}

impl Opener {
    /// Opens a stream; `None` when the session ended.
    pub(crate) async fn open(&self) -> Option<RawStream> {
        let (answer, opened) = oneshot::channel();
        self.wishes.send(answer).await.ok()?;
        opened.await.ok()
    }
}

/// How a link ended by itself.
enum Ended {
    /// What was read, or that nothing more can be, says why.
    Heard(CloseReason),
    /// A write failed; what is still to be read may say more.
    CannotWrite(CloseReason),
}

/// The driver of one link: owns the library's state and moves it.
pub(crate) struct Driver<T> {
    connection: yamux::Connection<Gather<T>>,
    gather: Gather<T>,
    wishes: mpsc::Receiver<oneshot::Sender<RawStream>>,
    waiting: VecDeque<oneshot::Sender<RawStream>>,
    accepted: mpsc::Sender<RawStream>,
    stop: CancellationToken,
}

/// Makes the driver, the opener and the queue of accepted streams. `stop` tells the driver to say goodbye.
pub(crate) fn mux<T>(
    io: T,
    role: Role,
    pulse: Arc<Pulse>,
    stop: CancellationToken,
) -> (Driver<T>, Opener, mpsc::Receiver<RawStream>)
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    let mut config = yamux::Config::default();
    config
        .set_max_connection_receive_window(None)
        .set_max_num_streams(LIBRARY_STREAMS)
        .set_max_connection_receive_window(Some(LIBRARY_STREAMS * INITIAL_WINDOW + WINDOW_GROWTH))
        .set_split_send_size(TURN);
    let mode = match role {
        Role::Dialler => yamux::Mode::Client,
        Role::Door => yamux::Mode::Server,
    };
    let gather = Gather::new(io, pulse);
    let (wish, wishes) = mpsc::channel(BACKLOG);
    let (accepted, inbound) = mpsc::channel(BACKLOG);
    let connection = yamux::Connection::new(gather.clone(), config, mode);
    let driver = Driver { connection, gather, wishes, waiting: VecDeque::new(), accepted, stop };
    (driver, Opener { wishes: wish }, inbound)
}

impl<T: AsyncRead + AsyncWrite + Unpin> Driver<T> {
    /// Runs the session to its end and says why it ended, as far as this end can tell.
    pub(crate) async fn run(mut self) -> CloseReason {
        let stop = self.stop.clone();
        let ended = tokio::select! {
            biased;
            () = stop.cancelled() => None,
            reason = poll_fn(|cx| self.poll(cx)) => Some(reason),
        };
        match ended {
            Some(Ended::Heard(reason)) => reason,
            Some(Ended::CannotWrite(reason)) => {
                let words = poll_fn(|cx| self.poll_last_words(cx));
                tokio::time::timeout(LAST_WORDS, words).await.unwrap_or(reason)
            }
            None => {
                let goodbye = poll_fn(|cx| self.connection.poll_close(cx));
                let _ = tokio::time::timeout(GOODBYE, goodbye).await;
                CloseReason::Shutdown
            }
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Ended> {
        loop {
            match self.connection.poll_next_inbound(cx) {
                Poll::Ready(Some(Ok(stream))) => {
                    self.accept(cx, stream);
                    continue;
                }
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Ended::Heard(reason(&error))),
                Poll::Ready(None) => return Poll::Ready(Ended::Heard(closed())),
                Poll::Pending => {}
            }
            match self.poll_open(cx) {
                Poll::Ready(Ok(())) => continue,
                Poll::Ready(Err(error)) => return Poll::Ready(Ended::Heard(reason(&error))),
                Poll::Pending => {}
            }
            // Nothing more is ready: what has gathered leaves in one go.
            let drained = self.gather.poll_drain(cx);
            if self.gather.other_end_broke_rules() {
                return Poll::Ready(Ended::Heard(CloseReason::Protocol(
                    "a frame broke a rule of credit, ids or numbers of streams".into(),
                )));
            }
            return match drained {
                Poll::Ready(Err(error)) => Poll::Ready(Ended::CannotWrite(lost(&error))),
                Poll::Ready(Ok(())) | Poll::Pending => Poll::Pending,
            };
        }
    }

    /// Reads on after a failed write: one who refuses us says why, then hangs up, and our write may meet the second
    /// before we have read the first.
    fn poll_last_words(&mut self, cx: &mut Context<'_>) -> Poll<CloseReason> {
        loop {
            match ready!(self.connection.poll_next_inbound(cx)) {
                Some(Ok(_)) => {}
                Some(Err(error)) => return Poll::Ready(reason(&error)),
                None => return Poll::Ready(closed()),
            }
        }
    }

    /// Acknowledges a stream and queues it. Over the backlog it is dropped, which resets it: the other end
    /// opened faster than this one could look.
    fn accept(&mut self, cx: &mut Context<'_>, mut stream: RawStream) {
        let Ok(place) = self.accepted.try_reserve() else { return };
        // The first write on a fresh stream has credit and queue room.
        if let Poll::Ready(Ok(1)) = Pin::new(&mut stream).poll_write(cx, &[ACCEPTED]) {
            place.send(stream);
        }
    }

    fn poll_open(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), yamux::ConnectionError>> {
        while let Poll::Ready(Some(wish)) = self.wishes.poll_recv(cx) {
            self.waiting.push_back(wish);
        }
        self.waiting.retain(|wish| !wish.is_closed());
        if self.waiting.is_empty() {
            return Poll::Pending;
        }
        match self.connection.poll_new_outbound(cx) {
            Poll::Ready(Ok(stream)) => {
                if let Some(wish) = self.waiting.pop_front() {
                    let _ = wish.send(stream);
                }
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => Poll::Pending,
        }
    }
}

fn reason(error: &yamux::ConnectionError) -> CloseReason {
    match error {
        yamux::ConnectionError::Io(error)
        | yamux::ConnectionError::Decode(yamux::FrameDecodeError::Io(error)) => lost(error),
        yamux::ConnectionError::Closed => closed(),
        other => CloseReason::Protocol(other.to_string()),
    }
}

fn closed() -> CloseReason {
    CloseReason::LinkLost("the other end closed it".into())
}

fn lost(error: &io::Error) -> CloseReason {
    CloseReason::LinkLost(tls_advice(error))
}
