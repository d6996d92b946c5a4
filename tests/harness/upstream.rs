//! A fake API server that remembers every request's head.
//!
//! What it answers is chosen by the path (see [`crate::script`]) or by a function that a test gives.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use http::{HeaderMap, Method, Request, Response, Version};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Notify;
use tokio_rustls::TlsAcceptor;
use trunkline_runtime::{Body, Door, Tasks};
use trunkline_upstream::{Protocol, UpstreamConfig};

use crate::{Paper, script};

/// The agent's own credential.
const TOKEN: &str = "the-agents-own-token";

/// What a real API server allows: heads of 1 MiB, 100 streams a connection.
const MAX_HEAD: u32 = 1024 * 1024;
const STREAMS: u32 = 100;

/// What is spoken with a fake upstream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wire {
    /// TLS; HTTP/2 or HTTP/1.1 as agreed.
    #[default]
    Tls,
    /// TLS, HTTP/1.1 only.
    TlsHttp1,
    /// No TLS, HTTP/1.1.
    Plain,
    /// No TLS, HTTP/2.
    PlainHttp2,
}

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Method.
    pub method: Method,
    /// Path and query, byte for byte.
    pub path: String,
    /// Protocol.
    pub version: Version,
    /// All fields.
    pub headers: HeaderMap,
}

impl Seen {
    /// All values of a field.
    pub fn all(&self, name: &str) -> Vec<String> {
        let values = self.headers.get_all(name).iter();
        values.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect()
    }
}

pub(crate) type Answering =
    Arc<dyn Fn(Request<Incoming>) -> Pin<Box<dyn Future<Output = Response<Body>> + Send>> + Send + Sync>;

/// A fake API server. Clones are the same one.
#[derive(Clone)]
pub struct FakeUpstream {
    address: SocketAddr,
    wire: Wire,
    shared: Arc<Shared>,
}

/// What the answers of a fake share with its test.
pub(crate) struct Shared {
    seen: Mutex<Vec<Seen>>,
    probes: Mutex<u64>,
    /// Resources that the agent may do nothing with as itself.
    pub(crate) denied: Mutex<Vec<String>>,
    pub(crate) released: Notify,
    /// How many bytes of `/lines/N` were made.
    pub(crate) made: AtomicU64,
    answering: Option<Answering>,
    pub(crate) tasks: Tasks,
}

impl FakeUpstream {
    /// A fake that answers by path.
    pub async fn start(paper: &Paper, wire: Wire, tasks: &Tasks) -> Self {
        Self::start_with(paper, wire, tasks, None).await
    }

    /// A fake that answers with `answer`.
    pub async fn answering<A, F>(paper: &Paper, wire: Wire, tasks: &Tasks, answer: A) -> Self
    where
        A: Fn(Request<Incoming>) -> F + Send + Sync + 'static,
        F: Future<Output = Response<Body>> + Send + 'static,
    {
        let boxed: Answering = Arc::new(move |request| Box::pin(answer(request)));
        Self::start_with(paper, wire, tasks, Some(boxed)).await
    }

    pub(crate) async fn start_with(
        paper: &Paper,
        wire: Wire,
        tasks: &Tasks,
        answering: Option<Answering>,
    ) -> Self {
        let door = Door::bind("fake upstream", ([127, 0, 0, 1], 0).into()).await.unwrap();
        let address = door.address().unwrap();
        paper.write("token", TOKEN);
        let acceptor = match wire {
            Wire::Tls => Some(TlsAcceptor::from(paper.upstream_tls(&[b"h2", b"http/1.1"]))),
            Wire::TlsHttp1 => Some(TlsAcceptor::from(paper.upstream_tls(&[b"http/1.1"]))),
            Wire::Plain | Wire::PlainHttp2 => None,
        };
        let shared = Arc::new(Shared {
            seen: Mutex::default(),
            probes: Mutex::default(),
            denied: Mutex::default(),
            released: Notify::new(),
            made: AtomicU64::new(0),
            answering,
            tasks: tasks.clone(),
        });
        let fake = Self { address, wire, shared };
        let (serving, family) = (fake.clone(), tasks.clone());
        tasks.spawn_until_stopped(async move {
            loop {
                let (tcp, _) = door.accept().await;
                let (fake, acceptor) = (serving.clone(), acceptor.clone());
                family.spawn_until_stopped(async move {
                    match acceptor {
                        Some(acceptor) => {
                            if let Ok(tls) = acceptor.accept(tcp).await {
                                fake.serve(tls).await;
                            }
                        }
                        None => fake.serve(tcp).await,
                    }
                });
            }
        });
        fake
    }

