//! A watch: server-sent events, each a [`ClusterEvent`](trunkline_api::ClusterEvent).
//!
//! First every cluster as `added`, then `synced`, then what changes. Each watch remembers which version of every cluster it
//! sent, so that one that fell behind compares all with that and sends the difference: what changed twice meanwhile
//! is told once, what is as it was is not told.
//!
//! Invariants:
//! - what waits for a slow reader is bounded, and a reader that takes nothing for [`STUCK`] is sent away;
//! - of what was sent a watch keeps version and metadata and nothing else, so that no reader, however slow, holds older
//!   generations of the fleet in memory;
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
use tokio::sync::{broadcast, mpsc};
use tokio::time::{Instant, interval_at};
use tokio_util::sync::CancellationToken;
use trunkline_api::{Cluster, ClusterSpec, ClusterStatus, Metadata, ProblemReason, Selector};
use trunkline_proto::ClusterId;
use trunkline_runtime::Tasks;

use super::board::{Board, Shown};
use super::problem::No;
use super::read::Sight;
use crate::places::{Full, Place, Places};

/// How many watches there may be at once.
const MOST: usize = 256;
/// How many of them may be one user's.
const MOST_OF_ONE: usize = 32;
/// How often something is said, so that a broken way is noticed.
pub(super) const HEARTBEAT: Duration = Duration::from_secs(15);
/// How long a reader may take nothing.
pub(super) const STUCK: Duration = Duration::from_secs(60);
/// Events leave together up to this many bytes, of which this many lots wait for the reader.
pub(super) const LOT: usize = 64 * 1024;
const LOTS: usize = 4;

/// What watching takes. Clones share it.
#[derive(Clone)]
pub(super) struct Watches {
    pub(super) board: Board,
    places: Places,
    tasks: Tasks,
    draining: CancellationToken,
}

impl Watches {
    pub(super) fn new(board: Board, tasks: Tasks, draining: CancellationToken) -> Self {
        Self { board, places: Places::new(MOST, MOST_OF_ONE), tasks, draining }
    }

    /// Begins a user's watch.
    pub(super) fn begin(&self, user: &str, selector: Selector, sight: Sight) -> Result<Response, No> {
        let (board, sent, lot) = (self.board.clone(), BTreeMap::new(), BytesMut::new());
        self.events(user, |out| Watch { board, selector, sight, sent, lot, out }.run())
    }

    /// Begins a stream of events for a user, that ends with its reader, with what tells, and when the gateway drains.
    pub(super) fn events<Telling>(
        &self,
        user: &str,
        tell: impl FnOnce(mpsc::Sender<Bytes>) -> Telling,
    ) -> Result<Response, No>
    where
        Telling: Future<Output = Result<(), Ended>> + Send + 'static,
    {
        let place = self.places.take(user).map_err(|full| crowded(full, user))?;
        let (out, lots) = mpsc::channel(LOTS);
        let (draining, telling) = (self.draining.clone(), tell(out.clone()));
        self.tasks.spawn_until_stopped(async move {
            tokio::select! {
                biased;
                () = draining.cancelled() => {}
                () = out.closed() => {}
                // Why it ended, its reader sees.
                _ = telling => {}
            }
        });
        let mut response = Response::new(Body::new(Events { lots, _place: place }));
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(EVENT_STREAM));
        Ok(response)
    }
}

fn crowded(full: Full, user: &str) -> No {
    let detail = match full {
        Full::All(most) => format!("{most} watches are open, which is the most; try again later"),
        Full::Own(most) => {
            format!("{user} has {most} watches open, which is the most of one user; end one of them")
        }
    };
    No::new(ProblemReason::Unavailable, detail)
}

/// What the answer to a watch is.
pub(crate) const EVENT_STREAM: &str = "text/event-stream";

/// Puts an event behind those that leave together.
pub(super) fn put(lot: &mut BytesMut, event: &impl serde::Serialize) {
    // A struct of strings and numbers always serialises.
    let json = serde_json::to_vec(event).unwrap_or_default();
    [&b"data: "[..], &json, b"\n\n"].iter().for_each(|part| lot.extend_from_slice(part));
}

/// The reader is gone or stuck, or the gateway ends.
pub(super) struct Ended;

struct Watch {
    board: Board,
    selector: Selector,
    /// Which clusters the reader sees.
    sight: Sight,
    /// What was sent of each cluster last.
    sent: BTreeMap<ClusterId, Sent>,
    lot: BytesMut,
    out: mpsc::Sender<Bytes>,
}

/// What is kept of what was sent of a cluster.
struct Sent {
    version: u64,
    metadata: Arc<Metadata>,
}

impl From<&Shown> for Sent {
    fn from(shown: &Shown) -> Self {
        Self { version: shown.version, metadata: shown.metadata.clone() }
    }
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
        let access = self.board.access();
        let mut rules = access.changes();
        loop {
            let changed = tokio::select! {
                changed = changes.recv() => changed,
                Ok(()) = rules.changed() => {
                    self.sight = self.sight.by(access.rules());
                    self.compare_all().await?;
                    self.flush().await?;
                    continue;
                }
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
        let shown = shown.filter(|shown| {
            let labels = &shown.cluster.metadata.labels;
            self.selector.matches(labels) && self.sight.sees(id, labels)
        });
        let Some(shown) = shown else {
            return match self.sent.remove(id) {
                Some(sent) => self.removed(&sent.metadata).await,
                None => Ok(()),
            };
        };
        match self.sent.insert(id.clone(), Sent::from(&*shown)) {
            None => self.event("added", &shown.json).await,
            // The name was registered again: another cluster.
            Some(sent) if sent.metadata.uid != shown.metadata.uid => {
                self.removed(&sent.metadata).await?;
                self.event("added", &shown.json).await
            }
            Some(sent) if sent.version == shown.version => Ok(()),
            Some(_) => self.event("modified", &shown.json).await,
        }
    }

    /// Of a cluster that is gone only its metadata is told.
    async fn removed(&mut self, metadata: &Metadata) -> Result<(), Ended> {
        let cluster = Cluster::new(metadata.clone(), ClusterSpec::default(), ClusterStatus::default());
        // A struct of strings, numbers and maps by string always serialises.
        self.event("removed", &serde_json::to_vec(&cluster).unwrap_or_default()).await
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
    _place: Place,
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
