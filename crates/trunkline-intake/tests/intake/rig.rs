//! An intake, what it kept, and a shipper that writes bytes and reads an answer.

use std::io::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use trunkline_intake::{Intake, IntakeConfig};
use trunkline_logs::Entry;
use trunkline_runtime::{Metrics, Tasks};
use trunkline_spool::{Chunk, Limits, Spool};

/// An intake that serves.
pub(crate) struct Rig {
    pub(crate) intake: Intake,
    pub(crate) metrics: Metrics,
    pub(crate) tasks: Tasks,
    pub(crate) dir: TempDir,
}

/// A connection of a shipper.
pub(crate) struct Shipper<S = TcpStream> {
    stream: S,
    read: Vec<u8>,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Rig {
    pub(crate) async fn new() -> Self {
        Self::with(&json!({})).await
    }

    /// With this in its configuration.
    pub(crate) async fn with(more: &Value) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut config = json!({"listen": ["127.0.0.1:0"], "spool": {"folder": dir.path(), "max_mib": 256}});
        for (name, value) in more.as_object().unwrap() {
            match (config[name].as_object_mut(), value.as_object()) {
                (Some(old), Some(new)) => old.extend(new.clone()),
                _ => config[name] = value.clone(),
            }
        }
        let config: IntakeConfig = serde_json::from_value(config).unwrap();
        // Some tests stop the clock.
        let (metrics, tasks) = (Metrics::new(), Tasks::in_one_runtime());
        let intake = Intake::bind(&config, &metrics, &tasks).await.unwrap();
        intake.serve();
        Self { intake, metrics, tasks, dir }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.intake.addresses()[0]
    }

    pub(crate) async fn shipper(&self) -> Shipper {
        Shipper::of(TcpStream::connect(self.address()).await.unwrap())
    }

    /// One at another address: 127.0.0.this.
    pub(crate) async fn shipper_at(&self, last: u8) -> Shipper {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(([127, 0, 0, last], 0).into()).unwrap();
        Shipper::of(socket.connect(self.address()).await.unwrap())
    }

    pub(crate) fn spool(&self, dataset: &str) -> Spool {
        let mut spools = self.intake.spools();
        spools.find(|(name, _)| name.as_str() == dataset).map(|(_, spool)| spool.clone()).unwrap()
    }

    /// All that is kept in the first dataset.
    pub(crate) async fn kept(&self) -> Vec<Entry> {
        self.kept_in("logs").await
    }

    pub(crate) async fn kept_in(&self, dataset: &str) -> Vec<Entry> {
        kept(&self.spool(dataset)).await
    }

    /// The texts of what is kept.
    pub(crate) async fn texts(&self) -> Vec<String> {
        let text = |entry: Entry| String::from_utf8(entry.json.to_vec()).unwrap();
        self.kept().await.into_iter().map(text).collect()
    }

    /// A metric's value.
    pub(crate) fn metric(&self, name: &str) -> u64 {
        let text = self.metrics.text().unwrap();
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
        value.unwrap_or(0)
    }
}

/// All that a spool holds.
pub(crate) async fn kept(spool: &Spool) -> Vec<Entry> {
    let status = spool.status();
    let (mut reader, mut entries) = (spool.reader(), Vec::new());
    if status.last == status.acked {
        return entries;
    }
    loop {
        let chunk = reader.next().await.unwrap().unwrap();
        let chunk = Chunk::decode(&chunk.bytes, chunk.epoch, &Limits::default()).unwrap();
        for record in chunk.records() {
            entries.push(Entry::decode(record.bytes).unwrap());
            if record.sequence == status.last {
                return entries;
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Shipper<S> {
    pub(crate) fn of(stream: S) -> Self {
        Self { stream, read: Vec::new() }
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    /// Writes what may not be taken to its end.
    pub(crate) async fn try_write(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes).await;
    }

    /// The next answer; none if the connection ends before.
    pub(crate) async fn answer(&mut self) -> Option<Answer> {
        let end = loop {
            if let Some(end) = self.read.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            self.more().await?;
        };
        let head = String::from_utf8(self.read.drain(..end).collect()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let length = field(&head, "content-length").map_or(0, |length| length.parse().unwrap());
        if status == 100 {
            return Some(Answer { status, head, body: Vec::new() });
        }
        while self.read.len() < length {
            self.more().await?;
        }
        Some(Answer { status, head, body: self.read.drain(..length).collect() })
    }

    /// The same for a request with HEAD, whose answer has no body.
    pub(crate) async fn answer_to_head(&mut self) -> u16 {
        while !self.read.ends_with(b"\r\n\r\n") {
            self.more().await.unwrap();
        }
        let head = String::from_utf8(std::mem::take(&mut self.read)).unwrap();
        head.split(' ').nth(1).unwrap().parse().unwrap()
    }

    async fn more(&mut self) -> Option<()> {
        let mut piece = vec![0; 64 * 1024];
        match self.stream.read(&mut piece).await {
            Ok(0) | Err(_) => None,
            Ok(length) => {
                self.read.extend_from_slice(&piece[..length]);
                Some(())
            }
        }
    }

    /// Sends a request with these fields and hears its answer.
    pub(crate) async fn ask(&mut self, line: &str, fields: &str, body: &[u8]) -> Option<Answer> {
        self.try_write(&request(line, fields, body)).await;
        self.answer().await
    }

    /// Hands a bulk in.
    pub(crate) async fn bulk(&mut self, body: &[u8]) -> Answer {
        self.ask("POST /_bulk", NDJSON, body).await.unwrap()
    }
}

/// What most shippers say of a bulk.
pub(crate) const NDJSON: &str = "User-Agent: test\r\nContent-Type: application/x-ndjson\r\n";

/// The bytes of a request.
pub(crate) fn request(line: &str, fields: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("{line} HTTP/1.1\r\nHost: intake\r\nContent-Length: {length}\r\n{fields}\r\n");
    [head.as_bytes(), body].concat()
}

/// A bulk of these documents.
pub(crate) fn pairs<'a>(documents: impl IntoIterator<Item = &'a str>) -> Vec<u8> {
    let lines = documents.into_iter().map(|document| format!("{{\"create\":{{}}}}\n{document}\n"));
    lines.collect::<String>().into_bytes()
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut to = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    to.write_all(bytes).unwrap();
    to.finish().unwrap()
}

fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (field, value) = line.split_once(':')?;
        field.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

impl Answer {
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        field(&self.head, name)
    }

    pub(crate) fn json(&self) -> Value {
        let text = String::from_utf8_lossy(&self.body);
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// The status of each item.
    pub(crate) fn items(&self) -> Vec<u64> {
        let items = self.json()["items"].as_array().cloned().unwrap_or_default();
        let status = |item: &Value| item.as_object()?.values().next()?["status"].as_u64();
        items.iter().map(|item| status(item).unwrap()).collect()
    }

    /// The reason of a refused request.
    pub(crate) fn reason(&self) -> String {
        self.json()["error"]["reason"].as_str().unwrap().to_owned()
    }
}

/// Waits, a bounded time, until something holds.
pub(crate) async fn eventually(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..1000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("not within 10 s: {what}");
}
