//! A store that keeps documents as the real one does, and answers as badly as it is told to.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio_rustls::TlsAcceptor;
use trunkline_logstore::elastic::{BulkConfig, Elastic, ElasticConfig};
use trunkline_runtime::{Door, Tasks};

/// How a request is answered.
pub(crate) enum Reply {
    /// As a store does that is well.
    Well,
    /// With this status, these further lines of the head, and this body.
    Whole(u16, &'static str, String),
    /// Bulk requests: each document with a status of its own, by its place; 201 stores it unless it is there.
    Each(Box<dyn Fn(usize) -> u16 + Send>),
    /// Well, but the items of the answer are changed after the documents were stored.
    Changed(fn(&mut Vec<Value>)),
    /// Well, but only this part of the answer's body leaves, in percent, and then the connection ends.
    Cut(usize),
    /// The head, and then nothing for ever.
    HeadOnly,
    /// Nothing for ever.
    Silence,
}

/// A request as it was heard.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    /// Method and path with query.
    pub(crate) line: String,
    pub(crate) head: String,
    /// Inflated.
    pub(crate) body: String,
    pub(crate) length: usize,
}

type Script = Box<dyn Fn(&Heard) -> Reply + Send + Sync>;

#[derive(Clone)]
pub(crate) struct Fake {
    pub(crate) address: SocketAddr,
    pub(crate) tasks: Tasks,
    inner: Arc<Inner>,
}

struct Inner {
    script: Script,
    heard: Mutex<Vec<Heard>>,
    /// Index and id, to the document.
    stored: Mutex<BTreeMap<(String, String), String>>,
    template: Mutex<Option<Value>>,
}

impl Fake {
    pub(crate) async fn start(script: impl Fn(&Heard) -> Reply + Send + Sync + 'static) -> Self {
        Self::start_with(None, script).await
    }

    /// One that speaks TLS.
    pub(crate) async fn start_with(
        tls: Option<TlsAcceptor>,
        script: impl Fn(&Heard) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let tasks = Tasks::new();
        let door = Door::bind("fake store", ([127, 0, 0, 1], 0).into()).await.unwrap();
        let inner = Inner {
            script: Box::new(script),
            heard: Mutex::default(),
            stored: Mutex::default(),
            template: Mutex::default(),
        };
        let fake = Self { address: door.address().unwrap(), tasks: tasks.clone(), inner: Arc::new(inner) };
        let this = fake.clone();
        tasks.spawn_until_stopped(async move {
            loop {
                let (tcp, _) = door.accept().await;
                let (one, tls) = (this.clone(), tls.clone());
                this.tasks.spawn_until_stopped(async move {
                    let _ = match tls {
                        None => one.converse(tcp).await,
                        Some(tls) => match tls.accept(tcp).await {
                            Ok(stream) => one.converse(stream).await,
                            Err(_) => Ok(()),
                        },
                    };
                });
            }
        });
        fake
    }

    pub(crate) fn config(&self) -> ElasticConfig {
        ElasticConfig { urls: vec![format!("http://{}", self.address)], ..ElasticConfig::default() }
    }

    /// A store that waits for a second only.
    pub(crate) fn hasty_store(&self) -> Elastic {
        let bulk = BulkConfig { seconds: 1, ..BulkConfig::default() };
        Elastic::new(&ElasticConfig { bulk, search_seconds: 1, ..self.config() }, &self.tasks).unwrap()
    }

    pub(crate) fn store(&self) -> Elastic {
        Elastic::new(&self.config(), &self.tasks).unwrap()
    }

    /// Requests whose first line holds this.
    pub(crate) fn heard(&self, part: &str) -> Vec<Heard> {
        let heard = self.inner.heard.lock().unwrap();
        heard.iter().filter(|heard| heard.line.contains(part)).cloned().collect()
    }

    /// The ids of all documents, as often as they are stored.
    pub(crate) fn ids(&self) -> Vec<String> {
        self.inner.stored.lock().unwrap().keys().map(|(_, id)| id.clone()).collect()
    }

