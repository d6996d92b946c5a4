//! The files of a log: `<first sequence, 20 digits>.jsonl`, in order. Only the last one grows.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::line::{self, MAX_LINE};

/// How files of records end.
const END: &str = ".jsonl";

/// A file of records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    /// The sequence of its first record.
    pub(crate) first: u64,
    pub(crate) path: PathBuf,
}

impl Segment {
    /// The segment that begins with a sequence.
    pub(crate) fn new(folder: &Path, first: u64) -> Self {
        Self { first, path: folder.join(format!("{first:020}{END}")) }
    }

    /// Its name without the folder.
    pub(crate) fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// When its first record was noted; none if there is none that can be read.
    pub(crate) fn begins(&self) -> io::Result<Option<Timestamp>> {
        Ok(match Lines::open(self)?.next()? {
            Line::Whole(line) => line::check(line).ok().map(|checked| checked.link.time),
            Line::Torn(_) | Line::TooLong | Line::End => None,
        })
    }
}

/// All segments of a folder, oldest first.
pub(crate) fn list(folder: &Path) -> io::Result<Vec<Segment>> {
    let mut segments = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(END));
        if let Some(digits) = name.filter(|digits| digits.len() == 20)
            && let Ok(first) = digits.parse()
        {
            segments.push(Segment { first, path });
        }
    }
    segments.sort_by_key(|segment| segment.first);
    Ok(segments)
}

/// What comes next in a file.
#[derive(Debug)]
pub(crate) enum Line<'a> {
    /// A line, without its line break.
    Whole(&'a [u8]),
    /// The file ends within a line, after this many bytes of it.
    Torn(usize),
    /// A line that is longer than any record.
    TooLong,
    /// The file ends.
    End,
}

/// The lines of a file, bounded. After `Line::End` it may go on, if the file has grown.
#[derive(Debug)]
pub(crate) struct Lines {
    file: BufReader<File>,
    line: Vec<u8>,
    /// Where the next line begins.
    at: u64,
}

impl Lines {
    pub(crate) fn open(segment: &Segment) -> io::Result<Self> {
        let file = BufReader::with_capacity(128 * 1024, File::open(&segment.path)?);
        Ok(Self { file, line: Vec::new(), at: 0 })
    }

    /// Where the next line begins.
    pub(crate) fn at(&self) -> u64 {
        self.at
    }

    /// Forgets what was read ahead: it may have been written anew since.
    pub(crate) fn look_again(&mut self) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(self.at)).map(drop)
    }

    pub(crate) fn next(&mut self) -> io::Result<Line<'_>> {
        self.line.clear();
        let most = MAX_LINE as u64 + 1;
        let read = self.file.by_ref().take(most).read_until(b'\n', &mut self.line)?;
        self.at += read as u64;
        Ok(match self.line.last() {
            None => Line::End,
            Some(b'\n') => {
                self.line.pop();
                Line::Whole(&self.line)
            }
            Some(_) if read as u64 == most => Line::TooLong,
            Some(_) => Line::Torn(read),
        })
    }
}

/// The last whole line of a file, without its line break; and how long the file is up to its end.
pub(crate) fn last_line(file: &mut File) -> io::Result<(Option<Vec<u8>>, u64)> {
    let length = file.metadata()?.len();
    let mut tail = Vec::new();
    let mut begin = length;
    loop {
        let (line, end) = last_in(&tail);
        let whole = begin + end as u64;
        match line {
            Some(line) => return Ok((Some(line.to_vec()), whole)),
            // The line, and what is torn behind it, reach to the beginning.
            None if begin == 0 => {
                let line = end.checked_sub(1).and_then(|end| tail.get(..end)).map(<[u8]>::to_vec);
                return Ok((line, whole));
            }
            None if tail.len() > 3 * MAX_LINE => {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "its last line is longer than any record",
                ));
            }
            None => {}
        }
        let step = begin.min(64 * 1024);
        begin -= step;
        file.seek(SeekFrom::Start(begin))?;
        let mut piece = Vec::new();
        file.by_ref().take(step).read_to_end(&mut piece)?;
        piece.append(&mut tail);
        tail = piece;
    }
}

/// The last line between two line breaks, and where the last line break ends.
fn last_in(bytes: &[u8]) -> (Option<&[u8]>, usize) {
    let Some(end) = bytes.iter().rposition(|byte| *byte == b'\n') else { return (None, 0) };
    let before = bytes.get(..end).unwrap_or_default();
    let line = before.iter().rposition(|byte| *byte == b'\n').and_then(|begin| before.get(begin + 1..));
    (line, end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(content: &[u8]) -> (tempfile::TempDir, Segment) {
        let folder = tempfile::tempdir().unwrap();
        let segment = Segment::new(folder.path(), 1);
        fs::write(&segment.path, content).unwrap();
        (folder, segment)
    }

    #[test]
    fn the_last_whole_line_is_found_from_the_end() {
        let long = vec![b'x'; 200_000];
        let with_long = [&b"first\n"[..], &long, b"\ntorn"].concat();
        for (content, line, whole) in [
            (&b""[..], None, 0),
            (b"torn", None, 0),
            (b"one\n", Some(&b"one"[..]), 4),
            (b"one\ntorn", Some(b"one"), 4),
            (b"one\ntwo\n", Some(b"two"), 8),
            (b"one\n\n", Some(b""), 5),
            (b"\n", Some(b""), 1),
            (&with_long, Some(&long), 6 + 200_001),
        ] {
            let (_folder, segment) = file(content);
            let found = last_line(&mut File::open(&segment.path).unwrap()).unwrap();
            assert_eq!((found.0.as_deref(), found.1), (line, whole), "{} bytes", content.len());
        }
    }

    #[test]
    fn lines_are_read_within_bounds() {
        let (_folder, segment) = file(&[&b"a\n"[..], &vec![b'x'; MAX_LINE], b"\n", b"b"].concat());
        let mut lines = Lines::open(&segment).unwrap();
        assert!(matches!(lines.next().unwrap(), Line::Whole(b"a")));
        assert!(matches!(lines.next().unwrap(), Line::Whole(line) if line.len() == MAX_LINE));
        assert!(matches!(lines.next().unwrap(), Line::Torn(1)));
        assert!(matches!(lines.next().unwrap(), Line::End));
        let (_folder, segment) = file(&vec![b'x'; 2 * MAX_LINE]);
        assert!(matches!(Lines::open(&segment).unwrap().next().unwrap(), Line::TooLong));
    }

    #[test]
    fn only_segments_are_listed_and_in_order() {
        let (folder, one) = file(b"");
        let ten = Segment::new(folder.path(), 10);
        fs::write(&ten.path, b"").unwrap();
        for other in ["lock", "1.jsonl", "0000000000000000000x.jsonl", "00000000000000000002.jsonl.bak"] {
            fs::write(folder.path().join(other), b"").unwrap();
        }
        assert_eq!(list(folder.path()).unwrap(), [one, ten]);
    }
}
