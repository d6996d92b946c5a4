//! A way from agents to the gateway that breaks: every connection ends after some bytes of one direction.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Result;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use trunkline_runtime::{Door, Tasks};

/// About as much goes up before TLS and the hello are through, in bytes: a cut behind that is within a session.
const BEGUN: usize = 4 * 1024;
/// The most that goes up before a cut.
const UP: usize = 96 * 1024;
/// The most that comes down before a cut: answers are short.
const DOWN: usize = 12 * 1024;

/// A way to the gateway. Clones are the same.
#[derive(Clone)]
pub(crate) struct Way {
    address: SocketAddr,
    inner: Arc<Inner>,
}

struct Inner {
    to: SocketAddr,
    /// How many cuts are still to be made.
    left: AtomicUsize,
    cuts: AtomicUsize,
    within: AtomicUsize,
}

impl Way {
    /// One that leads there, and breaks so many times.
    pub(crate) async fn lay(tasks: &Tasks, to: SocketAddr, times: usize) -> Result<Self> {
        let door = Door::bind("way", ([127, 0, 0, 1], 0).into()).await?;
        let inner =
            Inner { to, left: times.into(), cuts: AtomicUsize::default(), within: AtomicUsize::default() };
        let way = Self { address: door.address()?, inner: Arc::new(inner) };
        let (laid, family) = (way.clone(), tasks.clone());
        tasks.spawn_until_stopped(async move {
            loop {
                let (tcp, _) = door.accept().await;
                let way = laid.clone();
                family.spawn_until_stopped(async move { way.carry(tcp).await });
            }
        });
        Ok(way)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many times it broke.
    pub(crate) fn cuts(&self) -> usize {
        self.inner.cuts.load(Ordering::Relaxed)
    }

    /// How many of those times something of a session was on its way.
    pub(crate) fn cuts_within(&self) -> usize {
        self.inner.within.load(Ordering::Relaxed)
    }

    async fn carry(&self, near: TcpStream) {
        let Ok(far) = TcpStream::connect(self.inner.to).await else { return };
        let (near_read, near_write) = near.into_split();
        let (far_read, far_write) = far.into_split();
        let breaks = self.inner.left.load(Ordering::Relaxed) > 0;
        let (up, down) = match (breaks, rand::random_bool(0.7)) {
            (false, _) => (usize::MAX, usize::MAX),
            (true, true) => (rand::random_range(1..UP), usize::MAX),
            (true, false) => (usize::MAX, rand::random_range(1..DOWN)),
        };
        let (carried, came_down) = (AtomicUsize::default(), AtomicUsize::default());
        let broke = tokio::select! {
            broke = copy(near_read, far_write, up, &carried) => broke,
            broke = copy(far_read, near_write, down, &came_down) => broke,
        };
        if broke {
            self.inner.cuts.fetch_add(1, Ordering::Relaxed);
            let within = carried.load(Ordering::Relaxed) > BEGUN;
            self.inner.within.fetch_add(usize::from(within), Ordering::Relaxed);
            let _ = self
                .inner
                .left
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        }
        // Both ends hear that the other is gone: what was read and not passed on is lost.
    }
}

/// Copies until an end closes, or until so many bytes went: then true.
async fn copy(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    most: usize,
    carried: &AtomicUsize,
) -> bool {
    let (mut left, mut buffer) = (most, vec![0; 16 * 1024]);
    loop {
        let Ok(read @ 1..) = from.read(&mut buffer).await else { return false };
        let passes = read.min(left);
        if to.write_all(&buffer[..passes]).await.is_err() {
            return false;
        }
        carried.fetch_add(passes, Ordering::Relaxed);
        left -= passes;
        if left == 0 {
            return true;
        }
    }
}
