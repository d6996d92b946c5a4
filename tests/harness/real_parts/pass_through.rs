//! What stands between a shipper and an OpenSearch where they do not understand each other, and remembers what it saw.
//!
//! Filebeat wants an Elasticsearch of its own version, with a licence and its index template: it is told that there
//! are. A Collector speaks OTLP: its records become a `_bulk`. Everything else is passed on as it came.
//!
//! Invariant: a request is answered only after OpenSearch has answered for all of it.

use std::io::Read as _;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use trunkline_runtime::{Door, Tasks};

/// Where a Collector's records go.
pub const OTLP_INDEX: &str = "logs-otlp";
/// As a Filebeat of this version wants it.
const ELASTICSEARCH: &str = "7.17.29";

/// One request that came.
#[derive(Clone, Debug)]
pub struct Asked {
    /// As it came.
    pub method: Method,
    /// As it came.
    pub uri: Uri,
    /// As it came.
    pub headers: HeaderMap,
    /// Unpacked.
    pub body: Bytes,
}

/// A running one. Clones are the same.
#[derive(Clone, Debug)]
pub struct PassThrough {
    url: String,
    /// Host and port.
    opensearch: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl PassThrough {
    /// In front of the OpenSearch at this URL.
    ///
    /// # Errors
    /// When no port is to be had, or that is no plain HTTP.
    pub async fn start(tasks: &Tasks, opensearch: &str) -> Result<Self> {
        let door = Door::bind("pass-through", ([127, 0, 0, 1], 0).into()).await?;
        let url = format!("http://{}", door.address()?);
        let opensearch = opensearch.strip_prefix("http://").context("plain HTTP")?.to_owned();
        let pass = Self { url, opensearch, asked: Arc::default() };
        let (serving, family) = (pass.clone(), tasks.clone());
        tasks.spawn_until_stopped(async move {
            loop {
                let (tcp, _) = door.accept().await;
                let pass = serving.clone();
                family.spawn_until_stopped(async move {
                    let service = service_fn(move |request| {
                        let pass = pass.clone();
                        async move { Ok::<_, std::convert::Infallible>(pass.answer(request).await) }
                    });
                    let http = hyper::server::conn::http1::Builder::new();
                    let _ = http.serve_connection(TokioIo::new(tcp), service).await;
                });
            }
        });
        Ok(pass)
    }

    /// Where it listens.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What came so far, in order.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        self.pass(request).await.unwrap_or_else(|error| {
            answered(StatusCode::BAD_GATEWAY, "text/plain", format!("{error:#}").into())
        })
    }

    async fn pass(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>> {
        let (parts, body) = request.into_parts();
        let body = unpacked(&parts.headers, body.collect().await?.to_bytes())?;
        let asked =
            Asked { method: parts.method, uri: parts.uri, headers: parts.headers, body: body.clone() };
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(asked.clone());
        let json = |value: Value| Ok(answered(StatusCode::OK, "application/json", value.to_string().into()));
        match asked.uri.path() {
            "/" => json(json!({"version": {"number": ELASTICSEARCH}})),
            "/_license" => json(json!({"license": {"status": "active", "type": "basic"}})),
            "/_xpack" => json(json!({"features": {}})),
            path if path.starts_with("/_index_template/") => json(json!({})),
            "/v1/logs" => self.take(&asked).await,
            _ => {
                let kind = asked.headers.get(header::CONTENT_TYPE).cloned();
                let (status, kind_of_answer, answer) =
                    self.opensearch(asked.method, &asked.uri, kind, body).await?;
                Ok(answered(status, &kind_of_answer, answer))
            }
        }
    }

    /// Writes what came by OTLP as JSON; what came as protobuf is only remembered.
    async fn take(&self, asked: &Asked) -> Result<Response<Full<Bytes>>> {
        let kind = asked.headers.get(header::CONTENT_TYPE).context("a content type")?.to_str()?;
        if kind != "application/json" {
            return Ok(answered(StatusCode::OK, kind, Bytes::new()));
        }
        let mut bulk = String::new();
        for record in records(&serde_json::from_slice(&asked.body)?) {
            let message = record["body"]["stringValue"].as_str().context("a record without a text")?;
            bulk +=
                &format!("{{\"create\":{{\"_index\":\"{OTLP_INDEX}\"}}}}\n{}\n", json!({"message": message}));
        }
        let uri = Uri::from_static("/_bulk");
        let json = http::HeaderValue::from_static("application/json");
        let (status, _, answer) = self.opensearch(Method::POST, &uri, Some(json), bulk.into()).await?;
        let answer: Value = serde_json::from_slice(&answer)?;
        ensure!(status == StatusCode::OK && answer["errors"] == false, "{status}: {answer}");
        Ok(answered(StatusCode::OK, kind, "{}".into()))
    }

    async fn opensearch(
        &self,
        method: Method,
        uri: &Uri,
        kind: Option<http::HeaderValue>,
        body: Bytes,
    ) -> Result<(StatusCode, String, Bytes)> {
        let tcp = TcpStream::connect(&self.opensearch).await?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(tcp)).await?;
        let mut request = Request::builder().method(method).uri(uri).header(header::HOST, &self.opensearch);
        if let Some(kind) = kind {
            request = request.header(header::CONTENT_TYPE, kind);
        }
        let asking = async {
            let response = sender.send_request(request.body(Full::new(body))?).await?;
            let (parts, body) = response.into_parts();
            let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
            let kind = kind.unwrap_or("text/plain").to_owned();
            Ok((parts.status, kind, body.collect().await?.to_bytes()))
        };
        tokio::pin!(asking);
        tokio::select! {
            answer = &mut asking => answer,
            ended = connection => {
                ended?;
                asking.await
            }
        }
    }
}

fn answered(status: StatusCode, kind: &str, body: Bytes) -> Response<Full<Bytes>> {
    Response::builder().status(status).header(header::CONTENT_TYPE, kind).body(Full::new(body)).unwrap()
}

fn unpacked(headers: &HeaderMap, body: Bytes) -> Result<Bytes> {
    match headers.get(header::CONTENT_ENCODING).map(http::HeaderValue::as_bytes) {
        None => Ok(body),
        Some(b"gzip") => {
            let mut plain = Vec::new();
            MultiGzDecoder::new(&*body).read_to_end(&mut plain)?;
            Ok(plain.into())
        }
        Some(other) => anyhow::bail!("content encoding {}", String::from_utf8_lossy(other)),
    }
}

/// The log records of an OTLP request in JSON.
fn records(request: &Value) -> impl Iterator<Item = &Value> {
    fn all<'a>(of: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
        of[name].as_array().map(Vec::as_slice).unwrap_or_default().iter()
    }
    all(request, "resourceLogs")
        .flat_map(|resource| all(resource, "scopeLogs"))
        .flat_map(|scope| all(scope, "logRecords"))
}
