//! A sample cluster: something that answers like a small Kubernetes cluster, so that the product can be shown and
//! tested with no Kubernetes at hand.
//!
//! A request passes named phases: `identity` says who asks, `route` what is asked for, `identity` again whether
//! that is allowed. Then it is answered by `discovery`, by reading the `store` (`read`), by following a pod's
//! made-up `logs`, or by an upgrade: `exec` of a toy `shell`, or a `forward` to a made-up port.
//!
//! Invariants:
//! - it is a sample: nothing it shows exists, no command of the host is ever run, no address is ever dialled;
//! - it is read-only: only its own ticks change its objects;
//! - everything that can grow has a bound: connections, streams, heads, bodies, history, events, input lines.

mod serve;
mod identity;
mod route;
mod discovery;
mod read;
mod logs;
mod may;
mod exec;
mod shell;
mod forward;
mod spdy;
mod kinds;
mod store;
mod contents;
#[cfg(test)]
mod tests;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use crate::store::Store;

pub use crate::serve::Bound;

/// One sample cluster. Clones are the same cluster.
#[derive(Clone)]
pub struct SampleCluster {
    state: Arc<State>,
}

struct State {
    name: String,
    token: String,
    store: Store,
    ticks: AtomicU32,
    requests: AtomicU64,
}

impl SampleCluster {
    /// A cluster called `name`, which also determines what it holds; callers must show `token`.
    pub fn new(name: &str, token: &str) -> Self {
        let (name, token, store) = (name.to_owned(), token.to_owned(), Store::default());
        contents::fill(&store, &name);
        Self { state: Arc::new(State { name, token, store, ticks: 0.into(), requests: 0.into() }) }
    }

    /// Adds `count` pods, all in the namespace `crowd`, for lists that are long.
    #[must_use]
    pub fn with_pods(self, count: u32) -> Self {
        contents::add_pods(&self.state.store, &self.state.name, count);
        self
    }

    /// How many requests have arrived.
    pub fn requests(&self) -> u64 {
        self.state.requests.load(Ordering::Relaxed)
    }

    /// Makes one small change, as a served cluster does by itself every few seconds.
    pub fn tick(&self) {
        let serial = self.state.ticks.fetch_add(1, Ordering::Relaxed);
        contents::tick(&self.state.store, &self.state.name, serial);
    }

    /// Holds a port and answers nothing yet. With `tls`, HTTP/2 is spoken where ALPN chose it.
    pub async fn bind(self, listen: SocketAddr, tls: Option<Arc<rustls::ServerConfig>>) -> io::Result<Bound> {
        Bound::new(self, listen, tls).await
    }
}

impl std::fmt::Debug for SampleCluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SampleCluster").field("name", &self.state.name).finish_non_exhaustive()
    }
}
