//! The sample's door: TLS, HTTP/1.1 and HTTP/2, and the tasks of a served cluster.
//!
//! Invariants:
//! - the accept loop only accepts: handshakes happen in their own task, under a deadline;
//! - at most [`MAX_CONNECTIONS`] are held; the next waits at the door.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::{Instant, interval_at, timeout};
use tracing::debug;
use trunkline_runtime::{Door, Tasks};

use crate::{SampleCluster, route};

/// How often a served cluster changes by itself.
const TICK: Duration = Duration::from_secs(4);
/// How many connections are held at once.
const MAX_CONNECTIONS: usize = 1024;
/// How many requests one HTTP/2 connection may have open.
const MAX_STREAMS: u32 = 256;
/// The longest request head, in bytes.
const HEAD_LIMIT: u32 = 32 * 1024;
/// How long a TLS handshake may take, and the wait for a request's head.
const HEAD_DEADLINE: Duration = Duration::from_secs(60);

/// A sample cluster that holds its port.
#[derive(Debug)]
pub struct Bound {
    cluster: SampleCluster,
    door: Door,
    address: SocketAddr,
    tls: Tls,
}

type Tls = Option<Arc<rustls::ServerConfig>>;

impl Bound {
    pub(crate) async fn new(cluster: SampleCluster, listen: SocketAddr, tls: Tls) -> io::Result<Self> {
        let door = Door::bind("sample cluster", listen).await.map_err(io::Error::other)?;
        Ok(Self { cluster, address: door.address()?, door, tls })
    }

    /// The bound address; tells the port when 0 was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until the tasks are told to stop.
    pub fn serve(self, tasks: &Tasks) {
        let cluster = self.cluster.clone();
        tasks.spawn_until_stopped(async move {
            let mut clock = interval_at(Instant::now() + TICK, TICK);
            loop {
                clock.tick().await;
                cluster.tick();
            }
        });
        let family = tasks.clone();
        tasks.spawn_until_stopped(async move {
            let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
            while let Ok(place) = room.clone().acquire_owned().await {
                let (tcp, from) = self.door.accept().await;
                let (cluster, tls, tasks) = (self.cluster.clone(), self.tls.clone(), family.clone());
                family.spawn_until_stopped(async move {
                    if let Err(error) = welcome(cluster, tls, tcp, tasks).await {
                        debug!(%from, %error, "sample connection ended early");
                    }
                    drop(place);
                });
            }
        });
    }
}

async fn welcome(cluster: SampleCluster, tls: Tls, tcp: TcpStream, tasks: Tasks) -> io::Result<()> {
    let Some(tls) = tls else { return speak(cluster, tcp, false, tasks).await };
    let stream = timeout(HEAD_DEADLINE, tokio_rustls::TlsAcceptor::from(tls).accept(tcp)).await??;
    let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    speak(cluster, stream, is_http2, tasks).await
}

async fn speak<S>(cluster: SampleCluster, stream: S, is_http2: bool, tasks: Tasks) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (io, family) = (TokioIo::new(stream), tasks.clone());
    let service = service_fn(move |request| {
        cluster.state.requests.fetch_add(1, Ordering::Relaxed);
        let (cluster, family) = (cluster.clone(), family.clone());
        async move { Ok::<_, Infallible>(route::answer(cluster, request, family).await) }
    });
    let served = if is_http2 {
        let mut http = http2::Builder::new(OnTasks(tasks));
        http.timer(TokioTimer::new()).max_concurrent_streams(MAX_STREAMS).max_header_list_size(HEAD_LIMIT);
        http.serve_connection(io, service).await
    } else {
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(HEAD_DEADLINE).max_buf_size(HEAD_LIMIT as usize);
        http.serve_connection(io, service).with_upgrades().await
    };
    served.map_err(io::Error::other)
}

/// Runs hyper's own tasks where ours run.
#[derive(Clone, Debug)]
struct OnTasks(Tasks);

impl<F: Future<Output = ()> + Send + 'static> hyper::rt::Executor<F> for OnTasks {
    fn execute(&self, task: F) {
        self.0.spawn_until_stopped(task);
    }
}
