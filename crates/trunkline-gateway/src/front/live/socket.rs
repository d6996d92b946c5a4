//! A live socket: what the page says becomes streams, what they bring is told, until one of the two has had enough.
//!
//! Hearing and telling go on beside each other, so that a page is heard while it takes nothing; and a cut is noticed
//! whatever both wait for.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use http::uri::PathAndQuery;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::sync::mpsc;
use tokio::time::{Instant, interval_at, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Message, Role, WebSocketConfig};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::credit::Credit;
use super::lines::Longs;
use super::message::{End, Form, Said, Told};
use super::stream::{Parcel, Stream};
use crate::access_log::Entry;
use crate::authn::Principal;
use crate::front::{Caller, Front};
use crate::metrics::Metrics;
use crate::places::Place;

/// How many streams a socket has.
const STREAMS: usize = 64;
/// The longest message of a page, in bytes: a path and its frame.
const MESSAGE: usize = 32 * 1024;
/// How many messages wait for the page.
const WAITING: usize = 4;
/// How often the page is asked whether it is there, and after how long a silence it is gone.
const HEARTBEAT: Duration = Duration::from_secs(15);
const SILENCE: Duration = Duration::from_secs(45);
/// How long a page may take nothing.
const STUCK: Duration = Duration::from_secs(60);
/// How long a page may take to take its leave.
const FAREWELL: Duration = Duration::from_secs(1);
/// The longest reason in a close frame, in bytes: a control frame holds 125, two are the code.
const MAX_REASON: usize = 123;
/// The buffers of a socket, in bytes.
const READ_BUFFER: usize = 4 * 1024;
const WRITE_BUFFER: usize = 16 * 1024;

/// The codes of a close frame (RFC 6455 §7.4.1), and one of ours: the sign-in has ended.
const GOING_AWAY: u16 = 1001;
const UNSUPPORTED: u16 = 1003;
const POLICY: u16 = 1008;
const TOO_BIG: u16 = 1009;
const SIGNED_OUT: u16 = 4401;

type WebSocket = WebSocketStream<TokioIo<Upgraded>>;

/// A live socket that was agreed to.
pub(super) struct Socket {
    pub(super) front: Front,
    /// Who asks by its streams.
    pub(super) caller: Arc<Caller>,
    pub(super) who: Arc<Principal>,
    pub(super) longs: Longs,
    pub(super) entry: Box<Entry>,
    pub(super) place: Place,
}

/// Why a socket ends.
enum Bye {
    /// The page has left, or is as good as gone.
    Left(&'static str),
    /// It is closed: a code, a word for the access log, a text for the page.
    Close { code: u16, reason: &'static str, why: Cow<'static, str> },
}

impl Bye {
    fn close(code: u16, reason: &'static str, why: impl Into<Cow<'static, str>>) -> Self {
        Self::Close { code, reason, why: why.into() }
    }

