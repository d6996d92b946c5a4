//! Last words on a WebSocket that is cut: why, in the channel that clients read errors from, and a close frame.
//!
//! Of what the cluster says to the client only the frames' boundaries are followed (RFC 6455 §5.2): words can be put in
//! between two frames and nowhere else. SPDY has no such place here, since it is not parsed: it just closes.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{HeaderMap, StatusCode, header};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use trunkline_proto::Status;

/// How long a client may take to take the last words.
const DEADLINE: Duration = Duration::from_millis(250);
/// The longest reason in a close frame, in bytes: a control frame holds 125, two are the code.
const MAX_REASON: usize = 123;
/// WebSocket's code for "you may not".
const POLICY_VIOLATION: u16 = 1008;
/// The protocols whose channel 3 holds a `Status` (KEP-4006).
const WITH_STATUS: &[&str] = &["v4.channel.k8s.io", "v5.channel.k8s.io"];
const ERROR_CHANNEL: u8 = 3;

/// Where in its frames one direction of a WebSocket is. No IO.
#[derive(Debug)]
pub(crate) enum Place {
    /// Within a frame's head; inside, the head's bytes so far.
    Head(Vec<u8>),
    /// Within a frame's payload; inside, the bytes that are left.
    Payload(u64),
    /// The frames make no sense, or a close frame went by: nothing more can be said.
    Over,
}

impl Default for Place {
    fn default() -> Self {
        Self::Head(Vec::new())
    }
}

impl Place {
    pub(crate) fn follow(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            match self {
                Self::Over => return,
                Self::Payload(left) => {
                    let here = (*left).min(bytes.len() as u64);
                    bytes = &bytes[usize::try_from(here).unwrap_or(bytes.len())..];
                    *left -= here;
                    if *left == 0 {
                        *self = Self::Head(Vec::new());
                    }
                }
                Self::Head(head) => {
                    head.push(bytes[0]);
                    bytes = &bytes[1..];
                    if let Some(next) = after_head(head) {
                        *self = next;
                    }
                }
            }
        }
    }

    pub(crate) fn is_between_frames(&self) -> bool {
        matches!(self, Self::Head(head) if head.is_empty())
    }
}

