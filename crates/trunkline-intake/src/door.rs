//! Shippers' connections: accept, TLS where it is configured, HTTP/1.1.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tracing::debug;
use trunkline_runtime::{Door, Tasks};

use crate::intake::Shared;
use crate::service;

/// How long the TLS handshake may take.
const TLS_DEADLINE: Duration = Duration::from_secs(5);
/// How long a request's head may take, and a connection be idle before it.
const HEAD_DEADLINE: Duration = Duration::from_secs(60);
/// The longest head of a request, in bytes, and its most fields.
const MAX_HEAD: usize = 64 * 1024;
const MAX_FIELDS: usize = 100;

/// Accepts connections for a dataset until the intake drains.
pub(crate) async fn serve(shared: Arc<Shared>, door: Door, dataset: usize, tasks: Tasks) {
    loop {
        let (tcp, from) = tokio::select! {
            biased;
            () = shared.draining.cancelled() => return,
            accepted = door.accept() => accepted,
        };
        let from = from.ip();
        let Some(place) = shared.connections.try_take(from, 1) else {
            shared.metrics.connections_refused.inc();
            debug!(%from, "there are as many shippers as may be, or as many of this address; this one was turned away");
            continue;
        };
        let shared = shared.clone();
        // A flood of records takes no processor from the API requests of the same agent.
        tasks.aside().spawn_until_stopped(async move {
            shared.metrics.connections_open.inc();
            let _open = Open(&shared);
            connection(&shared, tcp, from, dataset).await;
            drop(place);
        });
    }
}

/// Counts a connection as long as it is open.
struct Open<'a>(&'a Shared);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.metrics.connections_open.dec();
    }
}

async fn connection(shared: &Arc<Shared>, tcp: TcpStream, from: IpAddr, dataset: usize) {
    let Some(tls) = &shared.tls else { return http(shared, tcp, from, dataset).await };
    let shaken = TlsAcceptor::from(tls.current()).accept(tcp);
    match tokio::time::timeout(TLS_DEADLINE, shaken).await {
        Ok(Ok(tls)) => http(shared, tls, from, dataset).await,
        Ok(Err(error)) => debug!(%error, "a shipper's TLS handshake failed"),
        Err(_) => debug!("a shipper's TLS handshake took too long"),
    }
}

async fn http<S>(shared: &Arc<Shared>, stream: S, from: IpAddr, dataset: usize)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let service = service_fn(|request| service::answer(shared.clone(), dataset, from, request));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_DEADLINE)
        .max_buf_size(MAX_HEAD)
        .max_headers(MAX_FIELDS)
        .half_close(false)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let served = tokio::select! {
        served = connection.as_mut() => served,
        () = shared.draining.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = served {
        debug!(%error, "a shipper's connection ended early");
    }
}
