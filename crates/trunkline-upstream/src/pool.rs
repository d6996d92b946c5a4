//! The connections that ordinary requests share.
//!
//! A Kubernetes API server allows 100 streams per HTTP/2 connection. A client that keeps one connection makes the
//! 101st request wait for a watch to end, so a connection here is full at 80 and the next request opens another.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::connect::{Connection, Connector, Http1, Http2};
use crate::error::SendError;

/// Streams in use at which an HTTP/2 connection is full.
const FULL: usize = 80;
/// How long finding a place may take, the opening of a connection included.
const PLACE_DEADLINE: Duration = Duration::from_secs(10);
/// How long an HTTP/1.1 connection is kept between requests.
const KEEP_FOR: Duration = Duration::from_secs(30);
/// How many HTTP/1.1 connections are kept.
const KEEP_AT_MOST: usize = 64;

/// The connections that ordinary requests share.
#[derive(Default)]
pub(crate) struct Pool {
    http2: Mutex<Vec<Shared>>,
    http1: Mutex<Vec<(Instant, Http1)>>,
    /// Held while opening, so that a burst opens one HTTP/2 connection and not one each.
    opening: tokio::sync::Mutex<()>,
    /// The API server answered in HTTP/1.1 last time: there is nothing to share, so nobody waits.
    nothing_to_share: AtomicBool,
}

#[derive(Clone)]
struct Shared {
    sender: Http2,
    in_use: Arc<AtomicUsize>,
}

/// A place on a connection.
pub(crate) enum Place {
    /// A whole connection.
    Http1(Http1),
    /// A stream's share of one; freed when the guard is dropped.
    Http2(Http2, StreamGuard),
}

/// A stream in use on a shared connection.
pub(crate) struct StreamGuard(Arc<AtomicUsize>);

impl Drop for StreamGuard {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Pool {
    /// A place for one request: on a connection that is there, else on one opened for it.
    pub(crate) async fn place(&self, connector: &Connector) -> Result<Place, SendError> {
        if let Some(place) = self.free() {
            return Ok(place);
        }
        // Bounded as a whole: behind an API server that does not answer, a queue must not fail one by one.
        tokio::time::timeout(PLACE_DEADLINE, self.opened(connector))
            .await
            .map_err(|_| SendError::TimedOut { target: connector.target(), step: "opening a connection" })?
    }

    async fn opened(&self, connector: &Connector) -> Result<Place, SendError> {
        if self.nothing_to_share.load(Ordering::Relaxed) {
            return self.open(connector).await;
        }
        let _opening = self.opening.lock().await;
        match self.free_http2() {
            Some(place) => Ok(place),
            None => self.open(connector).await,
        }
    }

    async fn open(&self, connector: &Connector) -> Result<Place, SendError> {
        let connection = connector.open().await?;
        self.nothing_to_share.store(matches!(connection, Connection::Http1(_)), Ordering::Relaxed);
        match connection {
            Connection::Http1(sender) => Ok(Place::Http1(sender)),
            Connection::Http2(sender) => {
                let shared = Shared { sender, in_use: Arc::default() };
                let place = shared.take();
                self.lock_http2().push(shared);
                Ok(place)
            }
        }
    }

    /// Takes an HTTP/1.1 connection back after an exchange that ended exactly.
    pub(crate) fn keep(&self, sender: Http1) {
        let mut kept = self.http1.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(since, sender)| since.elapsed() < KEEP_FOR && !sender.is_closed());
        if kept.len() < KEEP_AT_MOST {
            kept.push((Instant::now(), sender));
        }
    }

    fn free(&self) -> Option<Place> {
        self.free_http2().or_else(|| {
            let mut kept = self.http1.lock().unwrap_or_else(PoisonError::into_inner);
            while let Some((since, sender)) = kept.pop() {
                if since.elapsed() < KEEP_FOR && sender.is_ready() {
                    return Some(Place::Http1(sender));
                }
            }
            None
        })
    }

    fn free_http2(&self) -> Option<Place> {
        let mut connections = self.lock_http2();
        connections.retain(|shared| !shared.sender.is_closed());
        // The first that has room: later ones run empty and end by themselves.
        connections.iter().find(|shared| shared.in_use.load(Ordering::Relaxed) < FULL).map(Shared::take)
    }

    fn lock_http2(&self) -> std::sync::MutexGuard<'_, Vec<Shared>> {
        self.http2.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    fn take(&self) -> Place {
        self.in_use.fetch_add(1, Ordering::Relaxed);
        Place::Http2(self.sender.clone(), StreamGuard(self.in_use.clone()))
    }
}
