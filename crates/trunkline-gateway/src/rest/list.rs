//! The list of clusters, written as it is read: a piece at a time, however many clusters there are.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderValue, header};
use http_body::Frame;
use jiff::Timestamp;
use trunkline_api::{API_VERSION, Selector};

use super::read::Sight;
use super::view::{Source, View};

/// A piece is sent when it is as long as this.
const PIECE: usize = 64 * 1024;

/// A list of the clusters that a selector chooses, of those that somebody sees.
pub(super) fn answer(view: &View, selector: &Selector, sight: &Sight) -> Response {
    let mut sources = view.all();
    sources.retain(|source| source.is_chosen(selector) && source.is_seen(sight));
    let list = List {
        view: view.clone(),
        left: sources.into_iter(),
        now: Timestamp::now(),
        piece: format!("{{\"apiVersion\":\"{API_VERSION}\",\"kind\":\"ClusterList\",\"items\":[")
            .into_bytes(),
        begun: false,
        ended: false,
    };
    let mut response = Response::new(Body::new(list));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

struct List {
    view: View,
    left: std::vec::IntoIter<Source>,
    now: Timestamp,
    piece: Vec<u8>,
    /// Whether there is a cluster before the next one.
    begun: bool,
    ended: bool,
}

impl List {
    fn next_piece(&mut self) -> Bytes {
        while self.piece.len() < PIECE {
            let Some(source) = self.left.next() else {
                self.piece.extend_from_slice(b"]}");
                self.ended = true;
                break;
            };
            if std::mem::replace(&mut self.begun, true) {
                self.piece.push(b',');
            }
            let cluster = self.view.cluster(&source, self.now);
            // A struct of strings, numbers and maps by string always serialises, and memory takes all that is written.
            let _ = serde_json::to_writer(&mut self.piece, &cluster);
        }
        std::mem::take(&mut self.piece).into()
    }
}

impl http_body::Body for List {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Poll::Ready((!self.ended).then(|| Ok(Frame::data(self.next_piece()))))
    }

    fn is_end_stream(&self) -> bool {
        self.ended
    }
}
