//! SPDY/3.1 framing, as little of it as kubectl's port-forward needs.
//!
//! Kubernetes' own SPDY knows no flow control, so windows are neither kept nor told. Headers are inflated with the
//! protocol's dictionary; ours are sent in stored blocks, which need none.
//!
//! Invariant: no frame and no header block is larger than its limit; one that is ends the session.

use std::collections::HashMap;
use std::io;

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::TINFL_FLAG_HAS_MORE_INPUT;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// The longest frame, in bytes.
const FRAME_LIMIT: usize = 1024 * 1024;
/// The longest header block once inflated, in bytes.
const HEADERS_LIMIT: usize = 16 * 1024;
const FIN: u8 = 1;

/// What a client says. Names of headers are in lower case.
#[derive(Debug)]
pub(crate) enum Frame {
    Open(u32, HashMap<String, String>),
    Data(u32, Bytes, bool),
    Reset(u32),
    Ping(u32),
    Goaway,
    Other,
}

/// Reads frames from the start of a session.
pub(crate) struct Reader<R> {
    from: R,
    inflater: Inflater,
}

impl<R: AsyncRead + Unpin> Reader<R> {
    pub(crate) fn new(from: R) -> Self {
        Self { from, inflater: Inflater::new() }
    }

    /// The next frame; an error at the end.
    pub(crate) async fn next(&mut self) -> io::Result<Frame> {
        let (first, rest) = (self.from.read_u32().await?, self.from.read_u32().await?);
        let (flags, length) = ((rest >> 24) as u8, (rest & 0x00ff_ffff) as usize);
        if length > FRAME_LIMIT {
            return Err(invalid());
        }
        let mut payload = vec![0; length];
        self.from.read_exact(&mut payload).await?;
        let mut payload = Bytes::from(payload);
        if first >> 31 == 0 {
            return Ok(Frame::Data(first, payload, flags & FIN != 0));
        }
        let mut number = || payload.try_get_u32().map(|number| number & 0x7fff_ffff).map_err(|_| invalid());
        Ok(match first & 0xffff {
            1 => {
                let stream = number()?;
                // Beside the stream stand the one it belongs to, and its priority.
                let block = self.inflater.inflate(payload.get(6..).ok_or_else(invalid)?)?;
                Frame::Open(stream, headers(&block).ok_or_else(invalid)?)
            }
            3 => Frame::Reset(number()?),
            6 => Frame::Ping(number()?),
            7 => Frame::Goaway,
            _ => Frame::Other,
        })
    }
}

/// Bytes on a stream, its last ones with `fin`.
pub(crate) fn data(stream: u32, bytes: &[u8], fin: bool) -> Bytes {
    frame(stream, fin as u8, bytes)
}

/// Accepts a stream. The session's first reply also opens the headers' zlib stream.
pub(crate) fn reply(stream: u32, is_first: bool) -> Bytes {
    let zlib: &[u8] = if is_first { &[0x78, 0x01] } else { &[] };
    // A stored block of four bytes (no headers), then an empty one: the flush that makes a reader stop here.
    let block = [0, 4, 0, 0xfb, 0xff, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];
    frame(0x8003_0002, 0, &[&stream.to_be_bytes(), zlib, &block].concat())
}

/// Refuses a stream.
pub(crate) fn reset(stream: u32) -> Bytes {
    frame(0x8003_0003, 0, &[stream.to_be_bytes(), 3_u32.to_be_bytes()].concat())
}

/// Answers a ping.
pub(crate) fn pong(id: u32) -> Bytes {
    frame(0x8003_0006, 0, &id.to_be_bytes())
}

fn frame(first: u32, flags: u8, payload: &[u8]) -> Bytes {
    let mut frame = BytesMut::with_capacity(8 + payload.len());
    frame.put_u32(first);
    frame.put_u8(flags);
    frame.put_uint(payload.len() as u64, 3);
    frame.put_slice(payload);
    frame.freeze()
}

fn headers(mut block: &[u8]) -> Option<HashMap<String, String>> {
    let count = block.try_get_u32().ok()?;
    let mut text = || {
        let length = block.try_get_u32().ok()? as usize;
        let (text, rest) = block.split_at_checked(length)?;
        block = rest;
        Some(String::from_utf8_lossy(text).into_owned())
    };
    (0..count).map(|_| Some((text()?.to_lowercase(), text()?))).collect()
}

/// The headers' zlib stream, which lasts as long as the session.
struct Inflater {
    state: Box<DecompressorOxide>,
    /// The last bytes inflated, before them the dictionary: what back-references reach. A ring.
    window: Box<[u8]>,
    at: usize,
    is_first: bool,
}

impl Inflater {
    fn new() -> Self {
        let (mut window, dictionary) = (vec![0; 32 * 1024].into_boxed_slice(), dictionary());
        window[..dictionary.len()].copy_from_slice(&dictionary);
        Self { state: Box::default(), window, at: dictionary.len(), is_first: true }
    }

    fn inflate(&mut self, mut block: &[u8]) -> io::Result<Vec<u8>> {
        if std::mem::take(&mut self.is_first) {
            // zlib's own head, with the dictionary's sum.
            block = block.get(6..).ok_or_else(invalid)?;
        }
        let mut inflated = Vec::new();
        loop {
            let (status, read, written) =
                decompress(&mut self.state, block, &mut self.window, self.at, TINFL_FLAG_HAS_MORE_INPUT);
            inflated.extend_from_slice(&self.window[self.at..self.at + written]);
            self.at = (self.at + written) % self.window.len();
            block = &block[read..];
            match status {
                TINFLStatus::NeedsMoreInput => return Ok(inflated),
                TINFLStatus::HasMoreOutput if inflated.len() <= HEADERS_LIMIT => {}
                _ => return Err(invalid()),
            }
        }
    }
}

/// The protocol's dictionary (SPDY/3, section 2.6.10.1): words with their lengths, then a text.
fn dictionary() -> Vec<u8> {
    let mut dictionary = Vec::new();
    for word in WORDS.split(' ') {
        dictionary.put_u32(word.len() as u32);
        dictionary.extend_from_slice(word.replace('_', " ").as_bytes());
    }
    dictionary.extend_from_slice(TEXT.as_bytes());
    dictionary
}

const WORDS: &str = "options head post put delete trace accept accept-charset accept-encoding accept-language \
    accept-ranges age allow authorization cache-control connection content-base content-encoding content-language \
    content-length content-location content-md5 content-range content-type date etag expect expires from host \
    if-match if-modified-since if-none-match if-range if-unmodified-since last-modified location max-forwards pragma \
    proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade \
    user-agent vary via warning www-authenticate method get status 200_OK version HTTP/1.1 url public set-cookie \
    keep-alive origin";
const TEXT: &str = "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505\
    203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized\
    403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented503 Service Unavailable\
    Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMT\
    chunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,text/javascript,\
    publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.";

fn invalid() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "no SPDY of kubectl's")
}
