//! A door in front of the real OpenSearch that is in the mood that a test tells it to be in.
//!
//! Every `_bulk` is heard first and told to the mood, which says how it is answered; everything else is passed on. What is stored is
//! stored in the real one, so that what is sent again meets what is there.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::Instant;
use trunkline_runtime::{Door, Tasks};
use trunkline_tests::fleet::store_at;

/// How a bulk request is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    /// By OpenSearch.
    Well,
    /// With this status; nothing of it was stored.
    No(u16),
    /// With this status, though all of it was stored.
    Liar(u16),
    /// With words that are no JSON, though all of it was stored.
    Mumbles,
    /// Not at all, though all of it was stored: the connection closes.
    Silent,
    /// Each document whose text holds these words is refused with this status; the others are stored.
    Some(&'static str, u16),
    /// Every other document is refused with this status; the others are stored.
    Half(u16),
}

type Tell = Box<dyn Fn(&str, &str) -> Mood + Send + Sync>;

/// The door. Clones are the same.
#[derive(Clone)]
pub(crate) struct Moody {
    address: SocketAddr,
    inner: Arc<Inner>,
}

struct Inner {
    /// Host and port of the OpenSearch.
    opensearch: String,
    tell: Tell,
    /// When the document with this message was stored; by index and message.
    stored: Mutex<BTreeMap<(String, String), Instant>>,
    /// How many requests were answered in each mood.
    moods: Mutex<BTreeMap<String, usize>>,
}

impl Moody {
    /// In front of the OpenSearch at this URL. `tell` is given a request's index and its body.
    pub(crate) async fn start(
        tasks: &Tasks,
        opensearch: &str,
        tell: impl Fn(&str, &str) -> Mood + Send + Sync + 'static,
    ) -> Result<Self> {
        let door = Door::bind("moody store", ([127, 0, 0, 1], 0).into()).await?;
        let inner = Inner {
            opensearch: opensearch.strip_prefix("http://").context("plain HTTP")?.to_owned(),
            tell: Box::new(tell),
            stored: Mutex::default(),
            moods: Mutex::default(),
        };
        let moody = Self { address: door.address()?, inner: Arc::new(inner) };
        let (serving, family) = (moody.clone(), tasks.clone());
        tasks.spawn_until_stopped(async move {
            loop {
                let (tcp, _) = door.accept().await;
                let moody = serving.clone();
                family.spawn_until_stopped(async move {
                    let service = service_fn(move |request| {
                        let moody = moody.clone();
                        async move { moody.answer(request).await }
                    });
                    let http = hyper::server::conn::http1::Builder::new();
                    let _ = http.serve_connection(TokioIo::new(tcp), service).await;
                });
            }
        });
        Ok(moody)
    }

    /// What a gateway is told to have it as its store.
    pub(crate) fn store(&self) -> Value {
        store_at(&format!("http://{}", self.address))
    }

    /// When the document with this message was stored in an index whose name holds `dataset`.
    pub(crate) fn stored(&self, dataset: &str) -> BTreeMap<String, Instant> {
        let of = format!(".{dataset}.");
        let stored = self.inner.stored.lock().unwrap_or_else(PoisonError::into_inner);
        let its = stored.iter().filter(|((index, _), _)| index.contains(&of));
        its.map(|((_, message), at)| (message.clone(), *at)).collect()
    }

