//! 1. The front door: accept, TLS handshake off the loop, then HTTP. Every deadline runs from accept.

mod http_service;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;
use tracing::debug;
use trunkline_pki::{ClientIdentity, FrontDoorTls};
use trunkline_runtime::{Door, Tasks};

use crate::activity::Activity;
use crate::arrivals::Arrivals;
use crate::authn::{self, Authn, How, Principal};
use crate::fleet::Fleet;
use crate::metrics::Metrics;
use crate::proxy::{Proxy, Unwelcome};
use crate::rest::Rest;

/// How long the TLS handshake may take.
const TLS_DEADLINE: Duration = Duration::from_secs(5);
/// How long after accept the first request's head must be there.
const HEAD_DEADLINE: Duration = Duration::from_secs(10);
/// How long a connection may be idle between requests, or a later head take.
const IDLE: Duration = Duration::from_secs(90);
/// How long a connection that was asked to leave may take.
const LEAVING: Duration = Duration::from_secs(5);
/// Connections from one network (/24, /56) that may be in their TLS handshake at once.
const ARRIVING_PER_NETWORK: usize = 128;
/// HTTP/2: how long a silent client is waited for before it is asked, and how long it may take to answer.
const PING_EVERY: Duration = Duration::from_secs(30);
const PING_DEADLINE: Duration = Duration::from_secs(15);
/// HTTP/2: streams a client may have open.
const STREAMS: u32 = 250;
/// HTTP/2: what a client may send ahead, per stream and per connection, in bytes.
const STREAM_WINDOW: u32 = 1024 * 1024;
const CONNECTION_WINDOW: u32 = 16 * 1024 * 1024;
/// HTTP/2: how much of an answer waits for a slow client, per stream, in bytes.
const SEND_BUFFER: usize = 256 * 1024;
/// How many requests to sign in a connection may bring before one that is somebody's.
const STRANGE: u32 = 16;
/// The longest head, in bytes; what fits is looked at by the header rules, which are stricter.
const MAX_HEAD: u32 = 96 * 1024;
/// The most fields that are parsed; the header rules allow fewer and say so in words.
const MAX_FIELDS: usize = 200;

/// What serving clients takes. Clones share it.
#[derive(Clone)]
pub(crate) struct Front {
    pub(crate) tls: Arc<FrontDoorTls>,
    pub(crate) fleet: Fleet,
    pub(crate) proxy: Proxy,
    pub(crate) rest: Rest,
    pub(crate) authn: Authn,
    pub(crate) metrics: Metrics,
    pub(crate) tasks: Tasks,
    pub(crate) draining: CancellationToken,
    pub(crate) connections: Arc<Semaphore>,
    pub(crate) requests: Arc<Semaphore>,
    pub(crate) host_suffix: Option<Arc<str>>,
    pub(crate) allow_node_proxy: bool,
}

/// What is known of a front connection.
pub(crate) struct Caller {
    pub(crate) from: SocketAddr,
    pub(crate) sni: Option<String>,
    pub(crate) identity: Option<ClientIdentity>,
    pub(crate) activity: Activity,
    /// How many requests came of nobody.
    pub(crate) strange: AtomicU32,
    /// Cancelled when the connection is to take no further request.
    pub(crate) leave: CancellationToken,
}

impl Caller {
    /// A stranger is answered once, or a few times while signing in, and holds no place after that.
    fn was_strange(&self, signing_in: bool) {
        let times = self.strange.fetch_add(1, Ordering::Relaxed) + 1;
        if !signing_in || times >= STRANGE {
            self.leave.cancel();
        }
    }
}

impl Front {
    /// Accepts connections until the gateway drains.
    pub(crate) async fn serve(self, door: Door) {
        let arrivals = Arrivals::new(ARRIVING_PER_NETWORK);
        loop {
            // Over the limit, a connection waits in the kernel's queue.
            let Ok(place) = self.connections.clone().acquire_owned().await else { return };
            let (tcp, from) = tokio::select! {
                biased;
                () = self.draining.cancelled() => return,
                accepted = door.accept() => accepted,
            };
            let Some(arrival) = arrivals.enter(from.ip()) else {
                debug!(%from, "too many connections from there are not through their handshake");
                continue;
            };
            let front = self.clone();
            self.tasks.spawn_until_stopped(async move {
                let handshake = TlsAcceptor::from(front.tls.current()).accept(tcp);
                let shaken = tokio::time::timeout(TLS_DEADLINE, handshake).await;
                drop(arrival);
                match shaken {
                    Ok(Ok(tls)) => front.serve_connection(tls, from, place).await,
                    Ok(Err(error)) => {
                        front.metrics.front_handshakes_failed.inc();
                        debug!(%from, %error, "TLS handshake failed");
                    }
                    Err(_) => {
                        front.metrics.front_handshakes_failed.inc();
                        debug!(%from, "TLS handshake took too long");
                    }
                }
            });
        }
    }

