//! A session: the mux conversation on one link, from hello to close.
//!
//! [`Session::start`] spawns the driver; clones of the handle open streams until the session drains or ends.
//! The end has exactly one reason, the first that was given. A session that turns out to be one of records steps aside: whoever
//! drives it and answers on it runs from then on where it keeps no API request from its turn.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use trunkline_proto::{CloseReason, Limits};
use trunkline_runtime::Tasks;

use crate::exchange::Kept;
use crate::link::Pulse;
pub use crate::mux::Role;
use crate::mux::{Opener, RawStream, mux};
use crate::places::{Place, Places};
use crate::stream::Stream;

/// How long opening a stream may take.
pub(crate) const OPEN_DEADLINE: Duration = Duration::from_secs(5);
/// Streams beyond the limit that the other end may open for control calls.
const CONTROL_STREAMS: usize = 8;

/// A handle to a session. Clones are handles to the same session.
#[derive(Clone)]
pub struct Session {
    inner: Arc<Inner>,
}

struct Inner {
    opener: Opener,
    places: Places,
    granted: AtomicUsize,
    draining: AtomicBool,
    stop: CancellationToken,
    ended: CancellationToken,
    reason: OnceLock<CloseReason>,
    pulse: Arc<Pulse>,
    rtt: Mutex<Option<Duration>>,
    kept: Mutex<Vec<Kept>>,
    in_flight: AtomicUsize,
    tasks: Tasks,
    /// Cancelled when the session steps aside.
    aside: CancellationToken,
}

/// The streams that the other end opens.
#[derive(Debug)]
pub struct Inbound {
    accepted: mpsc::Receiver<RawStream>,
    places: Places,
    session: Session,
}

/// What a session has carried, as bytes on its link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Bytes heard.
    pub received: u64,
    /// Bytes said.
    pub sent: u64,
}

/// Why a stream could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The session has ended.
    #[error("the session has ended: {0}")]
    Ended(CloseReason),
    /// The session drains: open elsewhere.
    #[error("the session is draining")]
    Draining,
    /// All streams the other end allows are in use.
    #[error("all streams that the other end allows are in use")]
    NoStreams,
    /// The other end did not move.
    #[error("the stream could not be opened within {} s", OPEN_DEADLINE.as_secs())]
    TimedOut,
}

