//! A link's bytes: frames gather here and leave together, and every byte heard is a sign of life.
//!
//! The mux library writes frame by frame and flushes each. Written through, that is one TLS record and one
//! system call per frame. So a flush from above only gathers; the session's driver calls
//! [`Gather::poll_drain`] once nothing more is ready, and up to 64 KiB leave in one write.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use crate::verdict::Verdict;

/// How much gathers before it must leave, in bytes.
const GATHER: usize = 64 * 1024;
/// Capacity that an idle link keeps, in bytes.
const KEEP: usize = 4 * 1024;

/// The shared end of a link: the mux writes into it, the driver drains it.
pub(crate) struct Gather<T> {
    end: Arc<Mutex<End<T>>>,
    pulse: Arc<Pulse>,
}

struct End<T> {
    io: T,
    out: Vec<u8>,
    sent: usize,
    verdict: Verdict,
}

impl<T> Clone for Gather<T> {
    fn clone(&self) -> Self {
        Self { end: self.end.clone(), pulse: self.pulse.clone() }
    }
}

/// When this end last heard a byte, and how many went by.
#[derive(Debug)]
pub(crate) struct Pulse {
    start: Instant,
    heard_ms: AtomicU64,
    bytes_in: AtomicU64,
    bytes_out: AtomicU64,
}

impl Pulse {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            start: Instant::now(),
            heard_ms: AtomicU64::new(0),
            bytes_in: AtomicU64::new(0),
            bytes_out: AtomicU64::new(0),
        })
    }

    /// How long the other end has said nothing.
    pub(crate) fn silence(&self) -> Duration {
        let now = self.start.elapsed();
        now.saturating_sub(Duration::from_millis(self.heard_ms.load(Ordering::Relaxed)))
    }

    /// Bytes heard and said so far, as they stand on the link under TLS.
    pub(crate) fn bytes(&self) -> (u64, u64) {
        (self.bytes_in.load(Ordering::Relaxed), self.bytes_out.load(Ordering::Relaxed))
    }

    fn heard(&self, bytes: usize) {
        let now = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.heard_ms.store(now, Ordering::Relaxed);
        self.bytes_in.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> Gather<T> {
    pub(crate) fn new(io: T, pulse: Arc<Pulse>) -> Self {
        Self {
            end: Arc::new(Mutex::new(End { io, out: Vec::new(), sent: 0, verdict: Verdict::default() })),
            pulse,
        }
    }

    /// Writes out all that has gathered and flushes the link.
    pub(crate) fn poll_drain(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut end = self.lock();
        ready!(end.poll_write_out(cx, &self.pulse))?;
        Pin::new(&mut end.io).poll_flush(cx)
    }

    /// Whether what was written says that the other end broke the rules of the mux.
    pub(crate) fn other_end_broke_rules(&self) -> bool {
        self.lock().verdict.is_broken()
    }

    fn lock(&self) -> MutexGuard<'_, End<T>> {
        self.end.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: AsyncWrite + Unpin> End<T> {
    fn poll_write_out(&mut self, cx: &mut Context<'_>, pulse: &Pulse) -> Poll<io::Result<()>> {
        while self.sent < self.out.len() {
            let n = ready!(Pin::new(&mut self.io).poll_write(cx, &self.out[self.sent..]))?;
            if n == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.sent += n;
            pulse.bytes_out.fetch_add(n as u64, Ordering::Relaxed);
        }
        self.out.clear();
        self.out.shrink_to(KEEP);
        self.sent = 0;
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> futures_util::AsyncRead for Gather<T> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut read = ReadBuf::new(buf);
        ready!(Pin::new(&mut self.lock().io).poll_read(cx, &mut read))?;
        let n = read.filled().len();
        if n > 0 {
            self.pulse.heard(n);
        }
        Poll::Ready(Ok(n))
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> futures_util::AsyncWrite for Gather<T> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut end = self.lock();
        if end.out.len() >= GATHER {
            ready!(end.poll_write_out(cx, &self.pulse))?;
        }
        let n = bytes.len().min(GATHER - end.out.len());
        end.out.extend_from_slice(&bytes[..n]);
        end.verdict.follow(&bytes[..n]);
        Poll::Ready(Ok(n))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_drain(cx))?;
        Pin::new(&mut self.lock().io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use futures_util::AsyncWriteExt as _;
    use tokio::io::AsyncReadExt as _;

    use super::*;

    #[tokio::test]
    async fn frames_leave_together_when_the_driver_says_so() {
        let (near, mut far) = tokio::io::duplex(1 << 20);
        let pulse = Pulse::new();
        let mut gather = Gather::new(near, pulse.clone());
        for _ in 0..3 {
            gather.write_all(&[7; 1000]).await.unwrap();
            gather.flush().await.unwrap();
        }
        assert_eq!(pulse.bytes().1, 0, "a flush from above must only gather");
        poll_fn(|cx| gather.poll_drain(cx)).await.unwrap();
        let mut heard = [0; 3000];
        far.read_exact(&mut heard).await.unwrap();
        assert_eq!(pulse.bytes().1, 3000);
    }

    #[tokio::test]
    async fn what_gathers_is_bounded() {
        let (near, _far) = tokio::io::duplex(1);
        let mut gather = Gather::new(near, Pulse::new());
        let written =
            tokio::time::timeout(Duration::from_millis(1), gather.write_all(&[0; 10 * GATHER])).await;
        assert!(written.is_err(), "a link that does not move must push back");
        assert!(gather.lock().out.len() <= GATHER);
    }
}
