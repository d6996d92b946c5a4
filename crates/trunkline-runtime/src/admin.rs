//! The admin port: `/livez`, `/readyz`, `/metrics` and a page of the process's own. Never on the same port as traffic.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::{Method, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use prometheus_client::registry::Registry;
use tracing::debug;

use crate::{BindError, Body, Door, Readiness, Tasks, full};

/// How long a request's head may take.
const HEAD_DEADLINE: Duration = Duration::from_secs(10);
/// The longest request head, in bytes.
const HEAD_LIMIT: usize = 16 * 1024;

/// The process's metrics. Clones share one registry.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    registry: Arc<Mutex<Registry>>,
}

impl Metrics {
    /// An empty registry.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds metrics to the registry.
    pub fn register<T>(&self, with: impl FnOnce(&mut Registry) -> T) -> T {
        with(&mut self.registry.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// All metrics in the OpenMetrics text format.
    pub fn text(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        self.register(|registry| prometheus_client::encoding::text::encode(&mut text, registry))?;
        Ok(text)
    }
}

/// The bound admin port.
#[derive(Debug)]
pub struct Admin {
    door: Door,
    readiness: Readiness,
    metrics: Metrics,
    page: Option<Page>,
}

/// A page of the process's own.
struct Page {
    path: &'static str,
    json: Box<dyn Fn() -> String + Send + Sync>,
}

impl std::fmt::Debug for Page {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.path)
    }
}

impl Admin {
    /// Binds the port.
    pub async fn bind(
        address: SocketAddr,
        readiness: Readiness,
        metrics: Metrics,
    ) -> Result<Self, BindError> {
        Ok(Self { door: Door::bind("admin port", address).await?, readiness, metrics, page: None })
    }

    /// Also serves `json`, made anew for each request, under `path`.
    #[must_use]
    pub fn with_page(
        mut self,
        path: &'static str,
        json: impl Fn() -> String + Send + Sync + 'static,
    ) -> Self {
        self.page = Some(Page { path, json: Box::new(json) });
        self
    }

    /// The bound address.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.door.address()
    }

    /// Serves until the tasks are told to stop.
    pub fn serve(self, tasks: &Tasks) {
        let family = tasks.clone();
        let admin = Arc::new(self);
        tasks.spawn_until_stopped(async move {
            loop {
                let (stream, _) = admin.door.accept().await;
                let admin = admin.clone();
                family.spawn_until_stopped(async move {
                    let service = service_fn(move |request| {
                        let answer = admin.answer(&request);
                        async move { Ok::<_, std::convert::Infallible>(answer) }
                    });
                    let served = http1::Builder::new()
                        .timer(TokioTimer::new())
                        .header_read_timeout(HEAD_DEADLINE)
                        .max_buf_size(HEAD_LIMIT)
                        .serve_connection(TokioIo::new(stream), service);
                    if let Err(error) = served.await {
                        debug!(%error, "admin request ended early");
                    }
                });
            }
        });
    }

    fn answer(&self, request: &Request<Incoming>) -> Response<Body> {
        if request.method() != Method::GET && request.method() != Method::HEAD {
            return text(StatusCode::METHOD_NOT_ALLOWED, "only GET is served here\n");
        }
        match request.uri().path() {
            "/livez" => text(StatusCode::OK, "ok\n"),
            "/readyz" => match self.readiness.awaited_because().as_slice() {
                [] => text(StatusCode::OK, "ok\n"),
                awaited => {
                    text(StatusCode::SERVICE_UNAVAILABLE, format!("waiting for: {}\n", awaited.join(", ")))
                }
            },
            "/metrics" => match self.metrics.text() {
                Ok(metrics) => {
                    let mut response = text(StatusCode::OK, metrics);
                    response.headers_mut().insert(header::CONTENT_TYPE, OPEN_METRICS);
                    response
                }
                Err(_) => text(StatusCode::INTERNAL_SERVER_ERROR, "metrics could not be written\n"),
            },
            path => match &self.page {
                Some(page) if page.path == path => {
                    let mut response = text(StatusCode::OK, (page.json)());
                    response.headers_mut().insert(header::CONTENT_TYPE, JSON);
                    response
                }
                Some(page) => not_found(&format!(", {}", page.path)),
                None => not_found(""),
            },
        }
    }
}

const OPEN_METRICS: http::HeaderValue =
    http::HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");

const JSON: http::HeaderValue = http::HeaderValue::from_static("application/json");

fn not_found(more: &str) -> Response<Body> {
    text(StatusCode::NOT_FOUND, format!("served here: /livez, /readyz, /metrics{more}\n"))
}

fn text(status: StatusCode, body: impl Into<bytes::Bytes>) -> Response<Body> {
    let mut response = Response::new(full(body));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, http::HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    async fn get(address: SocketAddr, path: &str) -> String {
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: admin\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn the_admin_port_says_what_is_awaited_and_when_ready() {
        let readiness = Readiness::new();
        let gate = readiness.gate("tunnel door");
        let admin = Admin::bind(([127, 0, 0, 1], 0).into(), readiness, Metrics::new()).await.unwrap();
        let admin = admin.with_page("/status", || "{\"links\":1}".into());
        let address = admin.address().unwrap();
        let tasks = Tasks::new();
        admin.serve(&tasks);
        assert!(get(address, "/livez").await.starts_with("HTTP/1.1 200"));
        assert!(get(address, "/readyz").await.contains("waiting for: tunnel door"));
        gate.open();
        assert!(get(address, "/readyz").await.starts_with("HTTP/1.1 200"));
        assert!(get(address, "/metrics").await.contains("# EOF"));
        assert!(get(address, "/status").await.ends_with("{\"links\":1}"));
        assert!(get(address, "/other").await.starts_with("HTTP/1.1 404"));
        tasks.shut_down().await;
    }
}
