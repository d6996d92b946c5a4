//! A request body that can be sent again as long as little of it was sent.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use trunkline_runtime::{Body, BodyError};

/// How much of a body is remembered, in bytes. A body of which more was sent cannot be sent again.
const REMEMBER: usize = 64 * 1024;

/// The source of a body that several attempts read, one after the other.
#[derive(Clone)]
pub(crate) struct Replay {
    tape: Arc<Mutex<Tape>>,
    hint: (u64, Option<u64>),
}

struct Tape {
    source: Body,
    heard: Vec<Bytes>,
    bytes: usize,
    overflowed: bool,
    ended: bool,
    /// The source failed: what was heard is not all, and must never be sent as if it were.
    broken: bool,
}

/// One attempt's reading of a [`Replay`].
pub(crate) struct Attempt {
    tape: Arc<Mutex<Tape>>,
    at: usize,
    hint: (u64, Option<u64>),
    sent: u64,
}

impl Replay {
    pub(crate) fn new(source: Body) -> Self {
        let hint = source.size_hint();
        let hint = (hint.lower(), hint.upper());
        let ended = source.is_end_stream();
        let tape = Tape { source, heard: Vec::new(), bytes: 0, overflowed: false, ended, broken: false };
        Self { tape: Arc::new(Mutex::new(tape)), hint }
    }

    /// A reading from the beginning; `None` when too much was sent to begin again, or the source failed.
    pub(crate) fn attempt(&self) -> Option<Attempt> {
        let tape = self.tape.lock().unwrap_or_else(PoisonError::into_inner);
        let again = !tape.overflowed && !tape.broken;
        drop(tape);
        again.then(|| Attempt { tape: self.tape.clone(), at: 0, hint: self.hint, sent: 0 })
    }
}

impl http_body::Body for Attempt {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let tape = self.tape.clone();
        let mut tape = tape.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bytes) = tape.heard.get(self.at) {
            let bytes = bytes.clone();
            self.at += 1;
            self.sent += bytes.len() as u64;
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
        loop {
            let bytes = match ready!(Pin::new(&mut tape.source).poll_frame(cx)) {
                // Kubernetes has no use for trailers of a request.
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(bytes) => bytes,
                    Err(_) => continue,
                },
                Some(Err(error)) => {
                    tape.broken = true;
                    return Poll::Ready(Some(Err(error)));
                }
                None => {
                    tape.ended = true;
                    return Poll::Ready(None);
                }
            };
            tape.ended = tape.source.is_end_stream();
            tape.bytes += bytes.len();
            self.sent += bytes.len() as u64;
            if tape.bytes > REMEMBER {
                tape.overflowed = true;
                tape.heard = Vec::new();
            } else {
                tape.heard.push(bytes.clone());
                self.at += 1;
            }
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
    }

    fn is_end_stream(&self) -> bool {
        let tape = self.tape.lock().unwrap_or_else(PoisonError::into_inner);
        tape.ended && (tape.overflowed || self.at >= tape.heard.len())
    }

    fn size_hint(&self) -> SizeHint {
        let mut hint = SizeHint::new();
        hint.set_lower(self.hint.0.saturating_sub(self.sent));
        if let Some(upper) = self.hint.1 {
            hint.set_upper(upper.saturating_sub(self.sent));
        }
        hint
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;
    use trunkline_runtime::full;

    use super::*;

    #[tokio::test]
    async fn a_small_body_is_sent_again_whole() {
        let replay = Replay::new(full("apply"));
        let mut first = replay.attempt().unwrap();
        first.frame().await.unwrap().unwrap();
        drop(first);
        let again = replay.attempt().unwrap().collect().await.unwrap().to_bytes();
        assert_eq!(again, "apply");
    }

    #[tokio::test]
    async fn a_body_that_broke_off_is_never_sent_as_if_it_were_whole() {
        let frames = [Ok(Frame::data(Bytes::from("half"))), Err(BodyError::new("gone"))];
        let body = http_body_util::StreamBody::new(futures_util::stream::iter(frames)).boxed_unsync();
        let replay = Replay::new(body);
        assert!(replay.attempt().unwrap().collect().await.is_err());
        assert!(replay.attempt().is_none());
    }

    #[tokio::test]
    async fn a_large_body_is_sent_once() {
        let replay = Replay::new(full(vec![0; REMEMBER + 1]));
        let mut first = replay.attempt().unwrap();
        assert_eq!(first.size_hint().exact(), Some(REMEMBER as u64 + 1));
        first.frame().await.unwrap().unwrap();
        assert!(replay.attempt().is_none());
    }
}
