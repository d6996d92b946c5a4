//! Bodies that are made while they are sent.

use bytes::Bytes;
use futures_util::StreamExt as _;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::Frame;
use tokio::sync::mpsc;
use trunkline_runtime::{Body, BodyError};

/// The pieces of [`repeated`], in bytes.
const PIECE: usize = 64 * 1024;

/// Feeds a body made by [`channel`]. Dropping it ends the body.
#[derive(Clone, Debug)]
pub struct BodySender(mpsc::Sender<Result<Bytes, BodyError>>);

impl BodySender {
    /// Sends a piece; false when nobody reads any more.
    pub async fn send(&self, piece: impl Into<Bytes>) -> bool {
        self.0.send(Ok(piece.into())).await.is_ok()
    }

    /// Breaks the body off.
    pub async fn fail(&self) {
        let _ = self.0.send(Err(BodyError::new(std::io::Error::other("broken off on purpose")))).await;
    }
}

/// A body that sends what its sender is given.
pub fn channel() -> (BodySender, Body) {
    let (sender, mut receiver) = mpsc::channel::<Result<Bytes, BodyError>>(1);
    let stream = futures_util::stream::poll_fn(move |cx| receiver.poll_recv(cx));
    let body = StreamBody::new(stream.map(|piece| piece.map(Frame::data)));
    (BodySender(sender), body.boxed_unsync())
}

/// A body of `bytes` bytes in pieces of 64 KiB, never all in memory. Its length is not told beforehand.
pub fn repeated(bytes: u64) -> Body {
    let piece = Bytes::from(vec![b'x'; PIECE]);
    let stream = futures_util::stream::unfold(bytes, move |left| {
        let now = usize::try_from(left).unwrap_or(usize::MAX).min(PIECE);
        let frame = Frame::data(piece.slice(..now));
        std::future::ready((now > 0).then(|| (Ok(frame), left - now as u64)))
    });
    StreamBody::new(stream).boxed_unsync()
}
