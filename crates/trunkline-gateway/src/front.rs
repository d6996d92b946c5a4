//! 1. The front door: accept, TLS handshake off the loop, then HTTP. Every deadline runs from accept.

mod admission;
mod balancer;
mod http_service;
mod live;
mod pages;

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use http::{HeaderValue, Request, StatusCode, header};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::rustls::server::Acceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;
use tracing::debug;
use trunkline_pki::{ClientIdentity, FrontDoorTls};
use trunkline_runtime::{Door, Tasks, boxed};

use crate::activity::Activity;
use crate::arrivals::{Arrival, Arrivals, Known};
use crate::audited::Audited;
use crate::authn::{self, Authn, Principal};
use crate::authz::Confirmations;
use crate::fair::Fair;
use crate::fleet::Fleet;
use crate::metrics::Metrics;
use crate::proxy::Proxy;
use crate::rest::Rest;
use crate::tickets::Tickets;
use crate::under_way::Review;

pub(crate) use balancer::Balancers;
pub(crate) use live::Live;

/// How long the TLS handshake may take.
const TLS_DEADLINE: Duration = Duration::from_secs(5);
/// How long after accept the first request's head must be there.
const HEAD_DEADLINE: Duration = Duration::from_secs(10);
/// How long a connection may be idle between requests, or a later head take.
const IDLE: Duration = Duration::from_secs(90);
/// How long a connection that was asked to leave may take.
const LEAVING: Duration = Duration::from_secs(5);
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
/// How many requests to sign in, and for the pages where one does, a connection may bring before one that is somebody's.
const STRANGE: u32 = 32;
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
    pub(crate) review: Review,
    pub(crate) audited: Audited,
    pub(crate) fair: Fair,
    /// The load balancers that say whom they speak for.
    pub(crate) balancers: Balancers,
    pub(crate) known: Known,
    pub(crate) confirmations: Confirmations,
    pub(crate) tickets: Tickets,
    pub(crate) live: Live,
}

/// A request without its body, which no phase but the last looks at.
type Head = http::request::Parts;

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
    pub(crate) place: Mutex<Place>,
    /// Who asks on it, where that is settled: the streams of a live socket are all of one sign-in.
    pub(crate) signed_in: Option<Arc<Principal>>,
}

/// The place a connection holds.
pub(crate) enum Place {
    /// A stranger's, that a newcomer may get.
    Stranger(Arrival),
    /// Its own, since somebody showed a good identity on it.
    Own(#[expect(dead_code, reason = "held, not looked at")] OwnedSemaphorePermit),
    /// None of its own: it is within another one.
    Within(#[expect(dead_code, reason = "held, not looked at")] Arc<Caller>),
}

impl Caller {
    /// Somebody who asks within a connection, on which they are known.
    fn within(outer: &Arc<Self>, who: &Arc<Principal>) -> Self {
        Self {
            from: outer.from,
            // The connection names no cluster, or it would have been that cluster's.
            sni: None,
            identity: outer.identity.clone(),
            activity: Activity::default(),
            strange: AtomicU32::new(0),
            leave: outer.leave.child_token(),
            place: Mutex::new(Place::Within(outer.clone())),
            signed_in: Some(who.clone()),
        }
    }

    /// A stranger is answered once, or a few times on the way to a sign-in, and holds no place after that.
    fn was_strange(&self, signing_in: bool) {
        let times = self.strange.fetch_add(1, Ordering::Relaxed) + 1;
        if !signing_in || times >= STRANGE {
            self.leave.cancel();
        }
    }

    /// The Manager's files are for everybody; on a connection of a stranger they are part of the way to a sign-in.
    fn got_a_file(&self) {
        let strange =
            matches!(&*self.place.lock().unwrap_or_else(PoisonError::into_inner), Place::Stranger(_));
        if strange {
            self.was_strange(true);
        }
    }
}

impl Front {
    /// Accepts connections until the gateway drains.
    pub(crate) async fn serve(self, door: Door) {
        let arrivals = Arrivals::new(self.known.clone());
        loop {
            let (tcp, from) = tokio::select! {
                biased;
                () = self.draining.cancelled() => return,
                accepted = door.accept() => accepted,
            };
            let Some((mut arrival, pushed)) = arrivals.enter(from.ip()).await else { return };
            self.metrics.strangers_pushed_out.inc_by(pushed.into());
            let front = self.clone();
            self.tasks.spawn_until_stopped(async move {
                let pushed_out = arrival.pushed_out();
                let shaken = tokio::select! {
                    biased;
                    () = pushed_out => return,
                    shaken = tokio::time::timeout(TLS_DEADLINE, front.shake_hands(tcp, from, &mut arrival)) => shaken,
                };
                match shaken {
                    Ok(Ok((tls, from))) => front.serve_connection(tls, from, arrival).await,
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

    /// The handshake, and where the client comes from: behind a load balancer it says so before.
    async fn shake_hands(
        &self,
        mut tcp: TcpStream,
        from: SocketAddr,
        arrival: &mut Arrival,
    ) -> io::Result<(TlsStream<TcpStream>, SocketAddr)> {
        let origin = self.balancers.origin(&mut tcp, from).await?;
        if origin != from {
            arrival.came_from(origin.ip());
        }
        let start = LazyConfigAcceptor::new(Acceptor::default(), tcp).await?;
        arrival.got_on();
        let tls = start.into_stream(self.tls.current()).await?;
        arrival.got_on();
        Ok((tls, origin))
    }

    async fn serve_connection(&self, tls: TlsStream<TcpStream>, from: SocketAddr, arrival: Arrival) {
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
        let pushed_out = arrival.pushed_out();
        let caller = Arc::new(Caller {
            from,
            sni,
            identity,
            activity: activity.clone(),
            strange: AtomicU32::new(0),
            leave: leave.clone(),
            place: Mutex::new(Place::Stranger(arrival)),
            signed_in: None,
        });
        let front = self.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            let (front, caller) = (front.clone(), caller.clone());
            async move {
                let upgrade = request.headers().contains_key(header::UPGRADE);
                let mut response = front.answer(request.map(boxed), &caller).await;
                if upgrade && response.status() != StatusCode::SWITCHING_PROTOCOLS && !http2 {
                    // What stands behind a declined upgrade may be meant for the pipe that there is not.
                    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
                }
                Ok::<_, std::convert::Infallible>(response)
            }
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
            () = pushed_out => debug!(%from, "a newcomer got the place of a connection that nobody is known on"),
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
        S: hyper::service::HttpService<Incoming, ResBody = trunkline_runtime::Body>,
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
        S: hyper::service::HttpService<Incoming, ResBody = trunkline_runtime::Body>,
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

    /// Somebody showed a good identity on a connection: it is a stranger's no more. Says no when there are as many such
    /// connections as there may be; then it stays one.
    fn settle(&self, caller: &Caller) -> bool {
        let mut place = caller.place.lock().unwrap_or_else(PoisonError::into_inner);
        if let Place::Stranger(_) = &*place {
            let Ok(own) = self.connections.clone().try_acquire_owned() else { return false };
            if let Place::Stranger(arrival) = std::mem::replace(&mut *place, Place::Own(own)) {
                arrival.become_known();
            }
        }
        true
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
