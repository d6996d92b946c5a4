//! A request's body on its way to who reads it: in time, inflated, piece by piece.
//!
//! Invariants: nothing is kept here but a piece, so what a body inflates to costs time and no memory; the bytes that come
//! and those that come out of them are counted; between two pieces other tasks have their turn; one that dribbles does not
//! hold its request's place.

mod inflate;
mod whole;

use std::time::Duration;

use bytes::{Buf as _, Bytes};
use http::HeaderMap;
use http::header::HeaderName;
use http_body_util::BodyExt as _;
use hyper::body::{Body, Incoming};
use tokio::time::{Instant, timeout, timeout_at};
use trunkline_runtime::Pieces;

use crate::refusal::Refusal;

pub(crate) use inflate::{Encoding, Inflate};
pub use whole::MAX_WHOLE;
pub(crate) use whole::Whole;

/// The longest body of a request, as it comes and inflated, in bytes.
pub const MAX_BODY: usize = 24 * 1024 * 1024;
/// How long a body may be silent, and how long it may take in all.
const SILENCE: Duration = Duration::from_secs(15);
const IN_ALL: Duration = Duration::from_secs(120);
/// From when on a body must have come at some rate all the while, and how many bytes a second that is.
const AT_LEISURE: Duration = Duration::from_secs(10);
const SLOWEST: u64 = 4 * 1024;
/// How much of a refused body is read and thrown away, and for how long.
const LEFTOVER: usize = 64 * 1024 * 1024;
const LINGER: Duration = Duration::from_secs(5);

/// Who reads a body: it is handed what was inflated in pieces of some tens of KiB, and stops it all by a refusal.
pub(crate) trait Reader {
    fn more(&mut self, piece: &[u8]) -> Result<(), Refusal>;
}

/// Reads a whole body into a reader.
pub(crate) async fn read<B, R>(body: &mut B, encoding: Encoding, reader: R) -> Result<R, Refusal>
where
    B: Body<Data = Bytes> + Unpin,
    R: Reader,
{
    if body.size_hint().lower() > MAX_BODY as u64 {
        return Err(Refusal::TooLong);
    }
    let mut inflate = Inflate::new(encoding, reader)?;
    let (mut came, begun) = (0, Instant::now());
    let mut pieces = Pieces::begin();
    loop {
        let due = begun + IN_ALL.min(AT_LEISURE + Duration::from_secs(came as u64 / SLOWEST));
        let frame = match timeout_at(due, timeout(SILENCE, body.frame())).await {
            Err(_) | Ok(Err(_)) => return Err(Refusal::Slow),
            Ok(Ok(None)) => return inflate.finish(),
            Ok(Ok(Some(Err(_)))) => return Err(Refusal::Cut),
            Ok(Ok(Some(Ok(frame)))) => frame,
        };
        let Ok(data) = frame.into_data() else { continue };
        came += data.len();
        if came > MAX_BODY {
            return Err(Refusal::TooLong);
        }
        let mut rest = data;
        while !rest.is_empty() || inflate.has_more() {
            let fed = inflate.feed(&rest)?;
            rest.advance(fed);
            pieces.turn().await;
        }
    }
}

/// Reads what is left of a refused body, a bounded part of it: who is still sending hears the answer then. False if there
/// is more.
pub(crate) async fn throw_away(body: &mut Incoming) -> bool {
    let read = async {
        let mut left = LEFTOVER;
        while let Some(frame) = body.frame().await {
            let Ok(frame) = frame else { return false };
            match left.checked_sub(frame.data_ref().map_or(0, Bytes::len)) {
                Some(less) => left = less,
                None => return false,
            }
        }
        true
    };
    timeout(LINGER, read).await.unwrap_or(false)
}

/// What a field says, in lower case and without parameters; empty if it is not there.
pub(crate) fn field(headers: &HeaderMap, name: HeaderName) -> String {
    let text = headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use futures_util::Stream;
    use http_body_util::StreamBody;
    use hyper::body::Frame;
    use tokio::time::{Interval, interval};

    use super::*;
    use crate::batch::Batch;
    use crate::budget::Budget;

    /// So many bytes every second, so many times.
    struct Dribble {
        every: Interval,
        bytes: usize,
        left: usize,
    }

    impl Stream for Dribble {
        type Item = Result<Frame<Bytes>, Infallible>;

        fn poll_next(mut self: Pin<&mut Self>, waker: &mut Context<'_>) -> Poll<Option<Self::Item>> {
            if self.left == 0 {
                return Poll::Ready(None);
            }
            self.every.poll_tick(waker).map(|_| {
                self.left -= 1;
                Some(Ok(Frame::data(vec![b' '; self.bytes].into())))
            })
        }
    }

    async fn comes(bytes: usize, seconds: usize) -> (Result<usize, Refusal>, u64) {
        let budget = Budget::new(64 * 1024 * 1024);
        let held = budget.begin_at_once([127, 0, 0, 1].into()).unwrap();
        let every = interval(Duration::from_secs(1));
        let mut body = StreamBody::new(Dribble { every, bytes, left: seconds });
        let begun = Instant::now();
        let read = read(&mut body, Encoding::Plain, Whole::new(Batch::new(held, 0))).await;
        (read.map(|whole| whole.bytes.len()), begun.elapsed().as_secs())
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_dribbles_is_given_up_and_a_slow_one_is_read() {
        assert_eq!(comes(1, 1_000).await, (Err(Refusal::Slow), 10));
        assert_eq!(comes(2_000, 1_000).await.0, Err(Refusal::Slow));
        assert_eq!(comes(1, 8).await.0, Ok(8), "a short one may take its time");
        assert_eq!(comes(4_200, 60).await.0, Ok(60 * 4_200));
        assert_eq!(comes(100_000, 1_000).await, (Err(Refusal::Slow), 120));
    }
}
