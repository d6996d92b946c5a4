//! A line as a container runtime writes it.
//!
//! ```text
//! 2026-11-27T03:15:00.250000000Z stdout F the text          CRI; P in place of F when the line goes on in another one
//! {"log":"the text\n","stream":"stdout","time":"2026-..."}  Docker; the line goes on when its text has no newline
//! ```

use std::borrow::Cow;

use jiff::Timestamp;
use serde::Deserialize;

/// What a container writes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    Stdout,
    Stderr,
}

impl Stream {
    pub(super) fn index(self) -> usize {
        match self {
            Self::Stdout => 0,
            Self::Stderr => 1,
        }
    }

    pub(super) fn of(index: usize) -> Self {
        if index == 0 { Self::Stdout } else { Self::Stderr }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }

    fn named(name: &str) -> Option<Self> {
        [Self::Stdout, Self::Stderr].into_iter().find(|stream| stream.name() == name)
    }
}

/// What one line says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Piece<'a> {
    pub(super) stream: Stream,
    pub(super) time: Cow<'a, str>,
    pub(super) text: Cow<'a, [u8]>,
    /// Whether the container's line ends here.
    pub(super) is_whole: bool,
}

/// Reads a line; none if no runtime wrote it so.
pub(super) fn piece(line: &[u8]) -> Option<Piece<'_>> {
    if line.first() == Some(&b'{') { docker(line) } else { cri(line) }
}

fn cri(line: &[u8]) -> Option<Piece<'_>> {
    let mut words = line.splitn(4, |byte| *byte == b' ');
    let mut word = || std::str::from_utf8(words.next()?).ok();
    let (time, stream, tags) = (word()?, Stream::named(word()?)?, word()?);
    let is_whole = match tags.split(':').next()? {
        "F" => true,
        "P" => false,
        _ => return None,
    };
    time.parse::<Timestamp>().ok()?;
    let text = words.next().unwrap_or_default();
    Some(Piece { stream, time: Cow::Borrowed(time), text: Cow::Borrowed(text), is_whole })
}

#[derive(Deserialize)]
struct Docker<'a> {
    #[serde(borrow)]
    log: Cow<'a, str>,
    #[serde(borrow)]
    stream: Cow<'a, str>,
    #[serde(borrow)]
    time: Cow<'a, str>,
}

fn docker(line: &[u8]) -> Option<Piece<'_>> {
    let Docker { log, stream, time } = serde_json::from_slice(line).ok()?;
    time.parse::<Timestamp>().ok()?;
    let is_whole = log.ends_with('\n');
    let mut text = match log {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    };
    if is_whole {
        match &mut text {
            Cow::Borrowed(text) => *text = text.strip_suffix(b"\n").unwrap_or(text),
            Cow::Owned(text) => _ = text.pop(),
        }
    }
    Some(Piece { stream: Stream::named(&stream)?, time, text, is_whole })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Option<(Stream, String, String, bool)> {
        let Piece { stream, time, text, is_whole } = piece(line.as_bytes())?;
        Some((stream, time.into_owned(), String::from_utf8(text.into_owned()).unwrap(), is_whole))
    }

    const TIME: &str = "2026-11-27T03:15:00.250000000Z";

    #[test]
    fn both_formats_say_stream_time_text_and_whether_the_line_ends() {
        let said = |stream, text: &str, is_whole| Some((stream, TIME.to_owned(), text.to_owned(), is_whole));
        for (line, expected) in [
            (format!("{TIME} stdout F hello  world "), said(Stream::Stdout, "hello  world ", true)),
            (format!("{TIME} stderr P half"), said(Stream::Stderr, "half", false)),
            (format!("{TIME} stdout F:more:tags x"), said(Stream::Stdout, "x", true)),
            (format!("{TIME} stdout F "), said(Stream::Stdout, "", true)),
            (format!("{TIME} stdout F"), said(Stream::Stdout, "", true)),
            (
                format!(r#"{{"log":"a\n","stream":"stdout","time":"{TIME}"}}"#),
                said(Stream::Stdout, "a", true),
            ),
            (
                format!(r#"{{"log":"a \"b\"","stream":"stderr","time":"{TIME}","attrs":{{}}}}"#),
                said(Stream::Stderr, "a \"b\"", false),
            ),
            (format!(r#"{{"log":"\n","stream":"stdout","time":"{TIME}"}}"#), said(Stream::Stdout, "", true)),
        ] {
            assert_eq!(read(&line), expected, "{line}");
        }
    }

    #[test]
    fn what_no_runtime_writes_is_no_piece() {
        for line in [
            "",
            "hello",
            "yesterday stdout F x",
            &format!("{TIME} stdin F x"),
            &format!("{TIME} stdout X x"),
            &format!("{TIME} stdout"),
            &format!(" {TIME} stdout F x"),
            r#"{"message":"a"}"#,
            r#"{"log":"a","stream":"x","time":"2026-11-27T03:15:00Z"}"#,
            r#"{"log":"a","stream":"stdout","time":"now"}"#,
            r#"{"log":"a""#,
        ] {
            assert_eq!(read(line), None, "{line}");
        }
    }
}