    /// The page says what is not understood.
    fn odd(why: impl Into<Cow<'static, str>>) -> Self {
        Self::close(POLICY, "BadMessage", why)
    }
}

/// What hearing and telling share.
struct Desk {
    front: Front,
    caller: Arc<Caller>,
    who: Arc<Principal>,
    longs: Longs,
    streams: Streams,
    out: mpsc::Sender<Parcel>,
    said: AtomicU64,
    told: AtomicU64,
}

impl Socket {
    /// Serves the page until it leaves or is sent away.
    pub(super) async fn run(self, upgrade: OnUpgrade) {
        let Self { front, caller, who, longs, mut entry, place: _place } = self;
        let Ok(io) = upgrade.await else { return };
        let _open = Counted::new(&front.metrics);
        // Said ahead, for the case that the gateway's own end cuts this task.
        entry.reason = "Shutdown";
        let limits = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(WRITE_BUFFER)
            .max_message_size(Some(MESSAGE))
            .max_frame_size(Some(MESSAGE));
        let socket = WebSocket::from_raw_socket(TokioIo::new(io), Role::Server, Some(limits)).await;
        let (mut sink, mut page) = socket.split();
        let (out, parcels) = mpsc::channel(WAITING);
        let (draining, leave) = (front.draining.clone(), entry.leave());
        let (streams, said, told) = (Streams::default(), AtomicU64::new(0), AtomicU64::new(0));
        let desk = Desk { front, caller, who, longs, streams, out, said, told };
        let bye = tokio::select! {
            biased;
            cut = leave => Bye::close(SIGNED_OUT, cut.reason, cut.why),
            () = draining.cancelled() => Bye::close(GOING_AWAY, "Drain", "the gateway drains; open another"),
            bye = desk.hear(&mut page) => bye,
            bye = desk.tell(&mut sink, parcels) => bye,
        };
        desk.streams.clear();
        entry.received = desk.said.load(Ordering::Relaxed);
        entry.sent = desk.told.load(Ordering::Relaxed);
        entry.reason = match bye {
            Bye::Left(reason) => reason,
            Bye::Close { code, reason, why } => {
                say_farewell(&mut sink, &mut page, code, &why).await;
                reason
            }
        };
    }
}

impl Desk {
    /// Heeds what the page says until it leaves.
    async fn hear(&self, page: &mut SplitStream<WebSocket>) -> Bye {
        let mut last = None;
        loop {
            let message = match timeout(SILENCE, page.next()).await {
                Err(_) => return Bye::Left("Silent"),
                Ok(None | Some(Ok(Message::Close(_)))) => return Bye::Left(""),
                Ok(Some(Err(Error::Capacity(_)))) => {
                    return Bye::close(TOO_BIG, "BadMessage", "a message is at most 32 KiB long");
                }
                Ok(Some(Err(_))) => return Bye::Left("ClientGone"),
                Ok(Some(Ok(message))) => message,
            };
            self.said.fetch_add(message.len() as u64, Ordering::Relaxed);
            let said = match &message {
                Message::Text(text) => serde_json::from_str(text),
                Message::Binary(_) => {
                    return Bye::close(UNSUPPORTED, "BadMessage", "messages are text, in JSON");
                }
                _ => continue,
            };
            match said {
                Ok(Said::Open { open, .. }) if last >= Some(open) => {
                    return Bye::odd("the number of a stream is higher than all before it");
                }
                Ok(Said::Open { open, path, form }) => {
                    last = Some(open);
                    self.open(open, &path, form).await;
                }
                // What is over may still be spoken of.
                Ok(Said::More { more, bytes }) => self.streams.give(more, bytes),
                Ok(Said::Close { close }) => self.streams.close(close),
                Err(_) => return Bye::odd("a message opens a stream, gives it more, or closes it"),
            }
        }
    }

    async fn open(&self, number: u32, path: &str, form: Form) {
        let refused = |status: u16, reason: &str, detail: &str| {
            let body = serde_json::json!({ "status": status, "reason": reason, "detail": detail });
            let end = End::Refused { status, body: body.to_string() };
            self.out.send(Parcel::new(Told::Ended { ended: number, end }))
        };
        let own = |path: &PathAndQuery| crate::rest::serves(path.path()) && !super::serves(path.path());
        let Some(path) = path.parse().ok().filter(own) else {
            let _ = refused(400, "Invalid", "a stream is a GET of a path under /trunkline/v1/").await;
            return;
        };
        let credit = Credit::default();
        let Some((seat, closed)) = self.streams.open(number, credit.clone()) else {
            let why = "a socket has 64 streams at the most; close one, or open another socket";
            let _ = refused(429, "TooManyRequests", why).await;
            return;
        };
        let stream = Stream {
            front: self.front.clone(),
            caller: self.caller.clone(),
            number,
            path,
            form,
            credit,
            longs: self.longs.clone(),
            out: self.out.clone(),
        };
        self.front.tasks.spawn_until_stopped(stream.run(seat, closed));
    }