    /// Its address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How an agent reaches it.
    pub fn config(&self, paper: &Paper) -> UpstreamConfig {
        let tls = matches!(self.wire, Wire::Tls | Wire::TlsHttp1);
        let scheme = if tls { "https" } else { "http" };
        let protocol = if self.wire == Wire::PlainHttp2 { Protocol::Http2 } else { Protocol::Auto };
        UpstreamConfig {
            server: Some(format!("{scheme}://{}", self.address)),
            ca: tls.then(|| paper.path("upstream-ca.pem")),
            token_file: Some(paper.path("token")),
            protocol,
            ..UpstreamConfig::default()
        }
    }

    /// From now on the agent may, as itself, do nothing with these resources: `users`, say.
    pub fn deny(&self, resources: &[&str]) {
        *self.shared.denied.lock().unwrap() = resources.iter().map(|&one| one.to_owned()).collect();
    }

    /// All requests so far, but for what the agent asks for itself: the version, how many nodes there are, and its rights.
    pub fn seen(&self) -> Vec<Seen> {
        self.shared.seen.lock().unwrap().clone()
    }

    /// The requests so far whose path and query hold `part`.
    pub fn seen_with(&self, part: &str) -> Vec<Seen> {
        self.seen().into_iter().filter(|seen| seen.path.contains(part)).collect()
    }

    /// How many requests there were so far, but for the agent's own probes.
    pub fn count(&self) -> usize {
        self.shared.seen.lock().unwrap().len()
    }

    /// How often the agent asked for the version.
    pub fn probes(&self) -> u64 {
        *self.shared.probes.lock().unwrap()
    }

    /// Lets every answer that waits (`/held`, `/watch`) go one step on.
    pub fn release(&self) {
        self.shared.released.notify_waiters();
    }

    /// How many bytes of long answers (`/lines/N`) were made so far.
    pub fn made(&self) -> u64 {
        self.shared.made.load(Ordering::Relaxed)
    }

    async fn serve<S>(&self, stream: S)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let fake = self.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            let fake = fake.clone();
            async move {
                fake.remember(&request);
                let answer = match &fake.shared.answering {
                    Some(answering) => answering(request).await,
                    None => script::answer(request, fake.shared.clone()).await,
                };
                Ok::<_, Infallible>(answer)
            }
        });
        let mut http = auto::Builder::new(self.shared.tasks.clone());
        http.http2().max_header_list_size(MAX_HEAD).max_concurrent_streams(STREAMS);
        let _ = http.serve_connection_with_upgrades(TokioIo::new(stream), service).await;
    }

    fn remember(&self, request: &Request<Incoming>) {
        let path = request.uri().path_and_query().map_or("", |path| path.as_str());
        // What the agent asks as itself carries no identity, which a client's request would.
        if !request.headers().contains_key("impersonate-user") {
            match path {
                "/version" => {
                    *self.shared.probes.lock().unwrap() += 1;
                    return;
                }
                "/api/v1/nodes?limit=1" | script::REVIEWS => return,
                _ => {}
            }
        }
        self.shared.seen.lock().unwrap().push(Seen {
            method: request.method().clone(),
            path: path.to_owned(),
            version: request.version(),
            headers: request.headers().clone(),
        });
    }
}

impl std::fmt::Debug for FakeUpstream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FakeUpstream").field("address", &self.address).finish_non_exhaustive()
    }
}