/// What follows a head, once it is whole.
fn after_head(head: &[u8]) -> Option<Place> {
    let (first, second) = (*head.first()?, *head.get(1)?);
    let masked = if second & 0x80 == 0 { 0 } else { 4 };
    let extended = match second & 0x7f {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    if head.len() < 2 + extended + masked {
        return None;
    }
    if first & 0x0f == 8 {
        return Some(Place::Over);
    }
    let length = match extended {
        0 => u64::from(second & 0x7f),
        _ => head[2..2 + extended].iter().fold(0, |length, byte| (length << 8) | u64::from(*byte)),
    };
    Some(if length == 0 { Place::Head(Vec::new()) } else { Place::Payload(length) })
}

/// A client's end of an upgrade whose incoming frames are followed.
pub(super) struct Followed<T> {
    io: T,
    place: Place,
    with_status: bool,
}

impl<T: AsyncRead + AsyncWrite + Unpin> Followed<T> {
    /// Follows what is written to `io`, if the answer's head says that it is a WebSocket.
    pub(super) fn new(io: T, answer: &HeaderMap) -> Self {
        let says = |name, words: &[&str]| {
            let value = answer.get(name).and_then(|value: &http::HeaderValue| value.to_str().ok());
            value.is_some_and(|value| words.iter().any(|word| value.trim().eq_ignore_ascii_case(word)))
        };
        let place = if says(header::UPGRADE, &["websocket"]) { Place::default() } else { Place::Over };
        Self { io, place, with_status: says(header::SEC_WEBSOCKET_PROTOCOL, WITH_STATUS) }
    }

    /// The same place in the frames, at another end of the same bytes.
    pub(super) fn map<U>(self, io: impl FnOnce(T) -> U) -> Followed<U> {
        Followed { io: io(self.io), place: self.place, with_status: self.with_status }
    }

    /// Says why, where that can be said, and hangs up.
    pub(super) async fn say_farewell(mut self, reason: &'static str, why: &str) {
        if !self.place.is_between_frames() {
            return;
        }
        let mut frames = Vec::new();
        if self.with_status {
            let message = format!("trunkline gateway: {why}");
            let status = Status::failure(StatusCode::FORBIDDEN, reason, message).to_json();
            frames.push(0x82);
            match u16::try_from(status.len() + 1) {
                Ok(short) if short < 126 => frames.push(short as u8),
                Ok(long) => {
                    frames.push(126);
                    frames.extend(long.to_be_bytes());
                }
                Err(_) => return,
            }
            frames.push(ERROR_CHANNEL);
            frames.extend(status.as_bytes());
        }
        let why = &why[..why.floor_char_boundary(MAX_REASON)];
        frames.extend([0x88, why.len() as u8 + 2]);
        frames.extend(POLICY_VIOLATION.to_be_bytes());
        frames.extend(why.as_bytes());
        let saying = async {
            self.io.write_all(&frames).await?;
            self.io.shutdown().await
        };
        // A client that does not listen has had its chance.
        let _ = tokio::time::timeout(DEADLINE, saying).await;
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Followed<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buffer)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Followed<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = std::task::ready!(Pin::new(&mut self.io).poll_write(cx, bytes))?;
        self.place.follow(&bytes[..written]);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.place = Place::Over;
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place_after(bytes: &[u8]) -> Place {
        let mut place = Place::Head(Vec::new());
        bytes.iter().for_each(|byte| place.follow(&[*byte]));
        place
    }

    #[test]
    fn boundaries_are_found_in_frames_of_every_length() {
        for length in [0usize, 1, 125, 126, 65_535, 65_536] {
            let mut frame = vec![0x82];
            match length {
                0..126 => frame.push(length as u8),
                126..65_536 => {
                    frame.push(126);
                    frame.extend((length as u16).to_be_bytes());
                }
                _ => {
                    frame.push(127);
                    frame.extend((length as u64).to_be_bytes());
                }
            }
            frame.extend(vec![0x88; length]);
            assert!(place_after(&frame).is_between_frames(), "{length}");
            assert!(!place_after(&frame[..frame.len() - 1]).is_between_frames(), "{length}");
            let mut at_once = Place::Head(Vec::new());
            at_once.follow(&[frame.clone(), frame].concat());
            assert!(at_once.is_between_frames(), "{length}");
        }
    }

    #[test]
    fn after_a_close_frame_nothing_is_said() {
        assert!(!place_after(&[0x88, 0]).is_between_frames());
        assert!(!place_after(&[0x88, 2, 3, 0xe8, 0x82, 0]).is_between_frames());
    }

    #[tokio::test]
    async fn the_last_words_are_a_status_and_a_close_frame() {
        use tokio::io::AsyncReadExt as _;

        let (mut client, gateway) = tokio::io::duplex(4096);
        let mut answer = HeaderMap::new();
        answer.insert(header::UPGRADE, "websocket".parse().unwrap());
        answer.insert(header::SEC_WEBSOCKET_PROTOCOL, "v5.channel.k8s.io".parse().unwrap());
        let mut followed = Followed::new(gateway, &answer);
        followed.write_all(&[0x82, 2, 1, b'x']).await.unwrap();
        followed.say_farewell("ClusterLocked", "the cluster was locked").await;
        let mut heard = Vec::new();
        client.read_to_end(&mut heard).await.unwrap();
        let text = String::from_utf8_lossy(&heard);
        assert!(text.contains("\"reason\":\"ClusterLocked\""), "{text}");
        let close = heard.windows(2).rposition(|two| two == [0x88, 24]).unwrap();
        assert_eq!(&heard[close + 2..close + 4], &1008u16.to_be_bytes());
        assert!(heard.ends_with(b"the cluster was locked"));
    }

    #[tokio::test]
    async fn within_a_frame_and_on_spdy_nothing_is_said() {
        use tokio::io::AsyncReadExt as _;

        for (upgrade, bytes) in [("websocket", &[0x82, 9, 1][..]), ("SPDY/3.1", &[1, 2][..])] {
            let (mut client, gateway) = tokio::io::duplex(4096);
            let mut answer = HeaderMap::new();
            answer.insert(header::UPGRADE, upgrade.parse().unwrap());
            let mut followed = Followed::new(gateway, &answer);
            followed.write_all(bytes).await.unwrap();
            followed.say_farewell("ClusterLocked", "the cluster was locked").await;
            let mut heard = Vec::new();
            client.read_to_end(&mut heard).await.unwrap();
            assert_eq!(heard, bytes, "{upgrade}");
        }
    }
}