    /// Tells the page what its streams bring, and asks whether it is there.
    async fn tell(
        &self,
        page: &mut SplitSink<WebSocket, Message>,
        mut parcels: mpsc::Receiver<Parcel>,
    ) -> Bye {
        let mut beat = interval_at(Instant::now() + HEARTBEAT, HEARTBEAT);
        loop {
            let (message, parcel) = tokio::select! {
                Some(parcel) = parcels.recv() => {
                    // Strings and numbers always serialise.
                    let text = serde_json::to_string(&parcel.told).unwrap_or_default();
                    (Message::text(text), Some(parcel))
                }
                _ = beat.tick() => {
                    if !self.front.authn.is_good(&self.who) {
                        let why = "your session was not used for too long, or has ended; sign in again";
                        return Bye::close(SIGNED_OUT, "SessionEnded", why);
                    }
                    (Message::Ping(Bytes::new()), None)
                }
            };
            self.told.fetch_add(message.len() as u64, Ordering::Relaxed);
            match timeout(STUCK, page.send(message)).await {
                Ok(Ok(())) => drop(parcel),
                Ok(Err(_)) => return Bye::Left("ClientGone"),
                Err(_) => return Bye::Left("Stuck"),
            }
        }
    }
}

/// Says why, and waits a little for the page to have heard it.
async fn say_farewell(
    sink: &mut SplitSink<WebSocket, Message>,
    page: &mut SplitStream<WebSocket>,
    code: u16,
    why: &str,
) {
    let reason = why[..why.floor_char_boundary(MAX_REASON)].into();
    let saying = async {
        sink.send(Message::Close(Some(CloseFrame { code: code.into(), reason }))).await?;
        // Bytes left unread would reset the connection before the last word has arrived.
        while page.next().await.is_some_and(|message| message.is_ok()) {}
        Ok::<_, Error>(())
    };
    let _ = timeout(FAREWELL, saying).await;
}

/// Counts a socket as open until it is dropped.
struct Counted(Metrics);

impl Counted {
    fn new(metrics: &Metrics) -> Self {
        metrics.live_sockets_open.inc();
        Self(metrics.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.live_sockets_open.dec();
    }
}

/// The streams of a socket. Clones share them.
#[derive(Clone, Default)]
struct Streams(Arc<Mutex<HashMap<u32, Open>>>);

/// A stream that is open: what the page gives it, and what closes it when it is dropped.
struct Open {
    credit: Credit,
    _closes: DropGuard,
}

/// The seat of a stream; it is free when this is dropped.
pub(super) struct Seat {
    number: u32,
    streams: Streams,
}

impl Streams {
    /// Seats a stream, if there is a seat; with what tells it that it is closed.
    fn open(&self, number: u32, credit: Credit) -> Option<(Seat, CancellationToken)> {
        let mut streams = self.lock();
        if streams.len() >= STREAMS {
            return None;
        }
        let closed = CancellationToken::new();
        streams.insert(number, Open { credit, _closes: closed.clone().drop_guard() });
        Some((Seat { number, streams: self.clone() }, closed))
    }

    fn give(&self, number: u32, bytes: u32) {
        if let Some(open) = self.lock().get(&number) {
            open.credit.give(bytes);
        }
    }

    fn close(&self, number: u32) {
        self.lock().remove(&number);
    }

    fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u32, Open>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.streams.close(self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_has_so_many_streams_and_each_that_ends_or_is_closed_makes_room() {
        let streams = Streams::default();
        let mut open: Vec<_> = (0..64).map(|n| streams.open(n, Credit::default()).unwrap()).collect();
        assert!(streams.open(64, Credit::default()).is_none());
        let (seat, closed) = open.pop().unwrap();
        drop(seat);
        assert!(closed.is_cancelled());
        let (_seat, closed) = streams.open(65, Credit::default()).unwrap();
        assert!(!closed.is_cancelled());
        streams.close(65);
        assert!(closed.is_cancelled());
        streams.clear();
        assert!(open.iter().all(|(_, closed)| closed.is_cancelled()), "streams end with their socket");
    }
}