impl Session {
    /// Starts a session on a link whose TLS handshake is done. `ours` is what the other end may open.
    pub fn start<T>(io: T, role: Role, ours: Limits, tasks: &Tasks) -> (Self, Inbound)
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let pulse = Pulse::new();
        let stop = CancellationToken::new();
        let (driver, opener, accepted) = mux(io, role, pulse.clone(), stop.clone());
        let inner = Arc::new(Inner {
            opener,
            // Until the hello told the other end's limits: one exchange.
            places: Places::new(1),
            granted: AtomicUsize::new(1),
            draining: AtomicBool::new(false),
            stop,
            ended: CancellationToken::new(),
            reason: OnceLock::new(),
            pulse,
            rtt: Mutex::new(None),
            kept: Mutex::new(Vec::new()),
            in_flight: AtomicUsize::new(0),
            tasks: tasks.clone(),
            aside: CancellationToken::new(),
        });
        let session = Self { inner };
        let running = session.clone();
        tasks.spawn(async move {
            let mut run = Box::pin(driver.run());
            let is_over = tokio::select! {
                () = running.drive(&mut run) => true,
                () = running.inner.aside.cancelled() => false,
            };
            if !is_over {
                let tasks = running.tasks();
                tasks.spawn(async move { running.drive(&mut run).await });
            }
        });
        let allowed = ours.streams as usize + CONTROL_STREAMS;
        (session.clone(), Inbound { accepted, places: Places::new(allowed), session })
    }

    /// Drives it to its end, or until this is dropped; then it can be driven on elsewhere.
    async fn drive(&self, run: &mut (impl Future<Output = CloseReason> + Unpin)) {
        let shutdown = self.inner.tasks.token();
        let reason = tokio::select! {
            reason = &mut *run => reason,
            () = shutdown.cancelled() => {
                self.close(CloseReason::Shutdown);
                run.await
            }
        };
        self.end(reason);
    }

    /// From now on it gives way to all other work of the process ([`Tasks::aside`]): it carries records.
    pub fn step_aside(&self) {
        self.inner.aside.cancel();
    }

    /// The hello told what the other end allows.
    pub fn allow(&self, theirs: Limits) {
        // Above our own limit the library would end the session, whatever the other end says.
        let wanted = theirs.streams.min(Limits::DEFAULT.streams) as usize;
        let granted = self.inner.granted.swap(wanted, Ordering::Relaxed);
        self.inner.places.add(wanted.saturating_sub(granted));
    }

    /// Opens a stream for a request; waits a little when all are in use.
    pub async fn open(&self) -> Result<Stream, OpenError> {
        if self.inner.draining.load(Ordering::Relaxed) {
            return Err(OpenError::Draining);
        }
        let place = tokio::time::timeout(OPEN_DEADLINE, self.inner.places.take());
        let Ok(Some(place)) = place.await else { return Err(OpenError::NoStreams) };
        self.open_with(Some(place)).await
    }

    /// Opens a stream for a request, if there is a place for it now.
    pub(crate) async fn open_now(&self) -> Result<Stream, OpenError> {
        let place = self.inner.places.take_now().ok_or(OpenError::NoStreams)?;
        self.open_with(Some(place)).await
    }

    /// Opens a stream for a control call: allowed while draining and when all others are in use.
    pub(crate) async fn open_control(&self) -> Result<Stream, OpenError> {
        self.open_with(None).await
    }

    async fn open_with(&self, place: Option<Place>) -> Result<Stream, OpenError> {
        tokio::select! {
            biased;
            () = self.inner.ended.cancelled() => Err(OpenError::Ended(self.reason())),
            opened = tokio::time::timeout(OPEN_DEADLINE, self.inner.opener.open()) => match opened {
                Ok(Some(raw)) => {
                    Ok(Stream::opened(raw, self.clone(), place))
                }
                Ok(None) => Err(OpenError::Ended(self.reason())),
                Err(_) => Err(OpenError::TimedOut),
            },
        }
    }

    /// Opens no more request streams here; what is in flight goes on.
    pub fn drain(&self) {
        self.inner.draining.store(true, Ordering::Relaxed);
        self.take_kept().clear();
        self.inner.places.tell();
    }

    /// Whether requests may be given to this session.
    pub fn is_open(&self) -> bool {
        !self.inner.draining.load(Ordering::Relaxed) && !self.inner.stop.is_cancelled() && !self.is_ended()
    }

    /// Whether a further request could have a stream at once.
    pub fn has_room(&self) -> bool {
        self.inner.places.are_left() || !self.kept().is_empty()
    }

    /// How many streams the other end allows.
    pub fn streams(&self) -> usize {
        self.inner.granted.load(Ordering::Relaxed)
    }

    /// Returns when a stream got free since this was called, or the session takes no more requests.
    pub fn freed(&self) -> impl Future<Output = ()> + Send + use<> {
        self.inner.places.freed()
    }

    /// Whoever waits for a stream is to look again.
    pub(crate) fn tell_of_room(&self) {
        self.inner.places.tell();
    }

    /// Ends the session. The first reason given is the one that stands.
    pub fn close(&self, reason: CloseReason) {
        let _ = self.inner.reason.set(reason);
        self.inner.stop.cancel();
        self.inner.places.tell();
    }

    /// Waits for the session's end and says why.
    pub async fn ended(&self) -> CloseReason {
        self.inner.ended.cancelled().await;
        self.reason()
    }

    /// Why the session ends, once somebody said so.
    pub fn closed(&self) -> Option<CloseReason> {
        self.inner.reason.get().cloned()
    }

    /// Whether the session has ended.
    pub fn is_ended(&self) -> bool {
        self.inner.ended.is_cancelled()
    }

    /// Whether this is the very session of the other handle.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }

    /// Exchanges under way.
    pub fn in_flight(&self) -> usize {
        self.inner.in_flight.load(Ordering::Relaxed)
    }

    /// How long the other end has said nothing.
    pub fn silence(&self) -> Duration {
        self.inner.pulse.silence()
    }

    /// Bytes carried so far.
    pub fn traffic(&self) -> Traffic {
        let (received, sent) = self.inner.pulse.bytes();
        Traffic { received, sent }
    }

    /// The newest round-trip time of a ping, once one was answered.
    pub fn rtt(&self) -> Option<Duration> {
        *self.inner.rtt.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_rtt(&self, rtt: Duration) {
        *self.inner.rtt.lock().unwrap_or_else(PoisonError::into_inner) = Some(rtt);
    }

    pub(crate) fn kept(&self) -> std::sync::MutexGuard<'_, Vec<Kept>> {
        self.inner.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn end_token(&self) -> CancellationToken {
        self.inner.ended.clone()
    }

    /// Where what belongs to it is to run now.
    pub(crate) fn tasks(&self) -> Tasks {
        if self.inner.aside.is_cancelled() { self.inner.tasks.aside() } else { self.inner.tasks.clone() }
    }

    /// Counts an exchange as under way until the guard is dropped.
    pub(crate) fn begin(&self) -> InFlight {
        self.inner.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight { session: self.clone() }
    }

    fn take_kept(&self) -> Vec<Kept> {
        std::mem::take(&mut *self.kept())
    }

    fn reason(&self) -> CloseReason {
        self.inner.reason.get().cloned().unwrap_or(CloseReason::Shutdown)
    }

    fn end(&self, reason: CloseReason) {
        let _ = self.inner.reason.set(reason);
        self.inner.stop.cancel();
        self.inner.ended.cancel();
        self.take_kept().clear();
        self.inner.places.tell();
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("open", &self.is_open())
            .field("in_flight", &self.in_flight())
            .finish_non_exhaustive()
    }
}

/// An exchange under way.
pub(crate) struct InFlight {
    session: Session,
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.session.inner.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Inbound {
    pub(crate) fn tasks(&self) -> Tasks {
        self.session.tasks()
    }

    /// The next stream that the other end opened; `None` once the session ended. A stream over the limit that the
    /// other end was told is reset.
    pub async fn accept(&mut self) -> Option<Stream> {
        loop {
            let raw = tokio::select! {
                biased;
                () = self.session.inner.ended.cancelled() => return None,
                raw = self.accepted.recv() => raw?,
            };
            if let Some(place) = self.places.take_now() {
                return Some(Stream::accepted(raw, self.session.clone(), Some(place)));
            }
        }
    }
}
