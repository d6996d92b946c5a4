//! A watch: server-sent events, each a [`ClusterEvent`](trunkline_api::ClusterEvent).
//!
//! First every cluster as `added`, then `synced`, then what changes. Each watch remembers what it sent of every cluster,
//! so that one that fell behind compares all with that and sends the difference: what changed twice meanwhile is
//! told once, what is as it was is not told.
//!
//! Invariants:
//! - what waits for a slow reader is bounded, and a reader that takes nothing for [`STUCK`] is sent away;
//! - a watch ends when its reader leaves and when the gateway drains.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::{Bytes, BytesMut};
use http::{HeaderValue, header};
use http_body::Frame;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast, mpsc};
use tokio::time::{Instant, interval_at};
use tokio_util::sync::CancellationToken;
use trunkline_api::{ProblemReason, Selector};
use trunkline_proto::ClusterId;
use trunkline_runtime::Tasks;

use super::board::{Board, Shown};
use super::problem::No;

/// How many watches there may be at once.
pub(super) const MOST: usize = 256;
/// How often something is said, so that a broken way is noticed.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How long a reader may take nothing.
const STUCK: Duration = Duration::from_secs(60);
/// Events leave together up to this many bytes, of which this many lots wait for the reader.
const LOT: usize = 64 * 1024;
const LOTS: usize = 4;

/// What watching takes. Clones share it.
#[derive(Clone)]
pub(super) struct Watches {
    pub(super) board: Board,
    places: Arc<Semaphore>,
    tasks: Tasks,
    draining: CancellationToken,
}

impl Watches {
    pub(super) fn new(board: Board, tasks: Tasks, draining: CancellationToken) -> Self {
        Self { board, places: Arc::new(Semaphore::new(MOST)), tasks, draining }
    }

    /// Begins a watch.
    pub(super) fn begin(&self, selector: Selector) -> Result<Response, No> {
        let place = self.places.clone().try_acquire_owned().map_err(|_| {
            let detail = format!("{MOST} watches are open, which is the most; try again later");
            No::new(ProblemReason::Unavailable, detail)
        })?;
        let (out, lots) = mpsc::channel(LOTS);
        let watch = Watch {
            board: self.board.clone(),
            selector,
            sent: BTreeMap::new(),
            lot: BytesMut::new(),
            out: out.clone(),
        };
        let draining = self.draining.clone();
        self.tasks.spawn_until_stopped(async move {
            tokio::select! {
                biased;
                () = draining.cancelled() => {}
                () = out.closed() => {}
                // Why it ended, its reader sees.
                _ = watch.run() => {}
            }
        });
        let mut response = Response::new(Body::new(Events { lots, _place: place }));
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(EVENT_STREAM));
        Ok(response)
    }
}

/// What the answer to a watch is.
pub(super) const EVENT_STREAM: &str = "text/event-stream";

/// The reader is gone or stuck, or the gateway ends.
struct Ended;

struct Watch {
    board: Board,
    selector: Selector,
    /// What was sent of each cluster last.
    sent: BTreeMap<ClusterId, Arc<Shown>>,
    lot: BytesMut,
    out: mpsc::Sender<Bytes>,
}

