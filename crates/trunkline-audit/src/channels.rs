//! What an exec or attach says over a WebSocket: frames (RFC 6455) that carry Kubernetes' channels (KEP-4006).
//!
//! The first byte of a message is its channel: 0 standard input, 1 output, 2 error, 3 how it ended, 4 the terminal's
//! size; in v5, 255 closes the channel that follows. In the base64 protocols the channel is a digit, and what follows is
//! base64.
//!
//! Invariants:
//! - it takes any bytes in any pieces, and says the same whatever the pieces are; it never fails, it loses the thread
//!   and says so once;
//! - nothing of a payload is kept: but four characters of base64, and the size of a terminal.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

/// The terminal's size, and the word that closes a channel.
const RESIZE: u8 = 4;
const CLOSE: u8 = 255;
/// The longest message with a terminal's size that is read, in bytes.
const MAX_SIZE: usize = 256;
/// The longest payload of a control frame, in bytes.
const MAX_CONTROL: u64 = 125;
/// How much is unmasked at once.
const PIECE: usize = 4 * 1024;

/// How channels stand in messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// `channel.k8s.io`, `v4.channel.k8s.io`, or none named.
    Binary,
    /// `v5.channel.k8s.io`: a channel can be closed.
    BinaryWithClose,
    /// `base64.channel.k8s.io`, `v4.base64.channel.k8s.io`.
    Base64,
}

impl Protocol {
    /// The protocol that an answer's `Sec-WebSocket-Protocol` names; none for one that is not known.
    pub fn named(name: &str) -> Option<Self> {
        match name.trim() {
            "" | "channel.k8s.io" | "v4.channel.k8s.io" => Some(Self::Binary),
            "v5.channel.k8s.io" => Some(Self::BinaryWithClose),
            "base64.channel.k8s.io" | "v4.base64.channel.k8s.io" => Some(Self::Base64),
            _ => None,
        }
    }
}

/// What is said.
#[derive(Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// Bytes of a channel; those of one message may come in several.
    Data {
        /// The channel.
        channel: u8,
        /// Some bytes, at least one.
        bytes: &'a [u8],
    },
    /// The terminal has another size.
    Resize {
        /// Its width.
        columns: u16,
        /// Its height.
        rows: u16,
    },
    /// A channel is closed.
    Closed(u8),
    /// A message goes on in another frame. There are servers that take it for another message, with a channel of its own.
    Fragment,
    /// A close frame went by. Nothing follows.
    End,
    /// This is no such conversation, for this reason. Nothing follows.
    Lost(&'static str),
}

/// One direction of a WebSocket, followed.
#[derive(Debug)]
pub struct Frames {
    protocol: Protocol,
    place: Place,
    /// The message under way, between its first and its last frame.
    message: Option<Message>,
}

#[derive(Debug)]
enum Place {
    /// Within a head: its bytes so far.
    Head(Vec<u8>),
    Payload(Payload),
    Over,
}

#[derive(Debug)]
struct Payload {
    left: u64,
    mask: Option<[u8; 4]>,
    /// How many bytes of it went by, modulo 4.
    turn: usize,
    is_control: bool,
    is_last: bool,
}

#[derive(Debug, Default)]
struct Message {
    channel: Option<u8>,
    /// Characters of base64 that are not four yet.
    quad: Vec<u8>,
    /// Base64 ended: nothing may follow.
    padded: bool,
    size: Vec<u8>,
}

/// A terminal's size, as Kubernetes writes it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Size {
    width: u16,
    height: u16,
}

impl Frames {
    /// A conversation that begins.
    pub fn new(protocol: Protocol) -> Self {
        Self { protocol, place: Place::Head(Vec::new()), message: None }
    }

