//! A client that speaks bytes: for requests that no HTTP library would send.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::wait::within;

/// How long a raw client waits for what it expects.
const PATIENCE: Duration = Duration::from_secs(15);

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