    async fn serve_connection(
        &self,
        tls: TlsStream<TcpStream>,
        from: SocketAddr,
        _place: OwnedSemaphorePermit,
    ) {
        let (_, connection) = tls.get_ref();
        let http2 = connection.alpn_protocol() == Some(b"h2");
        let sni = connection.server_name().map(str::to_owned);
        let identity = match authn::identity(connection.peer_certificates()) {
            Ok(identity) => identity,
            Err(refusal) => {
                debug!(%from, why = refusal.detail(), "client certificate is not usable");
                None
            }
        };
        let until = self.until_unwelcome(identity.clone());
        let (activity, leave) = (Activity::default(), self.draining.child_token());
        let caller = Arc::new(Caller {
            from,
            sni,
            identity,
            activity: activity.clone(),
            strange: AtomicU32::new(0),
            leave: leave.clone(),
        });
        let front = self.clone();
        let service = service_fn(move |request| {
            let (front, caller) = (front.clone(), caller.clone());
            async move { Ok::<_, std::convert::Infallible>(front.answer(request, &caller).await) }
        });
        self.metrics.front_connections_open.inc();
        let open = OpenGuard(self.metrics.clone());
        let io = TokioIo::new(tls);
        let serving = async {
            if http2 {
                self.http2(io, service, &leave).await;
            } else {
                self.http1(io, service, &leave).await;
            }
        };
        tokio::pin!(serving);
        tokio::select! {
            biased;
            () = until => debug!(%from, "the client's certificate is no longer good"),
            () = activity.first_overdue(HEAD_DEADLINE) => debug!(%from, "no request came in time"),
            () = activity.idle(IDLE) => {
                leave.cancel();
                let _ = tokio::time::timeout(LEAVING, serving).await;
            }
            () = serving.as_mut() => {}
        }
        drop(open);
    }

    async fn http1<S>(&self, io: TokioIo<TlsStream<TcpStream>>, service: S, leave: &CancellationToken)
    where
        S: hyper::service::HttpService<hyper::body::Incoming, ResBody = trunkline_runtime::Body>,
        S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let serving = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(IDLE)
            .max_buf_size(MAX_HEAD as usize)
            .max_headers(MAX_FIELDS)
            .serve_connection(io, service)
            .with_upgrades();
        tokio::pin!(serving);
        tokio::select! {
            ended = serving.as_mut() => return note(ended),
            () = leave.cancelled() => serving.as_mut().graceful_shutdown(),
        }
        note(serving.await);
    }

    async fn http2<S>(&self, io: TokioIo<TlsStream<TcpStream>>, service: S, leave: &CancellationToken)
    where
        S: hyper::service::HttpService<hyper::body::Incoming, ResBody = trunkline_runtime::Body>,
        S::Future: Send + 'static,
        S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let serving = hyper::server::conn::http2::Builder::new(self.tasks.clone())
            .timer(TokioTimer::new())
            .max_concurrent_streams(STREAMS)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_send_buf_size(SEND_BUFFER)
            .max_header_list_size(MAX_HEAD)
            .keep_alive_interval(PING_EVERY)
            .keep_alive_timeout(PING_DEADLINE)
            .max_local_error_reset_streams(128)
            .serve_connection(io, service);
        tokio::pin!(serving);
        tokio::select! {
            ended = serving.as_mut() => return note(ended),
            () = leave.cancelled() => serving.as_mut().graceful_shutdown(),
        }
        note(serving.await);
    }

    /// Returns when what somebody proved who they are with has ended.
    fn until_ended(&self, principal: &Principal, caller: &Caller) -> Unwelcome {
        if principal.how == How::Certificate {
            return Box::pin(self.until_unwelcome(caller.identity.clone()));
        }
        let Some(ends) = principal.expires else { return Box::pin(std::future::pending()) };
        Box::pin(async move {
            // In steps, since the clock may be set.
            while let Ok(left) = ends.duration_since(SystemTime::now()) {
                tokio::time::sleep(left.min(Duration::from_secs(60))).await;
            }
        })
    }

    /// Returns when the certificate of a connection has expired or was revoked.
    fn until_unwelcome(&self, identity: Option<ClientIdentity>) -> impl Future<Output = ()> + use<> {
        let fleet = self.fleet.clone();
        async move {
            let Some(identity) = identity else { return std::future::pending().await };
            let mut changes = fleet.changes();
            while !fleet.revoked_clients.contains(&identity.serial) {
                let Ok(left) = identity.not_after.duration_since(SystemTime::now()) else { return };
                tokio::select! {
                    changed = changes.changed() => if changed.is_err() { std::future::pending::<()>().await },
                    () = tokio::time::sleep(left.min(Duration::from_secs(60))) => {}
                }
            }
        }
    }
}

fn note(ended: hyper::Result<()>) {
    if let Err(error) = ended {
        debug!(%error, "front connection ended early");
    }
}

/// Counts a connection as open until it is dropped.
struct OpenGuard(Metrics);

impl Drop for OpenGuard {
    fn drop(&mut self) {
        self.0.front_connections_open.dec();
    }
}