    /// Follows some bytes, and tells what they say.
    pub fn feed(&mut self, mut bytes: &[u8], tell: &mut impl FnMut(Event<'_>)) {
        while let [first, rest @ ..] = bytes {
            match &mut self.place {
                Place::Over => return,
                Place::Head(head) => {
                    head.push(*first);
                    bytes = rest;
                    match read_head(head, self.message.is_some()) {
                        Ok(None) => {}
                        Ok(Some(Head::Close)) => self.over(Event::End, tell),
                        Ok(Some(Head::Frame { payload, continues })) => {
                            if continues {
                                tell(Event::Fragment);
                            } else if !payload.is_control {
                                self.message = Some(Message::default());
                            }
                            self.place = Place::Payload(payload);
                            self.end_if_done(tell);
                        }
                        Err(why) => self.over(Event::Lost(why), tell),
                    }
                }
                Place::Payload(payload) => {
                    let here = usize::try_from(payload.left).unwrap_or(usize::MAX).min(bytes.len());
                    let (mine, others) = bytes.split_at_checked(here).unwrap_or((bytes, &[]));
                    bytes = others;
                    if let Err(why) = payload.pass(mine, self.protocol, &mut self.message, tell) {
                        self.over(Event::Lost(why), tell);
                        return;
                    }
                    self.end_if_done(tell);
                }
            }
        }
    }

    fn end_if_done(&mut self, tell: &mut impl FnMut(Event<'_>)) {
        let Place::Payload(payload) = &self.place else { return };
        if payload.left > 0 {
            return;
        }
        let ends = payload.is_last && !payload.is_control;
        self.place = Place::Head(Vec::new());
        if let Some(message) = self.message.take_if(|_| ends)
            && let Err(why) = message.end(tell)
        {
            self.over(Event::Lost(why), tell);
        }
    }

    fn over(&mut self, last: Event<'_>, tell: &mut impl FnMut(Event<'_>)) {
        self.place = Place::Over;
        tell(last);
    }
}

enum Head {
    Frame { payload: Payload, continues: bool },
    Close,
}

/// Reads a head, once it is whole.
fn read_head(head: &[u8], in_message: bool) -> Result<Option<Head>, &'static str> {
    let (Some(first), Some(second)) = (head.first(), head.get(1)) else { return Ok(None) };
    let extended = match second & 0x7f {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    let is_masked = second & 0x80 != 0;
    let whole = 2 + extended + if is_masked { 4 } else { 0 };
    if head.len() < whole {
        return Ok(None);
    }
    let number = |bytes: &[u8]| bytes.iter().fold(0u64, |number, byte| number << 8 | u64::from(*byte));
    let left = match extended {
        0 => u64::from(second & 0x7f),
        _ => number(head.get(2..2 + extended).unwrap_or_default()),
    };
    let mask = head.get(2 + extended..whole).and_then(|mask| mask.try_into().ok());
    if first & 0x70 != 0 {
        return Err("a frame has bits of an extension that nobody agreed on");
    }
    if left >> 63 != 0 {
        return Err("a frame's length is not one");
    }
    let is_last = first & 0x80 != 0;
    let (is_control, continues) = match first & 0x0f {
        0 if in_message => (false, true),
        0 => return Err("a frame continues a message that nobody began"),
        1 | 2 if in_message => return Err("a message begins within another"),
        1 | 2 => (false, false),
        8..=10 if left > MAX_CONTROL || !is_last => return Err("a control frame is too long or in pieces"),
        8 => return Ok(Some(Head::Close)),
        9 | 10 => (true, false),
        _ => return Err("a frame is of an unknown kind"),
    };
    Ok(Some(Head::Frame { payload: Payload { left, mask, turn: 0, is_control, is_last }, continues }))
}

impl Payload {
    /// Takes bytes that are all of this payload.
    fn pass(
        &mut self,
        bytes: &[u8],
        protocol: Protocol,
        message: &mut Option<Message>,
        tell: &mut impl FnMut(Event<'_>),
    ) -> Result<(), &'static str> {
        self.left -= bytes.len() as u64;
        let Some(message) = message.as_mut().filter(|_| !self.is_control) else { return Ok(()) };
        let Some(mask) = self.mask else { return message.take(bytes, protocol, tell) };
        let mut clear = [0; PIECE];
        for piece in bytes.chunks(PIECE) {
            let key = mask.iter().cycle().skip(self.turn);
            for ((clear, byte), key) in clear.iter_mut().zip(piece).zip(key) {
                *clear = byte ^ key;
            }
            self.turn = (self.turn + piece.len()) % 4;
            message.take(clear.get(..piece.len()).unwrap_or_default(), protocol, tell)?;
        }
        Ok(())
    }
}

impl Message {
    fn take(
        &mut self,
        mut bytes: &[u8],
        protocol: Protocol,
        tell: &mut impl FnMut(Event<'_>),
    ) -> Result<(), &'static str> {
        let channel = match self.channel {
            Some(channel) => channel,
            None => {
                let [first, rest @ ..] = bytes else { return Ok(()) };
                bytes = rest;
                let channel = match protocol {
                    Protocol::Base64 if first.is_ascii_digit() => first - b'0',
                    Protocol::Base64 => return Err("a channel is no digit"),
                    Protocol::Binary | Protocol::BinaryWithClose => *first,
                };
                *self.channel.insert(channel)
            }
        };
        match protocol {
            Protocol::BinaryWithClose if channel == CLOSE => {
                bytes.iter().for_each(|closed| tell(Event::Closed(*closed)));
                Ok(())
            }
            Protocol::Binary | Protocol::BinaryWithClose => {
                self.say(channel, bytes, tell);
                Ok(())
            }
            Protocol::Base64 => {
                for byte in bytes {
                    self.quad.push(*byte);
                    if self.quad.len() == 4 {
                        self.decode(channel, tell)?;
                    }
                }
                Ok(())
            }
        }
    }

    fn decode(&mut self, channel: u8, tell: &mut impl FnMut(Event<'_>)) -> Result<(), &'static str> {
        let mut clear = [0; 3];
        if self.padded {
            return Err("base64 goes on behind its end");
        }
        self.padded = self.quad.contains(&b'=');
        let length = STANDARD.decode_slice(&self.quad, &mut clear).map_err(|_| "a message is not base64")?;
        self.quad.clear();
        self.say(channel, clear.get(..length).unwrap_or_default(), tell);
        Ok(())
    }

    fn say(&mut self, channel: u8, bytes: &[u8], tell: &mut impl FnMut(Event<'_>)) {
        if channel == RESIZE {
            let room = (MAX_SIZE + 1).saturating_sub(self.size.len());
            self.size.extend(bytes.iter().take(room));
        } else if !bytes.is_empty() {
            tell(Event::Data { channel, bytes });
        }
    }

    fn end(self, tell: &mut impl FnMut(Event<'_>)) -> Result<(), &'static str> {
        if !self.quad.is_empty() {
            return Err("a message of base64 ends too early");
        }
        // What is no size changes none.
        if self.size.len() <= MAX_SIZE
            && let Ok(Size { width, height }) = serde_json::from_slice(&self.size)
        {
            tell(Event::Resize { columns: width, rows: height });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
