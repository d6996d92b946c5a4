//! A request's body on its way to who reads it: in time, inflated, piece by piece.
//!
//! Invariants: nothing is kept here but a piece, so what a body inflates to costs time and no memory; the bytes that come
//! and those that come out of them are counted; between two pieces other tasks have their turn.

mod inflate;
mod whole;

use std::io::Write;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http::header::HeaderName;
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use tokio::time::{Instant, timeout, timeout_at};

use crate::refusal::Refusal;

pub(crate) use inflate::{Encoding, Inflate};
pub use whole::MAX_WHOLE;
pub(crate) use whole::Whole;

/// The longest body of a request, as it comes and inflated, in bytes.
pub const MAX_BODY: usize = 24 * 1024 * 1024;
/// How long a body may be silent, and how long it may take in all.
const SILENCE: Duration = Duration::from_secs(15);
const IN_ALL: Duration = Duration::from_secs(120);
/// How much of a refused body is read and thrown away, and for how long.
const LEFTOVER: usize = 64 * 1024 * 1024;
const LINGER: Duration = Duration::from_secs(5);

/// Who reads a body: it is handed what was inflated in pieces of some tens of KiB, and stops it all by an error.
pub(crate) trait Reader: Write {
    /// Why its last write failed.
    fn stopped_by(&mut self) -> Option<Refusal>;
}

/// Reads a whole body into a reader.
pub(crate) async fn read<R: Reader>(
    body: &mut Incoming,
    encoding: Encoding,
    reader: R,
) -> Result<R, Refusal> {
    if body.size_hint().lower() > MAX_BODY as u64 {
        return Err(Refusal::TooLong);
    }
    let mut inflate = Inflate::new(encoding, reader)?;
    let (mut came, end) = (0, Instant::now() + IN_ALL);
    loop {
        let frame = match timeout_at(end, timeout(SILENCE, body.frame())).await {
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
        for piece in data.chunks(encoding.piece()) {
            inflate.feed(piece)?;
            tokio::task::yield_now().await;
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
