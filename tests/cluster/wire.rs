//! A client of our own, for what no program does for us: thousands of requests, and answers left half read.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use trunkline_pki::upstream_tls;
use trunkline_runtime::Tasks;

use crate::papers::User;
use crate::stage::Stage;

/// The front door as one user sees it.
#[derive(Clone)]
pub(crate) struct Door {
    address: SocketAddr,
    tls: Arc<ClientConfig>,
    http2: bool,
}

/// A connection to it.
pub(crate) enum Connection {
    Http1(http1::SendRequest<Full<Bytes>>),
    Http2(http2::SendRequest<Full<Bytes>>),
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Bytes,
}

impl Answer {
    /// The reason of the `Status` in it.
    pub(crate) fn reason(&self) -> String {
        let status: serde_json::Value = serde_json::from_slice(&self.body).unwrap_or_default();
        status["reason"].as_str().unwrap_or_default().to_owned()
    }
}

impl Door {
    pub(crate) fn gateway(stage: &Stage, user: User, http2: bool) -> Result<Self> {
        let read = |file: String| std::fs::read(stage.papers.file(&file));
        let roots = read("front-ca.pem".into())?;
        let certificate = read(format!("{}.pem", user.name()))?;
        let key = read(format!("{}.key", user.name()))?;
        let alpn: &[u8] = if http2 { b"h2" } else { b"http/1.1" };
        let tls = upstream_tls(Some(&roots), Some((&certificate, &key)), &[alpn])?;
        let address = ([127, 0, 0, 1], stage.papers.ports.front).into();
        Ok(Self { address, tls: Arc::new(tls), http2 })
    }

    /// A connection for bytes.
    pub(crate) async fn tls(&self) -> Result<TlsStream<TcpStream>> {
        let tcp = TcpStream::connect(self.address).await?;
        tcp.set_nodelay(true)?;
        let name = ServerName::from(self.address.ip());
        Ok(TlsConnector::from(self.tls.clone()).connect(name, tcp).await?)
    }

    pub(crate) async fn connect(&self, tasks: &Tasks) -> Result<Connection> {
        let io = TokioIo::new(self.tls().await?);
        if self.http2 {
            let (sender, driver) = http2::handshake(tasks.clone(), io).await?;
            tasks.spawn(driver);
            return Ok(Connection::Http2(sender));
        }
        let (sender, driver) = http1::handshake(io).await?;
        tasks.spawn(driver);
        Ok(Connection::Http1(sender))
    }

    /// A request as this door wants it, absolute for HTTP/2.
    pub(crate) fn request(
        &self,
        method: &str,
        path: &str,
        body: impl Into<Bytes>,
    ) -> Result<Request<Full<Bytes>>> {
        request(self.http2, method, path, body)
    }
}

fn request(http2: bool, method: &str, path: &str, body: impl Into<Bytes>) -> Result<Request<Full<Bytes>>> {
    let uri = if http2 { format!("https://localhost{path}") } else { path.to_owned() };
    let mut request = Request::builder().method(method).uri(uri);
    if !http2 {
        request = request.header(header::HOST, "localhost");
    }
    Ok(request.body(Full::new(body.into()))?)
}

impl Connection {
    pub(crate) fn is_open(&self) -> bool {
        match self {
            Self::Http1(sender) => !sender.is_closed(),
            Self::Http2(sender) => !sender.is_closed(),
        }
    }

    /// Whether it carries several requests at once.
    pub(crate) fn is_shared(&self) -> bool {
        matches!(self, Self::Http2(_))
    }

    /// Another handle to the same connection, where it carries several requests at once.
    pub(crate) fn share(&self) -> Result<Self> {
        match self {
            Self::Http1(_) => bail!("HTTP/1.1 carries one request at a time"),
            Self::Http2(sender) => Ok(Self::Http2(sender.clone())),
        }
    }

    /// Sends a request and gives the answer as soon as its head is there.
    pub(crate) async fn send(&mut self, request: Request<Full<Bytes>>) -> hyper::Result<Response<Incoming>> {
        match self {
            Self::Http1(sender) => {
                sender.ready().await?;
                sender.send_request(request).await
            }
            Self::Http2(sender) => {
                sender.ready().await?;
                sender.send_request(request).await
            }
        }
    }

    /// Sends a request and reads the whole answer.
    pub(crate) async fn ask(&mut self, request: Request<Full<Bytes>>) -> hyper::Result<Answer> {
        let answer = self.send(request).await?;
        let status = answer.status().as_u16();
        Ok(Answer { status, body: answer.into_body().collect().await?.to_bytes() })
    }

    pub(crate) async fn get(&mut self, path: &str) -> Result<Answer> {
        let request = request(matches!(self, Self::Http2(_)), "GET", path, Bytes::new())?;
        self.ask(request).await.with_context(|| format!("GET {path}"))
    }
}
