//! Server-sent events, read with bounds: the few lines of the format that the gateway uses.
//!
//! Invariants: a line and an event are at most 4 MiB; a stream that says nothing for longer than three of the
//! gateway's heartbeats has ended.

use std::time::Duration;

use anyhow::{Context as _, bail};
use bytes::{Buf as _, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::{Body, Bytes};
use serde::de::DeserializeOwned;

/// The longest line and the longest event, in bytes.
const MOST: usize = 4 * 1024 * 1024;
/// The gateway says something every 15 s.
const SILENCE: Duration = Duration::from_secs(45);

/// A stream of events.
#[derive(Debug)]
pub(crate) struct Events<B = hyper::body::Incoming> {
    body: B,
    buffer: BytesMut,
    /// How far the buffer was looked through for the end of a line.
    looked: usize,
    data: Vec<u8>,
}

impl<B> Events<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: std::error::Error + Send + Sync + 'static,
{
    pub(crate) fn new(body: B) -> Self {
        Self { body, buffer: BytesMut::new(), looked: 0, data: Vec::new() }
    }

    /// The next event's data; none at the end.
    ///
    /// # Errors
    /// When the stream breaks, falls silent or does not hold what it should.
    pub(crate) async fn next<T: DeserializeOwned>(&mut self) -> anyhow::Result<Option<T>> {
        loop {
            while let Some(line) = self.line()? {
                if let Some(data) = self.take(&line)? {
                    return serde_json::from_slice(&data)
                        .map(Some)
                        .context("an event is not what it should be");
                }
            }
            let frame = tokio::time::timeout(SILENCE, self.body.frame())
                .await
                .with_context(|| format!("the gateway said nothing for {} s", SILENCE.as_secs()))?;
            match frame {
                None => return Ok(None),
                Some(frame) => {
                    let frame = frame.context("the stream of events broke")?;
                    if let Some(bytes) = frame.data_ref() {
                        self.buffer.extend_from_slice(bytes);
                    }
                }
            }
        }
    }

    /// Takes a line off the buffer, without its end.
    fn line(&mut self) -> anyhow::Result<Option<Bytes>> {
        let end = self.buffer.get(self.looked..).and_then(|rest| rest.iter().position(|byte| *byte == b'\n'));
        let Some(end) = end else {
            self.looked = self.buffer.len();
            if self.looked > MOST {
                bail!("the gateway sent a line of more than {MOST} bytes");
            }
            return Ok(None);
        };
        let mut line = self.buffer.split_to(self.looked + end).freeze();
        self.buffer.advance(1);
        self.looked = 0;
        if line.last() == Some(&b'\r') {
            line.truncate(line.len() - 1);
        }
        Ok(Some(line))
    }

    /// Takes a line in; gives the event's data when the line ends one.
    fn take(&mut self, line: &[u8]) -> anyhow::Result<Option<Vec<u8>>> {
        if line.is_empty() {
            let data = std::mem::take(&mut self.data);
            return Ok((!data.is_empty()).then_some(data));
        }
        if let Some(data) = line.strip_prefix(b"data:") {
            if !self.data.is_empty() {
                self.data.push(b'\n');
            }
            self.data.extend_from_slice(data.strip_prefix(b" ").unwrap_or(data));
            if self.data.len() > MOST {
                bail!("the gateway sent an event of more than {MOST} bytes");
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::Full;

    use super::*;

    async fn all(text: impl Into<Bytes>) -> anyhow::Result<Vec<serde_json::Value>> {
        let mut events = Events::new(Full::new(text.into()));
        let mut all = Vec::new();
        while let Some(event) = events.next().await? {
            all.push(event);
        }
        Ok(all)
    }

    #[tokio::test]
    async fn events_are_read_whatever_their_lines_end_with() {
        let text = ": hello\r\n\r\nevent: x\ndata: {\"a\":\ndata: 1}\n\nid: 7\ndata:2\r\n\r\n: still there\n\ndata: lost";
        assert_eq!(all(text).await.unwrap(), [serde_json::json!({"a": 1}), serde_json::json!(2)]);
    }

    #[tokio::test]
    async fn lines_and_events_have_a_most() {
        let line = format!("data: \"{}\"\n\n", "x".repeat(MOST - 20));
        assert_eq!(all(line).await.unwrap().len(), 1);
        assert!(all("x".repeat(MOST + 1)).await.is_err());
        let many = format!("data: {}\n", "x".repeat(1000)).repeat(MOST / 1000 + 1);
        assert!(all(many).await.is_err());
    }

    #[tokio::test]
    async fn what_is_no_event_is_an_error() {
        assert!(all("data: nonsense\n\n").await.is_err());
    }
}
