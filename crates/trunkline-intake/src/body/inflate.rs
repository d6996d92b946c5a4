//! Inflating as it comes: gzip (several members too), deflate with its wrapper, zstd, or nothing.
//!
//! Invariant: a body is whole or refused; what follows a compressed body's end is no part of it, and refused as well.

use std::io::{self, Write};

use flate2::write::{MultiGzDecoder, ZlibDecoder};
use http::{HeaderMap, header};
use zstd::stream::raw::{DParameter, Decoder, InBuffer, Operation as _, OutBuffer};

use super::{MAX_BODY, Reader, field};
use crate::refusal::Refusal;

/// zstd: the binary logarithm of the largest window.
const WINDOW_LOG: u32 = 23;
/// zstd: how much is inflated at once.
const STEP: usize = 32 * 1024;

/// How a body is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Plain,
    Gzip,
    Deflate,
    Zstd,
}

/// Inflates into a reader.
pub(crate) enum Inflate<R: Reader> {
    Plain(Counted<R>),
    Gzip(MultiGzDecoder<Counted<R>>),
    Deflate(ZlibDecoder<Counted<R>>),
    Zstd(Zstd<R>),
}

/// Inflates zstd, and knows whether what came was whole.
pub(crate) struct Zstd<R> {
    decoder: Decoder<'static>,
    step: Vec<u8>,
    whole: bool,
    to: Counted<R>,
}

/// A reader, and how many bytes it may still be handed.
pub(crate) struct Counted<R> {
    reader: R,
    left: usize,
    too_long: bool,
}

impl Encoding {
    /// What a request says.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, Refusal> {
        if headers.get_all(header::CONTENT_ENCODING).iter().count() > 1 {
            return Err(Refusal::Encoding("several".into()));
        }
        match field(headers, header::CONTENT_ENCODING).as_str() {
            "" | "identity" => Ok(Self::Plain),
            "gzip" | "x-gzip" => Ok(Self::Gzip),
            "deflate" => Ok(Self::Deflate),
            "zstd" => Ok(Self::Zstd),
            other => Err(Refusal::Encoding(other.chars().take(64).collect())),
        }
    }

    /// What inflating takes in memory, in bytes.
    pub(crate) fn memory(self) -> usize {
        match self {
            Self::Plain => 0,
            Self::Gzip | Self::Deflate => 128 * 1024,
            Self::Zstd => (1 << WINDOW_LOG) + 512 * 1024,
        }
    }

    /// How many bytes are fed at once: other tasks wait for as long as what becomes of them is looked at.
    pub(crate) fn piece(self) -> usize {
        if self == Self::Plain { 32 * 1024 } else { 4 * 1024 }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Plain => "text",
            Self::Gzip => "gzip",
            Self::Deflate => "deflate (of zlib, RFC 1950)",
            Self::Zstd => "zstd (of a window of 8 MiB at the most)",
        }
    }
}

impl<R: Reader> Inflate<R> {
    pub(crate) fn new(encoding: Encoding, reader: R) -> Result<Self, Refusal> {
        let to = Counted { reader, left: MAX_BODY, too_long: false };
        Ok(match encoding {
            Encoding::Plain => Self::Plain(to),
            Encoding::Gzip => Self::Gzip(MultiGzDecoder::new(to)),
            Encoding::Deflate => Self::Deflate(ZlibDecoder::new(to)),
            Encoding::Zstd => Self::Zstd(Zstd::new(to).map_err(|_| Refusal::Inflate(encoding.name()))?),
        })
    }

    /// Inflates one piece.
    pub(crate) fn feed(&mut self, piece: &[u8]) -> Result<(), Refusal> {
        let fed = match self {
            Self::Plain(to) => to.write_all(piece),
            Self::Gzip(to) => to.write_all(piece),
            Self::Deflate(to) => to.write_all(piece),
            Self::Zstd(to) => to.write_all(piece),
        };
        fed.map_err(|_| self.stopped_by())
    }

    /// The reader, when the body was whole.
    pub(crate) fn finish(mut self) -> Result<R, Refusal> {
        let ended = match &mut self {
            Self::Plain(_) => Ok(()),
            Self::Gzip(to) => to.try_finish(),
            Self::Deflate(to) => to.try_finish(),
            Self::Zstd(to) => to.whole.then_some(()).ok_or(io::ErrorKind::UnexpectedEof.into()),
        };
        ended.map_err(|_| self.stopped_by())?;
        let cut = Refusal::Inflate(self.encoding().name());
        match self {
            Self::Plain(to) => Ok(to.reader),
            Self::Gzip(to) => to.finish().map(|to| to.reader).map_err(|_| cut),
            Self::Deflate(to) => to.finish().map(|to| to.reader).map_err(|_| cut),
            Self::Zstd(to) => Ok(to.to.reader),
        }
    }

    fn encoding(&self) -> Encoding {
        match self {
            Self::Plain(_) => Encoding::Plain,
            Self::Gzip(_) => Encoding::Gzip,
            Self::Deflate(_) => Encoding::Deflate,
            Self::Zstd(_) => Encoding::Zstd,
        }
    }

    fn stopped_by(&mut self) -> Refusal {
        let name = self.encoding().name();
        let counted = match self {
            Self::Plain(to) => to,
            Self::Gzip(to) => to.get_mut(),
            Self::Deflate(to) => to.get_mut(),
            Self::Zstd(to) => &mut to.to,
        };
        if counted.too_long {
            return Refusal::TooLong;
        }
        counted.reader.stopped_by().unwrap_or(Refusal::Inflate(name))
    }
}

impl<R: Reader> Zstd<R> {
    fn new(to: Counted<R>) -> io::Result<Self> {
        let mut decoder = Decoder::new()?;
        decoder.set_parameter(DParameter::WindowLogMax(WINDOW_LOG))?;
        Ok(Self { decoder, step: vec![0; STEP], whole: false, to })
    }

    fn write_all(&mut self, piece: &[u8]) -> io::Result<()> {
        let mut from = InBuffer::around(piece);
        loop {
            let mut into = OutBuffer::around(self.step.as_mut_slice());
            let left = self.decoder.run(&mut from, &mut into)?;
            let filled = into.pos();
            self.whole = left == 0;
            self.to.write_all(self.step.get(..filled).unwrap_or_default())?;
            if from.pos() == piece.len() && filled < STEP {
                return Ok(());
            }
        }
    }
}

impl<R: Reader> Write for Counted<R> {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let Some(left) = self.left.checked_sub(piece.len()) else {
            self.too_long = true;
            return Err(io::ErrorKind::FileTooLarge.into());
        };
        self.left = left;
        self.reader.write_all(piece)?;
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
