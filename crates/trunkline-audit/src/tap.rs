//! The client's end of an exec over a WebSocket, as bytes; what goes by is recorded.
//!
//! Invariants: what a client says is in the recording's buffer before it goes on to the cluster; when the recording has
//! a fault, the end breaks.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::channels::{Event, Frames, Protocol};
use crate::recording::{Recording, RecordingFault};

const INPUT: u8 = 0;
const OUTPUT: u8 = 1;
const ERRORS: u8 = 2;

/// The client's end of a session that is recorded: reading is what the client says, writing what the cluster says.
#[derive(Debug)]
pub struct Tap<T> {
    io: T,
    recording: Recording,
    from_client: Frames,
    from_cluster: Frames,
}

impl<T> Tap<T> {
    /// Records what goes by at `io`.
    pub fn new(io: T, protocol: Protocol, recording: Recording) -> Self {
        Self { io, recording, from_client: Frames::new(protocol), from_cluster: Frames::new(protocol) }
    }

    /// The end itself, from here on without a recording.
    pub fn into_inner(self) -> T {
        self.io
    }

    fn client_said(&mut self, bytes: &[u8]) -> Result<(), RecordingFault> {
        let recording = &self.recording;
        follow(&mut self.from_client, bytes, |event| match event {
            Event::Data { channel: INPUT, bytes } => recording.input(bytes),
            Event::Resize { columns, rows } => recording.resize(columns, rows),
            // API servers take each frame for a message, so that what is input here could be something else there.
            Event::Fragment => Err(recording.lose("a message of the client's came in pieces")),
            Event::Lost(why) => Err(recording.lose(why)),
            Event::Data { .. } | Event::Closed(_) | Event::End => Ok(()),
        })
    }

    fn cluster_said(&mut self, bytes: &[u8]) -> Result<(), RecordingFault> {
        let recording = &self.recording;
        follow(&mut self.from_cluster, bytes, |event| match event {
            Event::Data { channel: OUTPUT, bytes } => recording.output(bytes),
            Event::Data { channel: ERRORS, bytes } => recording.error_output(bytes),
            Event::Lost(why) => Err(recording.lose(why)),
            _ => Ok(()),
        })
    }
}

/// Follows one direction, and notes all that these bytes hold; the first fault is told.
fn follow(
    frames: &mut Frames,
    bytes: &[u8],
    mut note: impl FnMut(Event<'_>) -> Result<(), RecordingFault>,
) -> Result<(), RecordingFault> {
    let mut done = Ok(());
    frames.feed(bytes, &mut |event| {
        let noted = note(event);
        if done.is_ok() {
            done = noted;
        }
    });
    done
}

impl<T: AsyncRead + Unpin> AsyncRead for Tap<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(self.recording.poll_room(cx)).map_err(io::Error::other)?;
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.io).poll_read(cx, buffer))?;
        let said = buffer.filled().get(before..).unwrap_or_default();
        let noted = self.client_said(said);
        if noted.is_err() {
            buffer.set_filled(before);
        }
        Poll::Ready(noted.map_err(io::Error::other))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Tap<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.recording.poll_room(cx)).map_err(io::Error::other)?;
        let written = ready!(Pin::new(&mut self.io).poll_write(cx, bytes))?;
        let said = bytes.get(..written).unwrap_or_default();
        Poll::Ready(self.cluster_said(said).map(|()| written).map_err(io::Error::other))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