impl Watch {
    async fn run(mut self) -> Result<(), Ended> {
        let (all, mut changes) = self.board.join().await;
        let (first, others): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|shown| shown.cluster.metadata.name.is_management());
        for shown in first.into_iter().chain(others) {
            let id = shown.cluster.metadata.name.clone();
            self.compare(&id, Some(shown)).await?;
        }
        self.say(&[b"data: {\"type\":\"synced\"}\n\n"]).await?;
        self.flush().await?;
        let mut beat = interval_at(Instant::now() + HEARTBEAT, HEARTBEAT);
        loop {
            let changed = tokio::select! {
                changed = changes.recv() => changed,
                _ = beat.tick() => {
                    self.say(&[b": still here\n\n"]).await?;
                    self.flush().await?;
                    continue;
                }
            };
            self.follow(changed, &mut changes).await?;
        }
    }

    /// Tells of a change and of those that wait behind it.
    async fn follow(
        &mut self,
        mut changed: Result<ClusterId, RecvError>,
        changes: &mut broadcast::Receiver<ClusterId>,
    ) -> Result<(), Ended> {
        loop {
            match changed {
                Ok(id) => {
                    let shown = self.board.get(&id);
                    self.compare(&id, shown).await?;
                }
                Err(RecvError::Lagged(_)) => {
                    // What is told from here on comes after what is compared now.
                    *changes = changes.resubscribe();
                    self.compare_all().await?;
                }
                Err(RecvError::Closed) => return Err(Ended),
            }
            changed = match changes.try_recv() {
                Ok(id) => Ok(id),
                Err(TryRecvError::Lagged(by)) => Err(RecvError::Lagged(by)),
                Err(TryRecvError::Empty | TryRecvError::Closed) => return self.flush().await,
            };
        }
    }

    async fn compare_all(&mut self) -> Result<(), Ended> {
        let all = self.board.all();
        let gone: Vec<ClusterId> = {
            let there: std::collections::BTreeSet<&ClusterId> =
                all.iter().map(|shown| &shown.cluster.metadata.name).collect();
            self.sent.keys().filter(|id| !there.contains(id)).cloned().collect()
        };
        for id in gone {
            self.compare(&id, None).await?;
        }
        for shown in all {
            let id = shown.cluster.metadata.name.clone();
            self.compare(&id, Some(shown)).await?;
        }
        Ok(())
    }

    /// Tells what differs between what was sent of a cluster and what is shown of it.
    async fn compare(&mut self, id: &ClusterId, shown: Option<Arc<Shown>>) -> Result<(), Ended> {
        let shown = shown.filter(|shown| self.selector.matches(&shown.cluster.metadata.labels));
        match (self.sent.get(id).cloned(), shown) {
            (None, None) => Ok(()),
            (Some(sent), None) => {
                self.sent.remove(id);
                self.event("removed", &sent.json).await
            }
            (Some(sent), Some(shown)) if Arc::ptr_eq(&sent, &shown) => Ok(()),
            (sent, Some(shown)) => {
                self.sent.insert(id.clone(), shown.clone());
                match sent {
                    None => self.event("added", &shown.json).await,
                    Some(sent) if sent.cluster.metadata.uid == shown.cluster.metadata.uid => {
                        self.event("modified", &shown.json).await
                    }
                    // The name was registered again: another cluster.
                    Some(sent) => {
                        self.event("removed", &sent.json).await?;
                        self.event("added", &shown.json).await
                    }
                }
            }
        }
    }

    async fn event(&mut self, kind: &str, cluster: &[u8]) -> Result<(), Ended> {
        self.say(&[b"data: {\"type\":\"", kind.as_bytes(), b"\",\"cluster\":", cluster, b"}\n\n"]).await
    }

    async fn say(&mut self, parts: &[&[u8]]) -> Result<(), Ended> {
        parts.iter().for_each(|part| self.lot.extend_from_slice(part));
        if self.lot.len() >= LOT { self.flush().await } else { Ok(()) }
    }

    async fn flush(&mut self) -> Result<(), Ended> {
        if self.lot.is_empty() {
            return Ok(());
        }
        let sent = self.out.send_timeout(self.lot.split().freeze(), STUCK).await;
        sent.map_err(|_| Ended)
    }
}

/// The events as a body.
struct Events {
    lots: mpsc::Receiver<Bytes>,
    /// Free again when the body is gone.
    _place: OwnedSemaphorePermit,
}

impl http_body::Body for Events {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.lots.poll_recv(cx).map(|lot| lot.map(|lot| Ok(Frame::data(lot))))
    }
}

#[cfg(test)]
mod tests;
