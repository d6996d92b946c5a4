//! An HTTP/2 client that speaks frames: for requests that no HTTP library would send.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::wait::within;

/// How long it waits for answers.
const PATIENCE: Duration = Duration::from_secs(30);

/// The kinds of frames (RFC 9113 §6).
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RESET: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;

/// An HTTP/2 connection to the front door, as frames.
#[derive(Debug)]
pub struct RawHttp2 {
    stream: TlsStream<TcpStream>,
    heard: Vec<u8>,
    next: u32,
    open: BTreeSet<u32>,
    statuses: BTreeMap<u32, u16>,
    gone: bool,
}

/// A frame's bytes.
pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = vec![length[1], length[2], length[3], kind, flags];
    frame.extend_from_slice(&stream.to_be_bytes());
    frame.extend_from_slice(payload);
    frame
}

/// Fields as HPACK with no table and no Huffman code, in the order and spelling given.
pub fn block(fields: &[(&[u8], &[u8])]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        for text in [name, value] {
            length(&mut block, text.len());
            block.extend_from_slice(text);
        }
    }
    block
}

/// An integer with a prefix of seven bits (RFC 7541 §5.1).
fn length(block: &mut Vec<u8>, mut number: usize) {
    if number < 127 {
        block.push(number as u8);
        return;
    }
    block.push(127);
    number -= 127;
    while number >= 128 {
        block.push((number % 128) as u8 | 128);
        number /= 128;
    }
    block.push(number as u8);
}

impl RawHttp2 {
    pub(crate) async fn new(stream: TlsStream<TcpStream>) -> Self {
        let mut raw = Self {
            stream,
            heard: Vec::new(),
            next: 1,
            open: BTreeSet::new(),
            statuses: BTreeMap::new(),
            gone: false,
        };
        // No table, so that a status is read without one; and room for every answer.
        let settings = [[0, 1, 0, 0, 0, 0], [0, 4, 0x7f, 0xff, 0xff, 0xff]].concat();
        raw.say(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
        raw.say(&frame(SETTINGS, 0, 0, &settings)).await;
        raw.say(&frame(WINDOW_UPDATE, 0, 0, &0x7fff_0000u32.to_be_bytes())).await;
        raw
    }

    /// Sends bytes. That the other end has hung up is seen when reading.
    pub async fn say(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes).await;
        let _ = self.stream.flush().await;
    }

    /// Sends a request's head, and a body if there is one; its stream.
    pub async fn ask(&mut self, fields: &[(&[u8], &[u8])], body: Option<&[u8]>) -> u32 {
        let stream = self.next;
        self.next += 2;
        let end = u8::from(body.is_none());
        let mut frames = frame(HEADERS, 4 | end, stream, &block(fields));
        if let Some(body) = body {
            frames.extend(frame(DATA, 1, stream, body));
        }
        self.open.insert(stream);
        self.say(&frames).await;
        stream
    }

    /// Reads until every request asked is answered or reset, or the connection is at its end.
    pub async fn finish(&mut self) {
        while !self.open.is_empty() {
            let Some((kind, flags, stream, payload)) = within("an answer", PATIENCE, self.hear()).await
            else {
                self.gone = true;
                return;
            };
            match kind {
                HEADERS => {
                    if let Some(status) = status(&payload) {
                        self.statuses.insert(stream, status);
                    }
                }
                SETTINGS if flags & 1 == 0 => self.say(&frame(SETTINGS, 1, 0, &[])).await,
                PING if flags & 1 == 0 => self.say(&frame(PING, 1, 0, &payload)).await,
                GOAWAY => self.gone = true,
                _ => {}
            }
            if kind == RESET || (matches!(kind, DATA | HEADERS) && flags & 1 == 1) {
                self.open.remove(&stream);
            }
        }
    }

    /// The status that a stream was answered with; none when it was reset.
    pub fn status(&self, stream: u32) -> Option<u16> {
        self.statuses.get(&stream).copied()
    }

    /// Whether the other end wants no more of it.
    pub fn is_gone(&self) -> bool {
        self.gone
    }

    /// The next frame; none when the connection is at its end.
    pub async fn hear(&mut self) -> Option<(u8, u8, u32, Vec<u8>)> {
        loop {
            if let Some(head) = self.heard.get(..9) {
                let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
                if self.heard.len() >= 9 + length {
                    let stream = u32::from_be_bytes([head[5] & 0x7f, head[6], head[7], head[8]]);
                    let (kind, flags) = (head[3], head[4]);
                    let payload = self.heard[9..9 + length].to_vec();
                    self.heard.drain(..9 + length);
                    return Some((kind, flags, stream, payload));
                }
            }
            match self.stream.read_buf(&mut self.heard).await {
                Ok(1..) => {}
                Ok(0) | Err(_) => return None,
            }
        }
    }
}

/// The status at the beginning of an answer's fields.
fn status(block: &[u8]) -> Option<u16> {
    // Behind changes of the table's size.
    let block = &block[block.iter().position(|byte| byte >> 5 != 1)?..];
    match block {
        [0x88, ..] => Some(200),
        [0x89, ..] => Some(204),
        [0x8a, ..] => Some(206),
        [0x8b, ..] => Some(304),
        [0x8c, ..] => Some(400),
        [0x8d, ..] => Some(404),
        [0x8e, ..] => Some(500),
        [0x48 | 0x08 | 0x18, length, rest @ ..] => {
            let text = rest.get(..usize::from(length & 0x7f))?;
            let digits = if length & 0x80 == 0 { text.to_vec() } else { digits(text) };
            String::from_utf8(digits).ok()?.parse().ok()
        }
        _ => None,
    }
}

/// Three digits in the Huffman code of HPACK: 0 to 2 have five bits, 3 to 9 six.
fn digits(code: &[u8]) -> Vec<u8> {
    let bits = code.iter().flat_map(|byte| (0..8).rev().map(move |at| byte >> at & 1)).collect::<Vec<_>>();
    let (mut digits, mut at) = (Vec::new(), 0);
    while digits.len() < 3 && at + 5 <= bits.len() {
        let number =
            |from: usize, to: usize| bits[from..to].iter().fold(0u8, |number, bit| number << 1 | bit);
        let short = number(at, at + 5);
        if short <= 2 {
            digits.push(b'0' + short);
            at += 5;
        } else if at + 6 <= bits.len() {
            digits.push(b'3'.wrapping_add(number(at, at + 6).wrapping_sub(25)));
            at += 6;
        } else {
            break;
        }
    }
    digits
}