    /// How many bulk requests were answered in each mood.
    pub(crate) fn moods(&self) -> BTreeMap<String, usize> {
        self.inner.moods.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// An error closes the connection.
    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>> {
        let (mut parts, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        let index = parts.uri.path().trim_start_matches('/').strip_suffix("/_bulk").map(str::to_owned);
        let Some(index) = index else { return self.pass(Request::from_parts(parts, Full::new(body))).await };
        let text = std::str::from_utf8(&body)?;
        let mood = (self.inner.tell)(&index, text);
        self.count(mood);
        if let Mood::No(status) = mood {
            return Ok(said(status, json!({"error": {"type": "told_to", "reason": "told to"}}).to_string()));
        }
        let lines: Vec<&str> = text.lines().collect();
        let refused: Vec<Option<u16>> = (lines.chunks(2).enumerate())
            .map(|(at, pair)| match mood {
                Mood::Some(words, status) => pair.get(1)?.contains(words).then_some(status),
                Mood::Half(status) => (at % 2 == 1).then_some(status),
                _ => None,
            })
            .collect();
        let goes = lines.chunks(2).zip(&refused).filter(|(_, refused)| refused.is_none());
        let goes: Vec<&[&str]> = goes.map(|(pair, _)| pair).collect();
        let mut items = Vec::new().into_iter();
        if !goes.is_empty() {
            let bulk: String =
                goes.iter().flat_map(|pair| pair.iter()).map(|line| format!("{line}\n")).collect();
            parts.headers.remove(header::CONTENT_LENGTH);
            let answer = self.pass(Request::from_parts(parts, Full::new(bulk.into()))).await?;
            let status = answer.status();
            let answer = answer.into_body().collect().await?.to_bytes();
            if status != StatusCode::OK {
                return Ok(said(status.as_u16(), String::from_utf8_lossy(&answer).into_owned()));
            }
            let answer: Value = serde_json::from_slice(&answer)?;
            let answered = answer["items"].as_array().context("items")?.clone();
            self.note(&index, &goes, &answered);
            items = answered.into_iter();
        }
        match mood {
            Mood::Liar(status) => return Ok(said(status, "{}".into())),
            Mood::Mumbles => return Ok(said(200, "<html>all is well".into())),
            Mood::Silent => bail!("the connection closes"),
            _ => {}
        }
        let items: Vec<Value> = (lines.chunks(2).zip(&refused))
            .map(|(pair, refused)| match refused {
                Some(status) => {
                    let action: Value = serde_json::from_str(pair[0]).unwrap();
                    let error = json!({"type": kind(*status), "reason": "told to"});
                    json!({"create": {"_id": action["create"]["_id"], "status": status, "error": error}})
                }
                None => items.next().unwrap_or_default(),
            })
            .collect();
        Ok(said(200, json!({"errors": true, "items": items}).to_string()))
    }

    fn count(&self, mood: Mood) {
        let mut moods = self.inner.moods.lock().unwrap_or_else(PoisonError::into_inner);
        *moods.entry(format!("{mood:?}")).or_default() += 1;
    }

    fn note(&self, index: &str, pairs: &[&[&str]], items: &[Value]) {
        let now = Instant::now();
        let mut stored = self.inner.stored.lock().unwrap_or_else(PoisonError::into_inner);
        for (pair, item) in pairs.iter().zip(items) {
            if item["create"]["status"] == 201
                && let Some(document) = pair.get(1)
                && let Ok(Value::Object(document)) = serde_json::from_str(document)
                && let Some(message) = document.get("message").and_then(Value::as_str)
            {
                stored.insert((index.to_owned(), message.to_owned()), now);
            }
        }
    }

    async fn pass(&self, mut request: Request<Full<Bytes>>) -> Result<Response<Full<Bytes>>> {
        let tcp = TcpStream::connect(&self.inner.opensearch).await?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(tcp)).await?;
        request.headers_mut().insert(header::HOST, HeaderValue::from_str(&self.inner.opensearch)?);
        let asking = async {
            let (parts, body) = sender.send_request(request).await?.into_parts();
            let body = body.collect().await?.to_bytes();
            Ok(Response::from_parts(parts, Full::new(body)))
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

fn kind(status: u16) -> &'static str {
    match status {
        400 => "mapper_parsing_exception",
        429 => "es_rejected_execution_exception",
        _ => "unavailable_shards_exception",
    }
}

fn said(status: u16, body: String) -> Response<Full<Bytes>> {
    let answer = Response::builder().status(status).header(header::CONTENT_TYPE, "application/json");
    answer.body(Full::new(body.into())).unwrap()
}
