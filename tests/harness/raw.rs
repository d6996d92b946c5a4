//! A client that speaks bytes: for requests that no HTTP library would send.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::wait::within;

/// How long a raw client waits for what it expects.
const PATIENCE: Duration = Duration::from_secs(15);

/// A whole answer, as it was read.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Status; 0 when the first line tells none.
    pub status: u16,
    /// The head's lines.
    pub head: String,
    /// The body.
    pub body: Vec<u8>,
    /// Whether nothing follows on the connection.
    pub last: bool,
}

/// A TLS connection to the front door, as bytes.
#[derive(Debug)]
pub struct Raw {
    stream: TlsStream<TcpStream>,
    heard: Vec<u8>,
}

impl Raw {
    pub(crate) fn new(stream: TlsStream<TcpStream>) -> Self {
        Self { stream, heard: Vec::new() }
    }

    /// Sends bytes. That the other end has hung up meanwhile is seen when reading.
    pub async fn say(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.stream.write_all(bytes.as_ref()).await;
        let _ = self.stream.flush().await;
    }

    /// Sends lines of a head, each with its line end, and the empty line behind.
    pub async fn say_head(&mut self, lines: &[&str]) {
        let head: String = lines.iter().flat_map(|line| [*line, "\r\n"]).chain(["\r\n"]).collect();
        self.say(head).await;
    }

    /// Reads up to and with `mark`, and takes it out of what was heard.
    pub async fn hear_until(&mut self, mark: &[u8]) -> String {
        let what = format!("{:?} heard", String::from_utf8_lossy(mark));
        loop {
            if let Some(at) = self.heard.windows(mark.len()).position(|window| window == mark) {
                let taken: Vec<u8> = self.heard.drain(..at + mark.len()).collect();
                return String::from_utf8_lossy(&taken).into_owned();
            }
            let read = within(&what, PATIENCE, self.stream.read_buf(&mut self.heard)).await;
            assert!(
                matches!(read, Ok(1..)),
                "hung up before {what}: {:?}",
                String::from_utf8_lossy(&self.heard)
            );
        }
    }

    /// Reads so many bytes.
    pub async fn hear(&mut self, bytes: usize) -> Vec<u8> {
        while self.heard.len() < bytes {
            let read = within("the body", PATIENCE, self.stream.read_buf(&mut self.heard)).await;
            assert!(matches!(read, Ok(1..)), "hung up within the body");
        }
        self.heard.drain(..bytes).collect()
    }

    /// The head of an answer.
    pub async fn hear_head(&mut self) -> String {
        self.hear_until(b"\r\n\r\n").await
    }

    /// The next answer; none when the other end hangs up before its head was there.
    pub async fn answer(&mut self) -> Option<Answer> {
        let end = loop {
            if let Some(at) = self.heard.windows(4).position(|window| window == b"\r\n\r\n") {
                break at + 4;
            }
            let read = within("an answer", PATIENCE, self.stream.read_buf(&mut self.heard)).await;
            if !matches!(read, Ok(1..)) {
                return None;
            }
        };
        let head = String::from_utf8_lossy(&self.heard.drain(..end).collect::<Vec<u8>>()).into_owned();
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        let lower = head.to_ascii_lowercase();
        let length = lower.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        let (body, last) = match (status, length) {
            (101, _) => (Vec::new(), false),
            (_, Some(length)) => (self.hear(length).await, lower.contains("connection: close")),
            (_, None) => (self.hear_bytes_to_end().await, true),
        };
        Some(Answer { status, head, body, last })
    }

    /// Reads until the other end hangs up, at most 15 s.
    pub async fn hear_to_end(&mut self) -> String {
        String::from_utf8_lossy(&self.hear_bytes_to_end().await).into_owned()
    }

    /// The same, as bytes.
    pub async fn hear_bytes_to_end(&mut self) -> Vec<u8> {
        while let Ok(1..) = within("the end", PATIENCE, self.stream.read_buf(&mut self.heard)).await {}
        std::mem::take(&mut self.heard)
    }

    /// Says that nothing more will be sent.
    pub async fn half_close(&mut self) {
        let _ = self.stream.shutdown().await;
    }
}
