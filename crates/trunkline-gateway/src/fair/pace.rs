//! How fast the bytes of a user, or of a cluster, may go: they are asked for later, and never kept.
//!
//! What has passed is charged; whoever has passed much waits until the user and the cluster owe nothing. What is small
//! does not: each request has an allowance of its own that it never waits for, so that watches and terminals keep their
//! latency beside a user's own bulk.
//!
//! Invariants:
//! - nothing is held back that was read: the next read waits, and by flow control its sender;
//! - over a user's or a cluster's rate go at the most a burst of one second, and each request's allowance.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};
use trunkline_proto::ClusterId;

use super::Fair;
use crate::bucket::{Bucket, Rate};

/// What a request may pass without waiting for its user's and cluster's other bytes.
const ALLOWANCE: Rate = Rate { per_second: 32 * 1024, burst: 64 * 1024 };

/// The pace of one request's bytes in one direction.
pub(crate) struct Pace {
    fair: Fair,
    user: Arc<str>,
    cluster: Option<ClusterId>,
    allowance: Bucket,
    waits: Option<Pin<Box<Sleep>>>,
}

impl Pace {
    pub(super) fn new(fair: Fair, user: Arc<str>, cluster: Option<ClusterId>) -> Self {
        Self { fair, user, cluster, allowance: Bucket::default(), waits: None }
    }

    /// The same for the other direction.
    pub(crate) fn another(&self) -> Self {
        Self::new(self.fair.clone(), self.user.clone(), self.cluster.clone())
    }

    /// Ready when the next bytes may be asked for.
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while let Some(waits) = &mut self.waits {
            ready!(waits.as_mut().poll(cx));
            let debt = self.debt();
            // Others of the same user may have gone on meanwhile.
            self.waits = (!debt.is_zero()).then(|| Box::pin(tokio::time::sleep(debt)));
        }
        Poll::Ready(())
    }

    /// So many bytes have passed.
    fn passed(&mut self, bytes: usize) {
        let (bytes, now) = (bytes as u64, Instant::now());
        self.charge(bytes, now);
        if self.allowance.take(ALLOWANCE, bytes, now).is_err() {
            let debt = self.debt();
            self.waits = (!debt.is_zero()).then(|| Box::pin(tokio::time::sleep(debt)));
        }
    }

    fn charge(&self, bytes: u64, now: Instant) {
        let mut tables = self.fair.tables();
        let (user, cluster) = tables.bytes(&self.user, self.cluster.as_ref());
        for (bucket, rate) in [(user, self.fair.shared.user_bytes), (cluster, self.fair.shared.cluster_bytes)]
        {
            if let (Some(bucket), Some(rate)) = (bucket, rate) {
                bucket.charge(rate, bytes, now);
            }
        }
    }

    fn debt(&self) -> Duration {
        let now = Instant::now();
        let mut tables = self.fair.tables();
        let (user, cluster) = tables.bytes(&self.user, self.cluster.as_ref());
        let debt = |bucket: Option<&mut Bucket>, rate: Option<Rate>| match (bucket, rate) {
            (Some(bucket), Some(rate)) => bucket.debt(rate, now),
            _ => Duration::ZERO,
        };
        debt(user, self.fair.shared.user_bytes).max(debt(cluster, self.fair.shared.cluster_bytes))
    }
}

/// A body, or the two directions of an upgrade, at a pace.
pub(crate) struct Paced<T> {
    inner: T,
    read: Option<Pace>,
    written: Option<Pace>,
}

impl<T> Paced<T> {
    /// Without a pace it goes as fast as it can.
    pub(crate) fn new(inner: T, pace: Option<Pace>) -> Self {
        Self { inner, written: pace.as_ref().map(Pace::another), read: pace }
    }
}

fn poll_ready(pace: &mut Option<Pace>, cx: &mut Context<'_>) -> Poll<()> {
    pace.as_mut().map_or(Poll::Ready(()), |pace| pace.poll_ready(cx))
}

fn passed(pace: &mut Option<Pace>, bytes: usize) {
    if let Some(pace) = pace {
        pace.passed(bytes);
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Paced<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        ready!(poll_ready(&mut self.read, cx));
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(cx));
        if let Some(Ok(frame)) = &frame {
            passed(&mut self.read, frame.data_ref().map_or(0, Bytes::len));
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Paced<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        ready!(poll_ready(&mut self.read, cx));
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(cx, buf))?;
        passed(&mut self.read, buf.filled().len() - before);
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Paced<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        ready!(poll_ready(&mut self.written, cx));
        let written = ready!(Pin::new(&mut self.inner).poll_write(cx, bytes))?;
        passed(&mut self.written, written);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests;
