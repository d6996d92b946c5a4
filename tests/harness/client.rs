//! A client of the front door: HTTP/1.1, HTTP/2 or bytes, as one user.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, Uri, Version, header};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use trunkline_runtime::{Body, Tasks, empty};

use crate::raw::Raw;
use crate::raw_http2::RawHttp2;

/// A client as one user. Each connection is a new one.
#[derive(Clone, Debug)]
pub struct Client {
    address: SocketAddr,
    tls: ClientConfig,
    name: String,
    from: Option<[u8; 4]>,
    /// What is said before TLS.
    first: Vec<u8>,
    tasks: Tasks,
    /// Sent with every request.
    fields: HeaderMap,
}

/// A connection that is given requests.
#[derive(Debug)]
pub enum Connection {
    /// HTTP/1.1: one request after the other.
    Http1(http1::SendRequest<Body>),
    /// HTTP/2: many at once; see [`Connection::another`].
    Http2(http2::SendRequest<Body>),
}

/// A whole answer.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Status.
    pub status: StatusCode,
    /// All fields.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

impl Reply {
    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON; null when it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The reason in a `Status`; empty when it is none.
    pub fn reason(&self) -> String {
        self.json()["reason"].as_str().unwrap_or_default().to_owned()
    }

    /// A field as text; empty when it is not there.
    pub fn field(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

impl Client {
    /// One that comes to this front door with these certificates.
    pub fn new(address: SocketAddr, tls: ClientConfig, tasks: &Tasks) -> Self {
        Self {
            address,
            tls,
            name: "localhost".into(),
            from: None,
            first: Vec::new(),
            tasks: tasks.clone(),
            fields: HeaderMap::new(),
        }
    }

    /// Asks for this name in TLS.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// Comes from another address of this machine: doors count by network.
    #[must_use]
    pub fn from(mut self, from: [u8; 4]) -> Self {
        self.from = Some(from);
        self
    }

    /// Sends a field with every request that is sent whole.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.fields.insert(name, value.parse().unwrap());
        self
    }

    /// What it sends with every request that is sent whole: for requests that are given to a connection.
    pub fn fields(&self) -> &HeaderMap {
        &self.fields
    }

    /// Shows a token with every request that is sent whole.
    #[must_use]
    pub fn bearing(self, token: &str) -> Self {
        self.with("authorization", &format!("Bearer {token}"))
    }

    /// Says this before TLS, as a load balancer does.
    #[must_use]
    pub fn saying_first(mut self, bytes: &[u8]) -> Self {
        self.first = bytes.to_vec();
        self
    }

    /// Comes to another front door.
    #[must_use]
    pub fn at(mut self, address: SocketAddr) -> Self {
        self.address = address;
        self
    }

    /// A TLS connection that agreed on `alpn`.
    pub async fn connect(&self, alpn: &[u8]) -> std::io::Result<TlsStream<TcpStream>> {
        let mut tls = self.tls.clone();
        tls.alpn_protocols = vec![alpn.to_vec()];
        let mut tcp = match self.from {
            Some(from) => {
                let socket = TcpSocket::new_v4()?;
                socket.bind((from, 0).into())?;
                socket.connect(self.address).await?
            }
            None => TcpStream::connect(self.address).await?,
        };
        tcp.set_nodelay(true)?;
        tcp.write_all(&self.first).await?;
        let name = ServerName::try_from(self.name.clone()).map_err(std::io::Error::other)?;
        TlsConnector::from(Arc::new(tls)).connect(name, tcp).await
    }

    /// An HTTP/1.1 connection.
    pub async fn http1(&self) -> Connection {
        let io = TokioIo::new(self.connect(b"http/1.1").await.unwrap());
        let (sender, connection) = http1::handshake(io).await.unwrap();
        self.tasks.spawn_until_stopped(async move {
            let _ = connection.with_upgrades().await;
        });
        Connection::Http1(sender)
    }

    /// An HTTP/2 connection.
    pub async fn http2(&self) -> Connection {
        let io = TokioIo::new(self.connect(b"h2").await.unwrap());
        let (sender, connection) = http2::Builder::new(self.tasks.clone())
            .initial_stream_window_size(1024 * 1024)
            .initial_connection_window_size(256 * 1024 * 1024)
            .handshake(io)
            .await
            .unwrap();
        self.tasks.spawn_until_stopped(async move {
            let _ = connection.await;
        });
        Connection::Http2(sender)
    }

    /// A connection for bytes.
    pub async fn raw(&self) -> Raw {
        Raw::new(self.connect(b"http/1.1").await.unwrap())
    }

    /// A connection for HTTP/2 frames.
    pub async fn raw_http2(&self) -> RawHttp2 {
        RawHttp2::new(self.connect(b"h2").await.unwrap()).await
    }

    /// A whole answer to a GET on a connection of its own.
    pub async fn get(&self, path: &str) -> Reply {
        self.send(Request::get(path).body(empty()).unwrap()).await
    }

    /// A whole answer to a request with a JSON body, on a connection of its own.
    pub async fn send_json(&self, method: http::Method, path: &str, body: &serde_json::Value) -> Reply {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::CONTENT_TYPE, "application/json")
            .body(trunkline_runtime::full(body.to_string()))
            .unwrap();
        self.send(request).await
    }

    /// A whole answer to a POST of JSON.
    pub async fn post(&self, path: &str, body: &serde_json::Value) -> Reply {
        self.send_json(http::Method::POST, path, body).await
    }

    /// A whole answer on a connection of its own.
    pub async fn send(&self, mut request: Request<Body>) -> Reply {
        request.headers_mut().extend(self.fields.clone());
        self.http1().await.whole(request).await.unwrap()
    }
}

impl Connection {
    /// A handle to the same HTTP/2 connection.
    ///
    /// # Panics
    /// On HTTP/1.1, which has one request at a time.
    #[must_use]
    pub fn another(&self) -> Self {
        match self {
            Self::Http2(sender) => Self::Http2(sender.clone()),
            Self::Http1(_) => panic!("an HTTP/1.1 connection cannot be shared"),
        }
    }

    /// Sends a request; the answer's body streams. Host and authority are filled in where they are missing.
    pub async fn send(&mut self, mut request: Request<Body>) -> hyper::Result<Response<Incoming>> {
        match self {
            Self::Http1(sender) => {
                if !request.headers().contains_key(header::HOST) {
                    request.headers_mut().insert(header::HOST, http::HeaderValue::from_static("localhost"));
                }
                sender.ready().await?;
                sender.send_request(request).await
            }
            Self::Http2(sender) => {
                if request.uri().authority().is_none() {
                    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
                    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
                    let uri = format!("https://{}{path}", host.unwrap_or("localhost"));
                    *request.uri_mut() = uri.parse::<Uri>().unwrap();
                }
                request.headers_mut().remove(header::HOST);
                *request.version_mut() = Version::HTTP_2;
                sender.ready().await?;
                sender.send_request(request).await
            }
        }
    }

    /// Sends a request and reads the whole answer; an error also when its body breaks off.
    pub async fn whole(&mut self, request: Request<Body>) -> hyper::Result<Reply> {
        let (parts, body) = self.send(request).await?.into_parts();
        let body = body.collect().await?.to_bytes();
        Ok(Reply { status: parts.status, headers: parts.headers, body })
    }

    /// A whole answer to a GET.
    pub async fn get(&mut self, path: &str) -> hyper::Result<Reply> {
        self.whole(Request::get(path).body(empty()).unwrap()).await
    }
}
