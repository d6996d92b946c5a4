//! Inflating as it comes: gzip (several members too), deflate with its wrapper, zstd, or nothing.
//!
//! Invariants: a body is whole or refused; what follows a compressed body's end is no part of it, and refused as well; a step
//! makes some tens of KiB, whatever the ratio is.

use std::io::{self, Write};

use flate2::write::{MultiGzDecoder, ZlibDecoder};
use http::{HeaderMap, header};
use zstd::stream::raw::{DParameter, Decoder, InBuffer, Operation as _, OutBuffer};

use super::{MAX_BODY, Reader, field};
use crate::refusal::Refusal;

/// zstd: the binary logarithm of the largest window.
const WINDOW_LOG: u32 = 23;
/// How much is fed at once, and inflated at once by zstd; the others have steps of their own, as long.
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
    has_more: bool,
    to: Counted<R>,
}

/// A reader, how many bytes it may still be handed, and why it is handed none any more.
pub(crate) struct Counted<R> {
    reader: R,
    left: usize,
    stopped: Option<Refusal>,
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
        let to = Counted { reader, left: MAX_BODY, stopped: None };
        Ok(match encoding {
            Encoding::Plain => Self::Plain(to),
            Encoding::Gzip => Self::Gzip(MultiGzDecoder::new(to)),
            Encoding::Deflate => Self::Deflate(ZlibDecoder::new(to)),
            Encoding::Zstd => Self::Zstd(Zstd::new(to).map_err(|_| Refusal::Inflate(encoding.name()))?),
        })
    }

    /// One step: inflates the beginning of this, and says how much of it that was.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> Result<usize, Refusal> {
        let piece = bytes.get(..STEP).unwrap_or(bytes);
        let fed = match self {
            Self::Plain(to) => to.write(piece),
            Self::Gzip(to) => to.write(piece),
            Self::Deflate(to) => to.write(piece),
            Self::Zstd(to) => to.write(piece),
        };
        match fed {
            // What follows the end of what is compressed.
            Ok(0) if !piece.is_empty() && !self.has_more() => Err(self.stopped_by()),
            fed => fed.map_err(|_| self.stopped_by()),
        }
    }

    /// Whether more comes out of what was fed already.
    pub(crate) fn has_more(&self) -> bool {
        matches!(self, Self::Zstd(zstd) if zstd.has_more)
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
        counted.stopped.take().unwrap_or(Refusal::Inflate(name))
    }
}

impl<R: Reader> Zstd<R> {
    fn new(to: Counted<R>) -> io::Result<Self> {
        let mut decoder = Decoder::new()?;
        decoder.set_parameter(DParameter::WindowLogMax(WINDOW_LOG))?;
        Ok(Self { decoder, step: vec![0; STEP], whole: false, has_more: false, to })
    }

    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let mut from = InBuffer::around(piece);
        let mut into = OutBuffer::around(self.step.as_mut_slice());
        let left = self.decoder.run(&mut from, &mut into)?;
        let filled = into.pos();
        (self.whole, self.has_more) = (left == 0, left != 0 && filled == STEP);
        self.to.write_all(self.step.get(..filled).unwrap_or_default())?;
        Ok(from.pos())
    }
}

impl<R: Reader> Write for Counted<R> {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let handed = match self.left.checked_sub(piece.len()) {
            Some(left) => {
                self.left = left;
                self.reader.more(piece)
            }
            None => Err(Refusal::TooLong),
        };
        handed.map(|()| piece.len()).map_err(|refusal| {
            self.stopped = Some(refusal);
            io::ErrorKind::Other.into()
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts what it is handed.
    struct Count(usize);

    impl Reader for Count {
        fn more(&mut self, piece: &[u8]) -> Result<(), Refusal> {
            self.0 += piece.len();
            Ok(())
        }
    }

    fn handed<R: Reader>(inflate: &Inflate<R>) -> usize {
        MAX_BODY
            - match inflate {
                Inflate::Plain(to) => to.left,
                Inflate::Gzip(to) => to.get_ref().left,
                Inflate::Deflate(to) => to.get_ref().left,
                Inflate::Zstd(to) => to.to.left,
            }
    }

    #[test]
    fn between_some_tens_of_kib_others_have_their_turn_whatever_a_body_inflates_to() {
        let body = vec![0; MAX_BODY];
        let level = flate2::Compression::best();
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), level);
        let mut deflate = flate2::write::ZlibEncoder::new(Vec::new(), level);
        gzip.write_all(&body).unwrap();
        deflate.write_all(&body).unwrap();
        for (encoding, packed) in [
            (Encoding::Gzip, gzip.finish().unwrap()),
            (Encoding::Deflate, deflate.finish().unwrap()),
            (Encoding::Zstd, zstd::encode_all(&body[..], 19).unwrap()),
            (Encoding::Plain, body),
        ] {
            let mut inflate = Inflate::new(encoding, Count(0)).unwrap();
            let (mut rest, mut most) = (&packed[..], 0);
            while !rest.is_empty() || inflate.has_more() {
                let before = handed(&inflate);
                rest = &rest[inflate.feed(rest).unwrap()..];
                most = most.max(handed(&inflate) - before);
            }
            assert!(most <= 64 * 1024, "{encoding:?}: {most}");
            assert_eq!(inflate.finish().unwrap().0, MAX_BODY, "{encoding:?}");
        }
    }
}