    async fn converse(&self, mut tcp: impl AsyncRead + AsyncWrite + Unpin) -> std::io::Result<()> {
        let mut bytes = Vec::new();
        loop {
            let end = loop {
                if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
                    break at + 4;
                }
                if tcp.read_buf(&mut bytes).await? == 0 {
                    return Ok(());
                }
            };
            let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: ")?.trim().parse().ok())
                .unwrap_or(0);
            while bytes.len() < end + length {
                if tcp.read_buf(&mut bytes).await? == 0 {
                    return Ok(());
                }
            }
            let line = String::from_utf8_lossy(&bytes[..end]).lines().next().unwrap_or_default().to_owned();
            let sent = &bytes[end..end + length];
            let mut body = String::new();
            if head.contains("content-encoding: gzip") {
                flate2::read::GzDecoder::new(sent).read_to_string(&mut body)?;
            } else {
                body = String::from_utf8_lossy(sent).into_owned();
            }
            bytes.drain(..end + length);
            let heard = Heard { line, head, body, length };
            self.inner.heard.lock().unwrap().push(heard.clone());
            if !self.answer(&mut tcp, &heard).await? {
                return Ok(());
            }
        }
    }

    /// Whether the connection stays.
    async fn answer(&self, tcp: &mut (impl AsyncWrite + Unpin), heard: &Heard) -> std::io::Result<bool> {
        let whole = |status: u16, more: &str, body: &str| {
            format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\n{more}\r\n{body}", body.len())
        };
        match (self.inner.script)(heard) {
            Reply::Whole(status, more, body) => tcp.write_all(whole(status, more, &body).as_bytes()).await?,
            Reply::Well => {
                let (status, body) = self.well(heard, &|_| 201, |_| {});
                tcp.write_all(whole(status, "", &body).as_bytes()).await?;
            }
            Reply::Each(status) => {
                let (status, body) = self.well(heard, &status, |_| {});
                tcp.write_all(whole(status, "", &body).as_bytes()).await?;
            }
            Reply::Changed(change) => {
                let (status, body) = self.well(heard, &|_| 201, change);
                tcp.write_all(whole(status, "", &body).as_bytes()).await?;
            }
            Reply::Cut(percent) => {
                let (status, body) = self.well(heard, &|_| 201, |_| {});
                let text = whole(status, "", &body);
                let end = text.len() - body.len() + body.len() * percent / 100;
                tcp.write_all(&text.as_bytes()[..end]).await?;
                return Ok(false);
            }
            Reply::HeadOnly => {
                tcp.write_all(b"HTTP/1.1 200 x\r\ncontent-length: 100\r\n\r\n").await?;
                std::future::pending::<()>().await;
            }
            Reply::Silence => std::future::pending::<()>().await,
        }
        Ok(true)
    }

    fn well(&self, heard: &Heard, each: &dyn Fn(usize) -> u16, change: fn(&mut Vec<Value>)) -> (u16, String) {
        let path = heard.line.split(' ').nth(1).unwrap_or_default();
        let empty =
            json!({ "timed_out": false, "_shards": { "total": 0, "failed": 0 }, "hits": { "hits": [] } });
        if path.contains("/_bulk") {
            return (200, self.bulk(path, &heard.body, each, change));
        }
        let mut template = self.inner.template.lock().unwrap();
        match heard.line.split(' ').next().unwrap_or_default() {
            "PUT" => {
                *template = serde_json::from_str(&heard.body).ok();
                (200, json!({ "acknowledged": true }).to_string())
            }
            "POST" if path.contains("_simulate_index") => {
                (200, template.clone().unwrap_or_default().to_string())
            }
            "POST" => (200, empty.to_string()),
            "GET" if path.contains("_index_template") => match &*template {
                Some(there) => (200, json!({ "index_templates": [{ "index_template": there }] }).to_string()),
                None => (404, "{}".into()),
            },
            "GET" if path.contains("_cat") => (200, "[]".into()),
            "DELETE" => (200, json!({ "acknowledged": true }).to_string()),
            _ => {
                (200, json!({ "version": { "number": "2.19.1", "distribution": "opensearch" } }).to_string())
            }
        }
    }

    fn bulk(
        &self,
        path: &str,
        body: &str,
        each: &dyn Fn(usize) -> u16,
        change: fn(&mut Vec<Value>),
    ) -> String {
        let index = path.trim_start_matches('/').split('/').next().unwrap_or_default();
        let mut stored = self.inner.stored.lock().unwrap();
        let lines: Vec<&str> = body.lines().collect();
        let mut items: Vec<Value> = Vec::new();
        for (at, pair) in lines.chunks(2).enumerate() {
            let action: Value = serde_json::from_str(pair[0]).unwrap();
            let id = action["create"]["_id"].as_str().unwrap().to_owned();
            let place = (index.to_owned(), id.clone());
            let status = match each(at) {
                201 if stored.contains_key(&place) => 409,
                other => other,
            };
            let kind = match status {
                400 => "mapper_parsing_exception",
                409 => "version_conflict_engine_exception",
                429 => "es_rejected_execution_exception",
                _ => "unavailable_shards_exception",
            };
            items.push(if status == 201 {
                stored.insert(place, pair[1].to_owned());
                json!({ "create": { "_id": id, "status": 201 } })
            } else {
                json!({ "create": { "_id": id, "status": status, "error": { "type": kind, "reason": "told to" } } })
            });
        }
        change(&mut items);
        json!({ "items": items }).to_string()
    }
}
