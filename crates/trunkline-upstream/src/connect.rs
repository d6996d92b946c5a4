//! One connection to the API server: TCP, TLS, then HTTP/1.1 or HTTP/2 as agreed.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_util::either::Either;
use trunkline_runtime::{Tasks, tune};

use crate::config::{Protocol, Reach};
use crate::error::{SendError, find_h2};
use crate::metrics::Metrics;
use crate::replay::Attempt;

/// How long the TCP connection may take, name resolution included.
const CONNECT_DEADLINE: Duration = Duration::from_secs(5);
/// How long the TLS handshake may take.
const TLS_DEADLINE: Duration = Duration::from_secs(5);
/// How long a connection says nothing before it is asked (HTTP/2 PING), and how long the answer may take.
const PING_EVERY: Duration = Duration::from_secs(30);
const PING_DEADLINE: Duration = Duration::from_secs(15);
/// Credit of one HTTP/2 stream, in bytes.
const STREAM_WINDOW: u32 = 1024 * 1024;
/// Credit of one HTTP/2 connection, in bytes: more than all its streams together, so that readers who stopped
/// never use up what the others need (hyperium/hyper#2899).
const CONNECTION_WINDOW: u32 = 128 * STREAM_WINDOW;
/// Cancelled streams that are remembered for what is still on its way on them.
const REMEMBER_RESETS: usize = 256;
/// The longest head of an answer, in bytes.
const MAX_HEAD: u32 = 256 * 1024;

pub(crate) type Http1 = http1::SendRequest<Attempt>;
pub(crate) type Http2 = http2::SendRequest<Attempt>;

/// A connection that can be given requests.
pub(crate) enum Connection {
    Http1(Http1),
    Http2(Http2),
}

/// Bytes to the API server: plain on loopback, else TLS.
type Wire = Either<TcpStream, TlsStream<TcpStream>>;

/// What it takes to open connections to one API server.
pub(crate) struct Connector {
    pub(crate) reach: Reach,
    pub(crate) protocol: Protocol,
    pub(crate) tasks: Tasks,
    pub(crate) metrics: Metrics,
}

impl Connector {
    /// The API server's URL, for errors.
    pub(crate) fn target(&self) -> String {
        self.reach.target.to_string()
    }

    /// Opens a connection for ordinary requests.
    pub(crate) async fn open(&self) -> Result<Connection, SendError> {
        let (wire, http2) = self.wire(false).await?;
        if http2 {
            return self.speak_http2(wire).await.map(Connection::Http2);
        }
        if self.protocol == Protocol::Http2 {
            return Err(SendError::NoHttp2 { target: self.target() });
        }
        self.speak_http1(wire).await.map(Connection::Http1)
    }

    /// Opens a connection for one upgrade.
    pub(crate) async fn open_for_upgrade(&self) -> Result<Http1, SendError> {
        let (wire, _) = self.wire(true).await?;
        self.speak_http1(wire).await
    }

    /// Bytes to the API server, and whether HTTP/2 is spoken on them.
    async fn wire(&self, upgrade: bool) -> Result<(Wire, bool), SendError> {
        let target = &self.reach.target;
        let timed_out = |step| SendError::TimedOut { target: self.target(), step };
        let connecting = TcpStream::connect((target.host().to_owned(), target.port()));
        let tcp = tokio::time::timeout(CONNECT_DEADLINE, connecting)
            .await
            .map_err(|_| timed_out("connecting"))?
            .map_err(|source| SendError::Connect { target: self.target(), source })?;
        tune(&tcp);
        let Some(pair) = &self.reach.tls else {
            return Ok((Either::Left(tcp), self.protocol == Protocol::Http2 && !upgrade));
        };
        let config = if upgrade { &pair.upgrade } else { &pair.ordinary };
        let failed = |source| SendError::Tls { target: self.target(), source };
        let name = ServerName::try_from(self.reach.server_name.clone())
            .map_err(|source| failed(io::Error::new(io::ErrorKind::InvalidInput, source)))?;
        let handshake = TlsConnector::from(Arc::clone(config)).connect(name, tcp);
        let tls = tokio::time::timeout(TLS_DEADLINE, handshake)
            .await
            .map_err(|_| timed_out("the TLS handshake"))?
            .map_err(failed)?;
        let http2 = tls.get_ref().1.alpn_protocol() == Some(b"h2");
        Ok((Either::Right(tls), http2))
    }

    async fn speak_http2(&self, wire: Wire) -> Result<Http2, SendError> {
        let (sender, connection) = http2::Builder::new(self.tasks.clone())
            .timer(TokioTimer::new())
            .keep_alive_interval(PING_EVERY)
            .keep_alive_timeout(PING_DEADLINE)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_header_list_size(MAX_HEAD)
            .max_concurrent_reset_streams(REMEMBER_RESETS)
            // What comes on a cancelled stream that is forgotten already counts as an error here, for ever: with a
            // limit, users who cancel much would end the connection for all others.
            .max_local_error_reset_streams(None)
            .handshake(TokioIo::new(wire))
            .await
            .map_err(|source| SendError::Broken { target: self.target(), source })?;
        self.drive(async move { connection.await.map_or_else(|error| find_h2(&error).is_some(), |()| true) });
        Ok(sender)
    }

    async fn speak_http1(&self, wire: Wire) -> Result<Http1, SendError> {
        let (sender, connection) = http1::Builder::new()
            .max_headers(256)
            .max_buf_size(MAX_HEAD as usize)
            .handshake(TokioIo::new(wire))
            .await
            .map_err(|source| SendError::Broken { target: self.target(), source })?;
        self.drive(async move {
            let _ = connection.with_upgrades().await;
            false
        });
        Ok(sender)
    }

    /// Runs a connection to its end; `driving` says whether the API server told us to leave.
    fn drive(&self, driving: impl Future<Output = bool> + Send + 'static) {
        let metrics = self.metrics.clone();
        metrics.connections_opened.inc();
        metrics.connections_open.inc();
        self.tasks.spawn_until_stopped(async move {
            let open = OpenGuard(metrics.clone());
            if driving.await {
                metrics.goaways.inc();
            }
            drop(open);
        });
    }
}

/// Counts a connection as open until it is dropped, however its task ends.
struct OpenGuard(Metrics);

impl Drop for OpenGuard {
    fn drop(&mut self) {
        self.0.connections_open.dec();
    }
}
